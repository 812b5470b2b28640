"""Trivially different drawn tiles: each class of CRLM-7 has a color of its own."""

from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.training import (
    TrainingOptions,
    curves,
    history,
    train_classifier,
)

PX = 32
COLORS = (
    (240, 240, 240), (90, 40, 60), (220, 130, 160), (50, 40, 130),
    (190, 210, 230), (240, 150, 190), (140, 60, 150),
)  # fmt: skip


def draw(folder, class_name, slide, count, seed, color, px=PX):
    """Write speckled tiles of one color as ``<class>/<slide>_x<X>_y<Y>.png``."""
    rng = np.random.default_rng(seed)
    (folder / class_name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        noise = rng.normal(0, 12, (px, px, 3))
        pixels = np.clip(np.array(color) + noise, 0, 255).astype(np.uint8)
        name = f"{slide}_x{number * 500}_y0.png"
        Image.fromarray(pixels).save(folder / class_name / name)


@pytest.fixture(scope="session", autouse=True)
def _no_pictures():
    """A picture takes longer than a training here: leave it out where it is not looked at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "plot_history", lambda *_: None)
        yield


@contextmanager
def pictures():
    """Draw the curves of a training all the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "plot_history", curves.plot_history)
        yield


@pytest.fixture(scope="session")
def colored_tiles(tmp_path_factory):
    """Seven classes, three slides, six tiles each."""
    folder = tmp_path_factory.mktemp("tiles")
    for label, (name, color) in enumerate(zip(CRLM7.names, COLORS, strict=True)):
        for number, slide in enumerate(("alpha", "beta", "gamma")):
            draw(folder, name, slide, 6, 10 * label + number, color)
    return folder


def tiny_options(**changes):
    """Options for a training of seconds; keyword arguments change them."""
    small = {
        "arch": "tiny", "hidden": 16, "tile_px": PX, "input_px": PX // 2, "epochs": 2,
        "batch_size": 32, "stain": "none", "stain_mix": 0.0, "device": "cpu",
        "precision": "fp32", "learning_rate": 0.01, "warmup_epochs": 0.5, "dropout": 0.0,
    }  # fmt: skip
    return TrainingOptions(**{**small, **changes})


def model_to_retrain(tmp_path_factory, **changes):
    """Train a model of the colored classes; of each, 12 tiles trained on and 12 held back."""
    tiles = tmp_path_factory.mktemp("old")
    for label, (name, color) in enumerate(zip(CRLM7.names, COLORS, strict=True)):
        for number, slide in enumerate(("alpha", "beta")):
            draw(tiles, name, slide, 12, 10 * label + number, color)
    options = tiny_options(
        validation=0.5, validation_slides="beta", augment=0.0, ema=0.0, **changes
    )
    return run_to_end(train_classifier(tiles, tmp_path_factory.mktemp("base"), options))


def run_to_end(generator):
    """Run a generator to its end and return its result."""
    while True:
        try:
            next(generator)
        except StopIteration as stop:
            return stop.value


@pytest.fixture
def tiny():
    """`tiny_options`."""
    return tiny_options


@pytest.fixture
def finish():
    """`run_to_end`."""
    return run_to_end
