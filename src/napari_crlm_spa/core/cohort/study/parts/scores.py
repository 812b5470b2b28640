"""The score of the final model, where it is split, and the model for the next patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_crlm_spa.core.cohort.columns import SOFS
from napari_crlm_spa.core.cohort.cox.fit import CoxFit
from napari_crlm_spa.core.cohort.cutpoints import Dichotomizer
from napari_crlm_spa.core.cohort.score import (
    ScoreCutoff,
    ScoreOptions,
    linear_score,
    risk_model_of,
    score_cutoff_table,
    search_cutoff,
)
from napari_crlm_spa.core.cohort.score.found import Rule
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.parts.people import is_simulated
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import Cohort
from napari_crlm_spa.errors import RiskError

if TYPE_CHECKING:
    import pandas as pd

    from napari_crlm_spa.core.risk import RiskModel

#: Other rules that are told beside the one that is used.
TOLD_RULES: tuple[Rule, ...] = ("code", "text", "median")


def add_score(
    book: Gathering, cohort: Cohort, binary: pd.DataFrame, fit: CoxFit, options: ScoreOptions
) -> tuple[Floats, ScoreCutoff | None]:
    """Add the search of the score's cut-off; return each patient's score, and the cut-off."""
    import pandas as pd

    score = linear_score(binary, dict(zip(fit.columns, fit.coef.tolist(), strict=True)))
    found = []
    for rule in dict.fromkeys((options.rule, *TOLD_RULES)):
        chosen = options if rule == options.rule else ScoreOptions(rule=rule)
        try:
            found.append(search_cutoff(score, cohort.survival, chosen))
        except RiskError as error:
            if rule == options.rule:
                book.warn(str(error))
    if not found or found[0].rule != options.rule:
        return score, None
    used = found[0]
    book.table(
        "score_cutoff", "Cut-off of the score", score_cutoff_table(found, used.rule), _CUTOFF_NOTE
    )
    book.table(
        "score_cutoff_path",
        "Cut-offs of the score that were tried",
        pd.concat([each.path for each in found if len(each.path)], ignore_index=True)
        if any(len(each.path) for each in found)
        else pd.DataFrame(),
    )
    book.facts["score"] = {
        **options.as_dict(),
        "cutoff": used.cutoff,
        "coefficients": dict(zip(fit.columns, fit.coef.tolist(), strict=True)),
    }
    return score, used


def next_patients_model(
    book: Gathering,
    cohort: Cohort,
    fit: CoxFit,
    dichotomizer: Dichotomizer,
    cutoff: ScoreCutoff,
    name: str,
) -> RiskModel | None:
    """Return the risk model that the panel and ``analyze --risk-model`` load."""
    others = [column for column in fit.columns if column not in SOFS]
    if others:
        book.warn(
            f"No risk model was written: {', '.join(others)} are not among the 20 spatial "
            "features that a slide gives. Fit with --features of the paper to get one."
        )
        return None
    return risk_model_of(
        fit,
        dichotomizer,
        cutoff,
        name=name,
        title=f"Fitted to {cohort.name}",
        source=f"{cohort.name}: {fit.n} {'SIMULATED ' if is_simulated(cohort) else ''}patients, "
        f"{fit.n_events} deaths",
    )


def count_without_score(book: Gathering, score: Floats) -> None:
    """Tell how many patients have no score."""
    if unknown := int(np.isnan(score).sum()):
        book.warn(
            f"{unknown} of {len(score)} patients have no score, since a feature of the model is "
            "unknown; they are in no risk group and in no curve of it.",
            last=True,
        )


_CUTOFF_NOTE = (
    "High risk: score >= cut-off. code: the search of the authors' program; text: as their text "
    "describes it. The p value doesn't account for the search: the split looks better in these "
    "patients than in others."
)
