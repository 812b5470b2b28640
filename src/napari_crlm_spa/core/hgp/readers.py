"""How far readers agree with each other, and each with their own earlier reading."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import SLIDE
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.agreement import (
    Icc,
    Kappa,
    bland_altman,
    cohen_kappa,
    fleiss_kappa,
    icc_a1,
)
from napari_crlm_spa.core.hgp.agreement.kappa import category_counts, confusion
from napari_crlm_spa.core.hgp.columns import LESION, PCT_D, RATER, ROUND, SHARES
from napari_crlm_spa.core.hgp.consensus import first_readings
from napari_crlm_spa.core.hgp.rules import (
    NON_D,
    PATTERNS,
    RULES,
    D,
    desmoplastic,
    predominant_pattern,
    words,
)

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
#: Groups of the desmoplastic share in the R pipelines, lower ends in percent.
BAND_EDGES_PCT = (0.1, 33.0, 66.0, 99.9)
BANDS = ("0", "0.1-33", "33-66", "66-99.9", "100")
CALLS = (D, NON_D)
#: What trained readers reach, to compare with.
BENCHMARKS = (
    "Published: ICC .82 among 7 readers (Med Sci 2025;13:220); kappa .95 after two trainings "
    "(Höppener et al. 2019)."
)
_UNIT = [SLIDE, LESION]


def raters_table(readings: pd.DataFrame) -> pd.DataFrame:
    """Return what each reader did: readings, slides, repeated slides, mean shares."""
    import pandas as pd

    rows = []
    for rater, group in readings.groupby(RATER, sort=False):
        units = group.groupby(_UNIT).size()
        first = first_readings(group)
        calls = desmoplastic(first[PCT_D], "strict")
        rows.append(
            {
                RATER: rater,
                "readings": len(group),
                "slides": len(units),
                "repeated": int((units > 1).sum()),
                "mean_pct_D": float(first[PCT_D].mean()),
                "n_strict_D": int(np.nansum(calls)),
            }
        )
    return pd.DataFrame(rows)


def between_readers(readings: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    """Return agreement of all readers together.

    Returns
    -------
    DataFrame
        ``what, statistic, n, raters, value, se, lower, upper, observed, note``: ICC(A,1) of pct_D
        on slides that all readers read; kappa (Cohen's of two readers, Fleiss' of more, of slides
        that at least two read) of the calls, of the predominant pattern (ties left out) and of
        bands of pct_D. Empty with one reader.
    """
    import pandas as pd

    first = _without_consensus(first_readings(readings), options)
    raters = list(dict.fromkeys(first[RATER]))
    if len(raters) < 2:
        return pd.DataFrame()
    wide = _wide(first, raters)
    icc = icc_a1(wide, level=options.level)
    rows: list[dict[str, Any]] = [_icc_row("pct_D", icc)]
    rows[0]["observed"] = NAN
    for what, categories, spelled in _category_views(first, raters, options):
        found = kappa_of(spelled, categories, options.level)
        rows.append(
            {
                "what": what,
                "statistic": "Cohen's kappa" if len(raters) == 2 else "Fleiss' kappa",
                "n": found.n,
                "raters": len(raters),
                **_kappa_cells(found),
                "observed": found.observed,
                "note": found.reason,
            }
        )
    return pd.DataFrame(rows)


def kappa_of(rows: list[list[str]], categories: tuple[str, ...], level: float) -> Kappa:
    """Return Cohen's kappa of two columns of categories, Fleiss' of more; "" is no rating."""
    if rows and len(rows[0]) == 2:
        first, second = [row[0] for row in rows], [row[1] for row in rows]
        return cohen_kappa(confusion(first, second, categories), level=level)
    return fleiss_kappa(category_counts(rows, categories), level=level)


def rater_pairs(readings: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    """Return agreement of every two readers: ICC, bias, limits, kappas, share of equal calls."""
    import pandas as pd

    first = _without_consensus(first_readings(readings), options)
    raters = list(dict.fromkeys(first[RATER]))
    rows = []
    for a, b in combinations(raters, 2):
        pair = first[first[RATER].isin((a, b))]
        rows.append({"rater_a": a, "rater_b": b, **_two(pair, [a, b], RATER, options)})
    return pd.DataFrame(rows)


def within_readers(readings: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    """Return agreement of each reader's first and second reading of the same slide."""
    import pandas as pd

    rows = []
    for rater, group in readings.groupby(RATER, sort=False):
        place = group.sort_values(ROUND, kind="stable").groupby(_UNIT).cumcount()
        ordered = group.assign(_reading=place.reindex(group.index))
        both = ordered[ordered["_reading"] < 2]
        again = both.groupby(_UNIT)["_reading"].transform("size") > 1
        if again.any():
            rows.append({RATER: rater, **_two(both[again], [0, 1], "_reading", options)})
    return pd.DataFrame(rows)


def _two(pair: pd.DataFrame, sides: list[Any], by: str, options: AgreeOptions) -> dict[str, Any]:
    """Compare two readings: the sides are values of the column `by`."""
    wide = _wide(pair, sides, by)
    both = np.isfinite(wide).all(axis=1)
    icc = icc_a1(wide, level=options.level)
    apart = bland_altman(wide[:, 0], wide[:, 1], level=options.level)
    row: dict[str, Any] = {
        "n": int(both.sum()),
        "icc": icc.value,
        "icc_lower": icc.lower,
        "icc_upper": icc.upper,
        "bias": apart.bias,
        "bias_lower": apart.bias_lower,
        "bias_upper": apart.bias_upper,
        "low_limit": apart.low_limit,
        "high_limit": apart.high_limit,
    }
    notes = [icc.reason]
    for what, categories, spelled in _category_views(pair, sides, options, by):
        table = confusion([each[0] for each in spelled], [each[1] for each in spelled], categories)
        weights: Any = "quadratic" if what == "bands" else "none"
        found = cohen_kappa(table, weights=weights, level=options.level)
        row[f"kappa_{what}"] = found.value
        row[f"kappa_{what}_lower"] = found.lower
        row[f"kappa_{what}_upper"] = found.upper
        total = float(table.sum())
        row[f"agree_{what}"] = float(np.trace(table)) / total if total else NAN
        notes.append(f"{what}: {found.reason}" if np.isnan(found.value) else "")
    row["note"] = " ".join(filter(None, notes))
    return row


def band_of(pct_d: Floats) -> list[str]:
    """Return the band of the R pipelines that a share lies in; "" for NaN."""
    place = np.searchsorted(BAND_EDGES_PCT, np.nan_to_num(pct_d), side="right")
    return ["" if np.isnan(x) else BANDS[at] for x, at in zip(pct_d, place, strict=True)]


def _category_views(
    rows: pd.DataFrame, sides: list[Any], options: AgreeOptions, by: str = RATER
) -> list[tuple[str, tuple[str, ...], list[list[str]]]]:
    """Return each view of the readings: its name, categories, one row of words per unit."""
    views: list[tuple[str, tuple[str, ...], list[str]]] = []
    for rule in RULES:
        calls = desmoplastic(rows[PCT_D], rule, tolerance_pct=options.tolerance_pct)
        views.append((rule, CALLS, words(calls)))
    pattern = predominant_pattern(rows[list(SHARES)].to_numpy(float))
    views.append(("pattern", PATTERNS, pattern))
    views.append(("bands", BANDS, band_of(rows[PCT_D].to_numpy(float))))
    return [
        (what, categories, _wide_words(rows, spelled, sides, by))
        for what, categories, spelled in views
    ]


def _wide(rows: pd.DataFrame, sides: list[Any], by: str = RATER) -> Floats:
    """Return pct_D, shape (units, sides); NaN where a side did not read."""
    wide = rows.pivot_table(index=_UNIT, columns=by, values=PCT_D, aggfunc="first", sort=False)
    return np.asarray(wide.reindex(columns=sides).to_numpy(float))


def _wide_words(
    rows: pd.DataFrame, spelled: list[str], sides: list[Any], by: str
) -> list[list[str]]:
    told: dict[tuple[str, str], list[str]] = {}
    place = {side: at for at, side in enumerate(sides)}
    for slide, lesion, side, word in zip(rows[SLIDE], rows[LESION], rows[by], spelled, strict=True):
        told.setdefault((slide, lesion), [""] * len(sides))[place[side]] = word
    return list(told.values())


def _without_consensus(readings: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    return readings[readings[RATER].str.casefold() != options.consensus_rater.casefold()]


def _icc_row(what: str, icc: Icc) -> dict[str, Any]:
    return {
        "what": what,
        "statistic": "ICC(A,1)",
        "n": icc.n,
        "raters": icc.k,
        "value": icc.value,
        "se": NAN,
        "lower": icc.lower,
        "upper": icc.upper,
        "note": icc.reason,
    }


def _kappa_cells(found: Kappa) -> dict[str, float]:
    return {
        "value": found.value,
        "se": found.se,
        "lower": found.lower,
        "upper": found.upper,
    }
