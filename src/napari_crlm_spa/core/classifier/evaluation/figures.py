"""Figures of a class and over all classes, with intervals by slide."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.classifier.evaluation.intervals import (
    Estimate,
    complete_draws,
    interval,
    stratified_draws,
)
from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions
from napari_crlm_spa.core.classifier.evaluation.roc import WeightedArea, one_vs_rest
from napari_crlm_spa.core.classifier.predictions import Predictions

_NO_DRAWS = "no draws were asked for"
_ONE_SLIDE = "all its tiles are of one slide"
_NO_OTHER_SLIDE = "all other tiles are of one slide"

_Figures = dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """How well one class is told from the others.

    Parameters
    ----------
    name
        Of the class.
    tiles, slides
        That truly carry it.
    predicted
        Tiles that were given it.
    recall, precision, f1, auc
        nan with a reason where the class has no tiles.
    """

    name: str
    tiles: int
    slides: int
    predicted: int
    recall: Estimate
    precision: Estimate
    f1: Estimate
    auc: Estimate


def class_figures(
    index: int,
    predictions: Predictions,
    shares: NDArray[np.float64],
    groups: NDArray[np.int64],
    confusions: NDArray[np.int64],
    options: EvaluationOptions,
) -> ClassFigures:
    """Return the figures of the class at `index`.

    Parameters
    ----------
    shares
        Probabilities, shape (n, k).
    groups
        Slide of each tile as an index, shape (n,).
    confusions
        By slide, shape (slides, k, k).
    """
    name = predictions.class_names[index]
    whole = confusions.sum(axis=0)
    tiles, predicted = int(whole[index].sum()), int(whole[:, index].sum())
    carriers = confusions[:, index].sum(axis=1) > 0
    if not tiles:
        none = Estimate(nan, reason="it has no tiles")
        return ClassFigures(name, 0, 0, predicted, none, none, none, none)
    positive = predictions.labels == index
    curve = one_vs_rest(shares[:, index], positive)
    values = {key: float(value) for key, value in _of_class(whole, index).items()}
    values["auc"] = curve.area if curve else nan
    estimates = {
        key: Estimate(value, reason=_why_none(key, carriers, confusions, index, options))
        for key, value in values.items()
    }
    open_ = [key for key, each in estimates.items() if not each.reason]
    if open_:
        area = WeightedArea(shares[:, index], positive, groups)
        rng = np.random.default_rng([options.seed, index])
        parts = [
            {**_of_class(np.tensordot(draws, confusions, 1), index), "auc": area.areas(draws)}
            for draws in stratified_draws(carriers, options.bootstrap, rng, len(groups))
        ]
        for key in open_:
            drawn = _column(parts, key)
            estimates[key] = interval(values[key], drawn, options.bootstrap, options.confidence)
    return ClassFigures(name, tiles, int(carriers.sum()), predicted, **estimates)


def overall(confusions: NDArray[np.int64], options: EvaluationOptions) -> dict[str, Estimate]:
    """Return accuracy, balanced accuracy and macro F1; `confusions` by slide (slides, k, k)."""
    values = {key: float(value) for key, value in _of_all(confusions.sum(axis=0)).items()}
    present = confusions.sum(axis=2) > 0
    reason = _why_none_overall(present, options)
    if reason:
        return {key: Estimate(value, reason=reason) for key, value in values.items()}
    rng = np.random.default_rng([options.seed, confusions.shape[1]])
    parts = [
        _of_all(np.tensordot(draws, confusions, 1))
        for draws in complete_draws(present, options.bootstrap, rng)
    ]
    return {
        key: interval(value, _column(parts, key), options.bootstrap, options.confidence)
        for key, value in values.items()
    }


def _of_class(confusion: NDArray[np.int64], index: int) -> _Figures:
    """Recall, precision and F1 of a class; `confusion` of shape (..., k, k)."""
    right = confusion[..., index, index]
    true = confusion[..., index, :].sum(axis=-1)
    said = confusion[..., :, index].sum(axis=-1)
    return {
        "recall": _ratio(right, true),
        "precision": _ratio(right, said),
        "f1": _ratio(2 * right, true + said),
    }


def _of_all(confusion: NDArray[np.int64]) -> _Figures:
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    true, said = confusion.sum(axis=-1), confusion.sum(axis=-2)
    there = true > 0

    def mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.where(there, values, 0.0).sum(axis=-1)
        average: NDArray[np.float64] = total / np.maximum(there.sum(axis=-1), 1)
        return average

    return {
        "accuracy": _ratio(right.sum(axis=-1), true.sum(axis=-1)),
        "balanced_accuracy": mean(_ratio(right, true)),
        "macro_f1": mean(_ratio(2 * right, true + said)),
    }


def _column(parts: list[_Figures], key: str) -> NDArray[np.float64]:
    return np.concatenate([part[key] for part in parts]) if parts else np.empty(0)


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    ratio = np.full(np.shape(part), nan)
    np.divide(part, whole, out=ratio, where=np.asarray(whole) > 0)
    return ratio


def _why_none(
    key: str,
    carriers: NDArray[np.bool_],
    confusions: NDArray[np.int64],
    index: int,
    options: EvaluationOptions,
) -> str:
    """Say why a figure of a class has no interval; empty where it can have one."""
    others = np.delete(confusions, index, axis=1).sum(axis=(1, 2)) > 0
    if key == "auc" and not others.any():
        return "all tiles are of this class"
    if carriers.sum() < 2:
        return _ONE_SLIDE
    if key in ("auc", "precision", "f1") and others.sum() == 1:
        return _NO_OTHER_SLIDE
    if key == "precision" and not confusions[:, :, index].any():
        return "no tile was given it"
    return "" if options.bootstrap else _NO_DRAWS


def _why_none_overall(present: NDArray[np.bool_], options: EvaluationOptions) -> str:
    if len(present) < 2:
        return "all tiles are of one slide"
    if (present.sum(axis=0) == 1).any():
        return "a class is on one slide only"
    return "" if options.bootstrap else _NO_DRAWS
