"""Slides drawn once a session, of known resolution and content."""

import os
import shutil
import subprocess

import pytest
from hypothesis import settings

from napari_crlm_spa._tests.drawn_slides import (
    TiffKind,
    halved,
    marks_picture,
    write_ome_tiff,
    write_svs,
    write_tiff,
)
from napari_crlm_spa.core.slide import ArraySlide

# A busy machine is no bug: examples may take their time. In CI a change is judged by the same
# examples each time; at a developer's they are new ones, and what they find stays in .hypothesis.
settings.register_profile("napari-crlm-spa", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("napari-crlm-spa")

_screens = []


def pytest_configure(config):
    """Give each of several test processes a screen of its own: windows take each other's focus."""
    if not hasattr(config, "workerinput") or "DISPLAY" not in os.environ:
        return
    if shutil.which("Xvfb") is None:
        return
    read, write = os.pipe()
    command = ["Xvfb", "-displayfd", str(write), "-screen", "0", "1600x1000x24", "-nolisten", "tcp"]
    _screens.append(subprocess.Popen(command, pass_fds=[write], stderr=subprocess.DEVNULL))
    os.close(write)
    with os.fdopen(read) as told:
        number = told.readline().strip()
    if number:
        os.environ["DISPLAY"] = f":{number}"
        os.environ.pop("XAUTHORITY", None)


def pytest_unconfigure():
    for screen in _screens:
        screen.terminate()


@pytest.fixture(scope="session")
def marks_levels():
    """A slide of 256 x 192 µm at 0.25 µm/px with marks, and two smaller levels."""
    base = marks_picture(mpp=0.25)
    return [base, halved(base), halved(halved(base))]


@pytest.fixture(scope="session")
def drawn_folder(tmp_path_factory):
    """Where this session's slides are drawn; read only."""
    return tmp_path_factory.mktemp("drawn-slides")


@pytest.fixture(scope="session")
def tiff_path(drawn_folder, marks_levels):
    """A pyramidal uncompressed TIFF at 0.25 µm/px."""
    return write_tiff(drawn_folder / "marks.tif", marks_levels, mpp=0.25)


@pytest.fixture(scope="session")
def jpeg_tiff_path(drawn_folder, marks_levels):
    """A pyramidal JPEG TIFF at 0.25 µm/px, its resolution in inches."""
    kind = TiffKind(compression="jpeg", unit="INCH")
    return write_tiff(drawn_folder / "marks-jpeg.tif", marks_levels, mpp=0.25, kind=kind)


@pytest.fixture(scope="session")
def svs_path(drawn_folder, marks_levels):
    """An Aperio-style SVS, 40x, 0.2525 µm/px in its header."""
    words = {"AppMag": 40, "MPP": 0.2525}
    return write_svs(drawn_folder / "marks.svs", marks_levels, words)


@pytest.fixture(scope="session")
def ome_path(drawn_folder, marks_levels):
    """An OME-TIFF at 0.25 µm/px whose smaller levels are SubIFDs."""
    return write_ome_tiff(drawn_folder / "marks.ome.tif", marks_levels, mpp=0.25)


@pytest.fixture
def marks_slide(marks_levels):
    """The slide with marks, in memory."""
    with ArraySlide(marks_levels, mpp=0.25) as slide:
        yield slide
