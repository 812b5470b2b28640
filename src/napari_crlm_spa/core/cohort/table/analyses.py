"""Analyzed slides on disk: their features, as predicted or as a reader corrected them."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from napari_crlm_spa.core.cohort.columns import SOFS, TUMOR_TILES
from napari_crlm_spa.core.store import FEATURES_CSV, RISK_JSON, RUN_JSON, TILES_JOURNAL, identity_of
from napari_crlm_spa.core.store.names import READERS
from napari_crlm_spa.errors import CohortError

#: How far below a named folder analyses are looked for.
DEEPEST = 4
#: What is compared between the runs of a cohort, in words, and where the record has it.
SETTINGS: dict[str, tuple[str, ...]] = {
    "classifier": ("model",),
    "stain normalization": ("options", "stain"),
    "tiling": ("options", "tiling"),
    "spatial options": ("options", "spatial"),
    "distance thresholds": ("options", "mixture_model"),
    "version of this software": ("versions", "napari-crlm-spa"),
}
_OF_THE_MODEL = ("name", "version", "sha256", "temperature")


@dataclass(slots=True)
class AnalyzedSlide:
    """One slide's folder.

    Parameters
    ----------
    folder
        The analysis, absolute.
    slide, slide_path
        Name of the slide's file, and where the run had it (may be empty).
    reader
        Whose corrections the features hold; empty for the prediction.
    features
        The spatial features; NaN where one can't be computed.
    tumor_tiles
        Tiles of the largest tumor region.
    refusal
        Why the slide gets no risk (the paper's exclusion); empty if it does.
    problem
        Why it can't be used at all; empty if it can.
    fingerprint
        Recognizes the slide's content; empty if the record has none.
    settings
        What it was analyzed with, by the names of `SETTINGS`.
    strange
        The sentence of the watch over strange tiles, if it warns.
    sha256
        Of ``features.csv``.
    copy
        Whether the same slide with the same features came before.
    """

    folder: Path
    slide: str
    slide_path: str = ""
    reader: str = ""
    features: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SOFS, math.nan))
    tumor_tiles: float = math.nan
    refusal: str = ""
    problem: str = ""
    fingerprint: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    strange: str = ""
    sha256: str = ""
    copy: bool = False


def find_analyses(places: Iterable[Path | str]) -> list[Path]:
    """Return the folders of slides at or below some folders, sorted, each once.

    Raises
    ------
    CohortError
        If a place is no folder or holds no analysis.
    """
    found: dict[Path, None] = {}
    for place in places:
        path = Path(os.path.abspath(place))  # noqa: PTH100 - links stay as the user named them
        if path.name == FEATURES_CSV:
            path = path.parent
        if not path.is_dir():
            raise CohortError(
                f"{place} is no folder. Name the results of crlm-spa analyze: a folder with one "
                "folder per slide."
            )
        here = list(_below(path, DEEPEST))
        if not here:
            raise CohortError(
                f"There is no analyzed slide in {place} ({FEATURES_CSV} and {RUN_JSON} are what a "
                "slide's folder holds). Name the folder that crlm-spa analyze wrote to."
            )
        found |= dict.fromkeys(here)
    return list(found)


def _below(folder: Path, depth: int) -> Iterator[Path]:
    names = {each.name for each in folder.iterdir()}
    if names & {RUN_JSON, FEATURES_CSV, TILES_JOURNAL}:
        yield folder
        return
    if depth:
        for name in sorted(names):
            below = folder / name
            if not name.startswith(".") and not name.endswith(".zarr") and below.is_dir():
                yield from _below(below, depth - 1)


def read_slide(folder: Path, reader: str = "") -> AnalyzedSlide:
    """Read one slide's folder; what is wrong with it is in its `problem`.

    Parameters
    ----------
    folder
        The slide's folder.
    reader
        Whose corrected features are wanted. A slide without their corrections comes as predicted,
        its own `reader` empty.
    """
    run = _json(folder / RUN_JSON)
    recorded = run.get("slide") if isinstance(run.get("slide"), dict) else {}
    path = str((recorded or {}).get("path") or "")
    name = re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    if path and not is_absolute(path):
        path = str(folder / path)
    found = AnalyzedSlide(folder, name or folder.name, path)
    found.fingerprint = str((recorded or {}).get("fingerprint") or "")
    found.settings = {name: _setting(run, where) for name, where in SETTINGS.items()}
    strangeness = run.get("strangeness")
    if isinstance(strangeness, dict) and strangeness.get("warns"):
        found.strange = str(strangeness.get("sentence", ""))
    if not run and (folder / TILES_JOURNAL).exists():
        found.problem = "its analysis is unfinished"
        return found
    place = find_reader(folder, reader) if reader else None
    if place is not None:
        found.reader = reader
    _read_features(found, (place or folder) / FEATURES_CSV)
    return found


def is_absolute(path: str) -> bool:
    """Tell whether a path is absolute on the system that wrote it, which may be another one."""
    return PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()


def mark_copies(slides: Sequence[AnalyzedSlide]) -> list[list[int]]:
    """Mark repeated analyses of one slide that found the same.

    Returns
    -------
    list of list of int
        Positions of the analyses of each slide that has several.
    """
    groups: dict[str, list[int]] = {}
    for at, slide in enumerate(slides):
        if slide.fingerprint and not slide.problem:
            groups.setdefault(slide.fingerprint, []).append(at)
    several = [group for group in groups.values() if len(group) > 1]
    for group in several:
        for place, at in enumerate(group):
            slides[at].copy = any(_same(slides[at], slides[first]) for first in group[:place])
    return several


def _same(a: AnalyzedSlide, b: AnalyzedSlide) -> bool:
    values = [(a.tumor_tiles, b.tumor_tiles)]
    values += [(a.features[name], b.features[name]) for name in SOFS]
    return all(x == y or (math.isnan(x) and math.isnan(y)) for x, y in values)


def readers_of(folder: Path) -> list[str]:
    """Return the names of those who corrected a slide."""
    return [name for name, _ in _readers(folder)]


def find_reader(folder: Path, reader: str) -> Path | None:
    """Return a reader's folder of a slide if it holds features; capitals don't matter."""
    wanted = _alike(reader)
    for name, place in _readers(folder):
        if wanted in (_alike(name), place.name) and (place / FEATURES_CSV).is_file():
            return place
    return None


def _readers(folder: Path) -> Iterator[tuple[str, Path]]:
    base = folder / READERS
    if not base.is_dir():
        return
    for name in sorted(each.name for each in base.iterdir()):
        review = _json(base / name / RISK_JSON).get("review")
        said = review.get("reader") if isinstance(review, dict) else None
        yield str(said or name), base / name


def _alike(name: str) -> str:
    return unicodedata.normalize("NFC", " ".join(name.split()).casefold())


def _json(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _setting(run: dict[str, Any], where: Sequence[str]) -> Any:
    value: Any = run
    for name in where:
        value = value.get(name) if isinstance(value, dict) else None
    if where == ("model",) and isinstance(value, dict):
        value = {name: value.get(name) for name in _OF_THE_MODEL}
    if where[-1] == "mixture_model" and value is not None:
        value = identity_of({"mixture": value})
    return value


def _read_features(slide: AnalyzedSlide, path: Path) -> None:
    try:
        data = path.read_bytes()
        rows = list(csv.DictReader(data.decode("utf-8").splitlines()))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        slide.problem = f"{path.name} can't be read ({getattr(error, 'strerror', None) or error})"
        return
    slide.sha256 = hashlib.sha256(data).hexdigest()
    if len(rows) != 1:
        slide.problem = f"{path.name} holds {len(rows)} rows instead of one"
        return
    row = rows[0]
    if not slide.slide_path and row.get("slide"):
        slide.slide = row["slide"]
    missing = [name for name in SOFS if row.get(name) is None]
    if missing:
        slide.problem = f"{path.name} has no column {missing[0]}"
        return
    try:
        slide.features = {name: float(row[name] or "nan") for name in SOFS}
        slide.tumor_tiles = float(row.get(TUMOR_TILES) or "nan")
    except ValueError as error:
        slide.problem = f"{path.name} holds text where numbers should be ({error})"
        return
    outside = [name for name, value in slide.features.items() if value < 0 or value > 1]
    if outside:
        value = slide.features[outside[0]]
        slide.problem = f"{outside[0]} is {value:g}, not a share within 0 to 1"
    slide.refusal = row.get("refusal") or ""
