"""One row of features per patient, when a patient has several slides."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.cohort.columns import DECLARED, SOFS
from napari_crlm_spa.core.cohort.table.analyses import AnalyzedSlide
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.errors import CohortError

if TYPE_CHECKING:
    from napari_crlm_spa.core.risk import RiskModel

#: What the rules do, for the flow and the methods paragraph. The paper has one slide per patient
#: and no rule. The default is our assumption: the slide with the most tumor rests on the most
#: tiles, and every value stays that of a real slide, while a mean of slides varies less than a
#: single one and would be split elsewhere.
RULES = {
    "largest_tumor": "the slide with the most contiguous tumor tiles counts",
    "declared": "the slide declared in the column use_slide counts",
    "worst": "the slide with the highest risk score counts",
    "mean": "the mean over a patient's slides counts, feature by feature",
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a patient's slides come to.

    Parameters
    ----------
    slides
        Positions of the slides that count.
    features
        The patient's features.
    tumor_tiles
        The most contiguous tumor tiles among them.
    """

    slides: tuple[int, ...]
    features: dict[str, float]
    tumor_tiles: float


def risk_model_for(rule: str, name: str) -> RiskModel | None:
    """Return the risk model by which the worst slide is found; None for other rules.

    Raises
    ------
    CohortError
        If none is named, or it has no cut-offs, without which no slide has a score.
    """
    if rule != "worst":
        return None
    from napari_crlm_spa.core.risk import load_risk_model

    if not name:
        raise CohortError(
            "The worst slide is the one with the highest score: name a risk model with cut-offs "
            "(--risk-model FILE; crlm-spa cohort fit writes one), or choose another "
            "--patient-rule, for instance largest_tumor."
        )
    model = load_risk_model(name)
    if model.missing_cutoffs:
        raise CohortError(
            f"The risk model {model.name} does not say where to split "
            f"{', '.join(model.missing_cutoffs)}, so no slide has a score. Name a model with "
            "cut-offs (crlm-spa cohort fit writes one), or choose another --patient-rule."
        )
    return model


def choose(
    patient: str,
    at: Sequence[int],
    slides: Sequence[AnalyzedSlide],
    rule: str,
    declared: Mapping[str, Sequence[int]],
    model: RiskModel | None,
    notebook: Notebook,
) -> Chosen | str:
    """Apply the rule to one patient.

    Parameters
    ----------
    patient
        Name.
    at
        Positions of the patient's usable slides.
    slides
        All slides.
    rule
        One of `RULES`.
    declared
        Positions that the table declares, by patient, usable or not.
    model
        For the worst slide.
    notebook
        For patients of whom the rule says nothing.

    Returns
    -------
    Chosen or str
        Or why the patient can't be used.
    """
    if rule == "mean":
        return _mean(at, slides)
    if rule == "declared":
        found = _declared(patient, at, slides, declared.get(patient, ()), notebook)
        return found if isinstance(found, str) else _one(found, slides)
    if rule == "worst" and model is not None and len(at) > 1:
        return _one(_worst(patient, at, slides, model, notebook), slides)
    return _one(_largest(at, slides), slides)


def _one(at: int, slides: Sequence[AnalyzedSlide]) -> Chosen:
    return Chosen((at,), dict(slides[at].features), slides[at].tumor_tiles)


def _largest(at: Sequence[int], slides: Sequence[AnalyzedSlide]) -> int:
    """Return the slide with the most contiguous tumor; the first by name if several have it."""
    return min(at, key=lambda i: (-_size(slides[i]), slides[i].slide, str(slides[i].folder)))


def _size(slide: AnalyzedSlide) -> float:
    return -1.0 if math.isnan(slide.tumor_tiles) else slide.tumor_tiles


def _mean(at: Sequence[int], slides: Sequence[AnalyzedSlide]) -> Chosen:
    values: NDArray[np.float64] = np.array(
        [[slides[i].features[name] for name in SOFS] for i in at]
    )
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    # One slide keeps its very digits; a feature that no slide has stays a hole.
    total = np.where(known, values, 0.0).sum(axis=0)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    tiles = max(_size(slides[i]) for i in at)
    return Chosen(
        tuple(at), dict(zip(SOFS, means.tolist(), strict=True)), math.nan if tiles < 0 else tiles
    )


def _declared(
    patient: str,
    at: Sequence[int],
    slides: Sequence[AnalyzedSlide],
    declared: Sequence[int],
    notebook: Notebook,
) -> int | str:
    usable = [i for i in declared if i in at]
    if len(usable) == 1 and len(declared) == 1:
        return usable[0]
    if len(declared) > 1:
        why, remedy = "several slides are declared", "Declare one in the column use_slide."
    elif declared:
        why = "the declared slide can't be used"
        slide = slides[declared[0]]
        remedy = f"{slide.slide}: {slide.refusal or slide.problem}. Declare another one."
    elif len(at) == 1:
        return at[0]
    else:
        why = "none of several slides is declared"
        remedy = f"Mark one of {', '.join(slides[i].slide for i in at)} in the column use_slide."
    notebook.note(
        "error",
        f"{why[0].upper()}{why[1:]}.",
        f"{remedy} The patient is not used.",
        patient=patient,
        column=DECLARED,
    )
    return why


def _worst(
    patient: str,
    at: Sequence[int],
    slides: Sequence[AnalyzedSlide],
    model: RiskModel,
    notebook: Notebook,
) -> int:
    from napari_crlm_spa.core.risk import assess_risk

    scores = {i: assess_risk(slides[i].features, model).score for i in at}
    known = {i: score for i, score in scores.items() if score is not None}
    unknown = [slides[i].slide for i, score in scores.items() if score is None]
    if unknown:
        notebook.note(
            "warning",
            f"The score of {', '.join(unknown)} can't be computed, so the worst slide was sought "
            "among the others.",
            "Look at these slides.",
            patient=patient,
        )
    if not known:
        return _largest(at, slides)
    highest = max(known.values())
    return _largest([i for i, score in known.items() if score == highest], slides)
