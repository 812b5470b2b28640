"""A painted slide and a model that knows its colors, so that a whole run has a known answer."""

import shutil

import numpy as np
import pytest
import torch
from PIL import Image

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import Architecture, ModelCard, StainTarget
from napari_crlm_spa.core.classifier.network import network_for
from napari_crlm_spa.core.classifier.reference_set import build_reference_set, save_reference_set
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.pipeline import AnalysisOptions
from napari_crlm_spa.core.tiles import TilingOptions

PX = 32
#: Colors of the seven classes on the painted slide; none is blank.
PALETTE = np.array(
    [[120, 120, 120], [30, 30, 60], [190, 90, 90], [60, 40, 150], [120, 170, 200], [200, 120, 180],
     [110, 30, 110]], np.uint8
)  # fmt: skip


def metastasis(rows=30, cols=40):
    """Codes of a small metastasis: tumor disc, stroma rim, liver, some debris, mucus, glass."""
    y, x = np.mgrid[:rows, :cols]
    r = np.hypot(y - 14.5, x - 17.5)
    codes = np.full((rows, cols), CRLM7.code("HEP"), np.uint8)
    codes[(x + 2 * y) % 11 == 0] = CRLM7.code("LYM")
    codes[r < 9] = CRLM7.code("STR")
    codes[r < 7] = CRLM7.code("TUM")
    codes[r < 2] = CRLM7.code("DEB")
    codes[(r > 4) & (r < 6) & (x < 14)] = CRLM7.code("MUC")
    codes[:, :3] = 0
    codes[-2:] = 0
    codes[5:7, 35:38] = CRLM7.code("BACK")
    return codes


def paint(codes, path):
    """Write codes as a PNG of flat tiles, white where there is no tissue."""
    colors = np.concatenate([[[255, 255, 255]], PALETTE]).astype(np.uint8)
    pixels = colors[codes].repeat(PX, axis=0).repeat(PX, axis=1)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="session")
def color_model(tmp_path_factory):
    """A model folder whose network, fitted in a second, tells the palette's colors apart."""
    torch.manual_seed(0)
    card = ModelCard(
        name="colors",
        scheme_name="crlm7",
        classes=CRLM7.names,
        tile_px=PX,
        mpp=0.5,
        input_px=PX,
        architecture=Architecture(name="tiny", hidden=32, dropout=0.0),
        stain=StainTarget(method="none"),
    )
    network = network_for(card)
    tiles = torch.from_numpy(PALETTE)[:, None, None].expand(7, PX, PX, 3).repeat(4, 1, 1, 1)
    labels = torch.arange(7).repeat(4)
    noise = torch.randint(0, 3, tiles.shape, dtype=torch.uint8)
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(tiles + noise), labels).backward()
        optimizer.step()
    network.eval()
    assert (network(tiles).argmax(dim=1) == labels).all(), "the toy model did not learn its colors"
    folder = tmp_path_factory.mktemp("colors")
    save_model(folder, card, network)
    return folder


@pytest.fixture(scope="session")
def watchful_model(color_model, tmp_path_factory):
    """The same with a reference set: it knows the palette, a little lighter or darker."""
    folder = tmp_path_factory.mktemp("watchful") / "model"
    shutil.copytree(color_model, folder)
    _, network = load_model(folder)
    slides, each = ("a", "b", "c"), 30
    labels = np.tile(np.repeat(np.arange(7), each), len(slides))
    names = np.repeat(slides, 7 * each)
    off = np.random.default_rng(0).integers(-6, 7, (len(labels), 1, 1, 3))
    flat = np.clip(PALETTE[labels][:, None, None] + off, 0, 255).astype(np.uint8)
    tiles = flat.repeat(PX, axis=1).repeat(PX, axis=2)
    reference = build_reference_set(
        network, tiles, labels, list(names), names == "c", torch.device("cpu")
    )
    save_reference_set(folder, reference)
    return folder


#: A color that no tissue has; blotches of it are painted over a slide.
GREEN = (40, 190, 60)


def paint_over(path, mask):
    """Paint the tiles of a mask green."""
    pixels = np.array(Image.open(path))
    pixels[mask.repeat(PX, axis=0).repeat(PX, axis=1)] = GREEN
    Image.fromarray(pixels).save(path)


@pytest.fixture
def codes():
    return metastasis()


@pytest.fixture
def slide(codes, tmp_path):
    return paint(codes, tmp_path / "painted.png")


@pytest.fixture
def options(color_model):
    return AnalysisOptions(mpp=0.5, model=str(color_model), tiling=TilingOptions(mask_mpp=2.0))
