"""A made-up study that fills every table of the schema with plausible numbers.

Curves, fits and counts are computed of simulated patients in the plainest way; what would need
long computations (bootstraps, cross-validation) is drawn at random around sensible values. For
tests of the folder, the report and the panel; nothing here is a result.
"""

import numpy as np
import pandas as pd

from napari_crlm_spa.core.cohort.columns import CLINICAL, SOFS, label_of
from napari_crlm_spa.core.cohort.cox.partial_likelihood import PartialLikelihood
from napari_crlm_spa.core.cohort.study.contents import Study, StudyTable
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.core.risk import RiskFeature, RiskModel, maxstat_cutoff

FINAL = (
    "Overall_Debris_ratio",
    "Overall_Lymphocyte_ratio",
    "Distal_Hepatocyte_ratio",
    "TUM_HEP_interaction",
)
_TRUE = (0.43, -0.39, -0.35, 0.34)
_CUTOFF = -0.31
_WARNING = (
    "Ablation: fewer than 10 deaths per coefficient in one level; its hazard ratio is uncertain. "
    "Leave it out or pool it."
)


def made_patients(n=433, seed=0):
    """Patients with 20 features, clinical columns, follow-up and groups."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"patient": [f"P{i:03d}" for i in range(1, n + 1)]})
    for column in SOFS:
        frame[column] = rng.beta(1.6, 7, n)
    for kind in ("Debris", "Lymphocyte"):
        frame[f"Distal_{kind}_ratio"] = frame[f"Overall_{kind}_ratio"] * rng.uniform(0.6, 0.9, n)
    frame["Age"] = np.round(rng.normal(57, 10, n))
    frame["Preoperative_CEA"] = np.round(np.exp(rng.normal(2.3, 1.3, n)), 1)
    frame["Number_of_LM"] = 1 + rng.poisson(1.6, n)
    frame["Largest_diameter_of_CRLM"] = np.round(np.exp(rng.normal(1.0, 0.5, n)), 1)
    frame["CRS_score"] = rng.binomial(5, 0.42, n)
    for column, share in (
        ("Pathological_Nstage", 0.6),
        ("Preoperative_chemotherapy", 0.63),
        ("Resection_margin", 0.12),
        ("Adjuvant_chemotherapy", 0.79),
    ):
        frame[column] = rng.binomial(1, share, n).astype(float)
    frame.loc[rng.choice(n, n // 15, replace=False), "Adjuvant_chemotherapy"] = np.nan
    high = np.stack([frame[c] > np.median(frame[c]) for c in FINAL], axis=1)
    frame["score"] = high @ np.array(_TRUE)
    risk = frame["score"] + 0.3 * (frame["CRS_score"] - 2) + 0.6 * frame["Resection_margin"]
    dies = rng.exponential(95 * np.exp(-risk.to_numpy()))
    leaves = np.minimum(rng.uniform(6, 130, n), 120)
    frame["os.time"] = np.maximum(np.round(np.minimum(dies, leaves), 1), 0.1)
    frame["os.event"] = (dies <= leaves).astype(int)
    frame["sof_group"] = np.where(frame["score"] >= _CUTOFF, "high", "low")
    frame["crs_group"] = np.where(frame["CRS_score"] >= 3, "high", "low")
    points = (frame["sof_group"] == "high").astype(int) + (frame["crs_group"] == "high")
    frame["combined_grade"] = points.map({0: "low", 1: "medium", 2: "high"})
    for column in SOFS:
        frame[f"{column}_high"] = (frame[column] > np.median(frame[column])).astype(int)
    return frame


def made_study(n=433, seed=0, cohort="Simulated cohort"):
    """A study with every table."""
    patients = made_patients(n, seed)
    rng = np.random.default_rng(seed + 1)
    survival = Survival.of(patients["os.time"], patients["os.event"])
    frames = {
        "flow": _flow(n),
        "patients": patients[
            [
                "patient", "os.time", "os.event", *(f"{c}_high" for c in SOFS), "score",
                "sof_group", "crs_group", "combined_grade",
            ]
        ],
        "follow_up": _follow_up(survival),
        **_cutpoints(patients, survival, rng),
        "univariate": _univariate(patients, survival),
        **_selection(patients, survival),
        **_models(patients, survival, rng),
        **_score(patients, survival),
        **_curves(patients),
        **_adjuvant(patients),
        **_prediction(patients, rng),
        **_nested(rng),
        **_associations(patients, rng),
    }  # fmt: skip
    tables = {
        name: StudyTable(name, _TITLES.get(name, name.replace("_", " ").capitalize()), frame, "")
        for name, frame in frames.items()
    }
    return Study(
        kind="fit",
        cohort=cohort,
        tables=tables,
        warnings=(_WARNING,),
        facts={
            "simulated": True,
            "n": n,
            "events": survival.n_events,
            "options": {
                "filters": {"limit_months": 120.0, "beyond": "censor"},
                "cutpoints": {"method": "median", "minprop": 0.1},
                "selection": {
                    "p_univariate": 0.05,
                    "correlation_limit": 0.7,
                    "direction": "both",
                },
                "score": {"rule": "code"},
                "study": {
                    "times_months": "60,96",
                    "cutpoint_resamples": 200,
                    "calibration_resamples": 1000,
                    "cv_repeats": 5,
                    "seed": 1,
                },
            },
        },
        versions={
            "napari-crlm-spa": "0.5.0", "python": "3.11.9", "numpy": "2.1.0", "scipy": "1.14.0",
            "pandas": "2.3.3", "lifelines": "0.30.3",
        },
        risk_model=RiskModel(
            name="made",
            title="Made-up model",
            features=tuple(
                RiskFeature(
                    column=c, coefficient=b, cutoff=float(np.median(patients[c])),
                    cutoff_source="made up",
                )
                for c, b in zip(FINAL, _TRUE, strict=True)
            ),
            threshold=_CUTOFF,
            source="simulated",
        ),
    )  # fmt: skip


_TITLES = {"flow": "Who was left out, and why", "univariate": "Univariate Cox regression"}


def _flow(n):
    return pd.DataFrame(
        [
            ("analyses", "slides", n + 102, n + 102, 0, "folders with features"),
            ("tumor", "slides", n + 102, n + 35, 67, "fewer than 50 contiguous tumor tiles"),
            ("clinical data", "patients", n + 33, n + 12, 21, "no clinical data"),
            ("follow-up", "patients", n + 12, n, 12, "no follow-up time"),
            ("time limit", "patients", n, n, 0, "beyond 120 months: censored there"),
        ],
        columns=["step", "unit", "before", "after", "excluded", "reason"],
    )


def km_table(time, event):
    """Kaplan-Meier estimate with log intervals, in the plainest way."""
    times = np.unique(time)
    rows, survival, variance = [(0.0, len(time), 0, 0, 1.0, 0.0, 1.0, 1.0)], 1.0, 0.0
    for t in times:
        at_risk = int((time >= t).sum())
        died = int(((time == t) & (event == 1)).sum())
        gone = int(((time == t) & (event == 0)).sum())
        if died < at_risk:
            variance += died / (at_risk * (at_risk - died))
        else:
            variance = np.nan
        survival *= 1 - died / at_risk
        error = np.sqrt(variance)
        low, high = survival * np.exp(-1.96 * error), min(1, survival * np.exp(1.96 * error))
        rows.append((t, at_risk, died, gone, survival, survival * error, low, high))
    return pd.DataFrame(
        rows,
        columns=[
            "time_months", "n_risk", "n_event", "n_censor", "survival", "std_err", "lower95",
            "upper95",
        ],
    )  # fmt: skip


def _median(km, share=0.5):
    below = km["time_months"][km["survival"] < share]
    return float(below.iloc[0]) if len(below) else np.nan


def _follow_up(survival):
    km = km_table(survival.time, 1 - survival.event.astype(int))
    row = ("all", len(survival), survival.n_events, _median(km), 45.5, 58.1)
    quartiles = (_median(km, 0.75), _median(km, 0.25), "reverse Kaplan-Meier")
    return pd.DataFrame(
        [(*row, *quartiles)],
        columns=[
            "group", "n", "events", "median_months", "lower95", "upper95", "q1_months",
            "q3_months", "method",
        ],
    )  # fmt: skip


def _cox(columns, survival):
    """Coefficients, errors and tests of a Cox model, as the tables hold them."""
    best = PartialLikelihood(survival, np.asarray(columns, float)).maximize()
    errors = np.sqrt(np.diag(np.linalg.pinv(best.information)))
    return best, np.where(best.runs_away, np.nan, np.maximum(errors, 1e-6))


def _hr(coef, error):
    return np.exp(coef), np.exp(coef - 1.96 * error), np.exp(coef + 1.96 * error)


def _p(z):
    from scipy.stats import norm

    return float(2 * norm.sf(abs(z)))


def _cutpoints(patients, survival, rng):
    cutpoints, paths, resampled, stability, optimism = [], [], [], [], []
    for column in SOFS:
        values = patients[column].to_numpy()
        found = maxstat_cutoff(values, survival.time, survival.event)
        cut = float(np.median(values))
        cutpoints.append(
            (column, label_of(column), "median", cut, ">", found.statistic, 0.2, 0.15, 0.14,
             np.nan, int((values <= cut).sum()), int((values > cut).sum()), "")
        )  # fmt: skip
        tried = zip(found.candidates, found.statistics, strict=True)
        paths += [(column, x, y) for x, y in tried]
        draws = np.quantile(values, np.clip(rng.normal(0.5, 0.12, 200), 0.1, 0.9))
        resampled += [(column, i, x) for i, x in enumerate(draws)]
        stability.append(
            (column, label_of(column), cut, 200, np.median(draws),
             *np.quantile(draws, (0.025, 0.975)), rng.uniform(0.3, 0.8), "")
        )  # fmt: skip
        apparent = np.exp(rng.normal(0.35, 0.1))
        honest = np.exp(rng.normal(0.12, 0.12))
        optimism.append(
            (column, label_of(column), 10, 5, apparent, honest, 9.1, 2.3, np.log(apparent / honest))
        )
    return {
        "cutpoints": pd.DataFrame(
            cutpoints,
            columns=[
                "feature", "label", "method", "cutoff", "direction", "statistic", "p_lau92",
                "p_lau94", "p_exact_gauss", "p_monte_carlo", "n_low", "n_high", "note",
            ],
        ),
        "cutpoint_paths": pd.DataFrame(paths, columns=["feature", "cutoff", "statistic"]),
        "cutpoint_bootstrap": pd.DataFrame(resampled, columns=["feature", "resample", "cutoff"]),
        "cutpoint_stability": pd.DataFrame(
            stability,
            columns=[
                "feature", "label", "cutoff", "resamples", "median", "q025", "q975",
                "within_10_percentiles", "note",
            ],
        ),
        "cutpoint_optimism": pd.DataFrame(
            optimism,
            columns=[
                "feature", "label", "folds", "repeats", "hr_apparent", "hr_cross_validated",
                "logrank_apparent", "logrank_cross_validated", "optimism_log_hr",
            ],
        ),
    }  # fmt: skip


def _univariate(patients, survival):
    rows = []
    clinical = [c for c in CLINICAL if c in patients]
    for column in (*clinical, *SOFS):
        source = column if column in clinical else f"{column}_high"
        there = patients[source].notna().to_numpy()
        seen = survival.take(there)
        best, error = _cox(patients[[source]][there], seen)
        coef, se = float(best.coef[0]), float(error[0])
        p = _p(coef / se)
        rows.append(
            (column, label_of(column), "clinical" if column in clinical else "sof", len(seen),
             seen.n_events, coef, se, *_hr(coef, se), p, np.nan, p, p, 0.55, "")
        )  # fmt: skip
    frame = pd.DataFrame(
        rows,
        columns=[
            "column", "label", "kind", "n", "events", "coef", "se", "hr", "hr_lower95",
            "hr_upper95", "p_lrt", "p_fdr", "p_wald", "p_score", "concordance", "note",
        ],
    )  # fmt: skip
    ranked = frame["p_lrt"].rank(method="first")
    frame["p_fdr"] = np.minimum(1, frame["p_lrt"] * len(frame) / ranked)
    return frame


def _selection(patients, survival):
    values = patients[list(SOFS)].corr().to_numpy()
    pairs = [
        (a, b, len(patients), values[i, j], values[i, j] - 0.09, values[i, j] + 0.09, 0.03)
        for i, a in enumerate(SOFS)
        for j, b in enumerate(SOFS)
        if i < j
    ]
    path, candidates = [], []
    for direction, start in (("forward", ()), ("backward", FINAL), ("both", ())):
        aic = 1913.76 if not start else 1896.27
        path.append((direction, 0, "start", len(start), aic))
        steps = [f"+ {c}" for c in FINAL] if not start else [
            "- Infiltrating_Debris_ratio", "- TUM_LYM_interaction"
        ]  # fmt: skip
        for number, change in enumerate(steps, 1):
            aic -= 6.5 / number
            path.append((direction, number, change, number, aic))
            candidates += [(direction, number, f"+ {c}", number, aic + 0.7 * i)
                           for i, c in enumerate(FINAL)]  # fmt: skip
    steps = ["direction", "step", "change", "df", "aic"]
    return {
        "correlation": pd.DataFrame(pairs, columns=["a", "b", "n", "r", "lower95", "upper95", "p"]),
        "collinear": pd.DataFrame(
            [
                ("Overall_Debris_ratio", "Distal_Debris_ratio", 0.93, 1e-90, "overall is kept"),
                ("Overall_Lymphocyte_ratio", "Distal_Lymphocyte_ratio", 0.9, 1e-80, ""),
            ],
            columns=["kept", "dropped", "r", "p", "reason"],
        ),
        "stepwise_path": pd.DataFrame(path, columns=steps),
        "stepwise_candidates": pd.DataFrame(candidates, columns=steps),
    }


def _models(patients, survival, rng):
    models, coefficients, tests, residuals, smooth = [], [], [], [], []
    clinical = [
        "Pathological_Nstage", "Number_of_LM", "Preoperative_CEA", "Resection_margin",
        "Adjuvant_chemotherapy", "score",
    ]  # fmt: skip
    wanted = {
        "final": ("Spatial features", [f"{c}_high" for c in FINAL]),
        "multivariable": ("Score and clinical factors", clinical),
        "score_crs": ("Score and clinical risk score", ["score", "CRS_score"]),
    }
    for model, (label, columns) in wanted.items():
        there = patients[columns].notna().all(axis=1).to_numpy()
        seen = survival.take(there)
        best, errors = _cox(patients[columns][there], seen)
        loglik = float(best.loglik)
        null = float(best.loglik_null)
        models.append(
            (model, label, len(seen), seen.n_events, int((~there).sum()), null, loglik,
             2 * (loglik - null), len(columns), 1.05e-5, 28.0, 1.2e-5, 28.5, 1.0e-5, 0.619, 0.023,
             -2 * loglik + 2 * len(columns), -2 * loglik + 5 * len(columns))
        )  # fmt: skip
        for column, coef, se in zip(columns, best.coef, errors, strict=True):
            name = label_of(column.removesuffix("_high"))
            name = "SOF score (per unit)" if column == "score" else name
            coefficients.append(
                (model, column.removesuffix("_high"), name, coef, se, *_hr(coef, se), coef / se,
                 _p(coef / se))
            )  # fmt: skip
            tests.append((model, column.removesuffix("_high"), name, 1.3, 1, 0.25))
            if model != "final":
                continue
            died = np.sort(seen.time[seen.event])
            transformed = np.arange(1, len(died) + 1) / len(died)
            for t, g in zip(died, transformed, strict=True):
                residuals.append((model, column, t, coef + rng.normal(0, 2), g))
            for t in np.linspace(died[0], died[-1], 40):
                smooth.append((model, column, t, coef + 0.1, coef - 0.4, coef + 0.6))
        tests.append((model, "GLOBAL", "All terms together", 3.4, len(columns), 0.49))
    return {
        "models": pd.DataFrame(
            models,
            columns=[
                "model", "label", "n", "events", "n_missing", "loglik_null", "loglik", "lrt",
                "lrt_df", "lrt_p", "wald", "wald_p", "score", "score_p", "concordance",
                "concordance_se", "aic", "bic",
            ],
        ),
        "coefficients": pd.DataFrame(
            coefficients,
            columns=[
                "model", "column", "label", "coef", "se", "hr", "hr_lower95", "hr_upper95", "z",
                "p_wald",
            ],
        ),
        "ph_test": pd.DataFrame(
            tests, columns=["model", "term", "label", "chisq", "df", "p"]
        ),
        "schoenfeld": pd.DataFrame(
            residuals, columns=["model", "column", "time_months", "residual", "transformed_time"]
        ),
        "schoenfeld_smooth": pd.DataFrame(
            smooth, columns=["model", "column", "time_months", "beta", "lower95", "upper95"]
        ),
    }  # fmt: skip


def _score(patients, survival):
    rows = []
    path = []
    for value in np.unique(np.round(patients["score"], 9))[1:-1]:
        high = (patients["score"] >= value - 1e-9).to_numpy(float)
        best, error = _cox(high[:, None], survival)
        path.append(("code", value, _p(best.coef[0] / error[0])))
    for rule, cut, used in (("code", _CUTOFF, True), ("text", -0.2, False), ("median", 0.0, False)):
        high = (patients["score"] >= cut).to_numpy(float)
        best, error = _cox(high[:, None], survival)
        p = _p(best.coef[0] / error[0])
        ratio = [float(x) for x in _hr(best.coef[0], error[0])]
        rows.append(
            (rule, cut, p, "Wald", int((1 - high).sum()), int(high.sum()), *ratio, used, "")
        )
    return {
        "score_cutoff": pd.DataFrame(
            rows,
            columns=[
                "rule", "cutoff", "p", "test", "n_low", "n_high", "hr", "hr_lower95", "hr_upper95",
                "used", "note",
            ],
        ),
        "score_cutoff_path": pd.DataFrame(path, columns=["rule", "cutoff", "p"]),
    }  # fmt: skip


def _curves(patients):
    levels = {
        "overall": (None, ["all"]),
        "sof": ("sof_group", ["low", "high"]),
        "crs": ("crs_group", ["low", "high"]),
        "combined": ("combined_grade", ["low", "medium", "high"]),
    }
    arms = patients.assign(
        arm=patients["Adjuvant_chemotherapy"].map({0.0: "without", 1.0: "with"}),
        before=patients["Preoperative_chemotherapy"].map({0.0: "no", 1.0: "yes"}),
    )
    parts = {
        f"adjuvant_{before}_{risk}": (before, risk)
        for before in ("all", "no", "yes")
        for risk in ("all", "low", "high")
    }
    levels |= {name: ("arm", ["without", "with"]) for name in parts}
    curves, risks, groups, tests, pairs = [], [], [], [], []
    for grouping, (column, names) in levels.items():
        for name in names:
            rows = arms if column is None else arms[arms[column] == name]
            before, risk = parts.get(grouping, ("all", "all"))
            rows = rows[(rows["before"] == before) | (before == "all")]
            rows = rows[(rows["sof_group"] == risk) | (risk == "all")]
            time, event = rows["os.time"].to_numpy(), rows["os.event"].to_numpy()
            km = km_table(time, event)
            km.insert(0, "group", name)
            km.insert(0, "grouping", grouping)
            curves.append(km)
            risks += [
                (grouping, name, t, int((time >= t).sum())) for t in np.arange(0.0, 121.0, 12)
            ]
            at5 = km[km["time_months"] <= 60].iloc[-1]
            groups.append(
                (grouping, name, len(rows), int(event.sum()), _median(km), 40.2,
                 np.nan if _median(km) != _median(km) else 77.7, at5["survival"], at5["lower95"],
                 at5["upper95"])
            )  # fmt: skip
        if column is not None:
            ratio = (2.26, 1.55, 3.29) if len(names) == 2 else (np.nan,) * 3
            p = {"sof": 1.4e-5, "crs": 1.2e-4, "combined": 2.45e-7}.get(grouping, 0.18)
            tests.append((grouping, "", len(names), 18.9, len(names) - 1, p, *ratio))
        if len(names) > 2:
            pairs += [
                (grouping, a, b, 9.3, 0.0023, 0.0035)
                for i, a in enumerate(names)
                for b in names[i + 1 :]
            ]
    return {
        "km": pd.concat(curves, ignore_index=True),
        "risk_table": pd.DataFrame(risks, columns=["grouping", "group", "time_months", "n_risk"]),
        "groups": pd.DataFrame(
            groups,
            columns=[
                "grouping", "group", "n", "events", "median_months", "median_lower95",
                "median_upper95", "survival_5y", "survival_5y_lower95", "survival_5y_upper95",
            ],
        ),
        "logrank": pd.DataFrame(
            tests,
            columns=[
                "grouping", "strata", "groups", "chisq", "df", "p", "hr", "hr_lower95",
                "hr_upper95",
            ],
        ),
        "logrank_pairwise": pd.DataFrame(
            pairs, columns=["grouping", "group_a", "group_b", "chisq", "p", "p_fdr"]
        ),
    }  # fmt: skip


def _adjuvant(patients):
    rows, known = [], patients[patients["Adjuvant_chemotherapy"].notna()]
    for pretreated, code in (("all", None), ("no", 0), ("yes", 1)):
        for group in ("all", "low", "high"):
            some = known
            if code is not None:
                some = some[some["Preoperative_chemotherapy"] == code]
            if group != "all":
                some = some[some["sof_group"] == group]
            treated = some["Adjuvant_chemotherapy"] == 1
            survival = Survival.of(some["os.time"], some["os.event"])
            best, error = _cox(treated.to_numpy(float)[:, None], survival)
            died = some["os.event"] == 1
            rows.append(
                (pretreated, group, int((~treated).sum()), int(treated.sum()),
                 int((died & ~treated).sum()), int((died & treated).sum()), 2.1,
                 _p(best.coef[0] / error[0]), *(float(x) for x in _hr(best.coef[0], error[0])), "")
            )  # fmt: skip
    interaction = [
        (pretreated, "SOF group x adjuvant", -0.21, 0.31, 0.81, 0.44, 1.49, 0.46, 0.5, 400, 160)
        for pretreated in ("all", "no", "yes")
    ]
    return {
        "adjuvant": pd.DataFrame(
            rows,
            columns=[
                "pretreated", "sof_group", "n_without", "n_with", "events_without", "events_with",
                "chisq", "p", "hr", "hr_lower95", "hr_upper95", "note",
            ],
        ),
        "adjuvant_interaction": pd.DataFrame(
            interaction,
            columns=[
                "pretreated", "term", "coef", "se", "hr", "hr_lower95", "hr_upper95", "lrt", "p",
                "n", "events",
            ],
        ),
    }  # fmt: skip


def _prediction(patients, rng):
    markers = {"SOF score": "score", "CRS": "CRS_score", "SOF + CRS grade": "combined_grade"}
    auc, curve, compare, calibration, brier, decision = [], [], [], [], [], []
    for time in (60.0, 96.0):
        died = ((patients["os.time"] < time) & (patients["os.event"] == 1)).to_numpy()
        alive = (patients["os.time"] > time).to_numpy()
        for marker, column in markers.items():
            values = patients[column]
            if marker == "SOF + CRS grade":
                values = values.map({"low": 0, "medium": 1, "high": 2})
            values = values.to_numpy(float)
            a, b = values[died], values[alive]
            area = (a[:, None] > b).mean() + 0.5 * (a[:, None] == b).mean()
            auc.append(
                (marker, time, int(died.sum()), int(alive.sum()), int((~died & ~alive).sum()),
                 area, 0.03, area - 0.06, area + 0.06)
            )  # fmt: skip
            for threshold in [np.inf, *np.unique(values)[::-1]]:
                curve.append(
                    (marker, time, threshold, (b >= threshold).mean(), (a >= threshold).mean())
                )
        compare += [
            ("SOF score", "CRS", time, 0.006, 0.035, 0.17, 0.862),
            ("SOF + CRS grade", "SOF score", time, 0.05, 0.017, 2.9, 0.0037),
        ]
        for model in ("final", "score_crs"):
            for group, predicted in enumerate((0.28, 0.42, 0.51, 0.6, 0.72), 1):
                observed = predicted + rng.normal(0, 0.03)
                calibration.append(
                    (model, time, group, 86, predicted, observed, 0.05, 0.01, observed - 0.01, 1000)
                )
            brier.append((model, time, 0.22, 0.25, 0.12, 0.16))
            for threshold in np.linspace(0.05, 0.8, 40):
                benefit = max(0.48 - 0.9 * threshold, 0.3 * (0.8 - threshold), 0)
                decision.append((model, time, threshold, benefit))
        for threshold in np.linspace(0.05, 0.8, 40):
            decision.append(
                ("treat_all", time, threshold, 0.48 - 0.52 * threshold / (1 - threshold))
            )
            decision.append(("treat_none", time, threshold, 0.0))
    return {
        "roc": pd.DataFrame(
            auc,
            columns=[
                "marker", "time_months", "cases", "controls", "censored", "auc", "se", "lower95",
                "upper95",
            ],
        ),
        "roc_curve": pd.DataFrame(
            curve,
            columns=[
                "marker", "time_months", "threshold", "false_positive_rate", "true_positive_rate",
            ],
        ),
        "roc_compare": pd.DataFrame(
            compare,
            columns=["marker_a", "marker_b", "time_months", "difference", "se", "z", "p"],
        ),
        "calibration": pd.DataFrame(
            calibration,
            columns=[
                "model", "time_months", "group", "n", "predicted", "observed", "std_err",
                "optimism", "corrected", "resamples",
            ],
        ),
        "brier": pd.DataFrame(
            brier,
            columns=["model", "time_months", "brier", "brier_null", "scaled", "integrated"],
        ),
        "decision": pd.DataFrame(
            decision, columns=["model", "time_months", "threshold", "net_benefit"]
        ),
    }  # fmt: skip


def _nested(rng):
    rows, summary = [], []
    labels = {
        "stepwise": "Stepwise, dichotomized", "ridge": "Ridge", "elastic_net": "Elastic net",
        "lasso": "Lasso",
    }  # fmt: skip
    for method, label in labels.items():
        found = rng.normal(0.59, 0.05, 25)
        for i, value in enumerate(found):
            rows.append(
                (method, i // 5, i % 5, 86, 36, value, 0.4, 4, 0.1, 0.5, "Overall_Debris_ratio")
            )
        summary.append((method, label, found.mean(), found.std(ddof=1), 0.55, 0.62, 4.0, ""))
    return {
        "nested_cv": pd.DataFrame(
            rows,
            columns=[
                "method", "repeat", "fold", "n_test", "events_test", "concordance",
                "log_hr_high_low", "n_features", "penalty", "l1_ratio", "features",
            ],
        ),
        "nested_cv_summary": pd.DataFrame(
            summary,
            columns=[
                "method", "label", "concordance", "concordance_sd", "lower95", "upper95",
                "n_features_median", "note",
            ],
        ),
    }  # fmt: skip


def _associations(patients, rng):
    groups, correlations = [], []
    for feature in SOFS:
        for factor, levels in (
            ("Pathological_Nstage", ("N0", "N1-2")), ("Resection_margin", ("R0", "R1")),
        ):  # fmt: skip
            a, b = (patients[feature][patients[factor] == code] for code in (0, 1))
            qa, qb = (np.quantile(x, (0.25, 0.5, 0.75)) for x in (a, b))
            p = float(rng.uniform())
            groups.append(
                (feature, label_of(feature), factor, label_of(factor), levels[0], len(a), *qa,
                 levels[1], len(b), *qb, 21034.0, p, min(1, p * 1.6))
            )  # fmt: skip
        for factor in ("Age", "Number_of_LM", "Largest_diameter_of_CRLM", "Preoperative_CEA"):
            r = float(patients[feature].corr(patients[factor]))
            p = _p(r * np.sqrt(len(patients)))
            correlations.append(
                (feature, label_of(feature), factor, label_of(factor), len(patients), r, r - 0.09,
                 r + 0.09, p, min(1, 3 * p))
            )  # fmt: skip
    return {
        "association_groups": pd.DataFrame(
            groups,
            columns=[
                "feature", "label", "factor", "factor_label", "level_a", "n_a", "q1_a", "median_a",
                "q3_a", "level_b", "n_b", "q1_b", "median_b", "q3_b", "w", "p", "p_fdr",
            ],
        ),
        "association_correlations": pd.DataFrame(
            correlations,
            columns=[
                "feature", "label", "factor", "factor_label", "n", "r", "lower95", "upper95", "p",
                "p_fdr",
            ],
        ),
        "association_tables": pd.DataFrame(
            [
                ("sof_group", "crs_group", "chi-square", 433, 1.78, 1, 0.182, 0.364, ""),
                ("sof_group", "CRS_score", "Kruskal-Wallis", 433, 4.1, 5, 0.53, 0.53, ""),
            ],
            columns=["a", "b", "test", "n", "statistic", "df", "p", "p_fdr", "note"],
        ),
    }  # fmt: skip
