"""``crlm-spa doctor``: what works on this machine and what does not, in words."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from napari_crlm_spa.errors import CrlmSpaError

_PACKAGES = ("numpy", "torch", "zarr", "tifffile", "openslide-python", "napari")

_QT_BINDINGS = {"PyQt6": "PyQt6", "PySide6": "PySide6-Essentials", "PyQt5": "PyQt5"}

#: With each signal it loses a reference to True, until Python ends. Python 3.12 and later count
#: no references to True.
_BROKEN_PYSIDE6 = "6.12.0"
_PYTHON = sys.version_info[:2]

#: What a check found: whether it is well, and a sentence.
Finding = tuple[bool, str]


def doctor(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for results")] = Path(),
) -> None:
    """Check versions, slide readers, GPU, window system, model and write access.

    Ends with exit code 2 if something that an analysis needs does not work.
    """
    table = Table(show_header=False)
    well = True
    for name, (good, sentence) in _findings(out):
        well &= good
        table.add_row("[green]ok[/]" if good else "[red]mend[/]", name, sentence)
    Console().print(table)
    if not well:
        raise typer.Exit(2)


def _findings(out: Path) -> Iterator[tuple[str, Finding]]:
    yield "System", (True, f"{platform.platform()}, Python {platform.python_version()}")
    yield "Processor", (True, f"{os.cpu_count()} cores, {_memory_gb():.0f} GB of memory")
    yield "Packages", (True, ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))
    checks: dict[str, Callable[[], Finding]] = {
        "Slide reader": _check_openslide,
        "Network": _check_torch,
        "Default model": _check_model,
        "Viewer": _check_viewer,
        "Output folder": lambda: _check_writing(out),
    }
    for name, check in checks.items():
        yield name, check()


def _memory_gb() -> float:
    import psutil

    return float(psutil.virtual_memory().total / 1e9)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def _check_openslide() -> Finding:
    from napari_crlm_spa.core.slide import openslide_version

    try:
        return True, f"OpenSlide {openslide_version()}"
    except (ImportError, OSError) as error:
        return False, f"OpenSlide cannot be loaded ({error}). Install it: pip install openslide-bin"


def _check_torch() -> Finding:
    from napari_crlm_spa.core.classifier.devices import describe_devices

    try:
        return True, describe_devices()
    except (ImportError, OSError, RuntimeError) as error:
        return False, f"PyTorch does not work ({error}). Install it anew: pip install -U torch"


def _check_model() -> Finding:
    from napari_crlm_spa.core.classifier.card import model_folder
    from napari_crlm_spa.core.classifier.weights import load_model

    try:
        card, _ = load_model(model_folder("default"))
    except CrlmSpaError as error:
        return False, str(error)
    return True, f"{card.name} {card.version}, SHA-256 {card.sha256[:12]}, as its card says"


def _check_viewer() -> Finding:
    installed = {name: _version(package) for name, package in _QT_BINDINGS.items()}
    bindings = [name for name, number in installed.items() if number != "absent"]
    if "absent" in (_version("napari"), _version("qtpy")) or not bindings:
        return True, "no napari or no Qt here; for the viewer: pip install 'napari-crlm-spa[all]'"
    wanted = os.environ.get("QT_API", "").lower()
    binding = next((name for name in bindings if name.lower() == wanted), bindings[0])
    if (binding, installed[binding]) == ("PySide6", _BROKEN_PYSIDE6) and _PYTHON < (3, 12):
        return False, (
            f"PySide6 {_BROKEN_PYSIDE6} ends napari after a while with Python 3.11. Install "
            f"another: pip install 'PySide6!={_BROKEN_PYSIDE6}', or take Python 3.12"
        )
    if sys.platform == "linux" and not (
        os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    ):
        return True, f"napari {_version('napari')} with {binding}; no screen here"
    return True, f"napari {_version('napari')} with {binding} {installed[binding]}"


def _check_writing(out: Path) -> Finding:
    place = next(path for path in (out.absolute(), *out.absolute().parents) if path.exists())
    try:
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        return False, f"{place} may not be written ({error.strerror}); choose another with -o"
    return True, f"{place} may be written"
