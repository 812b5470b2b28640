"""Sections on prediction: ROC, calibration, Brier score, decision curves, cross-validation."""

from __future__ import annotations

from functools import partial

from napari_crlm_spa.core.report.cohort import figures, numbers
from napari_crlm_spa.core.report.cohort.columns import name_of
from napari_crlm_spa.core.report.cohort.contents import Plot, Section, Tables
from napari_crlm_spa.core.report.cohort.figures.prediction import years

#: Two points make no curve.
_TIMES_FOR_BRIER_CURVE = 3


def prediction_section(tables: Tables) -> Section:
    """Return how well scores tell who dies, and whether predicted risks are right."""
    makers = (_roc, _calibration, _brier, _decision)
    plots = tuple(plot for make in makers if (plot := make(tables)) is not None)
    return Section(
        "prediction",
        "Prediction",
        plots=plots,
        tables=tables.shown(
            "external", "roc", "roc_compare", "calibration_summary", "calibration", "brier"
        ),
        files=tables.files("roc_curve", "decision"),
        risk=bool(plots),
    )


def cross_validation_section(tables: Tables) -> Section:
    """Return what is left of the concordance in patients that were not learned from."""
    plots = []
    folds = tables.get("nested_cv", "method", "concordance")
    summary = tables.get("nested_cv_summary", "method", "label")
    if folds is not None:
        told = "" if summary is None else "; ".join(
            f"{row['label']} {numbers.fixed(float(row.get('concordance', float('nan'))), 3)}"
            for row in summary.to_dict("records")
        )  # fmt: skip
        caption = (
            "Concordance in held-out patients. Everything was learned anew in the other patients: "
            "cut-offs, selection, coefficients, penalty. Points: folds; diamond: mean with its "
            "interval; 0.5: no better than chance."
        )
        plots.append(
            Plot("nested-cv", partial(figures.draw_nested_cv, folds, summary), caption,
                 f"Concordance in held-out folds. {told}", tables.files("nested_cv"))
        )  # fmt: skip
    return Section(
        "cross-validation",
        "Cross-validation",
        plots=tuple(plots),
        tables=tables.shown("nested_cv_summary"),
        files=tables.files("nested_cv"),
    )


def _roc(tables: Tables) -> Plot | None:
    curve = tables.get("roc_curve", "marker", "time_months", "false_positive_rate")
    auc = tables.get("roc", "marker", "time_months", "auc")
    if curve is None:
        return None
    told = "" if auc is None else "; ".join(
        f"{name_of(str(row['marker']))} at {years(float(row['time_months']))} "
        f"{numbers.fixed(float(row['auc']), 3)}"
        for row in auc.to_dict("records")
    )  # fmt: skip
    return Plot(
        "roc",
        partial(figures.draw_roc, curve, auc, {str(m): name_of(str(m)) for m in curve["marker"]}),
        "Time-dependent ROC curves (who dies until then against who lives beyond it), with their "
        "areas.",
        f"ROC curves. Areas: {told}.",
        ("roc_curve",),
    )


def _calibration(tables: Tables) -> Plot | None:
    table = tables.get("calibration", "model", "time_months", "predicted", "observed")
    if table is None or not table[["predicted", "observed"]].notna().any(axis=None):
        return None
    gap = float((table["observed"] - table["predicted"]).abs().max())
    return Plot(
        "calibration",
        partial(figures.draw_calibration, table, tables.model_titles()),
        "Predicted against observed survival in groups of equal size; on the line the prediction "
        "is right.",
        f"Calibration curves; the largest gap is {numbers.percent(gap)}.",
        ("calibration",),
    )


def _brier(tables: Tables) -> Plot | None:
    table = tables.get("brier", "model", "time_months", "scaled")
    if table is None or table["time_months"].nunique() < _TIMES_FOR_BRIER_CURVE:
        return None
    return Plot(
        "brier",
        partial(figures.draw_brier, table, tables.model_titles()),
        "How much smaller the Brier score is than without a model.",
        "Scaled Brier score over time.",
        ("brier",),
    )


def _decision(tables: Tables) -> Plot | None:
    table = tables.get("decision", "model", "time_months", "threshold", "net_benefit")
    if table is None:
        return None
    times = " and ".join(years(float(t)) for t in table["time_months"].unique())
    return Plot(
        "decision",
        partial(figures.draw_decision, table, tables.model_titles()),
        "Decision curves: net benefit of acting on a model's risk, against acting in everybody and "
        "in nobody.",
        f"Decision curves at {times}.",
        ("decision",),
    )
