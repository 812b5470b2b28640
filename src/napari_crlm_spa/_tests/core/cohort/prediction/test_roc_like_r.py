"""ROC over time against R's timeROC (0.4), ``weighting = "marginal"``, ``iid = TRUE``."""

import numpy as np

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.prediction.censoring import CensoringCurve
from napari_crlm_spa.core.cohort.prediction.roc import time_roc
from napari_crlm_spa.core.cohort.prediction.roc_compare import compare_rocs
from napari_crlm_spa.core.cohort.survival import Survival

SECTION = "ROC over time"
CALL = "timeROC::timeROC(weighting = 'marginal')"


def parity():
    table = reference_table("pbc276_markers.csv")
    numbers = reference_json("d_timeROC_pbc276.json")
    survival = Survival.of(table["time"], table["status"])
    rocs = {
        name: time_roc(table[name], survival, r["times"]) for name, r in numbers["markers"].items()
    }
    for name, r in numbers["markers"].items():
        ours = rocs[name]
        counts = np.column_stack([ours.cases, ours.controls, ours.censored])
        on = f"pbc, marker {name}, 3, 5, 8 years"
        yield Parity(SECTION, f"area, {on}", CALL, r["AUC"], ours.auc, 1e-12)
        yield Parity(SECTION, f"standard error, {on}", CALL, r["se"], ours.se, 1e-12)
        yield Parity(SECTION, f"lower 95 %, {on}", CALL, r["lower95"], ours.lower95, 1e-12)
        yield Parity(SECTION, f"upper 95 %, {on}", CALL, r["upper95"], ours.upper95, 1e-12)
        yield Parity(
            *(SECTION, f"cases, controls, censored, {on}", CALL),
            *(r["cases_controls_censored"], counts, 0.0),
        )
    yield from _of_patients(rocs, survival)
    for pair, r in numbers["compare"].items():
        ours, call = compare_rocs(*(rocs[name] for name in pair.split("_vs_"))), "timeROC::compare"
        on = f"pbc, {pair.replace('_vs_', ' and ')}"
        yield Parity(SECTION, f"p of the difference, {on}", call, r["p"], ours.p, 1e-12)
        yield Parity(
            SECTION, f"correlation between times, {on}", call, r["cor"], ours.correlation, 1e-12
        )
        # R integrates by a random lattice with an error of up to 1e-3.
        yield Parity(
            *(SECTION, f"p adjusted for three times, {on}", "timeROC::compare(adjusted = TRUE)"),
            *(r["adjusted"], ours.p_adjusted, 5e-5, False),
        )


def _of_patients(rocs, survival):
    order = np.argsort(survival.time, kind="stable")
    influence = reference_table("d_timeROC_iid_lp_sorted_by_time.csv").to_numpy()
    yield Parity(
        *(SECTION, "influence of each patient, pbc, marker lp", "timeROC(iid = TRUE)"),
        *(influence, rocs["lp"].influence[:, order].T, 1e-12),
    )
    weights = reference_table("d_timeROC_ipcw_subject.csv")
    yield Parity(
        *(SECTION, "probability of not being censored, pbc", "pec::ipcw(method = 'marginal')"),
        weights["ipcw_subject"],
        CensoringCurve.of(survival).before(weights["time_sorted"]),
        1e-12,
    )
    points = reference_table("d_timeROC_curve_crs_like.csv").to_numpy().T
    curves = rocs["crs_like"].curves
    yield Parity(
        *(SECTION, "ROC curve: false positives, pbc, marker crs_like", CALL),
        *(points[:3], [curve.false_positive_rate for curve in curves], 1e-12),
    )
    yield Parity(
        *(SECTION, "ROC curve: true positives, pbc, marker crs_like", CALL),
        *(points[3:], [curve.true_positive_rate for curve in curves], 1e-12),
    )


def test_equals_r():
    assert_all_hold(parity())
