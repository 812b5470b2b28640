"""The paper's way to a model: one by one, without near-copies, stepwise, final fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np

from napari_crlm_spa.core.cohort.columns import label_of, matrix, named
from napari_crlm_spa.core.cohort.cox.collinearity import (
    PREFER,
    correlation_table,
    drop_collinear,
)
from napari_crlm_spa.core.cohort.cox.degenerate import EVENTS_PER_COEFFICIENT
from napari_crlm_spa.core.cohort.cox.design import complete
from napari_crlm_spa.core.cohort.cox.fit import CoxFit, fit_cox
from napari_crlm_spa.core.cohort.cox.partial_likelihood import Ties
from napari_crlm_spa.core.cohort.cox.stepwise import DIRECTIONS, Direction, Stepwise, stepwise
from napari_crlm_spa.core.cohort.cox.univariate import significant, univariate_table
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial.definitions import FAMILIES
from napari_crlm_spa.errors import CrlmSpaError

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionOptions(Options):
    """How features are chosen for the final model."""

    p_univariate: float = option(
        0.05,
        "A feature is a candidate if the likelihood-ratio p of its univariate Cox model is below "
        "this (paper: 0.05; 1 takes all that can be fitted).",
        min=0.0,
        max=1.0,
        label="Univariate p",
    )
    correlation_limit: float = option(
        0.7,
        "Of two candidates whose raw values correlate (Pearson) more than this, one is dropped "
        "(paper: 0.7; 1 keeps all).",
        min=0.0,
        max=1.0,
        label="Correlation limit",
    )
    p_correlation: float = option(
        0.05,
        "A correlation counts only if its p is below this (paper: 0.05).",
        min=0.0,
        max=1.0,
        label="Correlation p",
        advanced=True,
    )
    negative_correlation: bool = option(
        True,
        "Whether a correlation below minus the limit counts too. The paper speaks of r > 0.7; a "
        "feature that falls as another rises says the same (our reading).",
        label="Negative correlations",
        advanced=True,
    )
    prefer: str = option(
        ",".join(PREFER),
        "Which of two correlated features is kept: families, best first. The paper kept the "
        "overall ones; the order after that is ours. In one family the smaller p is kept.",
        label="Preferred families",
        advanced=True,
    )
    direction: str = option(
        "both",
        "The stepwise direction whose model is taken; all three are computed and compared.",
        choices=DIRECTIONS,
        label="Stepwise direction",
    )
    penalty: float = option(
        2.0,
        "Penalty per coefficient in the stepwise criterion (2: Akaike's, as the paper).",
        min=0.0,
        max=100.0,
        label="Stepwise penalty",
        advanced=True,
    )
    ties: str = option(
        "efron",
        "How deaths at the same time are handled (R's default: efron).",
        choices=("efron", "breslow"),
        label="Tied deaths",
        advanced=True,
    )
    events_per_coefficient: float = option(
        float(EVENTS_PER_COEFFICIENT),
        "Fewer deaths per coefficient give a warning (rule of thumb, Peduzzi 1995).",
        min=0.0,
        max=1000.0,
        label="Deaths per coefficient",
        advanced=True,
    )

    def __post_init__(self) -> None:
        # Not super(): a dataclass with slots is a new class, which the old cell doesn't know.
        Options.__post_init__(self)
        unknown = [family for family in self.families if family not in FAMILIES]
        if unknown:
            raise CrlmSpaError(
                f"SelectionOptions: prefer names {unknown[0]!r}; the families are "
                f"{', '.join(FAMILIES)}."
            )

    @property
    def families(self) -> tuple[str, ...]:
        """The preferred families, best first."""
        return tuple(part.strip().lower() for part in self.prefer.split(",") if part.strip())


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """A selection with every step of the way.

    Parameters
    ----------
    options
        How it was done.
    univariate
        `univariate_table` of all features.
    significant
        Those below the limit.
    correlation
        `correlation_table` of all features (raw values).
    collinear
        ``kept, dropped, r, p, reason``.
    candidates
        What stepwise selection chose from.
    paths
        `Stepwise` by direction; empty without candidates.
    fit
        The final model; None if no feature was chosen.
    warnings
        What is doubtful, and what to do.
    """

    options: SelectionOptions
    univariate: pd.DataFrame
    significant: tuple[str, ...]
    correlation: pd.DataFrame
    collinear: pd.DataFrame
    candidates: tuple[str, ...]
    paths: Mapping[str, Stepwise]
    fit: CoxFit | None
    warnings: tuple[str, ...]

    @property
    def stepwise_path(self) -> pd.DataFrame:
        """All directions' paths: ``direction, step, change, df, aic``."""
        return _joined([each.path for each in self.paths.values()])

    @property
    def stepwise_candidates(self) -> pd.DataFrame:
        """All changes tried: ``direction, step, change, df, aic``."""
        return _joined([each.candidates for each in self.paths.values()])


def select_model(
    binary: pd.DataFrame,
    continuous: pd.DataFrame,
    survival: Survival,
    options: SelectionOptions | None = None,
) -> Selection:
    """Select features and fit the final Cox model as the paper did.

    Univariate models of the 0/1 features; those with a small likelihood-ratio p; of two whose raw
    values correlate, one; stepwise selection in three directions; the model of the chosen one.

    Parameters
    ----------
    binary
        Features as 0/1, one row per patient; its columns are the features.
    continuous
        The same features as measured, same rows.
    survival
        Follow-up of the patients.
    options
        Limits and direction.

    Returns
    -------
    Selection
        Without a fit if no feature is significant, or none stays: a sentence says so.
    """
    chosen = options or SelectionOptions()
    features = [str(column) for column in binary.columns]
    ties = cast("Ties", chosen.ties)
    univariate = univariate_table(
        binary,
        survival,
        features,
        ties=ties,
        events_per_coefficient=chosen.events_per_coefficient,
    )
    # A feature whose hazard ratio has no estimate can't carry a coefficient of a score.
    usable = univariate.loc[np.isfinite(univariate["coef"]), "column"]
    strong = significant(univariate, chosen.p_univariate, usable)
    warnings = _unusable(univariate, chosen.p_univariate)
    correlation = correlation_table(continuous, features)
    candidates, collinear = drop_collinear(
        correlation,
        strong,
        limit=chosen.correlation_limit,
        p_limit=chosen.p_correlation,
        negative=chosen.negative_correlation,
        prefer=chosen.families,
        p_univariate=dict(zip(univariate["column"], univariate["p_lrt"], strict=True)),
    )
    paths: dict[str, Stepwise] = {}
    fit = None
    if candidates and not _deaths(binary, survival, candidates):
        warnings.append(
            f"Nobody who has all of {', '.join(map(named, candidates))} died, so there is no "
            "model. Leave out features with many holes."
        )
    elif candidates:
        paths = {
            direction: stepwise(
                binary,
                survival,
                candidates,
                cast("Direction", direction),
                penalty=chosen.penalty,
                ties=ties,
                events_per_coefficient=chosen.events_per_coefficient,
            )
            for direction in DIRECTIONS
        }
        fit, told = _final(binary, survival, candidates, paths, chosen)
        warnings += told
    else:
        warnings.append(
            f"No feature has a univariate p below {chosen.p_univariate:g}, so there is no model. "
            "Use more patients or longer follow-up, or raise the limit knowing that it then "
            "selects chance."
        )
    return Selection(
        chosen,
        univariate,
        strong,
        correlation,
        collinear,
        candidates,
        paths,
        fit,
        tuple(warnings),
    )


def _deaths(binary: pd.DataFrame, survival: Survival, columns: tuple[str, ...]) -> int:
    return survival.take(complete(matrix(binary, columns), survival)).n_events


def _differences(paths: Mapping[str, Stepwise], options: SelectionOptions) -> str:
    """Say in what the other directions' models differ from the one that is used."""
    used = paths[options.direction]
    told = [f"{options.direction} (AIC {used.path['aic'].iloc[-1]:.2f}) is used"]
    for direction, each in paths.items():
        if set(each.terms) == set(used.terms):
            continue
        parts = []
        for verb, some, others in (("adds", each, used), ("lacks", used, each)):
            names = [f"“{label_of(term)}”" for term in some.terms if term not in others.terms]
            parts += [f"{verb} {', '.join(names)}"] if names else []
        told.append(f"{direction} (AIC {each.path['aic'].iloc[-1]:.2f}) {' and '.join(parts)}")
    return "; ".join(told)


def _final(
    binary: pd.DataFrame,
    survival: Survival,
    candidates: tuple[str, ...],
    paths: Mapping[str, Stepwise],
    options: SelectionOptions,
) -> tuple[CoxFit | None, list[str]]:
    warnings = []
    sets = {frozenset(each.terms) for each in paths.values()}
    if len(sets) > 1:
        warnings.append(
            f"The stepwise directions end in different models: {_differences(paths, options)}. "
            "The choice of features is unstable."
        )
    terms = paths[options.direction].terms
    if not terms:
        warnings.append(
            "Stepwise selection keeps no feature: none lowers the criterion, so there is no model."
        )
        return None, warnings
    # All patients that have the chosen features, not only those that have all candidates.
    fit = fit_cox(
        binary,
        survival,
        terms,
        ties=cast("Ties", options.ties),
        events_per_coefficient=options.events_per_coefficient,
    )
    compared = paths[options.direction].fit.n
    if compared != fit.n:
        warnings.append(
            f"Stepwise selection compared models on the {compared} patients that have all of "
            f"{len(candidates)} candidates; the final model is fitted to the {fit.n} that have "
            "its features."
        )
    events = fit.n_events / max(1, len(candidates))
    if len(candidates) > len(terms) and events < options.events_per_coefficient:
        warnings.append(
            f"{fit.n_events} deaths for a choice among {len(candidates)} candidates: fewer than "
            f"{options.events_per_coefficient:g} per candidate, so the choice is unstable "
            "(Peduzzi 1995). Compare with the cross-validated models."
        )
    return fit, [*warnings, *fit.warnings]


def _unusable(univariate: pd.DataFrame, limit: float) -> list[str]:
    bad = univariate[~np.isfinite(univariate["coef"])]
    return [
        note for note, p in zip(bad["note"], bad["p_lrt"], strict=True) if note and not p > limit
    ]


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    if not tables:
        return pd.DataFrame(columns=["direction", "step", "change", "df", "aic"])
    return pd.concat(tables, ignore_index=True)
