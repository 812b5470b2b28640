"""Layer data: names, places, colors; nothing of it needs a window."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from napari.layers import Image, Labels, Vectors
from napari.layers import Layer as NapariLayer

from napari_crlm_spa._tests.plugin.conftest import COLS
from napari_crlm_spa.core.classes import CRLM7, PALETTES
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.slide.pyramid import SlidePyramid
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.plugin.layers import (
    UNSURE_COLOR,
    HeatMap,
    border_segments,
    class_colors,
    code_layer,
    frame_layer,
    heat_layer,
    kind_of,
    outline_layer,
    slide_layer,
    tissue_codes,
    tissue_map_layer,
    unsure_tiles,
    zone_codes,
)
from napari_crlm_spa.plugin.layers.heat import SCALES
from napari_crlm_spa.plugin.map_view import MapKind


def create(layer_data):
    data, kwargs, kind = layer_data
    return NapariLayer.create(data, kwargs, kind)


def corner_um(layer, row, col):
    """Where the top-left corner of an array element lies, (y, x) in µm."""
    return np.asarray(layer.data_to_world((row - 0.5, col - 0.5)))


def picture(height, width):
    return np.zeros((height, width, 3), np.uint8)


#: Level sizes of real scanners: halves that drop a column, CMU-1's 4.00012, an MRXS chain.
PYRAMIDS = {
    "even": [(4096, 4096), (2048, 2048), (1024, 1024)],
    "dropped columns": [(3567, 4443), (1783, 2221), (891, 1110), (445, 555)],
    "4.0007 and 16.004": [(3291, 4600), (822, 1150), (205, 287)],
    "uneven": [(2967, 2220), (847, 633), (211, 158)],
}


@pytest.mark.parametrize("sizes", PYRAMIDS.values(), ids=PYRAMIDS)
@pytest.mark.parametrize("mpp", [0.2507, 0.5])
def test_every_level_lies_within_a_pixel_of_where_it_belongs(sizes, mpp):
    slide = ArraySlide([picture(*size) for size in sizes], mpp=mpp, path="odd.svs")
    layer = create(slide_layer(SlidePyramid(slide).levels, slide.info))
    for shape, factors, level in zip(
        layer.level_shapes, layer.downsample_factors, slide.info.levels, strict=False
    ):
        for share in (0.0, 0.5, 1.0):
            pixel = np.round(share * (np.asarray(shape) - 1))
            drawn_um = np.asarray(layer.data_to_world(pixel * factors))
            true_um = (pixel + 0.5) * level.downsample * mpp
            assert np.abs(drawn_um - true_um).max() < level.downsample * mpp


def test_the_slides_corner_is_the_origin():
    slide = ArraySlide(picture(300, 401), mpp=0.25, path="one.svs")
    layer = create(slide_layer(SlidePyramid(slide).levels, slide.info))
    assert corner_um(layer, 0, 0) == pytest.approx([0, 0])
    assert corner_um(layer, 300, 401) == pytest.approx([75.0, 100.25])
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]


def test_a_slide_without_pixel_size_stays_in_pixels():
    slide = ArraySlide(picture(300, 401), path="unknown.svs")
    layer = create(slide_layer(SlidePyramid(slide).levels, slide.info))
    assert corner_um(layer, 300, 401) == pytest.approx([300, 401])
    assert {str(unit) for unit in layer.units} == {"pixel"}


@pytest.mark.parametrize("origin_um", [(0.0, 0.0), (37.5, -12.25)])
def test_tile_corners_of_the_map_are_those_of_the_grid(known_map, origin_um):
    import dataclasses

    moved = dataclasses.replace(known_map, origin_um=origin_um)
    layer = create(tissue_map_layer(moved, "id", "slide"))
    for row, col in [(0, 0), (1, 1), (20, 24), (7, 3)]:
        x_um, y_um = origin_um[0] + col * 112.0, origin_um[1] + row * 112.0
        assert corner_um(layer, row, col) == pytest.approx([y_um, x_um])


def test_a_tile_covers_its_slide_pixels_and_no_other(known_map):
    slide = ArraySlide(picture(8937, 10725), mpp=0.2507, path="s.svs")
    image = create(slide_layer(SlidePyramid(slide).levels, slide.info))
    labels = create(tissue_map_layer(known_map, "id", "slide"))
    # 112 µm are 446.75 pixels: pixel 446 (center 111.94 µm) is the last of tile 0.
    for pixel, tile in [(0, 0), (446, 0), (447, 1), (892, 1), (893, 2)]:
        position = labels.world_to_data(image.data_to_world((pixel, pixel)))
        assert np.round(position).tolist() == [tile, tile], pixel


def test_the_map_layer_shares_the_maps_array_and_colors(known_map):
    layer = create(tissue_map_layer(known_map, "id", "slide"))
    assert isinstance(layer, Labels)
    assert np.shares_memory(layer.data, known_map.classes)
    for tissue in CRLM7.classes:
        rgba = layer.colormap.map(np.uint8(CRLM7.code(tissue.name)))
        assert np.round(np.ravel(rgba)[:3] * 255).tolist() == list(tissue.rgb)
    assert np.ravel(layer.colormap.map(np.uint8(0)))[3] == 0


def test_hidden_classes_become_transparent():
    colors = class_colors(CRLM7, hidden=frozenset({"HEP"}))
    assert colors[CRLM7.code("HEP")] == "#00000000"
    assert colors[CRLM7.code("TUM")] == CRLM7["TUM"].color


def test_unsure_tiles_are_gray_and_still_say_what_they_may_be(known_map):
    unsure = np.zeros(known_map.shape, np.bool_)
    unsure[0, 0] = True
    shown = tissue_codes(known_map, CRLM7, unsure=unsure)
    layer = create(code_layer(shown, known_map, "id", "slide"))
    gray = np.ravel(layer.colormap.map(layer.data[0, 0]))[:3]
    assert np.ptp(gray) == 0
    assert [shown.colors[int(layer.data[0, 0])]] == [UNSURE_COLOR]
    assert "Hepatocytes, unsure" in layer.get_status((56.0, 56.0), world=True)["coordinates"]
    assert shown.colors[int(layer.data[0, 1])] == CRLM7["HEP"].color
    assert not np.shares_memory(layer.data, known_map.classes), "the map itself stays as it is"


def test_an_unsure_tile_of_a_hidden_class_is_hidden():
    colors = class_colors(CRLM7, hidden=frozenset({"HEP"}))
    assert colors[CRLM7.code("HEP") + len(CRLM7)] == "#00000000"
    assert colors[CRLM7.code("TUM") + len(CRLM7)] == UNSURE_COLOR


def test_unsure_is_what_is_less_probable_than_the_threshold_and_was_not_reviewed(known_map):
    known_map.probabilities[0, :6, CRLM7.index("HEP")] = [0.4, 0.5, 0.6, 0.4, 0.4, 0.4]
    known_map.state[0, 3:6] = [TileState.EDITED, TileState.ACCEPTED, TileState.SET_ASIDE]
    known_map.classes[0, 5] = 0
    unsure = unsure_tiles(known_map, known_map.confidence(), 0.5)
    assert np.argwhere(unsure).tolist() == [[0, 0]]


def test_the_color_of_unsure_is_nobody_elses():
    for palette in PALETTES:
        colors = [tissue.rgb for tissue in CRLM7.in_palette(palette).classes]
        gray = np.array([int(UNSURE_COLOR[i : i + 2], 16) for i in (1, 3, 5)])
        assert np.abs(np.array(colors) - gray).sum(axis=1).min() > 60


def test_zone_layers_show_the_masks_of_the_features(analysis):
    masks = analysis.features.zone_masks()
    shown = zone_codes(masks["HEP"], "HEP")
    layer = create(code_layer(shown, analysis.tissue_map, "id", "slide"))
    assert layer.name == "Hepatocytes, zones · slide", "napari cuts a long name in its middle"
    assert set(np.unique(layer.data)) <= {int(zone) for zone in Zone}
    hepatocytes = analysis.tissue_map.mask("HEP")
    assert not layer.data[~hepatocytes].any()
    assert shown.key == (("#ff7f0e", "infiltrating"), ("#4575b4", "distal"))


def heat_map_layer(kind, values, tissue_map):
    return create(heat_layer(HeatMap(kind.value, values, SCALES[kind]), tissue_map, "id", "slide"))


@pytest.mark.parametrize("kind", SCALES)
def test_heat_maps_keep_one_scale_on_every_slide(known_map, kind):
    values = np.full(known_map.shape, SCALES[kind].high / 3, np.float32)
    layer = heat_map_layer(kind, values, known_map)
    assert isinstance(layer, Image)
    assert tuple(layer.contrast_limits) == SCALES[kind].limits
    assert kind_of(layer.metadata) == "heat_map"
    assert corner_um(layer, 2, 3) == pytest.approx([224, 336])


@pytest.mark.parametrize("kind", SCALES)
def test_the_gradient_of_a_scale_has_the_colors_of_the_layer(known_map, kind):
    layer = heat_map_layer(kind, np.zeros(known_map.shape, np.float32), known_map)
    for place, color in SCALES[kind].stops:
        assert layer.colormap.map(np.array([place]))[0] == pytest.approx(color, abs=0.02)


def test_the_status_bar_tells_the_strangeness_of_the_tile_under_the_pointer(known_map):
    values = known_map.strangeness.astype(np.float32)
    layer = heat_map_layer(MapKind.STRANGENESS, values, known_map)
    for row, col, told in ((6, 7, "1.5"), (1, 1, "0.5"), (1, COLS - 1, "nan")):
        status = layer.get_status(layer.data_to_world((row, col)), world=True)
        # Before 0.7 napari tells it behind the coordinates.
        assert status.get("value", status["coordinates"]).split()[-1].strip(": ") == told


def test_the_strangeness_changes_color_at_its_limit_and_is_clear_where_unknown(known_map):
    layer = heat_map_layer(MapKind.STRANGENESS, known_map.strangeness.astype("f4"), known_map)
    below, above = layer.colormap.map(np.array([0.99, 1.01]) / 2)
    assert np.ptp(below[:3]) < 0.1, "gray below the limit"
    assert above[0] > above[2] + 0.5, "orange beyond it"
    # What is no number is clear, or (before napari 0.7) has no color.
    assert not layer.colormap.map(np.array([np.nan]))[0, 3] > 0


def test_where_the_network_is_sure_nothing_covers_the_slide(known_map):
    ones = np.ones(known_map.shape, np.float32)
    confidence = heat_map_layer(MapKind.CONFIDENCE, ones, known_map)
    entropy = heat_map_layer(MapKind.ENTROPY, 0 * ones, known_map)
    assert confidence.colormap.map(np.array([1.0]))[0, 3] == 0
    assert entropy.colormap.map(np.array([0.0]))[0, 3] == 0


def test_the_outline_runs_along_tile_edges():
    mask = np.zeros((4, 5), np.bool_)
    mask[1:3, 1:4] = True
    segments = border_segments(mask)
    starts, directions = segments[:, 0], segments[:, 1]
    assert sorted(map(tuple, starts.tolist())) == [(1, 1), (1, 1), (1, 4), (3, 1)]
    assert sorted(map(tuple, directions.tolist())) == [(0, 3), (0, 3), (2, 0), (2, 0)]


masks = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


@given(masks)
def test_the_outline_covers_every_border_of_a_tile_once_and_nothing_else(mask):
    rows, cols = mask.shape
    padded = np.pad(mask, 1)
    expected = set()
    for row, col in np.ndindex(rows + 1, cols + 1):
        here, above, left = padded[row + 1, col + 1], padded[row, col + 1], padded[row + 1, col]
        expected |= {(row, col, "across")} if here != above else set()
        expected |= {(row, col, "down")} if here != left else set()
    drawn = []
    for (row, col), (down, across) in border_segments(mask).astype(int).tolist():
        assert (down == 0) != (across == 0)
        drawn += [(row, col + step, "across") for step in range(across)]
        drawn += [(row + step, col, "down") for step in range(down)]
    assert len(drawn) == len(set(drawn))
    assert set(drawn) == expected


def test_the_frame_runs_around_its_tiles_in_dashes_of_two_colors(known_map):
    layer = create(frame_layer((3, 4), (1, 2), known_map, "id"))
    ends = np.concatenate([layer.data[:, 0], layer.data.sum(axis=1)])
    assert np.asarray(layer.data_to_world(ends.min(axis=0))) == pytest.approx([336, 448])
    assert np.asarray(layer.data_to_world(ends.max(axis=0))) == pytest.approx([448, 672])
    assert np.abs(layer.data[:, 1]).sum() == pytest.approx(2 * (1 + 2))
    assert len(np.unique(layer.edge_color, axis=0)) == 2


def test_the_outline_lies_on_the_tumors_border(analysis):
    mask = analysis.features.regions.mask
    layer = create(outline_layer(mask, analysis.tissue_map, "id", "slide"))
    assert isinstance(layer, Vectors)
    rows, cols = np.nonzero(mask)
    top_left = np.asarray(layer.data_to_world(layer.data[:, 0].min(axis=0)))
    assert top_left == pytest.approx([rows.min() * 112.0, cols.min() * 112.0])


def test_a_mask_without_tiles_has_no_outline():
    assert border_segments(np.zeros((3, 3), np.bool_)).shape == (0, 2, 2)


def test_other_peoples_layers_are_not_ours():
    assert kind_of({}) is None
    assert kind_of({"napari-crlm-spa": {"kind": "slide", "slide_id": "a"}}, "b") is None
