"""A session as one file: the queue, the slide, the view, who reads, where the results are. No Qt.

Paths are kept relative to the file and as they were, so that both a moved folder of everything
and a moved session file find their slides again. Corrections and annotations are no part of it:
they lie in the analysis folders.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classes import PALETTES
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.slide import MPP_RANGE
from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.queue_sources import QueuedSlide, absolute

FORMAT = "crlm-spa session"
VERSION = 1
SUFFIX = ".crlm-session.json"


@dataclass(frozen=True, slots=True)
class Camera:
    """Where the viewer looks: center as (y, x) in the viewer's units, and its zoom."""

    center: tuple[float, float]
    zoom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bundle:
    """A session as it can be saved and opened again.

    Parameters
    ----------
    slides
        The queue.
    current
        The slide that is looked at; it need not be in the queue.
    camera, view, tab
        How it is looked at.
    reader, risk_model, results
        Who reads, name or file of the risk model, and the results folder. Empty or None where
        nothing is to be changed.
    """

    slides: tuple[QueuedSlide, ...] = ()
    current: Path | None = None
    camera: Camera | None = None
    view: MapView = field(default_factory=MapView)
    tab: str = ""
    reader: str = ""
    risk_model: str = ""
    results: Path | None = None


def save_bundle(bundle: Bundle, file: Path) -> None:
    """Write a session, all of it or nothing.

    Raises
    ------
    StoreError
        If the file cannot be written.
    """
    file = absolute(file)
    base = file.parent
    record = {
        "format": FORMAT,
        "version": VERSION,
        "saved": datetime.now(UTC).isoformat(timespec="seconds"),
        "slides": [
            {**_place(slide.path, base), "mpp": slide.mpp, "patient": slide.patient}
            for slide in bundle.slides
        ],
        "current": None if bundle.current is None else _place(bundle.current, base),
        "camera": None if bundle.camera is None else dataclasses.asdict(bundle.camera),
        "view": view_to_plain(bundle.view),
        "tab": bundle.tab,
        "reader": bundle.reader,
        "risk_model": _model(bundle.risk_model, base),
        "results": None if bundle.results is None else _place(bundle.results, base),
    }
    write_text(file, json.dumps(record, indent=1))


def load_bundle(file: Path) -> tuple[Bundle, list[str]]:
    """Read a session.

    Returns
    -------
    bundle
        With the slides that are still there.
    problems
        A sentence for everything that is not.

    Raises
    ------
    ReviewError
        If the file is no session, or one of a later version of this package.
    """
    return find_bundle(read_record(file), absolute(file).parent)


def find_bundle(record: Mapping[str, Any], base: Path) -> tuple[Bundle, list[str]]:
    """Look for the slides of a session; asks the disk for each, so do it in a thread.

    Parameters
    ----------
    record, base
        From `read_record`, and the folder of that file.

    Returns
    -------
    bundle, problems
        As `load_bundle` does.
    """
    problems = []
    slides, missing = [], []
    for each in _list(record.get("slides")):
        path = _find(each, base)
        if path is None:
            missing.append(_name(each))
        else:
            slides.append(QueuedSlide(path, _mpp(each.get("mpp")), _text(each.get("patient"))))
    current = _find(record.get("current"), base)
    if missing:
        more = f" and {len(missing) - 1} more slides are" if len(missing) > 1 else " is"
        problems.append(f"{missing[0]}{more} no longer where the session says; left out.")
    elif record.get("current") and current is None:
        problems.append(f"{_name(record['current'])} is no longer where the session says.")
    results = _find(record.get("results"), base, must_exist=False)
    model, lost = _found_model(record.get("risk_model"), base)
    if lost:
        problems.append(f"The risk model {lost} is no longer there; the chosen one stays.")
    return Bundle(
        slides=tuple(slides),
        current=current,
        camera=_camera(record.get("camera")),
        view=view_from_plain(record.get("view")),
        tab=_text(record.get("tab")),
        reader=_text(record.get("reader")),
        risk_model=model,
        results=results,
    ), problems


def read_record(file: Path) -> dict[str, Any]:
    """Read a session file without looking for its slides.

    Raises
    ------
    ReviewError
        If the file is no session, or one of a later version of this package.
    """
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReviewError(
            f"{file.name} cannot be read: {error.strerror or error}. Check the path."
        ) from error
    except ValueError:
        record = None
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise ReviewError(
            f"{file.name} is no session. Choose a file that was written by Save session."
        )
    if not isinstance(record.get("version"), int) or record["version"] > VERSION:
        raise ReviewError(
            f"{file.name} was written by a later version of napari-crlm-spa. Update it to open "
            "this session."
        )
    return record


def in_words(record: Mapping[str, Any]) -> str:
    """Name a session in a few words; empty if nothing was open."""
    number = len(_list(record.get("slides")))
    parts = [f"{number:,} slide{'s' if number > 1 else ''}"] if number else []
    if record.get("current"):
        parts.append(_name(record["current"]))
    return ", ".join(parts)


# -- the view -----------------------------------------------------------------------------------


def view_to_plain(view: MapView) -> dict[str, Any]:
    """Return a view as JSON takes it; a held blink key is not kept."""
    plain = dataclasses.asdict(view)
    del plain["blink"]
    return {name: _plain(value) for name, value in plain.items()}


def view_from_plain(plain: object) -> MapView:
    """Return the view that was kept; what is odd or unknown takes its default."""
    kept = plain if isinstance(plain, Mapping) else {}
    known = {}
    for field_ in dataclasses.fields(MapView):
        value = _like(kept.get(field_.name), field_.default)
        if field_.name != "blink" and value is not None:
            known[field_.name] = value
    if known.get("palette") not in PALETTES:
        known.pop("palette", None)
    return MapView(**known)


def _plain(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    return value.value if isinstance(value, StrEnum) else value


def _like(kept: object, default: object) -> Any:
    """Return a kept value as the kind that its default is, or None if it cannot be."""
    if isinstance(default, frozenset):
        names = kept if isinstance(kept, list) else []
        return frozenset(name for name in names if isinstance(name, str))
    if isinstance(default, StrEnum):
        values: dict[object, StrEnum] = {each.value: each for each in type(default)}
        return values.get(kept) if isinstance(kept, str) else None
    if isinstance(default, bool):
        return kept if isinstance(kept, bool) else None
    if isinstance(default, float):
        # Shares and opacities.
        is_share = isinstance(kept, (int, float)) and not isinstance(kept, bool) and 0 <= kept <= 1
        return float(kept) if is_share else None  # type: ignore[arg-type]
    return kept if isinstance(kept, str) else None


# -- single values ------------------------------------------------------------------------------


def _place(path: Path, base: Path) -> dict[str, str]:
    """Say where a file is: from the session file on, and as it was."""
    place = {"absolute": str(path)}
    with suppress(ValueError):  # another drive
        place["path"] = Path(os.path.relpath(path, base)).as_posix()
    return place


def _find(place: object, base: Path, *, must_exist: bool = True) -> Path | None:
    """Return the first of both places where the file is."""
    if not isinstance(place, Mapping):
        return None
    named = [place.get("path"), place.get("absolute")]
    paths = [absolute(base / name) for name in named if isinstance(name, str) and name]
    there = next((path for path in paths if path.exists()), None)
    if there is None and not must_exist and paths:
        return paths[-1]
    return there


def _name(place: object) -> str:
    named = place.get("absolute") if isinstance(place, Mapping) else None
    return Path(named).name if isinstance(named, str) else "A slide"


def _model(name: str, base: Path) -> str | dict[str, str]:
    return _place(absolute(name), base) if name.endswith(".json") else name


def _found_model(kept: object, base: Path) -> tuple[str, str]:
    """Return a preset's name or a file, and what could not be found."""
    if not isinstance(kept, Mapping):
        return _text(kept), ""
    path = _find(kept, base)
    return ("", _name(kept)) if path is None else (str(path), "")


def _camera(kept: object) -> Camera | None:
    try:
        y, x = (float(value) for value in kept["center"])  # type: ignore[index]
        zoom = float(kept["zoom"])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return None
    return Camera((y, x), zoom) if 0 < zoom < float("inf") else None


def _mpp(kept: object) -> float | None:
    low, high = MPP_RANGE
    return float(kept) if isinstance(kept, (int, float)) and low <= kept <= high else None


def _text(kept: object) -> str:
    return kept if isinstance(kept, str) else ""


def _list(kept: object) -> list[Mapping[str, Any]]:
    return [each for each in kept if isinstance(each, Mapping)] if isinstance(kept, list) else []
