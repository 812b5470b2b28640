"""``crlm-spa hgp sample``: blinded lists of slides for readers, and the key to them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.core.hgp.sample import SampleOptions


@with_options("options", SampleOptions)
def sample(
    slides: Annotated[
        Path,
        typer.Argument(
            help="CSV or Excel table of slides (column slide; patient, lesion, scores if known), "
            "for instance of hgp measure"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for lists and key")] = Path(
        "hgp-review"
    ),
    raters: Annotated[
        str, typer.Option(help="Names of the readers, separated by commas; two or more are best")
    ] = "reader",
    *,
    options: SampleOptions,
) -> None:
    """Draw lists of slides for readers: shuffled, renamed, some of them twice.

    Each reader gets a list to fill in; key.csv says which slide is which and stays with you. Go on
    with: crlm-spa hgp import LIST... --key key.csv -o reviews.csv.
    """
    from napari_crlm_spa.core.hgp.sample import draw_sample
    from napari_crlm_spa.core.hgp.sample_files import read_slides, write_sample

    names = [name.strip() for name in raters.split(",") if name.strip()]
    drawn = draw_sample(read_slides(slides), options, names)
    written = write_sample(out, drawn)
    for sentence in drawn.warnings:
        console.print(f"[yellow]Note:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    told = drawn.record
    output = Console()
    for line in (
        f"{told['chosen']} of {told['slides']} slides, {told['repeated']} of them twice.",
        f"For {', '.join(told['raters'])}; seed {options.seed}.",
        f"Lists: {', '.join(str(path) for path in written[1:-1])}",
        f"Key:   {written[0]} (not for readers)",
    ):
        output.print(line, soft_wrap=True, highlight=False, markup=False)
