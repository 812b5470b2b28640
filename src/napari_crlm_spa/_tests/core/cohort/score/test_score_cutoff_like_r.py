"""The cut-off of a score as the authors' R code finds it, and as their text can be read."""

import re

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.cutpoints.two_groups import logrank_chisq
from napari_crlm_spa.core.cohort.score import ScoreOptions, search_cutoff
from napari_crlm_spa.core.cohort.score.grids import code_grid
from napari_crlm_spa.core.cohort.survival import Survival

SECTION = "Cut-off of the score"
CODE = "opti_cut (authors' code) with survival::coxph"
TEXT = {
    "paper_quantile_grid_1001_logrank": ("text", "1001 quantiles, survival::survdiff"),
    "paper_value_grid_1001_logrank": ("text_values", "1001 values, survival::survdiff"),
}


def parity():
    for name, cases in reference_json("e_optimal_cutoff.json").items():
        data = reference_table(f"e_score_{name}.csv")
        score = data.train_score_aic.to_numpy()
        survival = Survival.of(data["os.time"], data["os.event"])
        for key, r in cases.items():
            if key in TEXT:
                rule, call = TEXT[key]
                found = search_cutoff(score, survival, ScoreOptions(rule=rule))
                what = f"{name} score, {rule}, quantiles 0.2 to 0.8"
                # R's numbers are stored with 15 digits.
                yield Parity(SECTION, f"cut-off; {what}", call, r["cutoff"], found.cutoff, 4e-15)
                yield Parity(SECTION, f"log-rank p; {what}", call, r["p"], found.p, 1e-12)
                continue
            low, high, steps = (float(each) for each in re.findall(r"\d+\.?\d*", key))
            options = ScoreOptions(rule="code", low=low, high=high, steps=int(steps))
            yield from _code(
                f"{name} score, quantiles {low:g} to {high:g}, {steps:g} steps",
                score, survival, options, r,
            )  # fmt: skip


def _code(what, score, survival, options, r):
    found = search_cutoff(score, survival, options)
    grid = code_grid(score, options.low, options.high, options.steps)
    groups = score >= found.cutoff
    yield Parity(SECTION, f"cut-off; {what}", CODE, r["cutoff"], found.cutoff, 2e-15)
    yield Parity(
        SECTION, f"range and number of cut-offs that are tried; {what}", CODE,
        [r["q_low"], r["q_high"], r["count"]], [grid.low, grid.high, grid.tried], 2e-15,
    )  # fmt: skip
    yield Parity(
        SECTION, f"n low, n high; {what}", CODE,
        [r["n_low"], r["n_high"]], [found.n_low, found.n_high], 0.0,
    )  # fmt: skip
    # coxph stops when the log-likelihood changes by less than 1e-9: R's last digits are its own.
    yield Parity(SECTION, f"Wald p; {what}", CODE, r["wald_p"], found.p, 1e-6)
    yield Parity(
        SECTION, f"hazard ratio and 95 % limits; {what}", "survival::coxph",
        [r["hr"], r["lower"], r["upper"]],
        [found.hr, found.hr_lower95, found.hr_upper95], 1e-8,
    )  # fmt: skip
    yield Parity(
        SECTION, f"log-rank chi-square of the groups; {what}", "survival::survdiff",
        r["logrank"]["chisq"], logrank_chisq(survival, groups), 1e-12,
    )  # fmt: skip


def test_score_cutoff_equals_r():
    assert_all_hold(parity())
