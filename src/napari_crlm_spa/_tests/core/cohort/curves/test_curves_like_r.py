"""Curves, medians, follow-up and log-rank tests equal R's survival and survminer."""

import numpy as np
import pandas as pd

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.curves import kaplan_meier, logrank, pairwise_logrank
from napari_crlm_spa.core.cohort.curves.follow_up import follow_up_table
from napari_crlm_spa.core.cohort.survival import Survival

INTERVALS = ("plain", "log", "log-log")
LEVELS = {"rx": ("Lev", "Lev+5FU", "Obs"), "node4": (0, 1)}
TESTS = {
    "colon_rx": ("colon", "rx", 0.0),
    "colon_node4": ("colon", "node4", 0.0),
    "colon_sex": ("colon", "sex", 0.0),
    "colon_differ": ("colon", "differ", 0.0),
    "lung_sex": ("lung", "sex", 0.0),
    "lung_ecog": ("lung", "ph_ecog", 0.0),
    "pbc_stage": ("pbc", "stage", 0.0),
    "colon_rx_peto_rho1": ("colon", "rx", 1.0),
}


def table_of(name):
    table = reference_table(f"{name}_os.csv")
    return table, Survival.of(table["time"], table["status"])


def nan(values):
    return np.array(values, dtype=float)


def strata_of(factor):
    colon, survival = table_of("colon")
    if factor == "all":
        return {"all": survival}
    return {level: survival.take((colon[factor] == level).to_numpy()) for level in LEVELS[factor]}


def curves():
    for factor in ("all", "rx"):
        for interval in INTERVALS:
            r = reference_table(f"c_km_colon_{factor}_{interval}.csv")
            ours = [kaplan_meier(s, interval=interval) for s in strata_of(factor).values()]
            where = f"colon {'' if factor == 'all' else 'by ' + factor}, {interval}".replace(
                " ,", ","
            )
            call = f'survival::survfit(conf.type = "{interval}")'

            def joined(of, curves=ours):
                return np.concatenate([of(curve) for curve in curves])

            for quantity, column, of in (
                ("Kaplan-Meier estimate", "surv", lambda c: c.survival),
                ("Greenwood standard error", "std_err", lambda c: c.std_err),
                ("lower limit", "lower", lambda c: c.lower),
                ("upper limit", "upper", lambda c: c.upper),
                ("patients at risk", "n_risk", lambda c: c.n_risk),
                ("deaths", "n_event", lambda c: c.steps.n_event),
            ):
                yield Parity(
                    "Curves", f"{quantity}, {where}", call, r[column], joined(of), 1e-14, False
                )


def medians():
    reference = reference_json("c_km_logrank.json")
    for factor in ("all", "rx", "node4"):
        for interval in INTERVALS:
            r = reference[factor][interval]
            ours = [kaplan_meier(s, interval=interval) for s in strata_of(factor).values()]
            quantiles = [[c.quantile(p) for p in (0.25, 0.5, 0.75)] for c in ours]
            for side, ask in (("quantile", "value"), ("lower", "lower"), ("upper", "upper")):
                yield Parity(
                    "Curves",
                    f"quartiles and median ({side}), colon by {factor}, {interval}",
                    "quantile(survfit)",
                    np.atleast_2d(nan(r["quantile"][side]["q"])),
                    nan([[getattr(q, ask) for q in row] for row in quantiles]),
                    0.0,
                )
            at = pd.concat([c.at(365.25 * np.array([1, 3, 5])) for c in ours])
            table = pd.DataFrame(r["at_1_3_5y"])
            for ours_, theirs in (
                ("survival", "surv"),
                ("std_err", "std_err"),
                ("lower95", "lower"),
                ("upper95", "upper"),
                ("n_risk", "n_risk"),
            ):
                yield Parity(
                    "Curves",
                    f"{ours_} after 1, 3, 5 years, colon by {factor}, {interval}",
                    "summary(survfit, times, extend = TRUE)",
                    table[theirs],
                    at[ours_],
                    1e-14,
                    False,
                )


def at_risk():
    colon, survival = table_of("colon")
    months = Survival.of(survival.time / 30.4375, survival.event)
    r = pd.DataFrame(reference_json("c_km_logrank.json")["risk_table"])
    ours = [
        kaplan_meier(months.take((colon["node4"] == level).to_numpy())).at(np.arange(0, 97, 12))
        for level in (0, 1)
    ]
    yield Parity(
        "Curves",
        "number at risk every 12 months, colon by node4",
        "summary(survfit, times)",
        r["n_risk"],
        pd.concat(ours)["n_risk"],
        0.0,
    )


def follow_up():
    for name in ("colon", "pbc", "lung"):
        _, survival = table_of(name)
        r = reference_table(f"c_reverse_km_{name}.csv")
        curve = kaplan_meier(survival.reversed())
        yield Parity(
            "Follow-up",
            f"reverse Kaplan-Meier curve, {name}",
            "survival::survfit(Surv(time, 1 - status) ~ 1)",
            r["surv"],
            curve.survival,
            1e-14,
            False,
        )
        quantiles = reference_json("c_km_logrank.json")["reverse_km"][name]
        for key, interval in (("log", "log"), ("loglog", "log-log"), ("plain", "plain")):
            row = follow_up_table(survival, interval=interval).iloc[0]
            yield Parity(
                "Follow-up",
                f"median follow-up, its limits, quartiles, {name}, {interval}",
                "quantile(survfit(Surv(time, 1 - status) ~ 1))",
                nan(
                    [
                        quantiles[key]["quantile"][1],
                        quantiles[key]["lower"][1],
                        quantiles[key]["upper"][1],
                        quantiles[key]["quantile"][0],
                        quantiles[key]["quantile"][2],
                    ]
                ),
                row[["median_months", "lower95", "upper95", "q1_months", "q3_months"]],
                0.0,
            )


def logrank_tests():
    reference = reference_json("c_km_logrank.json")
    for name, (data, column, rho) in TESTS.items():
        table, survival = table_of(data)
        ours, r = logrank(survival, table[column], rho=rho), reference["logrank"][name]
        call = f"survival::survdiff(rho = {rho:g})"
        for quantity, theirs, value in (
            ("chi-square", "chisq", ours.chisq),
            ("p", "p", ours.p),
            ("expected deaths", "exp", ours.expected),
            ("observed deaths", "obs", ours.observed),
            ("variance", "var", ours.variance),
            ("patients", "n", ours.n),
            ("degrees of freedom", "df", ours.df),
        ):
            yield Parity(
                "Log-rank tests", f"{quantity}, {name}", call, nan(r[theirs]), value, 1e-12
            )
    colon, survival = table_of("colon")
    yield Parity(
        "Log-rank tests",
        "chi-square, colon by node4, strata sex",
        "survival::survdiff(~ node4 + strata(sex))",
        reference["logrank"]["colon_node4_strat_sex"]["chisq"],
        logrank(survival, colon["node4"], strata=colon["sex"]).chisq,
        1e-12,
    )
    pairs = pairwise_logrank(survival, colon["rx"])
    for method, column in (("none", "p"), ("BH", "p_fdr")):
        first, second = reference["pairwise"][method]
        yield Parity(
            "Log-rank tests",
            f"{column} of pairs, colon by rx",
            f'survminer::pairwise_survdiff(p.adjust.method = "{method}")',
            [first["Lev"], second["Lev"], second["Lev+5FU"]],
            pairs[column],
            1e-12,
        )


def parity():
    for part in (curves, medians, at_risk, follow_up, logrank_tests):
        yield from part()


def test_equals_r():
    assert_all_hold(parity())
