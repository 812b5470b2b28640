"""Classical tests equal R's stats package."""

import numpy as np

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.associations import (
    TwoLevels,
    chi_square,
    fisher,
    groups_table,
    kruskal,
    pearson,
    rank_sum,
    signed_rank,
)
from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate

SECTION = "Associations"


def samples():
    pbc, colon = reference_table("pbc276.csv"), reference_table("colon_os.csv")

    def by(table, column, factor):
        return [table[column][table[factor] == level] for level in (0, 1)]

    age = pbc["age"].to_numpy()
    return {
        "bili_by_sex": (*by(pbc, "bili", "sex"), True),
        "bili_by_sex_nocorrect": (*by(pbc, "bili", "sex"), False),
        "age_by_sex": (*by(pbc, "age", "sex"), True),
        "albumin_by_hepato": (*by(pbc, "albumin", "hepato"), True),
        "small_exact": (age[:12], age[12:30], True),
        "nodes_by_sex": (*by(colon, "nodes", "sex"), True),
        "platelet_by_spiders": (*by(pbc, "platelet", "spiders"), True),
    }


def parity():
    r, pbc = reference_json("g_tests.json"), reference_table("pbc276.csv")
    for name, r_test in r["pearson"].items():
        ours = pearson(*(pbc[column] for column in name.split("_")))
        for quantity, theirs, value in (
            ("r", "estimate", ours.estimate),
            ("interval", "conf", [ours.lower, ours.upper]),
            ("t", "statistic", ours.statistic),
            ("degrees of freedom", "parameter", ours.df),
            ("p", "p", ours.p),
        ):
            yield Parity(
                SECTION, f"Pearson {quantity}, {name}", "cor.test", r_test[theirs], value, 1e-12
            )
    for name, (x, y, correct) in samples().items():
        ours, r_test = rank_sum(x, y, correct=correct), r["wilcoxon"][name]
        call = "wilcox.test" if correct else "wilcox.test(correct = FALSE)"
        yield Parity(SECTION, f"Wilcoxon W, {name}", call, r_test["W"], ours.statistic, 0.0)
        yield Parity(SECTION, f"Wilcoxon p, {name}", call, r_test["p"], ours.p, 1e-13)
    sexes = TwoLevels("sex", "Sex", "male", "female")
    row = groups_table(pbc, ["bili"], [sexes]).iloc[0]
    for side in "ab":
        yield Parity(
            SECTION,
            f"quartiles and median, level {side}, bili_by_sex",
            "summary",
            r["wilcoxon"]["bili_by_sex"][f"q1_med_q3_{'xy'['ab'.index(side)]}"],
            row[[f"q1_{side}", f"median_{side}", f"q3_{side}"]],
            1e-14,
        )
    paired = signed_rank(pbc["ast"], pbc["trig"])
    call, r_test = "wilcox.test(paired = TRUE)", r["signed_rank_paired"]
    yield Parity(SECTION, "signed rank V, ast and trig", call, r_test["V"], paired.statistic, 0.0)
    yield Parity(SECTION, "signed rank p, ast and trig", call, r_test["p"], paired.p, 1e-13)
    for name, r_test in r["chisq"].items():
        ours = chi_square(r_test["table"], correct="nocorrect" not in name)
        for quantity, theirs, value in (
            ("statistic", "chisq", ours.statistic),
            ("degrees of freedom", "df", ours.df),
            ("p", "p", ours.p),
        ):
            yield Parity(
                SECTION,
                f"chi-square {quantity}, {name}",
                "chisq.test",
                r_test[theirs],
                value,
                1e-12,
            )
    exact, r_test = fisher(r["chisq"]["sex_node4_yates"]["table"]), r["fisher_sex_node4"]
    call = "fisher.test"
    yield Parity(SECTION, "Fisher p, sex_node4", call, r_test["p"], exact.p, 1e-12)
    # R's own root finder stops at 1e-4 of the odds ratio.
    yield Parity(SECTION, "Fisher odds ratio, sex_node4", call, r_test["or"], exact.estimate, 1e-5)
    limits = [exact.lower, exact.upper]
    yield Parity(SECTION, "Fisher interval, sex_node4", call, r_test["conf"], limits, 1e-5)
    ours = kruskal([pbc["bili"][pbc["stage"] == level] for level in pbc["stage"].dropna().unique()])
    for quantity, theirs, value in (
        ("statistic", "stat", ours.statistic),
        ("degrees of freedom", "df", ours.df),
        ("p", "p", ours.p),
    ):
        yield Parity(
            SECTION,
            f"Kruskal-Wallis {quantity}, bili by stage",
            "kruskal.test",
            r["kruskal_bili_stage"][theirs],
            value,
            1e-12,
        )
    adjusted = r["p_adjust"]
    yield Parity(
        SECTION,
        "Benjamini-Hochberg p",
        'p.adjust("BH")',
        adjusted["BH"],
        false_discovery_rate(adjusted["p"]),
        1e-14,
    )
    quantiles = r["quantile_type7"]
    yield Parity(
        SECTION,
        "quantiles of type 7, bili",
        "quantile",
        quantiles["q"],
        np.quantile(pbc["bili"], quantiles["probs"]),
        1e-14,
    )


def test_equals_r():
    assert_all_hold(parity())
