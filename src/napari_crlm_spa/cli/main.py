"""The command line ``crlm-spa``: one file a command, all of them thin."""

from __future__ import annotations

import os
import shutil
import sys
from io import TextIOWrapper
from typing import Annotated

import typer
from rich.markup import escape

from napari_crlm_spa import __version__
from napari_crlm_spa.cli import (
    analyze,
    cohort,
    convert,
    cross_validate,
    demo,
    doctor,
    draw_tiles,
    evaluate,
    export,
    export_tiles,
    figure,
    hgp,
    info,
    mixture,
    models,
    quality,
    readers,
    risk,
    train,
)
from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.core.memory import share_stores
from napari_crlm_spa.errors import CrlmSpaError

#: A problem that the user can mend, as with wrong flags.
EXIT_PROBLEM = 2

#: Columns that the boxed help needs; with fewer it would cut off the names of flags.
WIDE = 120

app = typer.Typer(
    name="crlm-spa",
    help="Tissue maps, spatial features and risk of colorectal liver metastasis on H&E slides. "
    "Research software, not a medical device.",
    no_args_is_help=True,
    rich_markup_mode="markdown" if shutil.get_terminal_size().columns >= WIDE else None,
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("demo", short_help="Draw a sample slide and analyze it.")(demo.demo)
app.command("info", short_help="Show size, levels and pixel size of a slide.")(info.info)
app.command("convert", short_help="Write a pyramidal TIFF of an image without levels.")(
    convert.convert
)
app.command("export", short_help="Write the tiles for QuPath, tables, AnnData.")(export.export)
app.command("export-tiles", short_help="Cut labeled tiles out of slides, to train with.")(
    export_tiles.export_tiles
)
app.command("figure", short_help="Write a figure of a slide for a paper.")(figure.figure)
app.command("mixture", short_help="Fit thresholds to several slides together.")(mixture.mixture)
app.command("quality", short_help="Mark blurred, penned, folded and empty tiles.")(quality.quality)
app.add_typer(risk.app, name="risk")
app.command("readers", short_help="List a slide's readers, or compare two of them.")(
    readers.readers
)
app.add_typer(cohort.app, name="cohort", short_help="Cohort: table, models, validation, report.")
app.add_typer(hgp.app, name="hgp", short_help="Growth patterns: measure, read, compare.")
app.command("train", short_help="Train a classifier on labeled tiles.")(train.train)
app.command("draw-tiles", short_help="Draw tiles to train with beside real ones.")(
    draw_tiles.draw_tiles
)
app.command("evaluate", short_help="Judge a classifier on labeled tiles.")(evaluate.evaluate)
app.command("cross-validate", short_help="Judge a recipe on slides that it has not seen.")(
    cross_validate.cross_validate
)
app.add_typer(models.app, name="models")
app.command("doctor", short_help="Check what works on this machine.")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"crlm-spa {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Hold the flags of the program itself."""


def _print_anything() -> None:
    """Spell out what the terminal's encoding lacks (a log file on Windows, an odd file name)."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """Run the program: one sentence and exit code 2 for what the user can mend."""
    _print_anything()
    share_stores()
    try:
        app()
    except CrlmSpaError as error:
        console.print(
            f"[bold red]crlm-spa:[/] {escape(str(error))}", highlight=False, soft_wrap=True
        )
        sys.exit(EXIT_PROBLEM)
    except BrokenPipeError:  # the reader of our output, e.g. head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
