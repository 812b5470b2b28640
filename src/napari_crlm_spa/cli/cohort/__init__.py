"""``crlm-spa cohort``: from analyses and a clinical table to survival results."""

from __future__ import annotations

import typer

from napari_crlm_spa.cli.cohort import build, fit, report, simulate, validate

app = typer.Typer(
    help="A cohort: build its table, fit a score, validate it, report.", no_args_is_help=True
)
app.command("build", short_help="One checked row per patient, of analyses and a table.")(
    build.build
)
app.command("fit", short_help="Cut-offs, Cox models, score, curves, prediction.")(fit.fit)
app.command("validate", short_help="Judge a fitted score in a second cohort.")(validate.validate)
app.command("report", short_help="Draw the page of a study anew.")(report.report)
app.command("simulate", short_help="Draw patients who don't exist, with a known truth.")(
    simulate.simulate
)
