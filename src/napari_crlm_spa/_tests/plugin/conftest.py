"""A small slide, a tissue map of known content, and a pipeline that tests drive step by step."""

import gc
import importlib
import threading

import numpy as np
import pytest

from napari_crlm_spa._tests.drawn_slides import halved, write_tiff
from napari_crlm_spa._tests.painted_slide import (  # noqa: F401 - fixtures
    codes,
    color_model,
    options,
    slide,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileGrid, TileScores, TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin import memory, settings

ROWS, COLS = 20, 24
SLIDE_MPP = 4.0
STRIDE_UM = 112.0
BATCH = 48


@pytest.fixture(scope="session", autouse=True)
def light_garbage_collection():
    """Leave what earlier tests and imports brought out of each collection.

    Napari collects garbage whenever a layer or a viewer goes; with all tests and libraries in
    memory that takes half a second each time.
    """
    for library in ("torch", "napari.viewer", "napari._qt.qt_viewer", "matplotlib.figure"):
        importlib.import_module(library)
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(autouse=True)
def own_memory(tmp_path, monkeypatch):
    """The panel remembers into a temporary folder."""
    monkeypatch.setattr(memory, "user_config_path", lambda *_, **__: tmp_path / "config")
    monkeypatch.setattr(memory, "user_cache_path", lambda *_, **__: tmp_path / "cache")
    monkeypatch.setattr(memory, "user_documents_path", lambda: tmp_path / "documents")
    # napari's own settings are the tester's.
    monkeypatch.setattr(settings, "napari_page", lambda: None)


def known_classes():
    """A tumor of 12 x 10 tiles with stroma around it, liver beyond, some glass and lymphocytes."""
    classes = np.full((ROWS, COLS), CRLM7.code("HEP"), np.uint8)
    classes[3:17, 4:18] = CRLM7.code("STR")
    classes[4:16, 5:15] = CRLM7.code("TUM")
    classes[8:10, 8:10] = CRLM7.code("DEB")
    classes[5, 6] = CRLM7.code("LYM")
    classes[:, -2:] = 0
    return classes


def known_map():
    """The tissue map of `known_classes`, certain of every tile."""
    classes = known_classes()
    probabilities = np.zeros((ROWS, COLS, len(CRLM7)), np.float16)
    rows, cols = np.nonzero(classes)
    probabilities[rows, cols, classes[rows, cols] - 1] = 1
    state = np.where(classes > 0, TileState.CLASSIFIED, TileState.GLASS).astype(np.uint8)
    edge = np.zeros((ROWS, COLS), np.bool_)
    strangeness = np.where(classes > 0, np.float16(0.5), np.float16(np.nan))
    strangeness[5:8, 5:15] = 1.5
    layers = (classes, probabilities, strangeness, state, edge)
    return TissueMap(*layers, STRIDE_UM, (0.0, 0.0), CRLM7)


def known_grid():
    """The grid before anything is classified."""
    tissue_map = known_map()
    state = np.where(tissue_map.classes > 0, TileState.PENDING, TileState.GLASS)
    return TileGrid(state.astype(np.uint8), tissue_map.edge, 224, 0.5)


def batch_of(tissue_map, positions):
    """The scores of some tiles of a known map."""
    rows, cols = positions.T.astype(np.int32)
    return TileScores(
        rows=rows,
        cols=cols,
        states=np.full(len(rows), TileState.CLASSIFIED, np.uint8),
        probabilities=tissue_map.probabilities[rows, cols],
        strangeness=tissue_map.strangeness[rows, cols],
        stain_fallback=np.zeros(len(rows), np.bool_),
    )


@pytest.fixture(name="known_map")
def _known_map():
    return known_map()


@pytest.fixture
def analysis(tmp_path):
    """What the pipeline would return for the known map."""
    return make_analysis(tmp_path)


def make_analysis(folder, risk_model="paper_eq1"):
    """Features and risk of the known map."""
    from napari_crlm_spa.core.pipeline import Analysis
    from napari_crlm_spa.core.risk import assess_risk, load_risk_model
    from napari_crlm_spa.core.sentinel import watch_slide

    tissue_map = known_map()
    features = spatial_features(tissue_map)
    model = load_risk_model(risk_model)
    risk = None if features.refusal else assess_risk(features, model)
    sentinel = watch_slide(tissue_map)
    return Analysis(folder, tissue_map, features, risk, sentinel, {}, reused=False)


class SteppedPipeline:
    """Stands in for the pipeline: each batch waits until the test lets it go."""

    def __init__(self, free=False):
        self.batches = 0
        self.calls = []
        self.closed = threading.Event()
        self.error = None
        self._free = free
        self._gate = threading.Semaphore(0)

    def step(self, n=1):
        """Let `n` more batches be classified."""
        self._gate.release(n)

    def let_go(self):
        """Let all remaining batches be classified."""
        self._free = True
        self._gate.release()

    def analyze(self, slide_path, out_dir, chosen):
        self.calls.append((slide_path, out_dir, chosen))
        tissue_map, grid = known_map(), known_grid()
        total = len(grid.pending())
        try:
            yield Progress("Finding tissue", 1, 1, changed=grid)
            done = 0
            for positions in grid.batches(BATCH):
                if not self._free:
                    assert self._gate.acquire(timeout=60)
                if self.error is not None:
                    raise self.error
                self.batches += 1
                done += len(positions)
                scores = batch_of(tissue_map, positions)
                yield Progress("Classifying tiles", done, total, "tiles", scores)
            return make_analysis(out_dir / "slide")
        finally:
            self.closed.set()


@pytest.fixture
def pipeline():
    """A pipeline under the test's control; whatever waits is let go at the end."""
    stepped = SteppedPipeline()
    yield stepped
    stepped.let_go()


@pytest.fixture(scope="session")
def slide_path(tmp_path_factory):
    """A pyramidal TIFF that the known map covers, at 4 µm/px, with odd sizes."""
    return write_slide(tmp_path_factory.mktemp("plugin") / "slide.tif", SLIDE_MPP)


@pytest.fixture(scope="session")
def slide_without_mpp(tmp_path_factory):
    """The same without a pixel size."""
    return write_slide(tmp_path_factory.mktemp("plugin-unknown") / "unknown.tif", None)


def write_slide(path, mpp):
    """Draw a slide of the known map's size; its tumor is dark."""
    height, width = round(ROWS * STRIDE_UM / SLIDE_MPP), round(COLS * STRIDE_UM / SLIDE_MPP)
    picture = np.full((height - 1, width - 1, 3), (235, 200, 220), np.uint8)
    side = round(STRIDE_UM / SLIDE_MPP)
    picture[4 * side : 16 * side, 5 * side : 15 * side] = (90, 40, 110)
    return write_tiff(path, [picture, halved(picture), halved(halved(picture))], mpp=mpp)


def is_white(viewer):
    """Whether the canvas is white; napari before 0.9 cannot be told."""
    canvas = getattr(viewer, "canvas", None)
    return canvas is None or np.allclose(canvas.background_color_override, 1)
