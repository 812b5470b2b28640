"""What was judged, in words: the parts of a report that the figures don't tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.evaluation.run import ModelEvaluation

_SPLITS = {
    "test": "the test split",
    "train": "the training split",
    "validation": "the validation split",
    "unseen": "slides that it was not trained on",
    "all": "all tiles",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectTable:
    """A table that only this kind of evaluation has.

    Parameters
    ----------
    title
        Heading of its section.
    columns
        Heads of the columns; all but the first are numbers.
    rows
        Cells as text, each with what stands small below it.
    words
        How to read it.
    picture
        PNG beside it, if there is one.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[tuple[str, str], ...], ...]
    words: str = ""
    picture: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationSubject:
    """Whose predictions they are, and of what.

    Parameters
    ----------
    title
        Heading of the page.
    sentence
        What was done, below the heading.
    facts
        Names and values for the last section of the page.
    notes
        What a reader must know before the figures.
    folders
        Where the tiles of `Predictions.paths` lie; without them the gallery has no pictures.
    record
        More for evaluation.json.
    tables
        Shown above the figures by class.
    """

    title: str
    sentence: str = ""
    facts: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    folders: tuple[Path, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)
    tables: tuple[SubjectTable, ...] = ()


def subject_of_model(
    evaluation: ModelEvaluation, calibrated: ModelCard | None = None
) -> EvaluationSubject:
    """Describe the evaluation of a model.

    Parameters
    ----------
    evaluation
        What was found.
    calibrated
        The card as written, if a temperature was fitted on these tiles.
    """
    card = evaluation.card
    data = ", ".join(folder.absolute().name for folder in evaluation.folders)
    notes = list(evaluation.notes)
    if calibrated is not None:
        notes.insert(0, _calibrated(calibrated))
    return EvaluationSubject(
        title=f"How good is {card.name}?",
        sentence=f"{data}: {_SPLITS[evaluation.split]}",
        facts=tuple(_facts(evaluation, data)),
        notes=tuple(notes),
        folders=evaluation.folders,
        record={
            "model": {
                "name": card.name,
                "version": card.version,
                "sha256": card.sha256,
                "scheme": card.scheme_name,
                "temperature": card.temperature,
            },
            "data": data,
            "split": evaluation.split,
            "stain": evaluation.stain,
            "calibrated": None if calibrated is None else _stored(calibrated),
        },
    )


def _calibrated(card: ModelCard) -> str:
    record = card.calibration
    return (
        f"Calibrated: the temperature {card.temperature:g}, fitted on {record.tiles} tiles of "
        f"{len(record.slides)} slides, is now stored in the card (before: "
        f"{record.temperature_before:g}). The probabilities on this page are those before."
    )


def _stored(card: ModelCard) -> dict[str, Any]:
    return card.calibration.model_dump()


def _facts(evaluation: ModelEvaluation, data: str) -> list[tuple[str, str]]:
    card = evaluation.card
    return [
        ("Model", f"{card.name}, version {card.version} ({card.architecture.name})"),
        ("Hash of the weights", card.sha256),
        ("Temperature of the model", f"{card.temperature:g}"),
        ("Temperature from", _source(card)),
        ("Tiles", f"{data}: {_SPLITS[evaluation.split]}"),
        ("Tile", f"{card.tile_px} px at {card.mpp:g} µm/px, seen at {card.input_px} px"),
        ("Stain normalization", evaluation.stain.replace("_", " ")),
        ("Folders counted as another class", evaluation.judgement.options.merge or "none"),
        ("Trained on", card.training_data.description or "the card does not say"),
        ("Held back in training", card.training_data.split or "the card does not say"),
    ]


def _source(card: ModelCard) -> str:
    record = card.calibrated_on
    if record is None:
        return "the training"
    return f"{record.tiles} tiles of {len(record.slides)} slides in {record.data} ({record.split})"
