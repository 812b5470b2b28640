"""The whole way from markers to the score's groups, as R went it on the pbc patients."""

from __future__ import annotations

import numpy as np

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.core.cohort.study.made_cohorts import MARKERS, finished, pbc_cohort
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.cox.selection import SelectionOptions
from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
from napari_crlm_spa.core.cohort.study.options import StudyOptions
from napari_crlm_spa.core.cohort.table import FilterOptions

SECTION = "The whole analysis"
CALL = "surv_cutpoint, coxph, stepAIC(backward), predict, the authors' opti_cut"


def study():
    options = FitOptions(
        filters=FilterOptions(limit_months=0.0),
        # The reference script has no rule against near-copies.
        selection=SelectionOptions(direction="backward", correlation_limit=1.0),
        study=StudyOptions(times_months="1826.25"),
    )
    return finished(fit_cohort(pbc_cohort(), options, features=MARKERS))


def parity():
    found = study()
    split = reference_table("pbc276_binary.csv")
    scores = reference_table("e_score_discrete.csv")
    cut = reference_json("e_optimal_cutoff.json")["discrete"]["low0.1_high0.9_steps10000"]
    patients = found.tables["patients"].frame
    ours = np.column_stack([patients[f"{marker}_high"] for marker in MARKERS])
    theirs = np.column_stack([split[f"{marker}_hi"] for marker in MARKERS])
    yield Parity(SECTION, "0/1 form of 10 markers, 276 patients", CALL, theirs, ours, 0.0, False)
    yield Parity(
        SECTION,
        "score of 276 patients",
        CALL,
        scores["train_score_aic"],
        patients["score"],
        1e-8,
    )
    used = found.tables["score_cutoff"].frame.iloc[0]
    yield Parity(SECTION, "cut-off of the score", CALL, cut["cutoff"], used["cutoff"], 1e-8)
    sizes = found.tables["groups"].frame.query("grouping == 'sof'")["n"]
    yield Parity(
        SECTION, "patients low and high", CALL, [cut["n_low"], cut["n_high"]], sizes, 0.0, False
    )
    test = found.tables["logrank"].frame.query("grouping == 'sof'").iloc[0]
    yield Parity(
        SECTION,
        "hazard ratio high against low, with interval",
        CALL,
        [cut["hr"], cut["lower"], cut["upper"]],
        [test["hr"], test["hr_lower95"], test["hr_upper95"]],
        1e-7,
    )
    yield Parity(SECTION, "log-rank p of the groups", CALL, cut["logrank"]["p"], test["p"], 1e-11)


def test_equals_r():
    assert_all_hold(parity())
