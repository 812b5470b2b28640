"""``crlm-spa hgp``: the tumor-liver interface measured, and compared with what readers see."""

from __future__ import annotations

import typer

from napari_crlm_spa.cli.hgp import agree, import_, measure, sample

app = typer.Typer(
    help="Growth patterns: measure the interface, draw lists for readers, import reviews, compare.",
    no_args_is_help=True,
)
app.command("measure", short_help="Measure the interface of analyzed slides.")(measure.measure)
app.command("sample", short_help="Draw blinded lists of slides for readers.")(sample.sample)
app.command("import", short_help="Gather reviews from tables, drawn lines, saved reviews.")(
    import_.import_
)
app.command("agree", short_help="Compare readers, measurement and survival.")(agree.agree)
