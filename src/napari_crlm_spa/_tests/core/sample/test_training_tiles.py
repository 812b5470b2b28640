import csv

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import write_drawn_tiles
from napari_crlm_spa.core.sample.training_tiles import MANIFEST_COLUMNS


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("drawn")
    reports = list(write_drawn_tiles(folder, 5, seed=3))
    assert reports[-1].done == reports[-1].total == 35
    return folder


def rows(folder):
    with (folder / "manifest.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_class_gets_its_folder_and_the_manifest_names_every_tile(folder):
    table = rows(folder)
    assert sorted(row["path"] for row in table) == sorted(
        path.relative_to(folder).as_posix() for path in folder.glob("*/*.jpg")
    )
    for name in CRLM7.names:
        assert sum(row["class"] == name for row in table) == 5
        assert all(
            row["path"].startswith(f"{name}/drawn-3-") for row in table if row["class"] == name
        )


def test_tiles_come_from_several_slides_of_different_stain(folder):
    table = [row for row in rows(folder) if row["class"] == "HEP"]
    assert len({row["slide"] for row in table}) == 5
    colors = [np.asarray(Image.open(folder / row["path"])).mean(axis=(0, 1)) for row in table]
    assert np.std(colors, axis=0).max() > 5


def test_the_same_seed_writes_the_same_tiles(folder, tmp_path):
    list(write_drawn_tiles(tmp_path, 1, seed=3))
    for path in tmp_path.glob("*/*.jpg"):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes()


@real_data
def test_the_manifest_has_the_columns_of_the_real_one():
    with (SHARED / "tiles" / "manifest.csv").open(newline="") as file:
        assert tuple(next(csv.reader(file))) == MANIFEST_COLUMNS
