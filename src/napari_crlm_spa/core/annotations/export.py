"""Labeled tiles on disk: one folder a class, a manifest that the training reads, a balance table.

Tiles are written first, the manifest last and at once; so an export that is stopped leaves no
half manifest, and the same export goes on from there.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from napari_crlm_spa.core.annotations.journal import (
    ExportJournal,
    begun_paths,
    remove_halves,
    sole_export,
)
from napari_crlm_spa.core.annotations.manifest import (
    Row,
    read_manifest,
    refuse_strangers,
    write_manifest,
)
from napari_crlm_spa.core.annotations.options import ExportOptions, SplitOptions
from napari_crlm_spa.core.annotations.patients import (
    SPLITS,
    VALIDATION,
    Balance,
    balance_of,
    divide_patients,
    group_of,
)
from napari_crlm_spa.core.annotations.slides import (
    SlideToExport,
    corner_xy0,
    joined_slides,
    no_tiles_message,
    plan_slide,
    predicted_class,
    safe_name,
    tile_path,
    told_reasons,
)
from napari_crlm_spa.core.annotations.tile_files import WrittenTile, write_tiles
from napari_crlm_spa.core.annotations.tile_plan import (
    LabeledPlan,
)
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo, open_slide, stem
from napari_crlm_spa.errors import AnnotationError, CrlmSpaError, DiskFull, FolderNotWritable

BALANCE = "balance.csv"
_PACKAGE = "napari-crlm-spa"
#: How somebody may have written a split into the manifest.
_SPELLINGS = {**{split: split for split in SPLITS}, "val": VALIDATION}


@dataclass(frozen=True, slots=True, eq=False)
class ExportResult:
    """What an export did.

    Parameters
    ----------
    folder
        Holds one folder a class, ``manifest.csv`` and ``balance.csv``.
    written
        Tiles of these slides, by class.
    left_out
        Tiles of these slides that were left out, by reason.
    balance
        Of all tiles in the folder, also of earlier exports.
    notes
        In sentences for the user.
    failed
        Slides that could not be exported, and why.
    """

    folder: Path
    written: Mapping[str, int]
    left_out: Mapping[str, int]
    balance: Balance
    notes: tuple[str, ...] = ()
    failed: tuple[tuple[Path, CrlmSpaError], ...] = ()

    @property
    def tiles(self) -> int:
        """Number of tiles written of these slides."""
        return sum(self.written.values())

    def sentences(self) -> list[str]:
        """Say what was done and what to mind."""
        classes = ", ".join(f"{name} {count}" for name, count in self.written.items())
        said = [f"{self.tiles} labeled tiles written ({classes})."]
        if self.left_out:
            count = sum(self.left_out.values())
            said.append(f"Tiles left out: {count}. Why: {told_reasons(self.left_out)}.")
        return [*said, *self.notes, *self.balance.warnings]


def export_labeled_tiles(
    slides: Sequence[SlideToExport],
    out_dir: Path | str,
    options: ExportOptions | None = None,
    split: SplitOptions | None = None,
) -> Generator[Progress, None, ExportResult]:
    """Write labeled tiles that ``crlm-spa train`` and torchvision's ImageFolder read.

    Parameters
    ----------
    slides
        What to export. Entries of the same file are joined; where they name different classes
        for a tile it is left out and counted.
    out_dir
        Receives ``<CLASS>/<slide>_x<X>_y<Y>.png``, ``manifest.csv`` and ``balance.csv``. Slides
        of earlier exports stay in it; a slide that is exported again is replaced.
    options
        Which tiles, and how they are written.
    split
        Shares of validation and test. Patients that the folder has already stay in their split.

    Yields
    ------
    Progress
        After each tile. Closing the generator cancels; the same export goes on from there.

    Returns
    -------
    ExportResult
        Through ``StopIteration.value``.

    Raises
    ------
    AnnotationError
        If no tile of any slide is labeled, or the folder holds tiles of another origin.
    CrlmSpaError
        What the only slide, or the first of several that all fail, cannot be used for.
    """
    options, split = options or ExportOptions(), split or SplitOptions()
    folder = Path(out_dir)
    wanted = joined_slides(slides)
    if not wanted:
        raise AnnotationError("There is no slide to export. Name one, with its areas.")
    with sole_export(folder):
        earlier = read_manifest(folder)
        begun = begun_paths(folder)
        refuse_strangers(folder, {*(row["path"] for row in earlier), *begun})
        remove_halves(folder, sorted(begun))
        job = _Job(folder, options, earlier)
        for number, slide in enumerate(wanted, start=1):
            stage = f"Writing tiles of {slide.path.name}"
            if len(wanted) > 1:
                stage += f" ({number} of {len(wanted)})"
            try:
                yield from job.export(slide, stage)
            except (DiskFull, FolderNotWritable):
                raise  # every other slide would fail, too
            except CrlmSpaError as error:
                job.failed.append((slide.path, error))
        if len(job.failed) == len(wanted):
            raise job.failed[0][1]
        rows = _divided([*job.kept_rows(), *job.rows], split)
        balance = balance_of(rows, split)
        write_manifest(folder, rows)
        write_text(folder / BALANCE, _balance_csv(balance))
        job.end(rows)
    return ExportResult(
        folder,
        dict(sorted(Counter(row["class"] for row in job.rows).items())),
        dict(job.left_out),
        balance,
        tuple(job.notes),
        tuple(job.failed),
    )


class _Job:
    """One export: the rows and remarks that gather over its slides."""

    def __init__(self, folder: Path, options: ExportOptions, earlier: Sequence[Row]) -> None:
        self.rows: list[Row] = []
        self.left_out: Counter[str] = Counter()
        self.notes: list[str] = []
        self.failed: list[tuple[Path, CrlmSpaError]] = []
        self._folder = folder
        self._options = options
        self._earlier = earlier
        self._journals: list[ExportJournal] = []
        self._replaced: set[str] = set()
        self._names = {row["slide"]: row["slide_fingerprint"] for row in earlier}
        # Folders of classes, and the classes that they stand for in this export.
        self._folders = {row["class"].casefold(): row["class"] for row in earlier}
        self._named: dict[str, str] = {}

    def export(self, slide: SlideToExport, stage: str) -> Generator[Progress, None, None]:
        """Write the tiles of one slide, and gather its rows."""
        yield Progress(stage, 0, 0, "tiles")
        with open_slide(slide.path, mpp=slide.mpp) as opened:
            info = opened.info
            self._refuse(info)
            plan = plan_slide(slide, info, self._options)
            if not plan.tiles:
                raise AnnotationError(no_tiles_message(info, plan))
            self._refuse_shared_folder(plan)
            name = self._name_of(info)
            paths = [tile_path(tile.class_name, name, corner_xy0(plan, tile, info), self._options)
                     for tile in plan.tiles]  # fmt: skip
            journal = ExportJournal(self._folder, info.fingerprint, _identity(info, self._options))
            before = {
                r["path"] for r in self._earlier if r["slide_fingerprint"] == info.fingerprint
            }
            finished = journal.begun - before if journal.resumes else frozenset[str]()
            journal.begin({*paths, *before})
            work = write_tiles(
                opened, plan, paths, self._folder, self._options, finished=finished, stage=stage
            )
            written, left_out = yield from work
        self.left_out.update(plan.left_out)
        self.left_out.update(left_out)
        if not written:
            journal.end(before)
            raise AnnotationError(no_tiles_message(info, plan, left_out))
        self.notes.extend(f"{info.path.name}: {note}" for note in plan.notes)
        self.rows.extend(self._row(slide, name, info, plan, each) for each in written)
        self._replaced.add(info.fingerprint)
        self._journals.append(journal)

    def kept_rows(self) -> list[Row]:
        """Return the rows of slides that were not exported now."""
        return [r for r in self._earlier if r["slide_fingerprint"] not in self._replaced]

    def end(self, rows: Sequence[Row]) -> None:
        """Remove what the new manifest names no longer."""
        kept = {row["path"] for row in rows}
        for journal in self._journals:
            journal.end(kept)

    def _name_of(self, info: SlideInfo) -> str:
        """Return the slide's name in the folder; slides of one name are told apart."""
        for name, fingerprint in self._names.items():
            if fingerprint == info.fingerprint:
                return name
        name = safe_name(stem(info.path))
        # Windows and macOS take names that differ in capitals for the same.
        if name.casefold() in {taken.casefold() for taken in self._names}:
            name = f"{name}-{hashlib.sha256(info.fingerprint.encode()).hexdigest()[:8]}"
        self._names[name] = info.fingerprint
        return name

    def _refuse_shared_folder(self, plan: LabeledPlan) -> None:
        """Refuse classes that would mix in one folder, on some systems or on all."""
        named = dict(self._named)
        for name in plan.counts():
            folder = safe_name(name)
            # Windows and macOS take names that differ in capitals for the same.
            key = folder.casefold()
            earlier, other = self._folders.get(key, folder), named.setdefault(key, name)
            if earlier != folder or other != name:
                raise AnnotationError(
                    f"The classes {other if other != name else earlier} and {name} would share a "
                    "folder. Give one of them another name, or both the same (crlm-spa "
                    "export-tiles --rename)."
                )
        self._named = named

    def _refuse(self, info: SlideInfo) -> None:
        """Refuse a slide that was written under another path, and tiles of another size."""
        if info.fingerprint in self._replaced:
            raise AnnotationError(
                f"{info.path} is a copy of a slide that is exported already. List one of them."
            )
        ours = (str(self._options.tile_px), f"{self._options.mpp:g}")
        for row in self._earlier:
            found = (row["tile_px"], row["mpp"])
            if row["slide_fingerprint"] != info.fingerprint and found != ours:
                raise AnnotationError(
                    f"{self._folder} holds tiles of {found[0]} px at {found[1]} µm/px; these would "
                    f"have {ours[0]} px at {ours[1]} µm/px. Choose another folder."
                )

    def _row(
        self,
        slide: SlideToExport,
        name: str,
        info: SlideInfo,
        plan: LabeledPlan,
        written: WrittenTile,
    ) -> Row:
        tile = written.tile
        x0, y0 = corner_xy0(plan, tile, info)
        x_um, y_um = plan.grid.corner_um(tile.row, tile.col)
        return {
            "path": written.path,
            "class": Path(written.path).parent.name,
            "slide": name,
            "patient": slide.patient.strip(),
            "split": "",
            "split_kind": "patient" if slide.patient.strip() else "slide",
            "x0": str(x0),
            "y0": str(y0),
            "mpp_slide": f"{info.known_pixel_size().mpp:.8g}",
            "row": str(tile.row),
            "col": str(tile.col),
            "x_um": f"{x_um:.10g}",
            "y_um": f"{y_um:.10g}",
            "tile_px": str(self._options.tile_px),
            "mpp": f"{self._options.mpp:g}",
            "purity": f"{tile.purity:.4f}",
            "source": tile.source,
            "annotator": tile.annotator,
            "when": tile.when,
            "predicted_class": predicted_class(slide, tile.row, tile.col),
            "model": slide.model_name,
            "model_sha256": slide.model_sha256,
            "slide_fingerprint": info.fingerprint,
            "tile_sha256": written.sha256,
            "package_version": version(_PACKAGE),
        }


def _identity(info: SlideInfo, options: ExportOptions) -> str:
    """Hash all that determines a tile's pixels, its file, and whether there is one."""
    size = info.known_pixel_size()
    parts = [
        info.fingerprint, size.x_um, size.y_um, options.tile_px, options.mpp, options.image,
        options.jpeg_quality, options.blank, version(_PACKAGE),
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _divided(rows: Sequence[Row], options: SplitOptions) -> list[Row]:
    """Give every row its split; all rows of a patient have the same."""
    counts: dict[str, Counter[str]] = {}
    settled: dict[str, str] = {}
    for row in rows:
        group = group_of(row)
        counts.setdefault(group, Counter())[row["class"]] += 1
        split = _SPELLINGS.get(row["split"].strip().lower())
        if split and not options.resplit:
            settled.setdefault(group, split)
    splits = divide_patients(counts, options, settled)
    return [{**row, "split": splits[group_of(row)]} for row in rows]


def _balance_csv(balance: Balance) -> str:
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("class", "split", "patient", "tiles"))
    writer.writerows((*key, count) for key, count in balance.counts.items())
    return table.getvalue()
