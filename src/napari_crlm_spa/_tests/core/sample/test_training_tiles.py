import csv

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import write_drawn_tiles
from napari_crlm_spa.core.sample.training_tiles import MANIFEST_COLUMNS
from napari_crlm_spa.errors import StoreError


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


def test_drawn_tiles_of_an_interrupted_run_are_not_taken_for_photographs(tmp_path):
    work = write_drawn_tiles(tmp_path, 2, seed=3)
    next(work)
    work.close()
    assert len(list(tmp_path.glob("*/*.jpg"))) == 1
    assert {row["split_kind"] for row in rows(tmp_path)} == {"drawn"}
    assert len(rows(tmp_path)) == 14


def test_a_folder_of_drawn_tiles_can_be_drawn_anew(tmp_path):
    for count, seed in ((2, 3), (1, 4)):
        list(write_drawn_tiles(tmp_path, count, seed))
    assert {row["slide"] for row in rows(tmp_path)} == {"drawn-4-00"}


@pytest.mark.parametrize("manifest", ["path,class\nTUM/a.jpg,TUM\n", None])
def test_photographed_tiles_are_never_hidden_behind_a_manifest_of_drawn_ones(tmp_path, manifest):
    (tmp_path / "TUM").mkdir()
    (tmp_path / "TUM" / "a.jpg").write_bytes(b"a tile")
    if manifest:
        (tmp_path / "manifest.csv").write_text(manifest)
    with pytest.raises(StoreError, match="holds other tiles than drawn ones"):
        next(write_drawn_tiles(tmp_path, 1, seed=3))
    kept = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert kept == {"TUM/a.jpg", *(["manifest.csv"] if manifest else [])}


@real_data
def test_the_manifest_has_the_columns_of_the_real_one():
    with (SHARED / "tiles" / "manifest.csv").open(newline="") as file:
        assert tuple(next(csv.reader(file))) == MANIFEST_COLUMNS
