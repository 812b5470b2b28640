"""Calibration against R's ``rms::calibrate(cmethod = "KM")`` (rms 6.5-0) and ``basehaz``.

R's cph stops Newton's method at a change of 1e-9 or less, so its predictions differ by 1e-8.
"""

import functools

import numpy as np
import pandas as pd

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.core.cohort.prediction.drawn import result_of
from napari_crlm_spa._tests.r_reference import FOLDER, reference_json, reference_table
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.prediction.calibration import CalibrationOptions, calibrate
from napari_crlm_spa.core.cohort.prediction.predicted import PredictionModel
from napari_crlm_spa.core.cohort.survival import Survival

SECTION = "Calibration"
CALL = "rms::calibrate(cmethod = 'KM')"
FIVE_YEARS = 1826.25
COLUMNS = ["age", "bili", "albumin", "protime"]
#: What R's stepAIC left in the model of the dichotomized markers.
FINAL = [
    *("bili_hi", "albumin_hi", "chol_hi", "copper_hi", "ast_hi", "trig_hi", "platelet_hi"),
    *("protime_hi", "age_hi"),
]
#: Ours and R's name, and how far they may be apart.
APPARENT = {"predicted": ("mean.predicted", 1e-7), "observed": ("KM", 1e-12)}
RESAMPLED = {"optimism": ("mean.optimism", 1e-5), "corrected": ("KM.corrected", 1e-5)}


def parity():
    yield from _same_resamples()
    yield from _own_resamples()
    yield from _baseline()


def _same_resamples():
    table, survival = _pbc("pbc276.csv")
    rows = np.loadtxt(FOLDER / "d_calibrate_boot_index_B200.csv.gz", delimiter=",", dtype=int) - 1
    options = CalibrationOptions(times=(FIVE_YEARS,))
    ours = result_of(calibrate(table, survival, COLUMNS, options, rows=rows)).table
    r = pd.DataFrame(reference_json("d_calibrate_pbc276.json")["multi_u5y_KM_seed11_B200"])
    on = "pbc, 4 covariates, 5 years"
    for mine, (theirs, tolerance) in {**APPARENT, **RESAMPLED}.items():
        with_rows = ", R's 200 resamples" if mine in RESAMPLED else ""
        yield Parity(
            *(SECTION, f"{mine}, {on}{with_rows}", CALL, r[theirs], ours[mine], tolerance, False)
        )
    yield Parity(SECTION, f"standard error, {on}", CALL, r["std.err"], ours["std_err"], 1e-12)
    yield Parity(SECTION, f"resamples used, {on}", CALL, r["n"], ours["resamples"], 0.0)
    fit = fit_cox(table, survival, COLUMNS)
    predicted = PredictionModel.of_fit(fit).survival(table, FIVE_YEARS)[:, 0]
    r_predicted = reference_table("d_calibrate_multi_predicted.csv")["predicted_surv_u"]
    yield Parity(
        *(SECTION, f"predicted survival of each patient, {on}", "rms::survest"),
        *(r_predicted, predicted, 1e-7, False),
    )


def _own_resamples():
    numbers = reference_json("d_calibrate_pbc276.json")
    for marker in ("lp_cont", "crs_like"):
        for days, years in (("1826.25", 5), ("2922.00", 8)):
            ours = _calibrated(marker, float(days))
            r = [pd.DataFrame(numbers[f"{marker}_u{days}_KM_seed{seed}"]) for seed in (1, 2, 3)]
            on = f"pbc, {marker}, {years} years"
            for mine, (theirs, tolerance) in APPARENT.items():
                yield Parity(
                    SECTION, f"{mine}, {on}", CALL, r[0][theirs], ours[mine], tolerance, False
                )
            # Different random numbers: R's own seeds are up to 5e-3 apart.
            yield Parity(
                *(SECTION, f"optimism, {on}, 1000 resamples of our own, mean of R's 3 seeds", CALL),
                np.mean([each["mean.optimism"] for each in r], axis=0),
                *(ours["optimism"], 5e-3, False),
            )


def _baseline():
    table, survival = _pbc("pbc276_binary.csv")
    fit = PredictionModel.of_fit(fit_cox(table, survival, FINAL))
    r = reference_table("b_pbc_final_basehaz.csv")
    at_deaths = np.isin(r["time"], fit.death_times)
    yield Parity(
        *(SECTION, "baseline hazard, pbc, final model", "survival::basehaz(centered = FALSE)"),
        *(r["hazard"][at_deaths], fit.cumulative_hazard, 1e-12),
    )


def _calibrated(marker, days):
    table = _calibrated_at_both(marker)
    return table[table["time_months"] == days].reset_index(drop=True)


@functools.cache
def _calibrated_at_both(marker):
    table, survival = _pbc("pbc276_markers.csv")
    options = CalibrationOptions(times=(FIVE_YEARS, 2922.0))
    return result_of(calibrate(table, survival, [marker], options)).table


def _pbc(name):
    table = reference_table(name)
    return table, Survival.of(table["time"], table["status"])


def test_equals_r():
    assert_all_hold(parity())


def test_resamples_of_our_own_are_as_far_from_r_as_r_is_from_itself():
    """R's calibrate(B = 1000) with set.seed(1), (2) and (3)."""
    numbers = reference_json("d_calibrate_pbc276.json")
    for marker in ("lp_cont", "crs_like"):
        ours = _calibrated(marker, FIVE_YEARS)
        for seed in (1, 2, 3):
            r = pd.DataFrame(numbers[f"{marker}_u1826.25_KM_seed{seed}"])
            assert np.abs(ours["optimism"] - r["mean.optimism"]).max() < 6e-3
            # Groups without an estimate are as frequent: binomial, 5 standard deviations.
            assert np.abs(ours["resamples"] - r["n"]).max() < 5 * np.sqrt(2 * 1000 * 0.1 * 0.9)
