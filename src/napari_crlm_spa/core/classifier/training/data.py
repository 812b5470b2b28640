"""Finding labeled tiles: one folder a class, and a manifest if there is one.

``manifest.csv`` (columns path, class; optional slide, patient, split, x0, y0, mpp_slide,
split_kind) stands above the folders. Slides of one patient stay together wherever tiles are
divided. Without it the slide is read from the file name:
``<slide>_x<X>_y<Y>.png`` or ``<slide> [x=X,y=Y,...].png`` (QuPath). `split_kind` says ``block``
where a slide is cut between splits, and ``drawn`` for tiles that are no photographs.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from napari_crlm_spa.core.classes import ClassScheme
from napari_crlm_spa.errors import TrainingError

MANIFEST = "manifest.csv"
IMAGES = frozenset({".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp"})
_COORDINATES = re.compile(r"^(?P<slide>.+)_x(?P<x>-?\d+)_y(?P<y>-?\d+)$")
_QUPATH = re.compile(r"^(?P<slide>.+?)[ _]*\[.*?x=(?P<x>-?\d+),y=(?P<y>-?\d+).*\]$")
_SPLITS = {"": "train", "val": "validation"}
#: What drawn tiles are called where tiles are counted by slide: they come from many drawn ones.
DRAWN_TILES = "drawn tiles"


@dataclass(frozen=True, slots=True)
class LabeledTile:
    """A tile on disk. `x0`, `y0` are level-0 pixels of `mpp_slide`; None where unknown."""

    path: Path
    label: int
    slide: str
    x0: int | None = None
    y0: int | None = None
    split: str = "train"
    by_block: bool = False
    mpp_slide: float | None = None
    drawn: bool = False
    patient: str = ""

    @property
    def group(self) -> str:
        """What is divided as a whole: the patient where known, else the slide."""
        return self.patient or self.slide

    @property
    def is_named_by_file(self) -> bool:
        """Whether the file's name tells the slide."""
        return self.slide == _slide_of(self.path.stem)[0]

    @property
    def counted_as(self) -> str:
        """What its tiles are counted under: the slide, or `DRAWN_TILES`."""
        return DRAWN_TILES if self.drawn else self.slide


@dataclass(slots=True)
class LabeledTiles:
    """Tiles of a scheme's classes, in a fixed order, and what is worth saying about them."""

    scheme: ClassScheme
    tiles: list[LabeledTile] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def of_split(self, split: str) -> list[LabeledTile]:
        """Return the tiles of a split: train, validation or test."""
        return [tile for tile in self.tiles if tile.split == split]


def find_tiles(
    folders: Sequence[Path], scheme: ClassScheme, merge: Mapping[str, str]
) -> LabeledTiles:
    """Find the labeled tiles in folders.

    Parameters
    ----------
    folders
        Each holds one folder a class, or a manifest that names classes.
    scheme
        The classes to find.
    merge
        Class folders that count as another class; those outside the scheme are left out, and
        the notes say so.

    Raises
    ------
    TrainingError
        If a folder or manifest cannot be used, or a slide stands in two splits.
    """
    for source, target in merge.items():
        if target not in scheme.names:
            raise TrainingError(
                f"merge: {source} cannot become {target}; the scheme {scheme.name} has "
                f"{', '.join(scheme.names)}."
            )
    found = LabeledTiles(scheme)
    left_out: Counter[str] = Counter()
    for folder in folders:
        rows = _from_manifest(folder) if (folder / MANIFEST).is_file() else _from_folders(folder)
        for class_name, tile in rows:
            name = merge.get(class_name, class_name)
            if name in scheme.names:
                found.tiles.append(replace(tile, label=scheme.index(name)))
            else:
                left_out[class_name] += 1
    if left_out:
        text = ", ".join(f"{name} ({count})" for name, count in sorted(left_out.items()))
        found.notes.append(f"Left out, not in the scheme {scheme.name}: {text}.")
    unnamed = sum(tile.x0 is None and tile.group == tile.path.stem for tile in found.tiles)
    if unnamed:
        found.notes.append(
            f"{unnamed} tiles do not name their slide (<slide>_x<X>_y<Y>): each counts as a slide "
            "of its own, so the validation result flatters."
        )
    _refuse_mixed_slides(found.tiles)
    return found


def _from_folders(folder: Path) -> list[tuple[str, LabeledTile]]:
    if not folder.is_dir():
        raise TrainingError(
            f"{folder} is no folder. Pass a folder that holds one folder of tiles per class."
        )
    rows = []
    for path in sorted(folder.glob("*/*")):
        # macOS leaves files of its own (._name) beside those that it copies.
        if path.suffix.lower() in IMAGES and not path.name.startswith("."):
            slide, x0, y0 = _slide_of(path.stem)
            rows.append((path.parent.name, LabeledTile(path, -1, slide, x0, y0)))
    if not rows:
        raise TrainingError(
            f"{folder} holds no tiles. It needs one folder per class with images in it "
            f"({', '.join(sorted(IMAGES))})."
        )
    return rows


def _from_manifest(folder: Path) -> list[tuple[str, LabeledTile]]:
    path = folder / MANIFEST
    columns, lines = _read_csv(path)
    missing = {"path", "class"} - set(columns)
    if missing:
        raise TrainingError(
            f"{path} has no column {' and '.join(sorted(missing))}. "
            "It needs path and class; slide, split, x0 and y0 are welcome."
        )
    if not lines:
        raise TrainingError(f"{path} lists no tiles. Fill it, or remove it to use the folders.")
    return [
        ((row["class"] or "").strip(), _manifest_tile(path, line, row))
        for line, row in enumerate(lines, start=2)
    ]


def _read_csv(path: Path) -> tuple[list[str], list[dict[str, str]]]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            # Excel writes semicolons where the comma is the decimal sign.
            header = file.readline()
            file.seek(0)
            reader = csv.DictReader(file, delimiter=";" if "," not in header else ",")
            return list(reader.fieldnames or ()), list(reader)
    except UnicodeDecodeError:
        raise TrainingError(
            f"{path} is not UTF-8 text. Save it as CSV UTF-8 (in Excel: Save as, CSV UTF-8)."
        ) from None
    except (OSError, csv.Error) as error:
        raise TrainingError(f"{path} cannot be read as a CSV table: {error}.") from error


def _manifest_tile(manifest: Path, line: int, row: Mapping[str, str]) -> LabeledTile:
    inside = (row["path"] or "").strip().replace("\\", "/")  # as written on Windows
    if not inside or not (row["class"] or "").strip():
        raise TrainingError(f"{manifest}, line {line}: path or class is empty. Fill it in.")
    if inside.startswith("/") or Path(inside).is_absolute() or ".." in Path(inside).parts:
        raise TrainingError(
            f"{manifest}, line {line}: {inside} lies outside the manifest's folder. Put the "
            "manifest above its tiles and name them from there."
        )
    slide, x0, y0 = _slide_of(Path(inside).stem)
    split = (row.get("split") or "").strip().lower()
    split = _SPLITS.get(split, split)
    if split not in ("train", "validation", "test"):
        raise TrainingError(
            f"{manifest}, line {line}: the split {split!r} is none of train, validation, test."
        )
    try:
        x0 = int(row["x0"]) if row.get("x0") else x0
        y0 = int(row["y0"]) if row.get("y0") else y0
        mpp_slide = float(row["mpp_slide"]) if row.get("mpp_slide") else None
        if mpp_slide is not None and not 0 < mpp_slide < math.inf:
            raise ValueError(mpp_slide)
    except ValueError:
        raise TrainingError(
            f"{manifest}, line {line}: x0 and y0 must be whole numbers, mpp_slide a number above 0."
        ) from None
    kind = (row.get("split_kind") or "").strip().lower()
    return LabeledTile(
        manifest.parent / inside,
        -1,
        (row.get("slide") or "").strip() or slide,
        x0,
        y0,
        split,
        kind == "block",
        mpp_slide,
        kind == "drawn",
        (row.get("patient") or "").strip(),
    )


def _slide_of(stem: str) -> tuple[str, int | None, int | None]:
    match = _COORDINATES.match(stem) or _QUPATH.match(stem)
    if match is None:
        return stem, None, None
    return match["slide"], int(match["x"]), int(match["y"])


def _refuse_mixed_slides(tiles: Sequence[LabeledTile]) -> None:
    splits: dict[str, set[str]] = {}
    for tile in tiles:
        if not tile.by_block:
            splits.setdefault(tile.group, set()).add(tile.split)
    mixed = sorted(group for group, found in splits.items() if len(found) > 1)
    if mixed:
        kind = "patient" if any(tile.patient == mixed[0] for tile in tiles) else "slide"
        raise TrainingError(
            f"The {kind} {mixed[0]} stands in the splits {' and '.join(sorted(splits[mixed[0]]))}: "
            f"neighboring tiles would leak. Put each {kind} into one split of the manifest"
            + (f" (so do {len(mixed) - 1} more)." if len(mixed) > 1 else ".")
        )
