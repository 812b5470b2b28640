"""Cox models, univariate tables, stepwise selection, proportional hazards, as R computes them."""

import numpy as np
import pandas as pd

from napari_crlm_spa._tests.core.cohort.parity import Parity, assert_all_hold
from napari_crlm_spa._tests.r_reference import reference_json, reference_table
from napari_crlm_spa.core.cohort.cox.collinearity import correlation_table
from napari_crlm_spa.core.cohort.cox.concordance import concordance
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.proportional_hazards import (
    ph_test,
    schoenfeld,
    schoenfeld_residuals,
)
from napari_crlm_spa.core.cohort.cox.stepwise import stepwise
from napari_crlm_spa.core.cohort.cox.univariate import false_discovery_rate, univariate_table
from napari_crlm_spa.core.cohort.survival import Survival

COLON_TERMS = {
    "rx": ["rx_lev", "rx_lev5fu"],
    **{
        name: [name]
        for name in (
            "sex",
            "age",
            "obstruct",
            "perfor",
            "adhere",
            "nodes",
            "differ",
            "extent",
            "surg",
        )
    },
}
#: What R's coxph misses when it stops at a relative change of 1e-9 (colon ~ nodes).
R_STOPS_EARLY = 5e-9
#: A likelihood-ratio statistic of 0.2 is the difference of two log-likelihoods of 3000.
LOST_IN_DIFFERENCE = 3e-11
STEPS = {"backward": "from full", "forward": "from null", "both": "from null"}


def load(name):
    """The data of a reference model: its table and follow-up."""
    if name == "pbc_final":
        frame = reference_table("pbc276_binary.csv")
    else:
        frame = reference_table(f"{name.split('_')[0]}_os.csv")
    if name.startswith("pbc"):
        for column in ("bili", "albumin", "protime"):
            frame[f"log({column})"] = np.log(frame[column])
    return frame, Survival.of(frame["time"], frame["status"])


def models():
    for name, r in reference_json("b_cox_models.json").items():
        frame, survival = load(name)
        columns = r["names"] if isinstance(r["names"], list) else [r["names"]]
        fit = fit_cox(frame, survival, columns, ties=r["ties"])
        call = "survival::coxph" + (', ties = "breslow"' if r["ties"] == "breslow" else "")
        section, of = "Cox models", f"{name}, {len(columns)} columns"
        yield Parity(
            section, f"n, deaths, {of}", call, [r["n"], r["nevent"]], [fit.n, fit.n_events], 0
        )
        yield Parity(
            section, f"coefficients, {of}", call, np.atleast_1d(r["coef"]), fit.coef, R_STOPS_EARLY
        )
        yield Parity(
            section, f"standard errors, {of}", call, np.atleast_1d(r["se"]), fit.se, R_STOPS_EARLY
        )
        yield Parity(section, f"covariance, {of}", call, r["var"], fit.covariance, R_STOPS_EARLY)
        table = fit.table()
        yield Parity(
            section,
            f"95 % limits of the hazard ratios, {of}",
            "summary(coxph)$conf.int",
            [np.atleast_1d(r["hr_lower95"]), np.atleast_1d(r["hr_upper95"])],
            [table["hr_lower95"], table["hr_upper95"]],
            R_STOPS_EARLY,
        )
        yield Parity(
            section,
            f"log p (Wald) of each column, {of}",
            "summary(coxph)$coefficients",
            np.log(np.atleast_1d(r["p_wald"])),
            np.log(fit.p_wald),
            1e-8,
        )
        pair = "log-likelihood of null and model"
        yield Parity(
            section,
            f"{pair}, {of}",
            "coxph$loglik",
            [r["loglik_null"], r["loglik"]],
            [fit.loglik_null, fit.loglik],
            1e-14,
        )
        for test, ours in (("lrt", fit.lrt), ("score", fit.score)):
            yield Parity(
                section,
                f"{test} statistic, {of}",
                "summary(coxph)",
                r[test]["test"],
                ours.statistic,
                LOST_IN_DIFFERENCE,
            )
            yield Parity(
                section, f"{test} p, {of}", "summary(coxph)", r[test]["pvalue"], ours.p, 1e-10
            )
        yield Parity(
            section,
            f"Wald statistic (R rounds to 2 digits), {of}",
            "summary(coxph)$waldtest",
            r["wald"]["test"],
            round(fit.wald.statistic, 2),
            1e-12,
        )
        yield Parity(
            section,
            f"concordance and its standard error, {of}",
            "coxph$concordance",
            [r["concordance"], r["concordance_se"]],
            [fit.concordance, fit.concordance_se],
            1e-14,
        )
        yield Parity(
            section,
            f"AIC, BIC, {of}",
            "AIC(coxph), BIC(coxph)",
            [r["aic"], r["bic_nevent"]],
            [fit.aic, fit.bic],
            1e-14,
        )


def predictions():
    section = "Cox models"
    frame, survival = load("pbc_final")
    r = reference_table("b_pbc_final_predictions.csv")
    terms = reference_json("f_coxzph.json")["pbc_final"]["km"]["term"][:-1]
    fit = fit_cox(frame, survival, terms)
    predictor = fit.linear_predictor(frame)
    call = "as.matrix(x) %*% coef"
    yield Parity(
        section, "linear predictor, not centered, pbc276", call, r["lp_raw"], predictor, 1e-14
    )
    hazard = reference_table("b_pbc_final_basehaz.csv")
    times, ours = fit.baseline()
    # R lists censored times too, at which the hazard stays.
    at = np.searchsorted(times, hazard["time"], side="right")
    yield Parity(
        section,
        "baseline cumulative hazard (Efron), pbc276",
        "basehaz(fit, centered = FALSE)",
        hazard["hazard"],
        np.append(0.0, ours)[at],
        1e-13,
    )
    for name in ("colon_multi", "pbc_multi"):
        model = reference_json("b_cox_models.json")[name]
        frame, survival = load(name)
        kept = frame[model["names"]].notna().all(axis=1).to_numpy()
        lp = reference_table(f"b_{name}_lp.csv")["lp_centred"].to_numpy()
        agreement = concordance(survival.take(kept), lp)
        yield Parity(
            section,
            f"concordance of R's own predictor, {name}",
            "survival::concordance",
            [model["concordance"], model["concordance_se"]],
            [agreement.value, agreement.std_err],
            1e-14,
        )


def univariate():
    r = reference_table("b_pbc_univariate.csv")
    frame, survival = load("pbc_final")
    ours = univariate_table(frame, survival, list(r["variable"]))
    section, call = "Univariate Cox models", "summary(coxph(Surv(time, status) ~ x))"
    names = {
        "coef": ("coef", R_STOPS_EARLY),
        "se": ("se", R_STOPS_EARLY),
        "HR": ("hr", R_STOPS_EARLY),
        "L95": ("hr_lower95", R_STOPS_EARLY),
        "H95": ("hr_upper95", R_STOPS_EARLY),
        "cindex": ("concordance", 1e-14),
    }
    for theirs, (name, tolerance) in names.items():
        what = f"{name}, 30 columns of pbc276"
        yield Parity(section, what, call, r[theirs], ours[name], tolerance)
    for theirs, name, tolerance in (
        ("logtest_P", "p_lrt", 1e-12),
        ("score_P", "p_score", 1e-12),
        ("wald_P", "p_wald", 1e-8),
    ):
        what = f"log of {name}, 30 columns of pbc276"
        yield Parity(section, what, call, np.log(r[theirs]), np.log(ours[name]), tolerance)
    adjusted = reference_json("g_tests.json")["p_adjust"]
    yield Parity(
        section,
        "p adjusted for the false discovery rate",
        'p.adjust(p, "BH")',
        adjusted["BH"],
        false_discovery_rate(adjusted["p"]),
        1e-15,
    )


def correlations():
    section = "Correlation of features"
    r = reference_table("b_pbc_pearson_matrix.csv").set_index("variable")
    frame, _ = load("pbc_final")
    ours = correlation_table(frame, list(r.columns))
    theirs = [r.loc[a, b] for a, b in zip(ours["a"], ours["b"], strict=True)]
    yield Parity(section, "Pearson's r, 45 pairs of pbc276", "cor", theirs, ours["r"], 1e-14)
    for name, test in reference_json("g_tests.json")["pearson"].items():
        one = correlation_table(frame, name.split("_")).iloc[0]
        yield Parity(
            section,
            f"r and its interval, {name}",
            "cor.test",
            [test["estimate"], *test["conf"]],
            [one["r"], one["lower95"], one["upper95"]],
            1e-13,
        )
        yield Parity(section, f"p, {name}", "cor.test", test["p"], one["p"], 1e-12)


def steps():
    frame = reference_table("colon888.csv")
    survival = Survival.of(frame["time"], frame["status"])
    for direction, r in reference_json("b_colon_stepAIC.json").items():
        ours = stepwise(frame, survival, COLON_TERMS, direction)
        section, call = "Stepwise selection", f'MASS::stepAIC(direction = "{direction}")'
        of = f"{direction} {STEPS[direction]}, colon, 10 terms with a factor of 3 levels"
        theirs = pd.DataFrame(r["anova"])
        same = list(theirs["Step"]) == list(ours.path["change"])
        yield Parity(section, f"changes and their order, {of}", call, 1, int(same), 0)
        yield Parity(
            section, f"AIC of each step, {of}", call, theirs["AIC"], ours.path["aic"], 1e-14
        )
        yield Parity(
            section,
            f"final coefficients, {of}",
            call,
            r["final"]["coef"],
            ours.fit.coef,
            R_STOPS_EARLY,
        )


def proportional_hazards():
    section = "Proportional hazards"
    for name, transforms in reference_json("f_coxzph.json").items():
        frame, survival = load(name)
        fit = fit_cox(frame, survival, transforms["km"]["term"][:-1])
        for transform, r in transforms.items():
            ours = ph_test(fit, transform)
            call = f'survival::cox.zph(transform = "{transform}")'
            of = f"{name}, {len(r['term']) - 1} terms and GLOBAL, time as {transform}"
            yield Parity(section, f"chi-squared, {of}", call, r["chisq"], ours["chisq"], 1e-13)
            yield Parity(section, f"p, {of}", call, r["p"], ours["p"], 1e-12)
    for name in ("lung_multi", "pbc_multi"):
        r = reference_table(f"f_schoenfeld_{name}.csv")
        columns = [column[4:] for column in r if column.startswith("sch.")]
        frame, survival = load(name)
        fit = fit_cox(frame, survival, columns)
        _, ours = schoenfeld_residuals(fit)
        scaled = schoenfeld(fit)["residual"].to_numpy().reshape(len(columns), -1).T
        for what, prefix, values in (("", "sch", ours), ("scaled ", "scaled", scaled)):
            theirs = r[[f"{prefix}.{column}" for column in columns]].to_numpy()
            yield Parity(
                section,
                f"{what}Schoenfeld residuals, {name}",
                f'residuals(coxph, "{what and "scaled"}sch{"" if what else "oenfeld"}")',
                theirs,
                values,
                1e-13,
            )


def parity():
    yield from models()
    yield from predictions()
    yield from univariate()
    yield from correlations()
    yield from steps()
    yield from proportional_hazards()


def test_as_in_r():
    assert_all_hold(parity())
