"""Tiles for QuPath: right corners, right classes, right frame."""

import dataclasses
import gzip
import json

import numpy as np
import pytest
import shapely.geometry

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.geojson import (
    export_areas_geojson,
    export_tiles_geojson,
    write_tiles_geojson,
)
from napari_crlm_spa.core.slide import ArraySlide, PixelSize
from napari_crlm_spa.core.spatial import Zone, spatial_features
from napari_crlm_spa.core.tile_table import TileSource
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


def reviewed_map():
    """Tumor in liver; of the first row one tile is corrected, one accepted, one set aside."""
    predicted = np.full((12, 14), CRLM7.code("HEP"), np.uint8)
    predicted[2:11, 3:12] = CRLM7.code("TUM")
    grid = TileGrid(
        np.full(predicted.shape, TileState.CLASSIFIED, np.uint8),
        np.zeros(predicted.shape, bool),
        224,
        0.5,
    )
    before = TissueMap.empty(grid, CRLM7)
    before.classes[:] = predicted
    before.probabilities[..., CRLM7.index("HEP")] = 0.75
    before.probabilities[..., CRLM7.index("STR")] = 0.25
    now = dataclasses.replace(before, classes=predicted.copy(), state=before.state.copy())
    now.classes[0, 0], now.state[0, 0] = CRLM7.code("STR"), TileState.EDITED
    now.state[0, 1] = TileState.ACCEPTED
    now.classes[0, 2], now.state[0, 2] = 0, TileState.SET_ASIDE
    marks = {"blur": np.eye(12, 14, dtype=bool)}
    return TileSource(
        tissue_map=now,
        predicted=before,
        features=spatial_features(now),
        reader='Dr. "A"',
        marks=marks,
    )


def export(write, source, path, **changes):
    steps = list(write(path, source, info(**changes)))
    return read(path), steps


def test_a_correction_keeps_the_prediction_beside_it(tmp_path):
    found, _ = export(export_tiles_geojson, reviewed_map(), tmp_path / "t.geojson.gz")
    first, second, third, fourth = (each["properties"] for each in found[:4])
    assert first["classification"]["name"] == "STR"
    assert first["metadata"]["predicted"] == "HEP"
    assert first["metadata"]["reader"] == 'Dr. "A"'
    assert (first["metadata"]["state"], second["metadata"]["state"]) == ("edited", "accepted")
    assert (first["measurements"]["corrected"], second["measurements"]["corrected"]) == (1, 0)
    assert first["measurements"]["p(HEP)"] == 0.75
    assert "predicted" not in second["metadata"] and "reader" not in fourth["metadata"]
    assert third["classification"]["name"] == "Ignore*"
    assert third["metadata"]["state"] == "set aside"
    assert (first["measurements"]["mark(blur)"], second["measurements"]["mark(blur)"]) == (1, 0)


def test_zone_distance_and_interaction_are_those_of_the_features(tmp_path):
    source = reviewed_map()
    found, _ = export(export_tiles_geojson, source, tmp_path / "t.geojson.gz")
    assert len(found) == 12 * 14
    share = source.features.interaction_maps()["HEP"]
    for each in found:
        told = each["properties"]
        at = int(told["metadata"]["row"]), int(told["metadata"]["col"])
        expected = source.features.distance_um[at]
        assert told["measurements"]["distance to tumor um"] == pytest.approx(expected, abs=1e-4)
        zone = Zone(source.features.zone[at])
        assert told["metadata"].get("zone", "none") == zone.name.lower()
        assert ("interaction(HEP)" in told["measurements"]) == (not np.isnan(share[at]))
    assert any("interaction(HEP)" in each["properties"]["measurements"] for each in found)


def test_merged_areas_cover_the_tiles_in_pixels_of_the_slide(tmp_path):
    source = reviewed_map()
    found, _ = export(export_areas_geojson, source, tmp_path / "a.geojson.gz")
    # At 0.25 µm/px a tile of 112 µm is 448 px wide.
    for name, tiles in source.tissue_map.counts().items():
        shapes = [
            shapely.geometry.shape(each["geometry"])
            for each in found
            if each["properties"]["classification"]["name"] == name
        ]
        assert sum(shape.area for shape in shapes) == pytest.approx(tiles * 448**2)
    tumor = next(e for e in found if e["properties"]["name"] == "TUM")
    assert shapely.geometry.shape(tumor["geometry"]).bounds == (3 * 448, 896, 12 * 448, 11 * 448)
    assert tumor["properties"]["measurements"]["area mm2"] == pytest.approx(81 * 0.112**2)
    assert len({each["id"] for each in found}) == len(found)


@pytest.mark.parametrize("write", [export_tiles_geojson, export_areas_geojson])
def test_a_second_export_is_the_same_file(write, tmp_path):
    for name in ("a", "b"):
        export(write, reviewed_map(), tmp_path / f"{name}.geojson.gz")
    assert (tmp_path / "a.geojson.gz").read_bytes() == (tmp_path / "b.geojson.gz").read_bytes()


def test_a_closed_export_leaves_no_file(tmp_path):
    work = export_tiles_geojson(tmp_path / "t.geojson.gz", reviewed_map(), info())
    next(work)
    next(work)
    work.close()
    assert list(tmp_path.iterdir()) == []


def test_blocks_of_any_size_are_the_same_tiles():
    source = reviewed_map()
    whole = next(iter(source.blocks()))
    parts = list(source.blocks(size=13))
    assert len(whole) == len(source) == sum(map(len, parts))
    for name in ("rows", "codes", "entropy", "zone", "x_um"):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(whole, name))
    np.testing.assert_allclose(whole.confidence, source.tissue_map.confidence().ravel())
    np.testing.assert_allclose(whole.entropy, source.tissue_map.entropy().ravel(), rtol=1e-6)


def test_only_a_name_that_says_so_is_compressed(tmp_path):
    source = reviewed_map()
    plain, packed = tmp_path / "t.geojson", tmp_path / "t.geojson.gz"
    for path in (plain, packed):
        list(export_tiles_geojson(path, source, info()))
    assert gzip.decompress(packed.read_bytes()) == plain.read_bytes()
    assert len(json.loads(plain.read_text("utf-8"))["features"]) == len(source)
