"""``crlm-spa hgp measure``: the tumor-liver interface of analyzed slides, one row each."""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from rich.markup import escape

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.hgp.measured import Row, measured_csv, show_measured
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions, FrontPlan
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface import Interface, InterfaceOptions
from napari_crlm_spa.errors import (
    CohortError,
    CrlmSpaError,
    DiskFull,
    FolderNotWritable,
    ReviewError,
)

if TYPE_CHECKING:
    from napari_crlm_spa.core.hgp.slide_list import KnownSlide
    from napari_crlm_spa.core.pipeline.front_band import FrontSource

Result = TypeVar("Result")
#: Exit code if a slide couldn't be measured.
EXIT_PROBLEM = 2


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
    patients: Annotated[
        Path | None,
        typer.Option(
            help="Table of slides (CSV or Excel; columns slide and patient, if known lesion and "
            "chemo): slides of a patient are also summed up, into a second table beside -o"
        ),
    ] = None,
    front_band: Annotated[
        bool,
        typer.Option(
            "--front-band", help="First look closely around the interface, with overlapping tiles"
        ),
    ] = False,
    vary: Annotated[
        bool,
        typer.Option(
            "--sensitivity",
            help="Also measure under each limit halved and doubled: interface_sensitivity.csv",
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
    cannot be measured is named and does not stop the others; the exit code is then 2. With
    --patients one slide only and chemotherapy are flagged.
    """
    from napari_crlm_spa.core.cohort.table.analyses import find_analyses
    from napari_crlm_spa.core.hgp.measured_patients import measured_patients, slides_by_patient
    from napari_crlm_spa.core.pipeline.interface import measure_analysis

    places = find_analyses(folders)
    slides = _known_slides(places, patients)
    counts = slides_by_patient(slides)
    if slide is not None and len(places) > 1:
        raise ReviewError("--slide names one file, but there are several slides. Measure it alone.")
    _refuse_unknown_reader(places, reader)
    rows: list[Row] = []
    interfaces: list[Interface | None] = []
    told: dict[str, list[str]] = {}
    for place, known in zip(places, slides, strict=True):
        whose = {} if patients is None else _whose(known)
        try:
            source = _source(place, reader, slide, model)
            work = measure_analysis(
                source,
                interface,
                front if front_band else None,
                classify,
                slides_of_patient=counts.get(known.patient),
                pretreated=known.pretreated,
                vary=vary,
            )
            found = run_with_progress(_announced(work, place.name, source))
        except (DiskFull, FolderNotWritable):
            raise
        except CrlmSpaError as problem:
            rows.append({"slide": place.name, **whose, "error": str(problem)})
            interfaces.append(None)
            _warn(place.name, str(problem))
            continue
        row = found.row()
        rows.append({"slide": row.pop("slide"), **whose, **row, "error": ""})
        interfaces.append(found.interface)
        for note in found.notes:
            told.setdefault(note, []).append(str(found.record["slide"]))
    people = measured_patients(list(zip(slides, interfaces, strict=True)), interface)
    show_measured(rows, people, told)
    if out is not None:
        _write(out, rows)
        if people:
            _write(out.with_name(f"{out.stem}-patients.csv"), people)
    if any(row["error"] for row in rows):
        raise typer.Exit(EXIT_PROBLEM)


def _write(path: Path, rows: Sequence[Row]) -> None:
    write_text(path, measured_csv(rows))
    console.print(f"Wrote {path}", soft_wrap=True, highlight=False, markup=False)


def _known_slides(places: Sequence[Path], table: Path | None) -> list[KnownSlide]:
    """Look up each analysis by its folder, which is called as its slide."""
    from napari_crlm_spa.core.hgp.one_name import slide_key
    from napari_crlm_spa.core.hgp.slide_list import KnownSlide, read_slide_list

    if table is None:
        return [KnownSlide()] * len(places)
    listed = read_slide_list(table)
    missing = [place.name for place in places if slide_key(place.name) not in listed]
    if len(missing) == len(places):
        raise CohortError(
            f"{table.name} names none of these slides ({', '.join(missing[:3])}). Name them as "
            "their files or folders of results, with or without suffix."
        )
    for name in missing:
        _warn(name, f"{table.name} does not name this slide, so its patient is not known.")
    return [listed.get(slide_key(place.name), KnownSlide()) for place in places]


def _whose(known: KnownSlide) -> Mapping[str, str]:
    from napari_crlm_spa.core.hgp.measured_patients import spelled

    return {"patient": known.patient, "lesion": known.lesion, "chemo": spelled(known.pretreated)}


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
