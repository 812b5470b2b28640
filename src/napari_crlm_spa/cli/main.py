"""The command line ``crlm-spa``: one file a command, all of them thin."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer
from rich.markup import escape

from napari_crlm_spa import __version__
from napari_crlm_spa.cli import analyze, convert, demo, doctor, info, mixture, models, risk, train
from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.errors import CrlmSpaError

#: A problem that the user can mend, as with wrong flags.
EXIT_PROBLEM = 2

app = typer.Typer(
    name="crlm-spa",
    help="Tissue maps, spatial features and risk of colorectal liver metastasis on H&E slides. "
    "Research software, not a medical device.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
app.command("analyze")(analyze.analyze)
app.command("demo")(demo.demo)
app.command("info")(info.info)
app.command("convert")(convert.convert)
app.command("mixture")(mixture.mixture)
app.add_typer(risk.app, name="risk")
app.command("train")(train.train)
app.command("models")(models.models)
app.command("doctor")(doctor.doctor)


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


def main() -> None:
    """Run the program: one sentence and exit code 2 for what the user can mend."""
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
