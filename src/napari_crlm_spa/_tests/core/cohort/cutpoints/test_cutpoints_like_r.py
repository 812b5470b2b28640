"""Cut-offs, their statistics and p values as R's maxstat and survminer compute them."""

import numpy as np

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.cox.hazard_ratio import hazard_ratio
from napari_crlm_spa.core.cohort.cutpoints import CutpointOptions, fit_dichotomizer
from napari_crlm_spa.core.cohort.cutpoints.two_groups import logrank_chisq
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk.maxstat import logrank_scores

SECTION = "Cut-offs of features"
CUTPOINT = "survminer::surv_cutpoint"
PERMUTATIONS = 4000


def _maxstat():
    for _, row in reference_table("a_maxstat.csv").iterrows():
        data = reference_table(f"{row.dataset}_os.csv")
        survival = Survival.of(data.time, data.status)
        options = CutpointOptions(minprop=row.minprop, resamples=PERMUTATIONS)
        found = fit_dichotomizer(data, survival, [row.variable], options)[row.variable]
        yield row, data, found


def parity():
    for row, data, found in _maxstat():
        what = f"{row.dataset} {row.variable}, at least {row.minprop:.0%} on a side"
        test = "maxstat::maxstat.test(pmethod = {!r})".format
        known = data[row.variable].notna()
        survival = Survival.of(data.time[known], data.status[known])
        high = data[row.variable][known] > found.cutoff
        yield Parity(
            SECTION, f"cut-off, n low, n high; {what}", CUTPOINT,
            [row.cutpoint, row.n_low, row.n_high], [found.cutoff, found.n_low, found.n_high], 0.0,
        )  # fmt: skip
        yield Parity(SECTION, f"statistic; {what}", CUTPOINT, row.statistic, found.statistic, 1e-14)
        yield Parity(SECTION, f"p Lau92; {what}", test("Lau92"), row.p_Lau92, found.p_lau92, 1e-12)
        # R's Lau94 leaves [0, 1]; ours is clipped.
        yield Parity(
            SECTION, f"p Lau94; {what}", test("Lau94"),
            np.clip(row.p_Lau94, 0, 1), found.p_lau94, 1e-12 if row.p_Lau94 > 0 else 1e-15,
            relative=row.p_Lau94 > 0,
        )  # fmt: skip
        yield Parity(
            SECTION, f"p exactGauss (R samples it: two seeds differ by 1e-3); {what}",
            test("exactGauss"), row.p_exactGauss, found.p_exact_gauss, 2e-3, relative=False,
        )  # fmt: skip
        yield Parity(
            SECTION, f"p condMC (R: 100000 permutations, ours: {PERMUTATIONS}); {what}",
            test("condMC"), row.p_condMC_1e5, found.p_monte_carlo, 0.025, relative=False,
        )  # fmt: skip
        yield Parity(
            SECTION, f"log-rank chi-square of the two groups; {what}", "survival::survdiff",
            row.logrank_chisq, logrank_chisq(survival, high), 1e-12,
        )  # fmt: skip
        yield Parity(
            SECTION, f"hazard ratio of the two groups; {what}", "survival::coxph",
            row.hr_high, hazard_ratio(survival, high).hr, 1e-7,
        )  # fmt: skip
    for dataset, variable in (
        ("colon", "age"), ("colon", "nodes"), ("lung", "age"), ("lung", "meal_cal"),
        ("lung", "pat_karno"), ("lung", "ph_karno"), ("lung", "wt_loss"),
    ):  # fmt: skip
        path = reference_table(f"{dataset}_{variable}_path.csv")
        data = reference_table(f"{dataset}_os.csv")
        ours = fit_dichotomizer(data, Survival.of(data.time, data.status), [variable]).paths()
        yield Parity(
            SECTION, f"all cut-offs that were tried; {dataset} {variable}", CUTPOINT,
            path.cut, ours.cutoff, 0.0,
        )  # fmt: skip
        yield Parity(
            SECTION, f"their statistics; {dataset} {variable}", CUTPOINT,
            path.stat, ours.statistic, 1e-13,
        )  # fmt: skip
    for dataset in ("colon", "lung"):
        scores = reference_table(f"a_logrank_scores_{dataset}.csv")
        yield Parity(
            SECTION, f"log-rank scores; {dataset}", "exactRankTests::cscores",
            scores.score, logrank_scores(scores.time, scores.status), 1e-14,
        )  # fmt: skip
    yield from _fifty_patients()
    yield from _ten_markers()


def _fifty_patients():
    data = reference_table("lung_os.csv").iloc[:50]
    for row in reference_json("a_maxstat_small_lung50.json"):
        name = row["variable"]
        found = fit_dichotomizer(data, Survival.of(data.time, data.status), [name])[name]
        what = f"first 50 patients of lung, {name}"
        yield Parity(SECTION, f"statistic; {what}", CUTPOINT, row["stat"], found.statistic, 1e-13)
        yield Parity(
            SECTION, f"p Lau92; {what}", "maxstat::maxstat.test(pmethod = 'Lau92')",
            row["Lau92"], found.p_lau92, 1e-13,
        )  # fmt: skip
        yield Parity(
            SECTION, f"p Lau94; {what}", "maxstat::maxstat.test(pmethod = 'Lau94')",
            min(row["Lau94"], 1), found.p_lau94, 1e-13,
        )  # fmt: skip
        yield Parity(
            SECTION, f"p exactGauss; {what}", "maxstat::maxstat.test(pmethod = 'exactGauss')",
            row["exactGauss"], found.p_exact_gauss, 2e-3, relative=False,
        )  # fmt: skip


def _ten_markers():
    """All markers in one call, as the authors' text describes: the categorized table."""
    data = reference_table("pbc276_binary.csv")
    markers = [name[:-3] for name in data.columns if name.endswith("_hi")]
    survival = Survival.of(data.time, data.status)
    for method, suffix in (("maxstat", "_hi"), ("median", "_med")):
        found = fit_dichotomizer(data, survival, markers, CutpointOptions(method=method))
        call = "survminer::surv_categorize" if method == "maxstat" else "x > median(x)"
        yield Parity(
            SECTION, f"who is high, pbc, {len(markers)} markers, {method}", call,
            data[[marker + suffix for marker in markers]], found.apply(data), 0.0,
        )  # fmt: skip


def test_cutpoints_equal_r():
    assert_all_hold(parity())
