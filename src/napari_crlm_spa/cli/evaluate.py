"""``crlm-spa evaluate``: how good a classifier is on labeled tiles."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import STARTS_AFRESH, console, run_with_progress
from napari_crlm_spa.core.classifier.evaluation.options import EvaluationOptions
from napari_crlm_spa.errors import EvaluationError

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard
    from napari_crlm_spa.core.classifier.evaluation import Judgement


@with_options("options", EvaluationOptions)
def evaluate(
    model: Annotated[str, typer.Argument(help="Name or folder of a model, e.g. default")],
    data: Annotated[
        list[Path],
        typer.Argument(help="Folders with one folder of tiles per class (and a manifest.csv)"),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the report")] = Path(
        "crlm-spa-evaluation"
    ),
    calibrate: Annotated[
        bool,
        typer.Option(
            "--calibrate",
            help="Store the temperature that fits the unseen tiles in the model's card",
        ),
    ] = False,
    calibrate_to: Annotated[
        Path | None,
        typer.Option(help="The same, but leave MODEL as it is and write a copy to this folder"),
    ] = None,
    *,
    options: EvaluationOptions,
) -> None:
    """Compare what a model makes of labeled tiles with their labels.

    Writes a page (evaluation.html), a row for each tile (predictions.csv), all figures
    (evaluation.json), and tables and pictures. Intervals come from drawing whole slides.
    """
    from napari_crlm_spa.core.classifier.evaluation import (
        evaluate_model,
        recalibrate,
        refuse_calibration,
    )
    from napari_crlm_spa.core.report.evaluation import subject_of_model, write_evaluation_report

    wanted = calibrate or calibrate_to is not None
    if wanted:
        refuse_calibration(model, options.split, calibrate_to)
        if options.split == "auto":
            options = dataclasses.replace(options, split="unseen")
    found = run_with_progress(evaluate_model(model, data, options), STARTS_AFRESH)
    card, problem = None, None
    try:
        card = recalibrate(model, found, calibrate_to) if wanted else None
    except EvaluationError as error:  # the report is worth having all the same
        problem = error
    subject = subject_of_model(found, card)
    page = write_evaluation_report(out, found.judgement, subject)
    for note in (*subject.notes, *found.judgement.notes):
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
    _show(found.judgement)
    output = Console()
    if card is not None:
        output.print(_stored(card, calibrate_to), soft_wrap=True, highlight=False, markup=False)
    output.print(f"Report: {page}", soft_wrap=True, highlight=False, markup=False)
    if problem is not None:
        raise problem


def _show(judgement: Judgement) -> None:
    from napari_crlm_spa.core.report.evaluation.numbers import figure, span

    tiles, slides = len(judgement.predictions), len(judgement.evaluation.by_slide)
    table = Table(title=f"{tiles} tiles of {slides} slides", title_justify="left")
    table.add_column("class")
    for name in ("tiles", "slides", "recall", "precision", "AUC", "interval"):
        table.add_column(name, justify="right")
    for each in judgement.classes:
        table.add_row(
            each.name,
            str(each.tiles),
            str(each.slides),
            figure(each.recall.value),
            figure(each.precision.value),
            figure(each.auc.value, 4),
            span(each.auc, 4),
        )
    output = Console()
    output.print(table)
    for name, estimate in (
        ("Balanced accuracy", judgement.balanced_accuracy),
        ("Accuracy", judgement.accuracy),
        ("Macro F1", judgement.macro_f1),
    ):
        between = f" ({span(estimate)})" if estimate.has_interval else ""
        output.print(f"{name}: {figure(estimate.value)}{between}", highlight=False)


def _stored(card: ModelCard, copy_to: Path | None) -> str:
    where = "its card" if copy_to is None else str(copy_to)
    return (
        f"Temperature: {card.temperature:g} (before {card.calibration.temperature_before:g}), "
        f"fitted on {card.calibration.tiles} tiles, stored in {where}."
    )
