"""The grid: where it lies, what it skips, what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import box

from napari_crlm_spa._tests.core.tiles.conftest import GLASS, TISSUE, ArraySlide, paint
from napari_crlm_spa.core.tiles import (
    RegionsOfInterest,
    TileGrid,
    TileState,
    TilingOptions,
    blank_fraction,
    plan_tiles,
    read_tile,
)
from napari_crlm_spa.core.tiles.grid import STRIP_TILES
from napari_crlm_spa.core.tiles.tissue import BLOCK_PX
from napari_crlm_spa.errors import (
    MissingPixelSize,
    NoTissue,
    RegionError,
    ResolutionTooCoarse,
    UnreadableSlide,
)


def pending(grid):
    return grid.state == TileState.PENDING


def test_grid_skips_glass(half_tissue):
    grid = plan_tiles(half_tissue, TilingOptions())
    assert grid.state.shape == (6, 10)
    assert (grid.state[:, :5] == TileState.PENDING).all()
    assert (grid.state[:, 5:] == TileState.GLASS).all()
    assert not grid.edge.any()


def test_mask_is_read_from_the_coarsest_level_that_is_fine_enough(half_tissue):
    plan_tiles(half_tissue, TilingOptions(mask_mpp=8.0))
    assert {level for level, *_ in half_tissue.reads} == {2}  # 16 x 0.5 = 8 µm per pixel


@pytest.mark.parametrize("mpp", [0.25, 0.2265, 0.33, 0.499, 0.5, 0.55])
@pytest.mark.parametrize("downsamples", [(1.0,), (1.0, 3.97, 15.3), (1.0, 2.0001, 8.0034)])
def test_grid_is_fixed_in_micrometers_whatever_the_scan(mpp, downsamples):
    tissue = (224.0, 112.0, 560.0, 448.0)  # columns 2-4, rows 1-3
    slide = ArraySlide(paint(1120, 672, mpp, tissue), mpp, downsamples)
    grid = plan_tiles(slide, TilingOptions())
    expected = np.zeros((6, 10), bool)
    expected[1:4, 2:5] = True
    # A neighbor may be read for the fringe that resampling smears over the border, not more.
    assert pending(grid)[expected].all()
    kept = [
        (row, col)
        for row, col in grid.pending()
        if blank_fraction(read_tile(slide, grid, row, col)[None], TilingOptions())[0] <= 0.5
    ]
    assert kept == [tuple(at) for at in np.argwhere(expected)]
    assert grid.corner_um(1, 2) == (224.0, 112.0)


def test_tile_shows_the_pixels_of_its_place():
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 200, (448, 672, 3), dtype=np.uint8)
    slide = ArraySlide(picture)
    grid = plan_tiles(slide, TilingOptions())
    np.testing.assert_array_equal(read_tile(slide, grid, 1, 2), picture[224:448, 448:672])


def test_40x_tile_is_the_same_field_at_20x():
    slide = ArraySlide(paint(336, 224, 0.25, (140.0, 0.0, 336.0, 224.0)), 0.25, (1.0, 2.0))
    grid = plan_tiles(slide, TilingOptions())
    tile = read_tile(slide, grid, 0, 1)  # 112 to 224 µm; tissue from 140 µm, pixel 56 of the tile
    assert tile.shape == (224, 224, 3)
    assert (tile[:, :55] == GLASS).all()
    assert (tile[:, 57:] == TISSUE).all()


def test_edge_tiles_are_marked_and_padded_white():
    picture = np.full((300, 500, 3), TISSUE, np.uint8)
    grid = plan_tiles(slide := ArraySlide(picture), TilingOptions())
    assert grid.state.shape == (2, 3)
    np.testing.assert_array_equal(grid.edge, [[False, False, True], [True, True, True]])
    corner = read_tile(slide, grid, 1, 2)
    assert (corner[: 300 - 224, : 500 - 448] == TISSUE).all()
    assert (corner[300 - 224 :] == 255).all()
    assert (corner[:, 500 - 448 :] == 255).all()


def test_a_sliver_thinner_than_half_a_pixel_gets_no_tile():
    # 224.4 px at 0.5 µm: a 0.4 px rest is rounding of the pixel size, not tissue.
    slide = ArraySlide(np.full((225, 225, 3), TISSUE, np.uint8), mpp=0.5 * 224.4 / 225)
    grid = plan_tiles(slide, TilingOptions())
    assert grid.state.shape == (1, 1)
    assert not grid.edge.any()


def test_nothing_outside_the_scanned_bounds_becomes_a_tile():
    picture = np.full((1120, 1344, 3), TISSUE, np.uint8)  # 5 x 6 tiles, tissue everywhere
    bounds = (300, 448, 700, 448)  # x 300-1000, y 448-896: columns 1-4, rows 2-3
    slide = ArraySlide(picture, bounds=bounds)
    grid = plan_tiles(slide, TilingOptions())
    expected = np.zeros((5, 6), bool)
    expected[2:4, 1:5] = True
    np.testing.assert_array_equal(pending(grid), expected)
    assert (grid.state[~expected] == TileState.GLASS).all()
    assert grid.corner_um(0, 0) == (0.0, 0.0)


def test_tiles_across_the_bounds_are_white_beyond_them():
    picture = np.full((448, 448, 3), TISSUE, np.uint8)
    slide = ArraySlide(picture, bounds=(100, 0, 348, 400))
    grid = plan_tiles(slide, TilingOptions())
    np.testing.assert_array_equal(grid.edge, [[True, False], [True, True]])
    tile = read_tile(slide, grid, 1, 0)
    assert (tile[:, :100] == 255).all()
    assert (tile[400 - 224 :] == 255).all()
    assert (tile[: 400 - 224, 100:] == TISSUE).all()


@pytest.mark.parametrize(("down", "right"), [(1, 0), (0, 3), (2, 1)])
def test_shifting_tissue_by_whole_tiles_shifts_the_grid_states(down, right):
    tissue = (130.0, 150.0, 400.0, 330.0)
    moved = (
        tissue[0] + right * 112,
        tissue[1] + down * 112,
        tissue[2] + right * 112,
        tissue[3] + down * 112,
    )
    states = [
        plan_tiles(ArraySlide(paint(1120, 896, 0.5, part)), TilingOptions()).state
        for part in (tissue, moved)
    ]
    np.testing.assert_array_equal(np.roll(states[0], (down, right), (0, 1)), states[1])


part_um = st.integers(0, 24).map(lambda step: step * 8.0)


@settings(max_examples=40, deadline=None)
@given(
    tissue=st.lists(st.tuples(part_um, part_um, part_um, part_um), min_size=1, max_size=4),
    downsample=st.sampled_from([1.0, 3.97, 8.0]),
)
def test_grid_covers_every_tile_that_the_blank_rule_would_keep(tissue, downsample):
    options = TilingOptions(tile_px=64)  # 32 µm, 4 x 4 mask pixels
    slide = ArraySlide(paint(200, 200, 0.5, *tissue), downsamples=(1.0, downsample))
    try:
        states = pending(plan_tiles(slide, options))
    except NoTissue:
        states = np.zeros((7, 7), bool)
    padded = np.full((448, 448, 3), 255, np.uint8)
    padded[:400, :400] = slide.pictures[0]
    tiles = padded.reshape(7, 64, 7, 64, 3).swapaxes(1, 2).reshape(49, 64, 64, 3)
    kept = blank_fraction(tiles, options).reshape(7, 7) <= options.blank_max
    assert states[kept].all()


def test_slide_clearly_coarser_than_the_tiles_is_refused_with_the_way_out(half_tissue):
    slide = ArraySlide(paint(1120, 672, 1.0, (0, 0, 560, 672)), mpp=1.0)
    with pytest.raises(ResolutionTooCoarse, match=r"1 µm per pixel .*0\.5 µm.*--mpp"):
        plan_tiles(slide, TilingOptions())
    assert pending(plan_tiles(slide, TilingOptions(enlarge_max=1.0))).any()


@pytest.mark.parametrize("mpp", [0.58, 0.6])
def test_slightly_coarser_slides_are_enlarged(mpp):
    slide = ArraySlide(paint(1120, 672, mpp, (0, 0, 560, 672)), mpp=mpp)
    assert pending(plan_tiles(slide, TilingOptions())).any()


def test_slide_without_pixel_size_is_refused(half_tissue):
    slide = ArraySlide(paint(224, 224, 0.5, (0, 0, 224, 224)), mpp=None)
    with pytest.raises(MissingPixelSize, match="--mpp"):
        plan_tiles(slide, TilingOptions())


def test_slide_of_glass_is_refused():
    with pytest.raises(NoTissue, match="nothing but glass"):
        plan_tiles(ArraySlide(paint(448, 448, 0.5)), TilingOptions())


def test_region_on_glass_is_refused(half_tissue):
    regions = RegionsOfInterest(include=(box(1500, 100, 2000, 900),), source="roi.geojson")
    with pytest.raises(NoTissue, match=r"roi\.geojson"):
        plan_tiles(half_tissue, TilingOptions(), regions)


def test_regions_restrict_the_grid_and_exclusions_carve_it(half_tissue):
    regions = RegionsOfInterest(
        include=(box(0, 0, 3 * 224, 6 * 224),), exclude=(box(224, 448, 448, 672),)
    )
    grid = plan_tiles(half_tissue, TilingOptions(), regions)
    expected = np.full((6, 10), TileState.EXCLUDED)
    expected[:, :3] = TileState.PENDING
    expected[2, 1] = TileState.EXCLUDED
    np.testing.assert_array_equal(grid.state, expected)


def test_region_in_level0_pixels_lands_on_the_same_tissue_at_40x():
    slide = ArraySlide(paint(1120, 672, 0.25, (0, 0, 1120, 672)), 0.25, (1.0, 4.0))
    regions = RegionsOfInterest(include=(box(448, 0, 3 * 448, 448),))  # columns 1-2, row 0
    grid = plan_tiles(slide, TilingOptions(), regions)
    np.testing.assert_array_equal(grid.pending(), [[0, 1], [0, 2]])


def test_region_of_another_slide_is_refused(half_tissue):
    regions = RegionsOfInterest(include=(box(9000, 9000, 9900, 9900),), source="roi.geojson")
    with pytest.raises(RegionError, match=r"roi\.geojson .*x 9000 to 9900.* outside drawn\.svs"):
        plan_tiles(half_tissue, TilingOptions(), regions)


def test_exclusions_that_leave_nothing_are_refused(half_tissue):
    regions = RegionsOfInterest(exclude=(box(-10, -10, 5000, 5000),))
    with pytest.raises(RegionError, match="cover all"):
        plan_tiles(half_tissue, TilingOptions(), regions)


def test_mask_of_a_large_slide_is_read_in_blocks():
    slide = ArraySlide(None, mpp=0.5, size_px=(20_000, 5_000))
    grid = plan_tiles(slide, TilingOptions())
    assert pending(grid).all()
    assert len(slide.reads) > 5
    assert max(max(read[3:]) for read in slide.reads) <= BLOCK_PX + 2 * 18


def test_blocks_without_a_wanted_tile_are_not_read():
    slide = ArraySlide(None, mpp=0.5, size_px=(20_000, 5_000))
    plan_tiles(slide, TilingOptions(), RegionsOfInterest(include=(box(0, 0, 1000, 1000),)))
    assert len(slide.reads) == 1


def test_tiles_under_a_damaged_part_of_the_mask_are_tried_themselves():
    slide = ArraySlide(None, mpp=0.5, size_px=(20_000, 3_000))
    slide.damaged = lambda level, x, y, width, height: x > 10_000
    assert pending(plan_tiles(slide, TilingOptions())).all()


def test_slide_whose_mask_cannot_be_read_at_all_is_refused(half_tissue):
    half_tissue.damaged = lambda level, x, y, width, height: True
    with pytest.raises(UnreadableSlide):
        plan_tiles(half_tissue, TilingOptions())


@pytest.mark.parametrize("size", [1, 7, 8, 10_000])
def test_batches_hold_every_pending_tile_once_strip_by_strip(size):
    state = np.random.default_rng(0).choice([TileState.PENDING, TileState.GLASS], (9, 75))
    grid = TileGrid(state.astype(np.uint8), state == 0, tile_px=224, mpp=0.5)
    batches = list(grid.batches(size))
    assert {len(batch) for batch in batches[:-1]} <= {size}
    at = np.concatenate(batches)
    np.testing.assert_array_equal(at[np.lexsort((at[:, 1], at[:, 0]))], grid.pending())
    strip = at[:, 1] // STRIP_TILES
    np.testing.assert_array_equal(at, at[np.lexsort((at[:, 1], at[:, 0], strip))])


@pytest.mark.parametrize(("downsamples", "forgotten"), [((1.0, 4.0, 16.0), 1), ((1.0,), 0)])
def test_pixels_of_the_mask_are_given_back_unless_tiles_are_read_from_the_same_level(
    downsamples, forgotten, monkeypatch
):
    slide = ArraySlide(None, downsamples=downsamples, size_px=(2240, 2240))
    given_back = []
    monkeypatch.setattr(slide, "forget_pixels", lambda: given_back.append(1), raising=False)
    plan_tiles(slide, TilingOptions())
    assert len(given_back) == forgotten
