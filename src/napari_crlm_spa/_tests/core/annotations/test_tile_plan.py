"""Which tiles drawn areas and corrections label: known answers, and a count pixel by pixel."""

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box

from napari_crlm_spa._tests.core.annotations.test_qupath import slide_info
from napari_crlm_spa.core.annotations import (
    Area,
    Areas,
    ExportOptions,
    ReviewedMap,
    SlideToExport,
    plan_labeled_tiles,
    plan_slide,
    tiles_from_review,
)
from napari_crlm_spa.core.annotations import tile_plan as plan
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import PixelSize, SlideInfo, SlideLevel
from napari_crlm_spa.core.tiles import TileState, TilingOptions, lay_grid, plan_tiles
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import AnnotationError

OPTIONS = ExportOptions(tile_px=100, mpp=0.5)


def info_of(rows, cols, mpp=0.25, bounds=None, side=100):
    """A slide of whole tiles of `side` px at 0.5 µm/px; level 0 is finer."""
    width, height = (round(n * side * 0.5 / mpp) for n in (cols, rows))
    return SlideInfo(
        path=Path("drawn.svs"), vendor="drawn", decoder="array",
        levels=(SlideLevel(width, height, 1.0),), pixel_size=PixelSize(mpp, mpp, "drawn"),
        bounds_xy0=bounds or (0, 0, width, height), objective_power=None, icc_profile=False,
        associated_images=(), fingerprint="drawn",
    )  # fmt: skip


INFO = info_of(6, 10)  # a tile has 200 level-0 pixels


def labels(found):
    return {(tile.row, tile.col): tile.class_name for tile in found.tiles}


def test_a_tile_counts_from_the_purity_on():
    # Column 0 whole, 90 % of column 1 in row 0; 89.5 % of it in row 1.
    areas = [Area(box(0, 0, 380, 200), "TUM"), Area(box(0, 200, 379, 400), "TUM")]
    found = plan_labeled_tiles(areas, INFO, OPTIONS)
    assert labels(found) == {(0, 0): "TUM", (0, 1): "TUM", (1, 0): "TUM"}
    assert [tile.purity for tile in found.tiles] == pytest.approx([1, 0.9, 1])
    assert found.left_out == {plan.IMPURE: 1}


def test_areas_of_one_class_add_up_without_counting_twice():
    halves = [Area(box(0, 0, 120, 200), "TUM"), Area(box(80, 0, 200, 200), "TUM")]
    assert labels(plan_labeled_tiles(halves, INFO, OPTIONS)) == {(0, 0): "TUM"}
    twice = [Area(box(0, 0, 120, 200), "TUM"), Area(box(0, 0, 120, 200), "TUM")]
    assert plan_labeled_tiles(twice, INFO, OPTIONS).left_out == {plan.IMPURE: 1}


def test_overlap_of_two_classes_leaves_the_tile_out():
    areas = [Area(box(0, 0, 400, 200), "TUM"), Area(box(200, 0, 400, 200), "STR")]
    found = plan_labeled_tiles(areas, INFO, OPTIONS)
    assert labels(found) == {(0, 0): "TUM"}
    assert found.left_out == {plan.OVERLAP: 1}


def test_a_border_between_classes_within_the_purity_is_no_overlap():
    areas = [Area(box(0, 0, 190, 200), "TUM"), Area(box(190, 0, 400, 200), "STR")]
    assert labels(plan_labeled_tiles(areas, INFO, OPTIONS)) == {(0, 0): "TUM", (0, 1): "STR"}
    shifted = [Area(box(0, 0, 170, 200), "TUM"), Area(box(170, 0, 400, 200), "STR")]
    found = plan_labeled_tiles(shifted, INFO, ExportOptions(tile_px=100, mpp=0.5, min_purity=0.8))
    assert labels(found) == {(0, 0): "TUM", (0, 1): "STR"}
    strict = plan_labeled_tiles(shifted, INFO, OPTIONS)
    assert labels(strict) == {(0, 1): "STR"}
    assert strict.left_out == {plan.MIXED: 1}


def test_two_annotators_who_differ_are_told_apart_from_one_who_overlaps():
    areas = [
        Area(box(0, 0, 400, 200), "TUM", "ann"), Area(box(200, 0, 400, 200), "STR", "bob"),
        Area(box(0, 400, 200, 600), "LYM", "ann"), Area(box(0, 400, 200, 600), "MUC", "ann"),
    ]  # fmt: skip
    found = plan_labeled_tiles(areas, INFO, OPTIONS)
    assert labels(found) == {(0, 0): "TUM"}
    assert found.left_out == {plan.DISAGREE: 1, plan.OVERLAP: 1}


def test_annotators_who_agree_are_both_named_with_the_later_time():
    areas = [
        Area(box(0, 0, 200, 200), "TUM", "bob", "2026-01-02"),
        Area(box(0, 0, 400, 200), "TUM", "ann", "2026-01-01"),
    ]
    first, second = plan_labeled_tiles(areas, INFO, OPTIONS).tiles
    assert (first.annotator, first.when) == ("ann; bob", "2026-01-02")
    # bob's area only touches the second tile.
    assert (second.annotator, second.when) == ("ann", "2026-01-01")


def test_ignored_areas_keep_tiles_out_and_other_marks_mean_nothing():
    areas = [
        Area(box(0, 0, 800, 200), "TUM"), Area(box(0, 0, 200, 200), "Ignore*"),
        Area(box(200, 0, 400, 200), "Region*"), Area(box(400, 0, 600, 200), ""),
        Area(box(600, 0, 615, 200), "exclude"),
    ]  # fmt: skip
    found = plan_labeled_tiles(areas, INFO, OPTIONS)
    assert labels(found) == {(0, 1): "TUM", (0, 2): "TUM", (0, 3): "TUM"}
    assert found.left_out == {plan.EXCLUDED: 1}
    assert "2 of 5 areas have no class" in found.notes[0]


def test_holes_and_parts_are_respected():
    ring = Polygon(box(0, 0, 600, 600).exterior, [box(200, 200, 400, 400).exterior])
    found = plan_labeled_tiles([Area(ring, "TUM")], INFO, OPTIONS)
    assert len(found) == 8
    assert (1, 1) not in labels(found)


def test_classes_unknown_to_the_scheme_label_tiles_too():
    areas = Areas((Area(box(0, 0, 200, 200), "TUM_SARCOMA"),))
    assert labels(plan_labeled_tiles(areas, INFO, OPTIONS)) == {(0, 0): "TUM_SARCOMA"}


def test_an_area_counts_only_on_the_scanned_part():
    info = info_of(6, 10, bounds=(200, 0, 500, 1200))  # columns 1, 2 and half of 3
    found = plan_labeled_tiles([Area(box(-500, -500, 5000, 200), "TUM")], info, OPTIONS)
    assert labels(found) == {(0, 1): "TUM", (0, 2): "TUM"}
    assert found.left_out == {plan.IMPURE: 1}


def test_areas_beside_the_slide_are_refused():
    with pytest.raises(AnnotationError, match=r"beside drawn\.svs"):
        plan_labeled_tiles([Area(box(9000, 0, 9100, 99), "TUM")], INFO, OPTIONS)


def test_no_area_is_no_tile():
    found = plan_labeled_tiles([], INFO, OPTIONS)
    assert (found.tiles, found.left_out, found.notes) == ((), {}, ())


def test_tiles_are_those_of_the_pipeline(marks_slide):
    options = ExportOptions(tile_px=32, mpp=0.5)
    grid = plan_tiles(marks_slide, TilingOptions(tile_px=32, mpp=0.5, mask_mpp=2.0))
    mine = plan_labeled_tiles([Area(box(0, 0, 900, 900), "TUM")], marks_slide.info, options).grid
    assert (mine.rows, mine.cols, mine.origin_um, mine.stride_um) == (
        grid.rows, grid.cols, grid.origin_um, grid.stride_um,
    )  # fmt: skip
    np.testing.assert_array_equal(mine.edge, grid.edge)


SMALL = info_of(3, 4, mpp=0.5, side=32)  # level-0 pixels are tile pixels
sides = st.integers(1, 90)
names = st.sampled_from(["TUM", "STR", "LYM", "Ignore*"])
corners = st.tuples(st.integers(-20, 140), st.integers(-20, 110), sides, sides, names)


@settings(max_examples=150)
@given(rectangles=st.lists(corners, min_size=1, max_size=6), purity=st.sampled_from([0.5, 0.75, 1]))
def test_labels_equal_a_count_of_pixels(rectangles, purity):
    areas = [Area(box(x, y, x + w, y + h), name) for x, y, w, h, name in rectangles]
    options = ExportOptions(tile_px=32, mpp=0.5, min_purity=purity)
    slide = box(0, 0, 128, 96)
    if not any(area.polygon_xy0.intersects(slide) for area in areas):
        return
    painted = {name: np.zeros((96, 128), bool) for name in ("LYM", "STR", "TUM", "Ignore*")}
    for x, y, w, h, name in rectangles:
        painted[name][max(0, y) : max(0, y + h), max(0, x) : max(0, x + w)] = True
    shares = {k: v.reshape(3, 32, 4, 32).mean(axis=(1, 3)) for k, v in painted.items()}
    expected = {}
    for row, col in np.ndindex(3, 4):
        here = sorted(((shares[k][row, col], k) for k in ("LYM", "STR", "TUM")), reverse=True)
        (best, name), (second, _) = here[:2]
        clear = second <= 1 - purity and shares["Ignore*"][row, col] <= 1 - purity
        if best >= purity and clear and best > 0:
            expected[row, col] = (name, best) if best > second else (None, best)
    found = plan_labeled_tiles(areas, SMALL, options)
    got = {(t.row, t.col): (t.class_name, t.purity) for t in found.tiles}
    assert got.keys() == expected.keys()
    for place, (name, share) in expected.items():
        assert got[place][1] == pytest.approx(share)
        assert name in (None, got[place][0])
    touched = sum((s > 0) for k, s in shares.items() if k != "Ignore*") > 0
    assert len(found.tiles) + sum(found.left_out.values()) == np.count_nonzero(touched)


def map_of(info, options, edits):
    """A map classified as stroma everywhere, with a reader's edits {(row, col): (class, state)}."""
    grid = lay_grid(info, options.tiling)
    found = TissueMap.empty(grid, CRLM7)
    found.classes[:] = CRLM7.code("STR")
    found.state[:] = TileState.CLASSIFIED
    found.probabilities[..., CRLM7.index("STR")] = 1
    for place, (name, state) in edits.items():
        found.classes[place] = 0 if name is None else CRLM7.code(name)
        found.state[place] = state
    return found


def test_what_a_reader_corrected_or_accepted_is_labeled_and_nothing_else():
    edits = {
        (0, 0): ("TUM", TileState.EDITED), (1, 2): ("STR", TileState.ACCEPTED),
        (2, 2): (None, TileState.SET_ASIDE),
    }  # fmt: skip
    reviewed = ReviewedMap(map_of(INFO, OPTIONS, edits), "ann", {(1, 2): "2026-02-03"})
    tiles = tiles_from_review(reviewed, INFO, OPTIONS).tiles
    told = [(t.row, t.col, t.class_name, t.source, t.annotator, t.when) for t in tiles]
    assert told == [
        (0, 0, "TUM", plan.CORRECTED, "ann", ""),
        (1, 2, "STR", plan.ACCEPTED, "ann", "2026-02-03"),
    ]


def test_a_map_of_other_tiles_is_refused():
    other = ReviewedMap(map_of(INFO, ExportOptions(tile_px=224, mpp=0.5), {}))
    with pytest.raises(AnnotationError, match="tiles of 112 µm"):
        tiles_from_review(other, INFO, OPTIONS)


def test_readers_and_areas_that_differ_on_a_tile_leave_it_out():
    ann = ReviewedMap(map_of(INFO, OPTIONS, {
        (0, 0): ("TUM", TileState.EDITED), (0, 1): ("TUM", TileState.EDITED),
        (0, 2): ("LYM", TileState.EDITED),
    }), "ann")  # fmt: skip
    bob = ReviewedMap(map_of(INFO, OPTIONS, {
        (0, 1): ("MUC", TileState.EDITED), (0, 2): ("LYM", TileState.ACCEPTED),
    }), "bob")  # fmt: skip
    drawn = Areas((Area(box(0, 0, 200, 200), "TUM", "cid"), Area(box(600, 0, 800, 200), "TUM")))
    slide = SlideToExport(path=Path("drawn.svs"), areas=drawn, reviews=(ann, bob))
    found = plan_slide(slide, INFO, OPTIONS)
    told = [(t.row, t.col, t.class_name, t.source, t.annotator) for t in found.tiles]
    assert told == [
        (0, 0, "TUM", plan.DRAWN, "ann; cid"),
        (0, 2, "LYM", plan.CORRECTED, "ann; bob"),
        (0, 3, "TUM", plan.DRAWN, ""),
    ]
    assert found.left_out == {plan.DISAGREE: 1}


def test_what_a_reader_set_aside_labels_no_tile_whatever_covers_it():
    ann = ReviewedMap(map_of(INFO, OPTIONS, {
        (0, 0): (None, TileState.SET_ASIDE), (1, 0): (None, TileState.SET_ASIDE),
    }), "ann")  # fmt: skip
    bob = ReviewedMap(map_of(INFO, OPTIONS, {(1, 0): ("TUM", TileState.ACCEPTED)}), "bob")
    drawn = Areas((Area(box(0, 0, 400, 200), "TUM", "cid"),))
    slide = SlideToExport(path=Path("drawn.svs"), areas=drawn, reviews=(ann, bob))
    found = plan_slide(slide, INFO, OPTIONS)
    assert [(tile.row, tile.col) for tile in found.tiles] == [(0, 1)]
    assert found.left_out == {plan.ASIDE: 2}


def test_an_area_to_ignore_keeps_accepted_tiles_out_too():
    ann = ReviewedMap(map_of(INFO, OPTIONS, {
        (0, 0): ("TUM", TileState.ACCEPTED), (0, 1): ("TUM", TileState.EDITED),
    }), "ann")  # fmt: skip
    ignored = Areas((Area(box(0, 0, 200, 200), "Ignore*"),))
    for areas in (ignored, Areas((*ignored.areas, Area(box(600, 0, 800, 200), "STR")))):
        slide = SlideToExport(path=Path("drawn.svs"), areas=areas, reviews=(ann,))
        found = plan_slide(slide, INFO, OPTIONS)
        assert (found.tiles[0].row, found.tiles[0].col) == (0, 1)
        assert found.left_out == {plan.EXCLUDED: 1}


def test_too_many_tiles_of_a_class_are_drawn_by_chance_but_reproducibly():
    areas = Areas((Area(box(0, 0, 2000, 600), "TUM"), Area(box(0, 600, 200, 1200), "STR")))
    slide = SlideToExport(path=Path("drawn.svs"), areas=areas)

    def places(seed):
        options = ExportOptions(tile_px=100, mpp=0.5, max_per_class=5, seed=seed)
        found = plan_slide(slide, INFO, options)
        assert found.counts() == {"STR": 3, "TUM": 5}
        assert found.left_out == {plan.TOO_MANY: 25}
        return list(labels(found))

    assert places(1) == places(1) == sorted(places(1))
    assert places(1) != places(2)


def test_an_area_knows_its_size():
    assert Area(box(0, 0, 2000, 1000), "TUM").area_mm2(slide_info(mpp=0.5)) == pytest.approx(0.5)
    assert shapely.area(box(0, 0, 2, 1)) == 2
