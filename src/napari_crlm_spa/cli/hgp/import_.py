"""``crlm-spa hgp import``: reviews from wherever readers left them, in one table."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.hgp.problems import show_problems
from napari_crlm_spa.cli.progress import STARTS_AFRESH, console, run_with_progress
from napari_crlm_spa.core.hgp.lines import LineOptions
from napari_crlm_spa.core.hgp.review_rows import ReviewOptions
from napari_crlm_spa.errors import CohortError


@with_options("lines", LineOptions)
@with_options("reviews", ReviewOptions)
def import_(
    sources: Annotated[
        list[Path],
        typer.Argument(
            help="Tables of reviews, filled lists, .ndpa or .geojson lines or folders of lines, "
            "results folders with saved reviews"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Table to write")] = Path("reviews.csv"),
    key: Annotated[
        Path | None, typer.Option(help="key.csv of hgp sample, for lists with review ids")
    ] = None,
    slides: Annotated[
        Path | None, typer.Option(help="Folder with the slides that lines were drawn on")
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(
            min=0.01, max=20, help="Pixel size for GeoJSON lines without their slide [µm/px]"
        ),
    ] = None,
    rater: Annotated[str, typer.Option(help="Who reviewed what names nobody")] = "",
    last: Annotated[
        bool,
        typer.Option(
            "--last",
            help="Of saved reviews take the last change, which may have been made with the map "
            "in sight, not the first commitment",
        ),
    ] = False,
    *,
    lines: LineOptions,
    reviews: ReviewOptions,
) -> None:
    """Gather reviews into one checked table; lengths of drawn lines become percent.

    What is wrong with a row is listed; rows with an error are left out, nothing is mended silently.
    Go on with: crlm-spa hgp agree reviews.csv interfaces.csv -o STUDY.
    """
    from napari_crlm_spa.core.hgp.imports import ImportOptions, import_reviews
    from napari_crlm_spa.core.hgp.reviews import write_reviews

    options = ImportOptions(
        key=key,
        slides=slides,
        mpp=mpp,
        rater=rater,
        first=not last,
        lines=lines,
        reviews=reviews,
    )
    found = run_with_progress(import_reviews(sources, options), STARTS_AFRESH)
    for note in found.notes:
        console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False, soft_wrap=True)
    output = Console()
    show_problems(found.reviews.problems, output)
    for slide, lengths in found.lengths_um.items():
        told = ", ".join(f"{name} {um / 1000:.2f} mm" for name, um in lengths.items() if um)
        output.print(f"{slide}: {told}", soft_wrap=True, highlight=False, markup=False)
    frame = found.reviews.frame
    if not len(frame):
        raise CohortError(
            f"No review could be used, so {out} was not written. Fill in the lists, or correct "
            "what is listed above."
        )
    write_reviews(out, found.reviews)
    n = frame["slide"].nunique()
    output.print(
        f"{len(frame)} review{'' if len(frame) == 1 else 's'} of {n} "
        f"slide{'' if n == 1 else 's'} by {', '.join(found.reviews.raters)}: {out}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
