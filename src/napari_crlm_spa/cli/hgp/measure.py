"""``crlm-spa hgp measure``: the tumor-liver interface of analyzed slides, one row each."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions, FrontPlan
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY, InterfaceOptions
from napari_crlm_spa.errors import CrlmSpaError, DiskFull, FolderNotWritable, ReviewError

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline.front_band import FrontSource

Result = TypeVar("Result")
Row = dict[str, Any]
#: Exit code if a slide couldn't be measured.
EXIT_PROBLEM = 2
#: Rules by the heads of their columns.
RULE_HEADINGS = {"strict": "strict", "tolerant": "tol.", "predominant": "pred."}
_DIGITS = 6


@with_options("classify", ClassifyOptions)
@with_options("interface", InterfaceOptions)
@with_options("front", FrontBandOptions)
def measure(
    folders: Annotated[
        list[Path],
        typer.Argument(help="Results of crlm-spa analyze: slides' folders, or what holds them"),
    ],
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Also write a table (CSV), one row per slide")
    ] = None,
    front_band: Annotated[
        bool,
        typer.Option(
            "--front-band", help="First look closely around the interface, with overlapping tiles"
        ),
    ] = False,
    reader: Annotated[
        str | None, typer.Option(help="Measure the maps as this reader corrected them")
    ] = None,
    slide: Annotated[
        Path | None, typer.Option(help="The slide file, if it was moved since the analysis")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Folder of the classifier, if it was moved")
    ] = None,
    *,
    front: FrontBandOptions,
    interface: InterfaceOptions,
    classify: ClassifyOptions,
) -> None:
    """Measure where tumor touches liver and where a rim lies between: desmoplastic or not.

    Writes interface.json, its tables and lines for QuPath into each slide's folder. A slide that
    cannot be measured is named and does not stop the others; the exit code is then 2.
    """
    from napari_crlm_spa.core.cohort.table.analyses import find_analyses
    from napari_crlm_spa.core.pipeline.interface import measure_analysis

    places = find_analyses(folders)
    if slide is not None and len(places) > 1:
        raise ReviewError("--slide names one file, but there are several slides. Measure it alone.")
    _refuse_unknown_reader(places, reader)
    rows: list[Row] = []
    told: dict[str, list[str]] = {}
    for place in places:
        try:
            source = _source(place, reader, slide, model)
            work = measure_analysis(source, interface, front if front_band else None, classify)
            found = run_with_progress(_announced(work, place.name, source))
        except (DiskFull, FolderNotWritable):
            raise
        except CrlmSpaError as problem:
            rows.append({"slide": place.name, "error": str(problem)})
            _warn(place.name, str(problem))
            continue
        rows.append({**found.row(), "error": ""})
        for note in found.notes:
            told.setdefault(note, []).append(str(found.record["slide"]))
    _show(rows, told)
    if out is not None:
        write_text(out, _csv(rows))
        console.print(f"Wrote {out}", soft_wrap=True, highlight=False, markup=False)
    if any(row["error"] for row in rows):
        raise typer.Exit(EXIT_PROBLEM)


def _refuse_unknown_reader(places: Sequence[Path], reader: str | None) -> None:
    from napari_crlm_spa.core.review import list_readers, reader_folder

    if reader is None or any(reader_folder(place, reader).is_dir() for place in places):
        return
    names = sorted({each.name for place in places for each in list_readers(place)})
    raise ReviewError(
        f"{reader} has corrected none of these slides; corrections are there by: "
        f"{', '.join(names) or 'nobody'}. Name one of them, or leave --reader out for the maps "
        "as classified."
    )


def _source(place: Path, reader: str | None, slide: Path | None, model: str | None) -> FrontSource:
    """Take an analysis up again; a slide that the reader left alone comes as classified."""
    from napari_crlm_spa.cli.stored import open_stored
    from napari_crlm_spa.core.pipeline.front_band import FrontSource
    from napari_crlm_spa.core.review import list_readers, reader_folder

    known = None
    if reader is not None:
        own = reader_folder(place, reader)
        names = (each.name for each in list_readers(place))
        # As they spelled their name themselves.
        known = next((name for name in names if reader_folder(place, name) == own), None)
        if known is None:
            _warn(place.name, f"{reader} has corrected nothing here; it is measured as classified.")
    stored = open_stored(place, known)
    return FrontSource(
        folder=place,
        tissue_map=stored.tissue_map,
        run=stored.analysis.run,
        place=stored.folder,
        reader="" if stored.review is None else stored.review.reader,
        slide=slide,
        model=model,
    )


def _announced(
    work: Generator[Progress, None, Result], name: str, source: FrontSource
) -> Generator[Progress, None, Result]:
    """Say before the first tile how many there are and how long that may take."""
    try:
        while True:
            try:
                step = next(work)
            except StopIteration as end:
                result: Result = end.value
                return result
            if isinstance(step.changed, FrontPlan):
                plan = step.changed
                seconds = plan.seconds(source.run)
                time = f", {_minutes(seconds)} at the analysis's speed" if seconds else ""
                console.print(
                    f"{escape(name)}: {plan.n_tiles:,} tiles at "
                    f"{plan.start.stride_um:g} µm along {plan.interface_mm:.1f} mm{time}",
                    highlight=False,
                    soft_wrap=True,
                )
            yield step
    finally:
        work.close()


def _minutes(seconds: float) -> str:
    return f"about {math.ceil(seconds / 60)} min" if seconds > 90 else f"about {seconds:.0f} s"


def _warn(name: str, words: str) -> None:
    console.print(f"[yellow]{escape(name)}:[/] {escape(words)}", highlight=False, soft_wrap=True)


def _show(rows: Sequence[Row], told: dict[str, list[str]]) -> None:
    output = Console()
    measured = [row for row in rows if not row["error"]]
    if measured:
        output.print(_table(measured))
    for note, slides in told.items():
        which = "" if len(slides) == len(measured) else f"{', '.join(slides)}: "
        output.print(f"- {which}{note}", soft_wrap=True, highlight=False, markup=False)
    output.print(RESEARCH_USE_ONLY, soft_wrap=True, highlight=False, markup=False)


def _table(rows: Sequence[Row]) -> Table:
    strides = sorted({row["stride_um"] for row in rows})
    told = ", ".join(f"{stride:g}" for stride in strides)
    title = f"Tumor-liver interface, a tile every {told} µm"
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, collapse_padding=True)
    table.add_column("slide", overflow="fold")
    for name in ("mm", "judged", "D %", "N %", "O %", "rim µm"):
        table.add_column(name, justify="right", no_wrap=True)
    for name in RULE_HEADINGS.values():
        table.add_column(name, no_wrap=True)
    for row in rows:
        share = row["assessable_fraction"]
        table.add_row(
            escape(row["slide"]),
            _number(row["interface_mm"], 1),
            "-" if share is None else f"{share:.0%}",
            *(_number(row[name], 1) for name in ("pct_D", "pct_N", "pct_O")),
            _number(row["rim_median_um"], 0),
            *(row[f"call_{rule}"] or "-" for rule in RULE_HEADINGS),
        )
    table.caption = (
        "D: a rim lies between tumor and liver; N: they touch; O: something else lies between. "
        "Calls: strict (all D), tolerant (nearly all), predominant (most)."
    )
    table.caption_justify = "left"
    return table


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _csv(rows: Sequence[Row]) -> str:
    """One row per slide; numbers that are not known are empty."""
    columns = list(dict.fromkeys(name for row in rows for name in row if name != "error"))
    text = io.StringIO()
    writer = csv.DictWriter(text, [*columns, "error"], restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({name: _cell(value) for name, value in row.items()})
    return text.getvalue()


def _cell(value: Any) -> Any:
    return f"{value:.{_DIGITS}g}" if isinstance(value, float) else value
