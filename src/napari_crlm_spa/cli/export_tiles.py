"""``crlm-spa export-tiles``: from drawn areas and corrections to labeled tiles."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console, run_with_progress
from napari_crlm_spa.core.annotations.options import ExportOptions, SplitOptions
from napari_crlm_spa.core.annotations.slide_table import SlideTableRow, read_slide_table
from napari_crlm_spa.core.slide import is_slide_name, stem
from napari_crlm_spa.errors import AnnotationError, CrlmSpaError

if TYPE_CHECKING:
    from napari_crlm_spa.core.annotations import Areas, ExportResult, SlideToExport
    from napari_crlm_spa.core.classes import ClassScheme
    from napari_crlm_spa.core.slide import SlideInfo

_AREA_SUFFIXES = (".geojson", ".geojson.gz", ".json", ".regions.geojson")


@with_options("split", SplitOptions)
@with_options("options", ExportOptions, rename={"mpp": "tile_mpp", "min_purity": "purity"})
def export_tiles(
    slides: Annotated[
        list[Path],
        typer.Argument(
            help="Slide files, folders of slides, or CSV tables (columns slide, areas, patient, "
            "results, reader, mpp, annotator)"
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the tiles")],
    areas: Annotated[
        Path | None,
        typer.Option(
            help="GeoJSON with drawn areas, as QuPath exports it; for several slides a folder "
            "with <slide>.geojson in it"
        ),
    ] = None,
    results: Annotated[
        Path | None,
        typer.Option(
            help="Results of crlm-spa analyze: tiles that readers corrected or accepted, and "
            "areas that they drew"
        ),
    ] = None,
    reader: Annotated[
        list[str] | None, typer.Option(help="Only this reader's; may be repeated")
    ] = None,
    patient: Annotated[
        str, typer.Option(help="Patient of the slides; those of one patient stay together")
    ] = "",
    annotator: Annotated[
        str, typer.Option(help="Who drew the areas of a file that names nobody")
    ] = "",
    rename: Annotated[
        list[str] | None,
        typer.Option(help="A name in the file and its class, e.g. 'Immune cells=LYM'; repeatable"),
    ] = None,
    mpp: Annotated[
        float | None,
        typer.Option(
            help="Pixel size of the slides in µm/px; without it the file is asked",
            min=0.05,
            max=10.0,
        ),
    ] = None,
    scheme: Annotated[str, typer.Option(help="Class scheme: crlm7 or crc9")] = "crlm7",
    *,
    options: ExportOptions,
    split: SplitOptions,
) -> None:
    """Cut labeled tiles out of slides, in the layout that crlm-spa train reads.

    Writes one folder a class, manifest.csv and balance.csv. Slides of earlier exports stay in the
    folder; a slide that is exported again is replaced. Ctrl-C stops; the same command goes on.
    """
    from napari_crlm_spa.core.annotations import export_labeled_tiles
    from napari_crlm_spa.core.classes import scheme_by_name

    common = SlideTableRow(Path(), areas, patient, results, "", mpp, annotator)
    gather = _Gatherer(scheme_by_name(scheme), _renamed(rename or ()), tuple(reader or ()))
    found: list[SlideToExport] = []
    failed: list[tuple[Path, CrlmSpaError]] = []
    rows = list(_rows(slides, common))
    _refuse_shared_areas(rows, areas)
    for row in rows:
        try:
            found.append(gather.slide(row))
        except CrlmSpaError as error:
            failed.append((row.slide, error))
    if not found:
        raise failed[0][1]
    result = run_with_progress(export_labeled_tiles(found, out, options, split))
    _show(result)
    failed.extend(result.failed)
    for path, problem in failed:
        text = escape(f"{path.name}: {problem}")
        console.print(f"[bold red]crlm-spa:[/] {text}", highlight=False, soft_wrap=True)
    if failed:
        raise typer.Exit(2)


class _Gatherer:
    """Finds what is said of slides."""

    def __init__(
        self, scheme: ClassScheme, rename: Mapping[str, str], readers: tuple[str, ...]
    ) -> None:
        self._scheme = scheme
        self._rename = rename
        self._readers = readers

    def slide(self, row: SlideTableRow) -> SlideToExport:
        """Return a slide with its areas and corrections."""
        from napari_crlm_spa.core.annotations import Areas, SlideToExport
        from napari_crlm_spa.core.slide import open_slide

        with open_slide(row.slide, mpp=row.mpp) as opened:
            info = opened.info
        if row.areas is None and row.results is None:
            raise AnnotationError(
                f"Nothing says what the tiles of {row.slide.name} are. Pass --areas with a GeoJSON "
                "file, or --results with the folder of an analysis that was corrected."
            )
        found = SlideToExport(path=row.slide)
        if row.results is not None:
            found = self._of_results(row, row.results, info)
        drawn = Areas() if row.areas is None else self._areas(row, row.areas, info)
        for note in (*found.areas.notes, *drawn.notes):
            console.print(f"[yellow]Note:[/] {escape(note)}", highlight=False)
        return dataclasses.replace(
            found,
            areas=Areas((*found.areas.areas, *drawn.areas)),
            patient=row.patient,
            mpp=row.mpp or found.mpp,
        )

    def _areas(self, row: SlideTableRow, place: Path, info: SlideInfo) -> Areas:
        from napari_crlm_spa.core.annotations import read_areas

        if place.is_dir():
            names = [f"{stem(row.slide)}{suffix}" for suffix in _AREA_SUFFIXES]
            files = [place / name for name in names if (place / name).is_file()]
            if not files:
                raise AnnotationError(
                    f"{place} holds no areas of {row.slide.name}: there is no {names[0]}."
                )
            place = files[0]
        return read_areas(place, info, self._scheme, self._rename, row.annotator)

    def _of_results(self, row: SlideTableRow, place: Path, info: SlideInfo) -> SlideToExport:
        from napari_crlm_spa.core.pipeline import reopen, reopen_folder
        from napari_crlm_spa.core.review.labels import labels_of_analysis
        from napari_crlm_spa.core.store import AnalysisFolder

        run = AnalysisFolder(place).read_run() or {}
        is_its_own = run.get("slide", {}).get("fingerprint") == info.fingerprint
        analysis = reopen_folder(place) if is_its_own else reopen(info, place)
        if analysis is None:
            raise AnnotationError(
                f"{place} holds no finished analysis of {row.slide.name}. Run crlm-spa analyze on "
                "it, or leave --results out."
            )
        readers = (row.reader,) if row.reader else self._readers
        return labels_of_analysis(analysis, info, readers)


def _rows(slides: Sequence[Path], common: SlideTableRow) -> Iterator[SlideTableRow]:
    """Yield the slides that arguments stand for; what a table leaves open, the flags say."""
    for path in slides:
        if path.suffix.lower() == ".csv":
            for row in read_slide_table(path):
                yield dataclasses.replace(
                    row,
                    areas=row.areas or common.areas,
                    patient=row.patient or common.patient,
                    results=row.results or common.results,
                    mpp=row.mpp or common.mpp,
                    annotator=row.annotator or common.annotator,
                )
        elif path.is_dir() and not any(path.glob("*.dcm")):
            inside = sorted(each for each in path.iterdir() if is_slide_name(each))
            if not inside:
                raise AnnotationError(f"{path} holds no slide. Name a slide file, or its folder.")
            for each in inside:
                yield dataclasses.replace(common, slide=each)
        else:
            yield dataclasses.replace(common, slide=path)


def _refuse_shared_areas(rows: Sequence[SlideTableRow], areas: Path | None) -> None:
    """Refuse --areas with one file for several slides: they would get the labels of one."""
    named = {row.slide.resolve(): row.slide.name for row in rows if row.areas == areas}
    if areas is not None and not areas.is_dir() and len(named) > 1:
        raise AnnotationError(
            f"The areas in {areas.name} are of one slide, but would label {len(named)}: "
            f"{', '.join(named.values())}. Pass a folder with <slide>.geojson for each, or a table "
            "with the columns slide and areas."
        )


def _renamed(pairs: Sequence[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, sign, target = pair.partition("=")
        if not (sign and name.strip() and target.strip()):
            raise AnnotationError(
                f"--rename {pair!r} names no class. Write it as 'Immune cells=LYM'."
            )
        found[name] = target.strip()
    return found


def _show(result: ExportResult) -> None:
    """Print the balance, what was left out, and what to mind."""
    table = Table(title="Labeled tiles in the folder", title_justify="left")
    for i, heading in enumerate(("class", "train", "validation", "test", "patients")):
        table.add_column(heading, justify="right" if i else "left")
    for name, tiles in result.balance.by_class().items():
        cells = [str(count) for count in tiles.values()]
        table.add_row(escape(name), *cells, str(len(result.balance.patients(name))))
    output = Console()
    output.print(table)
    first, *rest = result.sentences()
    output.print(escape(first), highlight=False, soft_wrap=True)
    for sentence in rest:
        output.print(f"[yellow]Note:[/] {escape(sentence)}", highlight=False, soft_wrap=True)
    output.print(f"Tiles: {result.folder}", highlight=False, soft_wrap=True, markup=False)
