"""``crlm-spa risk``: risk models, cut-offs, the clinical risk score and the combined grade."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.core.risk import DEFAULT_PRESET, ClinicalFactors, RiskAssessment, RiskModel
from napari_crlm_spa.core.store import FEATURES_CSV, read_features

app = typer.Typer(help="Risk models, cut-offs, clinical risk score.", no_args_is_help=True)

_MODEL = typer.Option("--model", "-m", help="Preset or file of the risk model")


@app.command("models")
def models() -> None:
    """List the presets: their terms, threshold and source."""
    from napari_crlm_spa.core.risk import list_presets, load_risk_model

    for name in list_presets():
        _show_model(load_risk_model(name))


@app.command("fit-cutoffs")
def fit_cutoffs(
    features: Annotated[
        Path, typer.Argument(help="CSV with one row per patient and the paper's columns")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Risk model file to write")],
    model: Annotated[str, _MODEL] = DEFAULT_PRESET,
    method: Annotated[
        Literal["median", "maxstat"],
        typer.Option(
            help="median splits in halves; maxstat where the log-rank statistic is largest"
        ),
    ] = "median",
    time: Annotated[str, typer.Option(help="Column of the follow-up, for maxstat")] = "os.time",
    event: Annotated[str, typer.Option(help="Column of deaths (1) , for maxstat")] = "os.event",
    minprop: Annotated[
        float, typer.Option(help="Smallest share of rows on a side, for maxstat", min=0.01, max=0.5)
    ] = 0.1,
    source: Annotated[str, typer.Option(help="Name of the cohort, kept beside each cut-off")] = "",
) -> None:
    """Take the cut-offs of a risk model's features from a cohort.

    The paper names its method (maximally selected rank statistics) but not its cut-offs; the
    numbers it prints fit a split at the median. Both are here; neither is chosen for you.
    """
    from napari_crlm_spa.core import risk

    chosen = risk.load_risk_model(model)
    fitted = risk.fit_cutoffs(
        risk.read_table(features),
        [feature.column for feature in chosen.features],
        method,
        time=time,
        event=event,
        minprop=minprop,
    )
    complete = risk.apply_cutoffs(chosen, fitted, source or features.name)
    risk.save_risk_model(complete, out)
    _show_model(complete)
    Console().print(
        f"Wrote {out}. Use it: crlm-spa analyze SLIDE --risk-model {out}", soft_wrap=True
    )


@app.command("assess", short_help="Compute score, group, clinical risk score of a slide.")
@with_options("factors", ClinicalFactors)
def assess(
    result: Annotated[
        Path, typer.Argument(help=f"Result folder of a slide, or its {FEATURES_CSV}")
    ],
    model: Annotated[str, _MODEL] = DEFAULT_PRESET,
    *,
    factors: ClinicalFactors,
) -> None:
    """Compute score, group, clinical risk score and combined grade of an analyzed slide."""
    from napari_crlm_spa.core import risk

    values = read_features(result)
    crs = risk.clinical_risk_score(factors)
    chosen = risk.load_risk_model(model)
    show_assessment(risk.assess_risk(values, chosen, crs))


def show_assessment(found: RiskAssessment) -> None:
    """Print every term of a score, the group or why there is none, and what it is not for."""
    output = Console()
    table = Table(title=f"Risk by {found.model.name}", title_justify="left")
    table.add_column("feature", no_wrap=True)
    for heading in ("value", "cut-off", "0/1", "weight", "adds"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found.rows:
        table.add_row(
            row.title,
            _number(row.value),
            _number(row.cutoff),
            "?" if row.split is None else str(row.split),
            f"{row.coefficient:+g}",
            "?" if row.contribution is None else f"{row.contribution + 0.0:+g}",
        )
    output.print(table)
    output.print(escape(found.formula), highlight=False)
    if found.group:
        output.print(f"Spatial risk group: [bold]{found.group}[/]")
    if found.reason:
        output.print(escape(found.reason), highlight=False)
    if found.clinical:
        output.print(escape(found.clinical.sentence), highlight=False)
    if found.combined:
        output.print(escape(found.combined.sentence), highlight=False)
    output.print(f"Source: {escape(found.model.source)}", highlight=False)
    output.print(f"[bold]{escape(found.disclaimer)}[/]")


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.4g}"


def _show_model(model: RiskModel) -> None:
    title = f"{model.name}: high risk if the score is {model.comparison} {model.threshold:g}"
    table = Table(title=title, title_justify="left", caption=model.source, caption_justify="left")
    for heading in ("feature", "weight", "1 if", "cut-off from"):
        table.add_column(heading)
    for feature in model.features:
        cutoff = "?" if feature.cutoff is None else f"{feature.cutoff:.4g}"
        table.add_row(
            feature.column,
            f"{feature.coefficient:+g}",
            f"value {feature.direction} {cutoff}",
            feature.cutoff_source or "not published; fit it with crlm-spa risk fit-cutoffs",
        )
    Console().print(table)
