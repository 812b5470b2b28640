"""Layer data: names, places, colors; nothing of it needs a window."""

import numpy as np
import pytest
from napari.layers import Image, Labels, Vectors
from napari.layers import Layer as NapariLayer

from napari_crlm_spa._tests.plugin.conftest import COLS
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.slide.pyramid import SlidePyramid
from napari_crlm_spa.core.spatial import TISSUES, Zone
from napari_crlm_spa.plugin.layers import (
    analysis_layers,
    border_segments,
    class_colors,
    doubt_layers,
    kind_of,
    outline_layer,
    slide_layer,
    tissue_map_layer,
    zone_layer,
)


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


def test_an_analysis_becomes_zones_heat_maps_and_an_outline(analysis):
    described = analysis_layers(analysis, "id", "slide")
    layers = [create(each) for each in described]
    kinds = [kind_of(layer.metadata, "id") for layer in layers]
    # Mucus is not on this slide, and no hepatocytes touch the tumor.
    assert kinds.count("zones") == len(TISSUES) - 1
    assert kinds.count("interaction") == len(TISSUES) - 2
    assert kinds.count("tumor_region") == 1
    assert [layer.name for layer in layers if layer.visible] == ["Tumor region · slide"]
    assert len({layer.name for layer in layers}) == len(layers)
    assert all(str(layer.units[0]) == "micrometer" for layer in layers)


def test_zone_layers_show_the_masks_of_the_features(analysis):
    masks = analysis.features.zone_masks()
    layer = create(zone_layer(masks["HEP"], "HEP", analysis.tissue_map, "id", "slide"))
    assert set(np.unique(layer.data)) <= {int(zone) for zone in Zone}
    hepatocytes = analysis.tissue_map.mask("HEP")
    assert not layer.data[~hepatocytes].any()


def test_heat_maps_keep_one_scale_on_every_slide(analysis):
    heat = [each for each in analysis_layers(analysis, "id", "s") if each[2] == "image"]
    assert len(heat) > 3
    for described in heat:
        layer = create(described)
        assert isinstance(layer, Image)
        top = 2.0 if kind_of(layer.metadata) == "strangeness" else 1.0
        assert layer.contrast_limits == [0.0, top]
        assert layer.data.dtype.kind == "f"


def doubts_of(tissue_map):
    layers = [create(each) for each in doubt_layers(tissue_map, "id", "slide")]
    return {kind_of(layer.metadata): layer for layer in layers}


def test_three_maps_of_doubt_wait_hidden(known_map):
    layers = doubts_of(known_map)
    assert list(layers) == ["confidence", "entropy", "strangeness"]
    assert not any(layer.visible for layer in layers.values())
    assert [layer.name for layer in layers.values()][2] == "Strangeness (limit 1) · slide"


def test_the_status_bar_tells_the_strangeness_of_the_tile_under_the_pointer(known_map):
    layer = doubts_of(known_map)["strangeness"]
    layer.visible = True
    for row, col, told in ((6, 7, "1.5"), (1, 1, "0.5"), (1, COLS - 1, "nan")):
        status = layer.get_status(layer.data_to_world((row, col)), world=True)
        assert status["value"].strip(": ") == told


def test_the_strangeness_changes_color_at_its_limit_and_is_clear_where_unknown(known_map):
    layer = doubts_of(known_map)["strangeness"]
    below, above = layer.colormap.map(np.array([0.99, 1.01]) / 2)
    assert np.ptp(below[:3]) < 0.1, "gray below the limit"
    assert above[0] > above[2] + 0.5, "orange beyond it"
    assert layer.colormap.map(np.array([np.nan]))[0, 3] == 0


def test_where_the_network_is_sure_nothing_covers_the_slide(known_map):
    layers = doubts_of(known_map)
    assert layers["confidence"].colormap.map(np.array([1.0]))[0, 3] == 0
    assert layers["entropy"].colormap.map(np.array([0.0]))[0, 3] == 0
    assert np.nanmax(layers["entropy"].data) == 0


def test_a_model_that_cannot_tell_what_is_strange_has_no_such_layer(known_map):
    known_map.strangeness[:] = np.nan
    assert "strangeness" not in doubts_of(known_map)


def test_the_outline_runs_along_tile_edges():
    mask = np.zeros((4, 5), np.bool_)
    mask[1:3, 1:4] = True
    segments = border_segments(mask)
    assert len(segments) == 2 * (2 + 3)
    starts, directions = segments[:, 0], segments[:, 1]
    assert starts.min(axis=0).tolist() == [1, 1]
    assert (starts + directions).max(axis=0).tolist() == [3, 4]
    assert np.abs(directions).sum(axis=1).tolist() == [1] * len(segments)


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


def test_names_of_layers_begin_with_their_tissue(analysis):
    """Napari cuts a long name in its middle."""
    names = [kwargs["name"] for _, kwargs, _ in analysis_layers(analysis, "id", "slide")]
    assert "Debris, zones · slide" in names
    assert "Stroma, with tumor · slide" in names
