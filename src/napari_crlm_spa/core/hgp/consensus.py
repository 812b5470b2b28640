"""One answer per slide of several readers, beside what was measured.

Only first readings count here; repeated ones tell how far a reader agrees with their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.survival import Floats
from napari_crlm_spa.core.cohort.table import FlowStep
from napari_crlm_spa.core.cohort.table.contents import Flow
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.columns import (
    ASSESSABLE,
    ASSESSABLE_FRACTION,
    ASSESSABLE_MM,
    CHEMO,
    LESION,
    MEASURE_NUMBERS,
    N_BLOCKS,
    PCT_D,
    PCT_N,
    PCT_NON_D,
    PCT_O,
    RATER,
    RIM_MEDIAN_UM,
    ROUND,
    SHARES,
    VIABLE,
)
from napari_crlm_spa.core.hgp.one_name import commonest, slide_key
from napari_crlm_spa.core.hgp.rules import RULES, Rule, desmoplastic

if TYPE_CHECKING:
    import pandas as pd

NAN = float("nan")
N_RATERS = "n_raters"


def reviewed(name: str) -> str:
    """Return the column of what readers say, beside that of what was measured."""
    return f"reviewed_{name}"


def called(rule: Rule) -> str:
    """Return the column of the measured call by a rule."""
    return f"call_{rule}"


@dataclass(frozen=True, slots=True, eq=False)
class Compared:
    """Reviewed and measured slides.

    Parameters
    ----------
    readings
        Reviews that count, one row per slide, lesion, reader and round.
    slides
        One row per reviewed slide: ``slide, patient, lesion, n_raters, reviewed_pct_D`` (and R, P,
        other, non_D), ``reviewed_call_<rule>`` (majority; NaN for a tie), ``chemo``, ``n_blocks``,
        the columns of `MEASURE_NUMBERS` and ``call_<rule>`` of the measurement.
    flow
        How many readings and slides there were and why some don't count.
    """

    readings: pd.DataFrame
    slides: pd.DataFrame
    flow: tuple[FlowStep, ...]


def compare(
    reviews: pd.DataFrame, measures: pd.DataFrame | None, options: AgreeOptions
) -> Compared:
    """Bring readings together by slide, and measurements beside them.

    Parameters
    ----------
    reviews
        Of `Reviews.frame`.
    measures
        Of `Measures.frame`; None if nothing was measured.
    options
        What counts.
    """
    flow = Flow()
    readings = _countable(reviews, options, flow)
    slides = _slides(readings, options)
    if measures is not None:
        slides = _measured(slides, measures, options, flow)
    else:
        slides = slides.assign(**dict.fromkeys(MEASURE_NUMBERS, NAN))
    for rule in RULES:
        slides[called(rule)] = desmoplastic(
            slides[PCT_D], rule, tolerance_pct=options.tolerance_pct
        )
    return Compared(readings, slides, tuple(flow.steps))


def first_readings(readings: pd.DataFrame) -> pd.DataFrame:
    """Return each reader's first round of each slide and lesion."""
    ordered = readings.sort_values(ROUND, kind="stable")
    return ordered.drop_duplicates([SLIDE, LESION, RATER]).sort_index()


def _countable(reviews: pd.DataFrame, options: AgreeOptions, flow: Flow) -> pd.DataFrame:
    viable = reviews[VIABLE] != 0
    enough = ~(reviews[ASSESSABLE] < options.min_assessable_pct)
    known = reviews[PCT_D].notna()
    # Flow counts slides or patients; here a reading is what is on a slide.
    n = reviews[SLIDE].nunique()
    kept = reviews[viable & enough & known].reset_index(drop=True)
    flow.start("slides", "reviewed slides", n)
    gone = n - reviews.loc[viable, SLIDE].nunique()
    flow.drop("slides", "no viable tumor", gone, "no reader found viable tumor")
    left = n - gone
    flow.drop(
        "slides",
        "not assessable",
        left - kept[SLIDE].nunique(),
        f"less than {options.min_assessable_pct:g} % of the interface could be judged, or no share "
        "was given",
    )
    return kept


def _slides(readings: pd.DataFrame, options: AgreeOptions) -> pd.DataFrame:
    import pandas as pd

    rows = []
    first = first_readings(readings)
    for name, group in first.groupby(SLIDE, sort=False):
        spoken = group[group[RATER].str.casefold() == options.consensus_rater.casefold()]
        votes = spoken if len(spoken) else group
        # A reader who told lesions of the slide apart has one vote as well.
        by_reader = votes.groupby(RATER, sort=False)
        share, least_d = by_reader[list(SHARES)].mean(), by_reader[PCT_D].min()
        middle = share.mean() if options.consensus == "mean" else share.median()
        row: dict[str, Any] = {
            SLIDE: name,
            PATIENT: commonest(group[PATIENT]),
            LESION: commonest(group[LESION]),
            N_RATERS: int(group[RATER].nunique()),
            **{reviewed(column): float(middle[column]) for column in SHARES},
        }
        row[reviewed(PCT_NON_D)] = 100 - row[reviewed(PCT_D)]
        for rule in RULES:
            # Strict: all lesions must be D. The other rules go by the share of the whole slide.
            told = least_d if rule == "strict" else share[PCT_D]
            calls = desmoplastic(told, rule, tolerance_pct=options.tolerance_pct)
            row[reviewed(called(rule))] = majority(calls)
        row[CHEMO] = majority(group[CHEMO].to_numpy(float))
        row[N_BLOCKS] = float(group[N_BLOCKS].max())
        rows.append(row)
    columns = [
        *(SLIDE, PATIENT, LESION, N_RATERS, *map(reviewed, SHARES), reviewed(PCT_NON_D)),
        *(reviewed(called(rule)) for rule in RULES),
        *(CHEMO, N_BLOCKS),
    ]
    return pd.DataFrame(rows, columns=columns)


def majority(votes: Floats) -> float:
    """Return what most of 0/1 votes say; NaN for a tie or no vote."""
    known = np.asarray(votes, np.float64)
    known = known[np.isfinite(known)]
    if not len(known) or known.mean() == 0.5:
        return NAN
    return float(known.mean() > 0.5)


def _measured(
    slides: pd.DataFrame, measures: pd.DataFrame, options: AgreeOptions, flow: Flow
) -> pd.DataFrame:
    told = measures.assign(_key=[slide_key(name) for name in measures[SLIDE]])
    told = told.drop_duplicates("_key").set_index("_key")
    keys = [slide_key(name) for name in slides[SLIDE]]
    found = told.reindex(keys)
    result = slides.copy()
    for name in MEASURE_NUMBERS:
        result[name] = found[name].to_numpy(float)
    for name in (PATIENT, LESION):
        known = found[name].fillna("").astype(str).to_numpy(object)
        # A review without a patient has the slide's name there.
        unknown = (result[name] == "") | (result[name] == result[SLIDE])
        result[name] = np.where(unknown & (known != ""), known, result[name])
    if CHEMO in found:
        # Readers know best; what they leave open the table of measures may know.
        own = result[CHEMO].to_numpy(float)
        result[CHEMO] = np.where(np.isnan(own), found[CHEMO].to_numpy(float), own)
    there = np.array([key in told.index for key in keys], bool)
    flow.drop("slides", "not measured", int((~there).sum()), "the table of measures lacks them")
    few = (result[ASSESSABLE_FRACTION] * 100 < options.min_assessable_pct) | (
        result[ASSESSABLE_MM] < options.min_interface_mm
    )
    if few.any():
        result.loc[few, [PCT_D, PCT_N, PCT_O, RIM_MEDIAN_UM]] = NAN
        flow.drop(
            "slides",
            "interface too short",
            int((few & there).sum()),
            f"less than {options.min_assessable_pct:g} % or {options.min_interface_mm:g} mm of the "
            "interface could be measured",
        )
    return result
