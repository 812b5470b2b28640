from pathlib import Path

import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.report import SlideReport
from napari_crlm_spa.core.risk import assess_risk, load_risk_model
from napari_crlm_spa.core.sample import truth_on_grid
from napari_crlm_spa.core.slide.contract import PixelSize, SlideInfo, SlideLevel
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileGrid, TileState
from napari_crlm_spa.core.tissue_map import TissueMap

HOSTILE = 'a"><script>alert("1")<script>&\'$x^2$\n{{ 7*7 }}.svs'


def slide_info(name="slide.svs", width_px=9856, height_px=8064):
    return SlideInfo(
        path=Path("/home/patient name") / name,
        vendor="drawn",
        decoder="none",
        levels=(SlideLevel(width_px, height_px, 1.0),),
        pixel_size=PixelSize(0.5, 0.5, "the test"),
        bounds_xy0=(0, 0, width_px, height_px),
        objective_power=20.0,
        icc_profile=False,
        associated_images=(),
        fingerprint="f" * 64,
    )


def make_map(codes):
    """A map with some glass, blank, excluded and unreadable tiles."""
    grid = TileGrid(
        state=np.full(codes.shape, TileState.GLASS, np.uint8),
        edge=np.zeros(codes.shape, bool),
        tile_px=224,
        mpp=0.5,
    )
    made = TissueMap.empty(grid, CRLM7)
    made.classes[:] = codes
    made.state[codes > 0] = TileState.CLASSIFIED
    for row, state in enumerate((TileState.BLANK, TileState.EXCLUDED, TileState.UNREADABLE)):
        made.classes[row, :2], made.state[row, :2] = 0, state
    return made


@pytest.fixture(scope="session")
def codes():
    grid = TileGrid(np.full((36, 44), 2, np.uint8), np.zeros((36, 44), bool), 224, 0.5)
    codes, pure = truth_on_grid(grid)
    return np.where(pure & (codes == CRLM7.code("BACK")), 0, codes).astype(np.uint8)


@pytest.fixture(scope="session")
def features(codes):
    return spatial_features(make_map(codes))


@pytest.fixture
def make_report(codes, features):
    def make(name="slide.svs", **changes):
        rng = np.random.default_rng(0)
        parts = {
            "info": slide_info(name),
            "tissue_map": make_map(codes),
            "thumbnail": rng.integers(0, 255, (504, 616, 3), np.uint8),
            "features": features,
            "risk": assess_risk(features, load_risk_model("paper_eq1")),
            "card": ModelCard(
                name="test-model",
                scheme_name="crlm7",
                classes=CRLM7.names,
                sha256="ab" * 32,
                metrics={"accuracy": 0.973},
            ),
            "run": {
                "created": "2026-11-20T19:00:00+00:00",
                "identity": "cd" * 32,
                "device": "cpu",
                "tiles": {"classified": 1200, "stain_fallback": 17, "edge": 5},
                "versions": {"numpy": "9.9"},
                "options": {"regions": "/home/somebody/roi.geojson", "stain": {"method": "none"}},
                "notes": ["Look at this <b>note</b>."],
            },
        }
        return SlideReport(**(parts | changes))

    return make
