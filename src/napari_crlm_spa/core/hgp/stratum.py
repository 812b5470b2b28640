"""Reviews and measurements of some slides: association, agreement, calls, all with intervals."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.agreement import bland_altman, cohen_kappa, icc_a1, wilson
from napari_crlm_spa.core.hgp.agreement.kappa import confusion
from napari_crlm_spa.core.hgp.association import (
    Interval,
    calibration_line,
    clustered_bootstrap,
    delong,
    partial_spearman,
    spearman,
)
from napari_crlm_spa.core.hgp.columns import (
    LABELS,
    MARKERS,
)
from napari_crlm_spa.core.hgp.rules import NON_D, RULES, D, words
from napari_crlm_spa.core.hgp.stratum_values import (
    AUC_MARKERS,
    RULE_PAIRS,
    StratumStatistics,
    StratumValues,
)
from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
GIVEN = "log tumor tiles, perimeter per area"


@dataclass(frozen=True, slots=True)
class StratumRows:
    """Rows of the tables of one stratum, by table."""

    association: list[dict[str, Any]] = field(default_factory=list)
    agreement: list[dict[str, Any]] = field(default_factory=list)
    auc: list[dict[str, Any]] = field(default_factory=list)
    rules: list[dict[str, Any]] = field(default_factory=list)


def stratum_rows(
    name: str, slides: pd.DataFrame, options: AgreeOptions
) -> Generator[Progress, None, StratumRows]:
    """Compute everything of one stratum; one set of draws serves all its intervals."""
    values = StratumValues(slides)
    statistics = StratumStatistics(values)
    intervals = yield from clustered_bootstrap(
        statistics.of,
        values.patients,
        resamples=options.resamples,
        seed=options.seed,
        level=options.level,
        stage=f"Drawing patients again: {name}",
    )
    found = dict(zip(statistics.names, intervals, strict=True))
    rows = StratumRows()
    for marker, sign in MARKERS.items():
        if np.isfinite(values.markers[marker]).any():
            rows.association.append(_association(name, marker, sign, values, found))
    for marker in AUC_MARKERS:
        if np.isfinite(values.markers[marker]).any():
            rows.auc.extend(_auc(name, marker, values, found, options))
    if np.isfinite(values.measured_d).any():
        rows.agreement.append(_agreement(name, values, found, options))
        rows.rules.extend(_rules(name, values, found, options))
    return rows


def _association(
    name: str, marker: str, sign: int, values: StratumValues, found: dict[str, Interval]
) -> dict[str, Any]:
    x = values.markers[marker]
    plain = spearman(x, values.non_d)
    partial = partial_spearman(x, values.non_d, values.given)
    has_given = values.given.shape[1] > 0
    interval, within = found[f"rho {marker}"], found[f"partial {marker}"]
    known = np.isfinite(x) & np.isfinite(values.non_d)
    notes = [plain.reason, interval.reason]
    if not has_given:
        notes.append("Tumor tiles and perimeter are not known, so nothing is given.")
    return {
        "stratum": name,
        "marker": marker,
        "label": LABELS[marker],
        "expected": "rises with non-D" if sign > 0 else "falls with non-D",
        "n": plain.n,
        "patients": len(set(values.patients[known])),
        "rho": plain.rho,
        "lower": interval.lower,
        "upper": interval.upper,
        "p": plain.p,
        "given": GIVEN if has_given else "",
        "partial_n": partial.n if has_given else 0,
        "partial_rho": partial.rho if has_given else NAN,
        "partial_lower": within.lower if has_given else NAN,
        "partial_upper": within.upper if has_given else NAN,
        "partial_p": partial.p if has_given else NAN,
        "note": " ".join(dict.fromkeys(filter(None, notes))),
    }


def _auc(
    name: str, marker: str, values: StratumValues, found: dict[str, Interval], options: AgreeOptions
) -> list[dict[str, Any]]:
    rows = []
    for rule in RULES:
        score = AUC_MARKERS[marker] * values.markers[marker]
        auc = delong(score, values.calls[rule], level=options.level)
        interval = found[f"auc {marker} {rule}"]
        rows.append(
            {
                "stratum": name,
                "marker": marker,
                "label": LABELS[marker],
                "rule": rule,
                "d": auc.positives,
                "non_d": auc.negatives,
                "auc": auc.value,
                "se_delong": auc.se,
                "lower_delong": auc.lower,
                "upper_delong": auc.upper,
                "lower": interval.lower,
                "upper": interval.upper,
                "note": " ".join(dict.fromkeys(filter(None, (auc.reason, interval.reason)))),
            }
        )
    return rows


def _agreement(
    name: str, values: StratumValues, found: dict[str, Interval], options: AgreeOptions
) -> dict[str, Any]:
    pair = np.column_stack([values.measured_d, values.reviewed_d])
    icc = icc_a1(pair, level=options.level)
    apart = bland_altman(values.measured_d, values.reviewed_d, level=options.level)
    known = np.isfinite(pair).all(axis=1)
    intercept, slope = calibration_line(pair[known, 0], pair[known, 1])
    return {
        "stratum": name,
        "n": apart.n,
        "patients": len(set(values.patients[known])),
        "icc": icc.value,
        "icc_lower": found["icc"].lower,
        "icc_upper": found["icc"].upper,
        "icc_lower_f": icc.lower,
        "icc_upper_f": icc.upper,
        "bias": apart.bias,
        "bias_lower": found["bias"].lower,
        "bias_upper": found["bias"].upper,
        "sd": apart.sd,
        "low_limit": apart.low_limit,
        "low_lower": apart.low_lower,
        "low_upper": apart.low_upper,
        "high_limit": apart.high_limit,
        "high_lower": apart.high_lower,
        "high_upper": apart.high_upper,
        "difference_slope": apart.slope,
        "difference_slope_p": apart.slope_p,
        "calibration_intercept": intercept,
        "calibration_intercept_lower": found["intercept"].lower,
        "calibration_intercept_upper": found["intercept"].upper,
        "calibration_slope": slope,
        "calibration_slope_lower": found["slope"].lower,
        "calibration_slope_upper": found["slope"].upper,
        "note": " ".join(
            dict.fromkeys(filter(None, (icc.reason, apart.reason, found["icc"].reason)))
        ),
    }


def _rules(
    name: str, values: StratumValues, found: dict[str, Interval], options: AgreeOptions
) -> list[dict[str, Any]]:
    """Return calls by each rule against the review by the same rule, and against the strict one."""
    rows = []
    for rule, reference in RULE_PAIRS:
        mine, theirs = values.measured_calls[rule], values.calls[reference]
        table = confusion(words(theirs), words(mine), (D, NON_D))
        kappa = cohen_kappa(table, level=options.level)
        interval = found[f"kappa {rule} {reference}"]
        (dd, dn), (nd, nn) = table.astype(int).tolist()
        row: dict[str, Any] = {
            "stratum": name,
            "rule": rule,
            "reviewed_rule": reference,
            "n": kappa.n,
            "both_d": dd,
            "only_reviewed_d": dn,
            "only_measured_d": nd,
            "neither_d": nn,
            "agreement": kappa.observed,
            "kappa": kappa.value,
            "kappa_se": kappa.se,
            "kappa_lower": interval.lower,
            "kappa_upper": interval.upper,
        }
        for what, count, of in (
            ("sensitivity", dd, dd + dn),
            ("specificity", nn, nd + nn),
            ("ppv", dd, dd + nd),
            ("npv", nn, dn + nn),
        ):
            share = wilson(count, of, level=options.level)
            row |= {what: share.value, f"{what}_lower": share.lower, f"{what}_upper": share.upper}
        row["note"] = " ".join(dict.fromkeys(filter(None, (kappa.reason, interval.reason))))
        rows.append(row)
    return rows
