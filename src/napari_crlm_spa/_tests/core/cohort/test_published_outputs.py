"""What R's own manuals, tests and textbooks print on public data: to all digits that are printed.

The reference of the other tests was computed once, on three data sets. Here are others, with other
ties, factors, holes and sizes.
"""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.cohort.published_data import (
    aml,
    dlbcl,
    hohnloser,
    ovarian,
    veteran,
)
from napari_crlm_spa.core.cohort.associations import (
    chi_square,
    fisher,
    kruskal,
    pearson,
    rank_sum,
    signed_rank,
)
from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.proportional_hazards import ph_test, schoenfeld_residuals
from napari_crlm_spa.core.cohort.cox.stepwise import stepwise
from napari_crlm_spa.core.cohort.curves.kaplan_meier import kaplan_meier
from napari_crlm_spa.core.cohort.curves.logrank import logrank
from napari_crlm_spa.core.cohort.cutpoints.dichotomize import CutpointOptions, fit_dichotomizer
from napari_crlm_spa.core.cohort.cutpoints.pvalues import lau92, lau94
from napari_crlm_spa.core.cohort.survival import Survival

VETERAN_TERMS = {
    "trt": ["trt"],
    "celltype": ["smallcell", "adeno", "large"],
    "karno": ["karno"],
    "diagtime": ["diagtime"],
    "age": ["age"],
    "prior": ["prior"],
}


def printed(value, text):
    """Whether a number is printed as that text: it differs by less than half of its last digit."""
    mantissa, _, exponent = text.partition("e")
    decimals = len(mantissa.partition(".")[2])
    half = 0.5 * 10.0 ** (int(exponent or 0) - decimals)
    return abs(value - float(text)) <= half * (1 + 1e-9)


def differ(values, text):
    """Return the numbers that aren't printed so, with what is printed."""
    expected = text.split()
    assert len(list(values)) == len(expected)
    return [(v, t) for v, t in zip(values, expected, strict=True) if not printed(v, t)]


def followed(table, time, event):
    return Survival.of(table[time], table[event])


def rossi():
    from lifelines.datasets import load_rossi

    table = load_rossi()
    return table, followed(table, "week", "arrest")


# --- Fox & Weisberg, An R Companion to Applied Regression, appendix on Cox regression, 2011 -------


def test_recidivism_model_of_fox_and_weisberg():
    table, survival = rossi()
    fit = fit_cox(table, survival, ["fin", "age", "race", "wexp", "mar", "paro", "prio"])
    assert not differ(fit.coef, "-0.37942 -0.05744 0.31390 -0.14980 -0.43370 -0.08487 0.09150")
    assert not differ(fit.se, "0.19138 0.02200 0.30799 0.21222 0.38187 0.19576 0.02865")
    assert not differ(fit.p_wald, "0.04742 0.00903 0.30812 0.48029 0.25606 0.66461 0.00140")
    tests = [fit.lrt, fit.wald, fit.score]
    assert not differ([test.statistic for test in tests], "33.27 32.11 33.53")
    assert not differ([test.p for test in tests], "2.362e-05 3.871e-05 2.11e-05")
    assert not differ([fit.concordance, fit.concordance_se], "0.64 0.027")


def test_recidivism_selected_stepwise_keeps_four_columns():
    table, survival = rossi()
    names = ["fin", "age", "race", "wexp", "mar", "paro", "prio"]
    for direction in ("backward", "forward", "both"):
        found = stepwise(table, survival, names, direction)
        assert sorted(found.terms) == ["age", "fin", "mar", "prio"]
        assert printed(found.path["aic"].iloc[-1], "1327.35")


# --- R's survival: examples of its manual, its tests (doaml, ovarian, book1, book2, difftest) -----


@pytest.mark.parametrize(
    ("ties", "coef", "se", "lrt", "p"),
    [
        ("breslow", "0.904", "0.512", "3.3", "0.0694"),
        ("efron", "0.916", "0.512", "3.38", "0.0658"),
    ],
)
def test_leukemia_by_both_ways_with_ties(ties, coef, se, lrt, p):
    table = aml()
    fit = fit_cox(table, followed(table, "time", "status"), ["x"], ties=ties)
    assert printed(fit.coef[0], coef) and printed(fit.se[0], se)
    assert printed(fit.lrt.statistic, lrt) and printed(fit.lrt.p, p)


def test_schoenfeld_residuals_of_leukemia_with_breslows_ties():
    table = aml()
    fit = fit_cox(table, followed(table, "time", "status"), ["x"], ties="breslow")
    times, residuals = schoenfeld_residuals(fit)
    assert list(times) == [5, 5, 8, 8, 9, 12, 13, 18, 23, 23, 27, 30, 31, 33, 34, 43, 45, 48]
    # R prints deaths at one time in an order of its own.
    ordered = [residuals[times == time, 0] for time in np.unique(times)]
    assert not differ(
        np.concatenate([np.sort(each) for each in ordered]),
        "0.2706690 0.2706690 0.3081229 0.3081229 -0.6423931 0.3360212 -0.6335658 -0.6494307 "
        "-0.6791937 0.3208063 0.3269751 0.3360212 -0.5970995 0.3505693 -0.5525731 0.3778334 "
        "0.5484457 0.0000000",
    )


def test_survival_curves_of_leukemia():
    table = aml()
    survival = followed(table, "time", "status")
    curves = [kaplan_meier(survival.take(table["x"].to_numpy() == x)) for x in (0, 1)]
    medians = [curve.quantile() for curve in curves]
    assert [(m.value, m.lower) for m in medians] == [(31, 18), (23, 8)]
    assert np.isnan([m.upper for m in medians]).all()
    rows = [curve.frame().query("n_event > 0") for curve in curves]
    assert not differ(rows[0]["survival"], "0.909 0.818 0.716 0.614 0.491 0.368 0.184")
    assert not differ(rows[0]["std_err"], "0.0867 0.1163 0.1397 0.1526 0.1642 0.1627 0.1535")
    assert not differ(rows[0]["lower95"], "0.7541 0.6192 0.4884 0.3769 0.2549 0.1549 0.0359")
    assert not differ(rows[0]["upper95"], "1.000 1.000 1.000 0.999 0.946 0.875 0.944")
    # Nobody is left at 45 weeks: R prints 0 with NaN, NA, NA.
    last = rows[1].iloc[-1]
    assert (last["time"], last["n_risk"], last["survival"]) == (45, 1, 0)
    assert last[["std_err", "lower95", "upper95"]].isna().all()


def test_logrank_test_of_leukemia_and_a_third_group_that_is_gone_before_the_first_death():
    table = aml()
    survival, groups = followed(table, "time", "status"), table["x"].to_numpy()
    two = logrank(survival, groups)
    assert not differ(two.expected, "10.69 7.31") and list(two.observed) == [7, 11]
    assert printed(two.p, "0.0653")
    assert printed(logrank(survival, groups, rho=1).chisq, "2.8")
    longer = Survival.of([*survival.time, 1, 2, 2, 3, 3, 3, 4], [*survival.event, *[0] * 7])
    three = logrank(longer, [*groups, *[2] * 7])
    assert (three.df, three.chisq) == (1, pytest.approx(two.chisq, rel=1e-12))


def test_small_example_with_known_maxima():
    """Therneau & Grambsch, Modeling Survival Data, appendix E: the maxima in closed form."""
    import pandas as pd

    table = pd.DataFrame({"x": [0.0, 1, 1, 1, 0, 0]})
    survival = Survival.of([9, 1, 1, 6, 6, 8], [1, 1, 0, 1, 1, 0])
    breslow = fit_cox(table, survival, ["x"], ties="breslow")
    assert breslow.coef[0] == pytest.approx(np.log(1.5 + np.sqrt(33) / 2), rel=1e-12)
    efron = fit_cox(table, survival, ["x"])
    angle = np.arccos(45 / 23 * np.sqrt(3 / 23)) / 3
    assert efron.coef[0] == pytest.approx(np.log(2 * np.sqrt(23 / 3) * np.cos(angle)), rel=1e-12)
    residuals = schoenfeld_residuals(efron)[1][:, 0]
    assert not differ(residuals, "0.157512 0.421244 -0.578756 0.000000")
    # The test of proportional hazards by hand (R's tests/zph.R): score and information by death.
    for fit, last in ((breslow, 3.0), (efron, 5.0)):
        r = fit.hazard_ratio[0]
        g = np.log([1, 6, 6, 9])
        u = np.array([1 / (r + 1), 3 / (r + 3), -r / (r + last), 0])
        v = np.array([r / (r + 1) ** 2, 3 * r / (r + 3) ** 2, last * r / (r + last) ** 2, 0])
        information = [[v.sum(), g @ v], [g @ v, g**2 @ v]]
        score = np.array([u.sum(), g @ u])
        by_hand = score @ np.linalg.solve(information, score)
        assert ph_test(fit, "log")["chisq"][0] == pytest.approx(by_hand, rel=1e-9)


def test_quantiles_where_the_curve_lies_on_the_level():
    """R's tests/quantile.R: before the first step, on flat parts, at the end, never reached."""
    survival = Survival.of([9, 1, 1, 6, 6, 8, 10], [1, 1, 0, 1, 1, 0, 0])
    curve = kaplan_meier(survival)
    levels = (13 / 14, 6 / 7, 2 / 3, 0.5, 9 / 35, 0.1)
    found = [curve.quantile(1 - level) for level in levels]
    assert [q.value for q in found] == pytest.approx([1, 3.5, 6, 9, 9.5, np.nan], nan_ok=True)
    assert [q.lower for q in found] == [1, 1, 1, 6, 6, 9]
    assert np.isnan([q.upper for q in found]).all()


def test_concordance_counts_of_r():
    """R's tests/concordance.R: 24 pairs agree, 14 don't, 2 have equal predictors."""
    table = aml().query("x == 0")
    survival = followed(table, "time", "status")
    x = [1, 6, 2, 7, 3, 7, 3, 8, 4, 4, 5]
    found = concordance(survival, -np.array(x))
    assert (found.value, found.pairs) == (25 / 40, 40)


def test_ovarian_cancer():
    table = ovarian()
    survival = followed(table, "futime", "fustat")
    one = {"age": "14.3", "resid_ds": "3.76", "rx": "1.05", "ecog_ps": "0.47"}
    for column, lrt in one.items():
        assert printed(fit_cox(table, survival, [column]).lrt.statistic, lrt)
    three = fit_cox(table, survival, ["resid_ds", "rx", "ecog_ps"])
    assert not differ(three.coef, "1.347 -0.749 0.453")
    assert not differ(three.se, "0.680 0.595 0.590")
    assert not differ([three.loglik_null, three.loglik], "-34.985 -31.970")
    test = logrank(survival, table["rx"])
    assert printed(test.chisq, "1.1") and printed(test.p, "0.303")
    hazards = ph_test(fit_cox(table, survival, ["age", "ecog_ps"]))
    assert not differ(hazards["chisq"], "0.698 2.371 3.633")
    assert not differ(hazards["p"], "0.40 0.12 0.16")


def test_veterans_lung_cancer_model_with_a_factor():
    table = veteran()
    fit = fit_cox(table, followed(table, "time", "status"), VETERAN_TERMS)
    assert not differ(
        fit.coef,
        "2.946e-01 8.616e-01 1.196e+00 4.013e-01 -3.282e-02 8.132e-05 -8.706e-03 7.159e-03",
    )
    assert not differ(
        fit.se,
        "2.075e-01 2.753e-01 3.009e-01 2.827e-01 5.508e-03 9.136e-03 9.300e-03 2.323e-02",
    )
    tests = [fit.lrt, fit.wald, fit.score]
    assert not differ([test.statistic for test in tests], "62.1 62.37 66.74")
    assert not differ([test.p for test in tests], "1.799e-10 1.596e-10 2.186e-11")
    assert not differ([fit.concordance, fit.concordance_se], "0.736 0.021")


def test_veterans_proportional_hazards():
    """The vignette on time-dependent coefficients of R's survival 3."""
    table = veteran()
    fit = fit_cox(table, followed(table, "time", "status"), ["trt", "prior", "karno"])
    found = ph_test(fit)
    assert not differ(found["chisq"], "0.288 2.168 12.138 18.073")
    assert not differ(found["p"], "0.59125 0.14087 0.00049 0.00042")


def test_veterans_medians_one_of_them_between_two_days_and_logrank_of_four_groups():
    table = veteran()
    survival = followed(table, "time", "status")
    medians = {}
    for column in ("trt", "celltype"):
        for level in table[column].unique():
            found = kaplan_meier(survival.take((table[column] == level).to_numpy())).quantile()
            medians[level] = (found.value, found.lower, found.upper)
    assert medians[1] == (103, 59, 132)
    assert medians[2] == (52.5, 44, 95)
    assert medians["squamous"] == (118, 82, 314)
    assert medians["smallcell"] == (51, 25, 63)
    assert medians["adeno"] == (51, 35, 92)
    assert medians["large"] == (156, 105, 231)
    test = logrank(survival, table["celltype"])
    assert test.df == 3 and printed(test.chisq, "25.4")
    assert not differ(test.expected, "15.7 34.5 30.1 47.7")


# --- Klein & Moeschberger, Survival Analysis, 2003; Everitt & Hothorn, A Handbook (HSAUR), 2006 ---


@pytest.mark.parametrize(
    ("ties", "coef", "se", "lrt"),
    [("efron", "1.572", "0.412", "16.35"), ("breslow", "1.509", "0.410", "15.21")],
)
def test_remission_of_leukemia_with_and_without_6_mp(ties, coef, se, lrt):
    from lifelines.datasets import load_leukemia

    table = load_leukemia()
    survival = followed(table, "t", "status")
    fit = fit_cox(table, survival, ["Rx"], ties=ties)
    assert not differ([fit.coef[0], fit.se[0], fit.lrt.statistic], f"{coef} {se} {lrt}")
    test = logrank(survival, table["Rx"])
    assert not differ([*test.expected, test.chisq, test.p], "19.3 10.7 16.8 4.17e-05")
    medians = [
        kaplan_meier(survival.take((table["Rx"] == x).to_numpy())).quantile() for x in (1, 0)
    ]
    assert [(m.value, m.lower) for m in medians] == [(8, 4), (23, 16)]
    assert medians[0].upper == 12 and np.isnan(medians[1].upper)


def test_cancer_of_the_larynx_with_a_factor_and_breslows_ties():
    from lifelines.datasets import load_larynx

    table = load_larynx()
    terms = {"stage": ["Stage_II", "Stage_III", "Stage_IV"], "age": ["age"]}
    fit = fit_cox(table, followed(table, "time", "death"), terms, ties="breslow")
    assert not differ(fit.coef, "0.1386 0.6383 1.6931 0.0189")
    assert not differ(fit.se, "0.4623 0.3561 0.4222 0.0143")
    assert not differ(
        [fit.lrt.statistic, fit.wald.statistic, fit.score.statistic], "18.07 20.82 24.33"
    )


def test_breast_cancer_of_the_german_group():
    from lifelines.datasets import load_gbsg2

    table = load_gbsg2()
    table = table.assign(
        horTh=(table["horTh"] == "yes") * 1,
        menostat=(table["menostat"] == "Post") * 1,
        grade_2=(table["tgrade"] == "II") * 1,
        grade_3=(table["tgrade"] == "III") * 1,
    )
    terms = {name: [name] for name in ("horTh", "age", "menostat", "tsize")}
    terms |= {"tgrade": ["grade_2", "grade_3"], "pnodes": ["pnodes"]}
    terms |= {"progrec": ["progrec"], "estrec": ["estrec"]}
    fit = fit_cox(table, followed(table, "time", "cens"), terms)
    found = dict(zip(fit.columns, fit.coef, strict=True))
    names = ("horTh", "age", "menostat", "tsize", "pnodes", "progrec", "estrec")
    assert not differ(
        [found[name] for name in names],
        "-0.3462784 -0.0094592 0.2584448 0.0077961 0.0487886 -0.0022172 0.0001973",
    )
    # The book codes the grade by orthogonal polynomials.
    second, third = found["grade_2"], found["grade_3"]
    polynomial = [third / np.sqrt(2), (third - 2 * second) / np.sqrt(6)]
    assert not differ(polynomial, "0.5512988 -0.2010905")


# --- R's maxstat: examples of its manual ----------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "time", "event", "marker", "cutoff", "statistic"),
    [
        (hohnloser(), "month", "cens", "EF", "39", "3.5691"),
        (dlbcl(), "time", "cens", "MGE", "0.1860526", "3.1772"),
    ],
    ids=["ejection fraction, heavy ties", "lymphoma"],
)
def test_cutoffs_of_maxstats_examples(table, time, event, marker, cutoff, statistic):
    table = table.dropna()
    options = CutpointOptions(resamples=10_000)
    found = fit_dichotomizer(table, followed(table, time, event), [marker], options).cutpoints[0]
    assert printed(found.cutoff, cutoff) and printed(found.statistic, statistic)
    # R: condMC 0.0045 and 0.0102 of 9999 permutations, exactGauss 0.0042 and 0.019 by sampling.
    monte_carlo, gauss = (0.0045, 0.0042) if marker == "EF" else (0.0102, 0.0190)
    assert found.p_monte_carlo == pytest.approx(monte_carlo, abs=4 * np.sqrt(2e-4 * monte_carlo))
    assert found.p_exact_gauss == pytest.approx(gauss, abs=1e-3)
    if marker == "EF":
        assert printed(found.p_lau92, "0.01065") and printed(found.p_lau94, "0.005453")


def test_quantiles_of_lausen_and_schumachers_table_2():
    table = {
        0.1: (2.539, 2.263, 2.784, 2.597),
        0.05: (2.829, 2.560, 3.054, 2.883),
        0.025: (3.088, 2.828, 3.297, 3.138),
        0.01: (3.395, 3.149, 3.588, 3.442),
    }
    ranges = ((0.25, 0.75), (0.4, 0.6), (0.1, 0.9), (0.4, 0.9))
    for p, quantiles in table.items():
        for bound, (low, high) in zip(quantiles, ranges, strict=True):
            assert lau92(bound - 5e-4, low, high) > p > lau92(bound + 5e-4, low, high)


def test_example_of_lausen_sauerbrei_and_schumacher():
    assert printed(lau94(2.5, np.arange(5, 16), 20), "0.073")


# --- R's stats: examples of its manual (Hollander & Wolfe, Agresti, Fisher) -----------------------


def test_permeability_of_the_chorioamnion():
    x = [0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46]
    y = [1.15, 0.88, 0.90, 0.74, 1.21]
    exact = rank_sum(x, y)  # R prints one-sided p values
    assert exact.statistic == 35 and printed(exact.p / 2, "0.1272")
    assert printed(rank_sum(x, y, exact=False, correct=False).p / 2, "0.1103")


def test_ozone_in_may_and_august_with_ties():
    may = [41, 36, 12, 18, 28, 23, 19, 8, 7, 16, 11, 14, 18, 14, 34, 6, 30, 11, 1, 11, 4, 32]
    may += [23, 45, 115, 37]
    august = [39, 9, 16, 78, 35, 66, 122, 89, 110, 44, 28, 65, 22, 59, 23, 31, 44, 21, 9, 45]
    august += [168, 73, 76, 118, 84, 85]
    found = rank_sum(may, august)
    assert found.statistic == 127.5 and printed(found.p, "0.0001208")


def test_depression_before_and_after():
    x = np.array([1.83, 0.50, 1.62, 2.48, 1.68, 1.88, 1.55, 3.06, 1.30])
    y = np.array([0.878, 0.647, 0.598, 2.05, 1.06, 1.29, 1.06, 3.14, 1.29])
    found = signed_rank(x, y)
    assert found.statistic == 40 and printed(found.p / 2, "0.01953")
    assert signed_rank(y - x).statistic == 5


def test_mucociliary_efficiency():
    normal, airway, asbestosis = (
        [2.9, 3.0, 2.5, 2.6, 3.2],
        [3.8, 2.7, 4.0, 2.4],
        [2.8, 3.4, 3.7, 2.2, 2.0],
    )
    found = kruskal([normal, airway, asbestosis])
    assert (found.df, printed(found.statistic, "0.77143"), printed(found.p, "0.68")) == (2, 1, 1)


def test_lightness_of_tuna():
    x = [44.4, 45.9, 41.9, 53.3, 44.7, 44.1, 50.7, 45.2, 60.1]
    y = [2.6, 3.1, 2.5, 5.0, 3.6, 4.0, 5.2, 2.8, 3.8]
    found = pearson(x, y)
    assert not differ(
        [found.statistic, found.p, found.estimate, found.lower, found.upper],
        "1.8411 0.1082 0.5711816 -0.1497426 0.8955795",
    )


def test_tea_tasting_and_convictions_of_twins():
    tea, twins = fisher([[3, 1], [1, 3]]), fisher([[2, 15], [10, 3]])
    assert not differ([tea.p, twins.p], "0.4857 0.0005367")
    # R searches odds ratios below 1, and the inverse of those above, to 1.2e-4 only.
    found = [1 / tea.estimate, tea.lower, 1 / tea.upper]
    found += [twins.estimate, twins.lower, twins.upper]
    in_r = [1 / 6.408309, 0.2117329, 1 / 621.9337505, 0.04693661, 0.003325764, 0.363182271]
    assert found == pytest.approx(in_r, abs=1.2e-4)


@pytest.mark.parametrize("table", [[[3, 1], [1, 3]], [[2, 15], [10, 3]]])
def test_limits_of_an_odds_ratio_leave_25_in_1000_on_either_side(table):
    from scipy.stats import nchypergeom_fisher

    found, (a, b), (c, d) = fisher(table), *table
    of = [nchypergeom_fisher(a + b + c + d, a + b, a + c, x) for x in (found.lower, found.upper)]
    assert of[0].sf(a - 1) == pytest.approx(0.025, rel=1e-6)
    assert of[1].cdf(a) == pytest.approx(0.025, rel=1e-6)


def test_party_and_gender():
    found = chi_square([[762, 327, 468], [484, 239, 477]])
    assert found.df == 2 and printed(found.statistic, "30.07") and printed(found.p, "2.954e-07")
