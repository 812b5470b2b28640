"""Tiles for QuPath: right corners, right classes, right frame."""

import dataclasses
import gzip
import json

import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.geojson import write_tiles_geojson
from napari_crlm_spa.core.slide import ArraySlide, PixelSize
from napari_crlm_spa.core.tiles import TileGrid, TileScores, TileState, read_regions
from napari_crlm_spa.core.tissue_map import TissueMap


@pytest.fixture
def tissue_map():
    grid = TileGrid(
        state=np.full((3, 4), TileState.PENDING, np.uint8),
        edge=np.zeros((3, 4), bool),
        tile_px=224,
        mpp=0.5,
        origin_um=(56.0, 28.0),
    )
    found = TissueMap.empty(grid, CRLM7)
    probabilities = np.eye(7, dtype=np.float16)[[6, 2]]
    found.add(
        TileScores(
            rows=np.array([0, 2], np.int32),
            cols=np.array([1, 3], np.int32),
            states=np.full(2, TileState.CLASSIFIED, np.uint8),
            probabilities=probabilities,
            strangeness=np.array([1.25, np.nan], np.float16),
            stain_fallback=np.zeros(2, bool),
        )
    )
    return found


def info(**changes):
    plain = ArraySlide(np.full((40, 50, 3), 255, np.uint8), mpp=0.25).info
    return dataclasses.replace(plain, **changes)


def read(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["features"]


def test_only_classified_tiles_are_written_with_corners_in_level_0_pixels(tissue_map, tmp_path):
    path = tmp_path / "tiles.geojson.gz"
    assert write_tiles_geojson(path, tissue_map, info()) == 2
    first, second = read(path)
    # Column 1, row 0 at 0.25 µm/px: x from (56 + 112) µm, y from 28 µm; a side of 448 px.
    assert first["geometry"]["coordinates"][0] == [
        [672, 112], [1120, 112], [1120, 560], [672, 560], [672, 112],
    ]  # fmt: skip
    assert first["properties"]["classification"]["name"] == "TUM"
    assert first["properties"]["classification"]["color"] == list(CRLM7["TUM"].rgb)
    assert second["properties"]["measurements"]["p(HEP)"] == 1.0


def test_the_scanned_area_of_mrxs_is_subtracted_as_qupath_crops_it(tissue_map, tmp_path):
    path = tmp_path / "tiles.geojson.gz"
    write_tiles_geojson(path, tissue_map, info(bounds_xy0=(600, 100, 20, 20)))
    first, _ = read(path)
    assert first["geometry"]["coordinates"][0][0] == [72, 12]
    assert first["properties"]["metadata"]["offset_xy0"] == "600,100"


def test_regions_from_qupath_lie_where_the_tiles_for_qupath_came_from(tissue_map, tmp_path):
    path, bounds = tmp_path / "tiles.geojson.gz", (600, 100, 20, 20)
    write_tiles_geojson(path, tissue_map, info(bounds_xy0=bounds))
    (tmp_path / "roi.geojson").write_bytes(gzip.decompress(path.read_bytes()))
    regions = read_regions(tmp_path / "roi.geojson", bounds[:2])
    assert regions.include[0].bounds == (672, 112, 1120, 560)
    assert "(600, 100)" in regions.notes[0]


def test_pixels_need_not_be_square(tissue_map, tmp_path):
    path = tmp_path / "tiles.geojson.gz"
    write_tiles_geojson(path, tissue_map, info(pixel_size=PixelSize(0.25, 0.5, "user")))
    first, _ = read(path)
    (x0, y0), _, (x1, y1) = first["geometry"]["coordinates"][0][:3]
    assert (x1 - x0, y1 - y0) == (448, 224)


def test_a_tile_carries_its_doubts_and_what_is_not_known_is_left_out(tissue_map, tmp_path):
    path = tmp_path / "tiles.geojson.gz"
    write_tiles_geojson(path, tissue_map, info())
    first, second = (each["properties"]["measurements"] for each in read(path))
    assert (first["confidence"], first["entropy"], first["strangeness"]) == (1, 0, 1.25)
    assert "strangeness" not in second


def test_ids_stay_the_same_in_a_second_export(tissue_map, tmp_path):
    for name in ("a.geojson.gz", "b.geojson.gz"):
        write_tiles_geojson(tmp_path / name, tissue_map, info())
    ids = [[each["id"] for each in read(tmp_path / f"{name}.geojson.gz")] for name in "ab"]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
