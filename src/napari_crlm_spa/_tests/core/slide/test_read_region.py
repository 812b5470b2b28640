import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_crlm_spa._tests.drawn_slides import (
    MARKS_UM,
    halved,
    mark_center_um,
    marks_picture,
    noise_picture,
    stretched,
    write_svs,
    write_tiff,
)
from napari_crlm_spa.core.slide import RESAMPLING, ArraySlide, open_slide
from napari_crlm_spa.core.slide.info import levels_of


def test_native_pixels_come_as_they_are(marks_slide, marks_levels):
    region = marks_slide.read_region_um(25.0, 12.5, 300, 200, mpp=0.25)
    assert np.array_equal(region, marks_levels[0][50:250, 100:400])


def test_a_level_of_the_asked_resolution_comes_as_it_is(marks_slide, marks_levels):
    region = marks_slide.read_region_um(25.0, 12.5, 100, 80, mpp=0.5)
    assert np.array_equal(region, marks_levels[1][25:105, 50:150])


@pytest.mark.parametrize("native", [0.499, 0.5, 0.5022, 0.498])
def test_tiles_of_nearly_native_resolution_are_not_resampled(native):
    picture = noise_picture(600, 500)
    with ArraySlide(picture, mpp=native) as slide:
        tile = slide.read_region_um(112.0, 112.0, 224, 224, mpp=0.5)
    x = round(112 / native + (0.5 / native - 1) * 112)
    assert np.array_equal(tile, picture[x : x + 224, x : x + 224])


@pytest.mark.parametrize("native", [0.2495, 0.25, 0.2511])
def test_tiles_of_nearly_twice_the_resolution_are_reduced_by_exactly_two(native):
    picture = noise_picture(1200, 1000)
    with ArraySlide(picture, mpp=native) as slide:
        tile = slide.read_region_um(112.0, 112.0, 224, 224, mpp=0.5)
    x = round(112 / native + (0.5 / native - 2) * 112)
    box = (x, x, x + 448, x + 448)
    expected = Image.fromarray(picture).resize((224, 224), RESAMPLING, box=box)
    assert np.abs(tile.astype(int) - expected).max() <= 1


@pytest.mark.parametrize("mpp", [0.25, 0.3, 0.5, 0.71, 1.0, 1.3])
@pytest.mark.parametrize("fixture", ["tiff_path", "jpeg_tiff_path", "ome_path"])
def test_marks_lie_where_they_were_drawn_at_any_resolution(request, fixture, mpp):
    with open_slide(request.getfixturevalue(fixture)) as slide:
        for x_um, y_um in MARKS_UM:
            side = round(24 / mpp)
            left, top = x_um - 11.7, y_um - 12.3
            region = slide.read_region_um(left, top, side, side, mpp)
            found = mark_center_um(region, left, top, mpp)
            # Native pixels begin at whole ones: half a pixel is the most that rounding costs.
            assert np.allclose(found, (x_um, y_um), atol=0.55 * mpp)


@pytest.mark.parametrize("decoder", ["auto", "openslide", "tifffile"])
@pytest.mark.parametrize("suffix", [".tif", ".svs"])
def test_odd_downsamples_displace_nothing(tmp_path, decoder, suffix):
    # 1023 x 767: the levels are 4.0012 and 16.3 times smaller by their sizes, 4 and 16 in truth.
    base = marks_picture(0.25, 1023, 767)
    quarter = halved(halved(base))
    levels = [base, quarter, halved(halved(quarter))]
    path = tmp_path / f"odd{suffix}"
    if suffix == ".svs":
        write_svs(path, levels, {"AppMag": 40, "MPP": 0.25})
    else:
        write_tiff(path, levels, mpp=0.25)
    with open_slide(path, decoder=decoder) as slide:
        assert [level.downsample for level in slide.info.levels] == [1.0, 4.0, 16.0]
        for x_um, y_um in MARKS_UM:
            region = slide.read_region_um(x_um - 20, y_um - 20, 40, 40, mpp=1.0)
            found = mark_center_um(region, x_um - 20, y_um - 20, 1.0)
            assert np.allclose(found, (x_um, y_um), atol=0.75)


def test_directly_decoded_levels_are_exact_where_openslide_interpolates(tmp_path):
    base = noise_picture(1023, 767)
    levels = [base, halved(base)]
    path = write_tiff(tmp_path / "odd.tif", levels, mpp=0.25)
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(1, 301, 203, 150, 100), levels[1][203:303, 301:451])


def test_a_stretched_pyramid_keeps_its_float_downsamples():
    base = marks_picture(0.25)
    sizes = [(1024, 768), (341, 256), (300, 225)]
    levels = [stretched(base, *size) for size in sizes]
    with ArraySlide(levels, mpp=0.25) as slide:
        assert [level.downsample for level in slide.info.levels] == pytest.approx(
            [1.0, 3.0, 1024 / 300], abs=1e-9
        )
        for x_um, y_um in MARKS_UM:
            region = slide.read_region_um(x_um - 20, y_um - 20, 44, 44, mpp=0.9)
            found = mark_center_um(region, x_um - 20, y_um - 20, 0.9)
            assert np.allclose(found, (x_um, y_um), atol=0.5 * 0.9)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([(15071, 13500), (7535, 6750), (235, 210)], [1, 2, 64]),  # a real pyramid, halved
        ([(46000, 32914), (11500, 8228), (2875, 2057)], [1, 4, 16]),  # 4.00012, 16.0005 by size
        ([(1000, 800), (251, 201)], [1, 1000 / 251]),
        ([(1001, 801), (501, 401)], [1, 2]),  # rounded up
    ],
)
def test_downsamples_are_whole_numbers_where_these_explain_the_sizes(sizes, expected):
    assert [level.downsample for level in levels_of(sizes)] == pytest.approx(expected)


@given(
    st.integers(1, 60_000),
    st.integers(1, 60_000),
    st.integers(2, 64),
)
def test_downsamples_are_off_by_less_than_a_level_pixel(width, height, by):
    small = (max(1, width // by), max(1, height // by))
    downsample = levels_of([(width, height), small])[1].downsample
    if min(width, height) >= by:
        assert abs(small[0] - width / downsample) < 1
        assert abs(small[1] - height / downsample) < 1


def test_outside_the_slide_is_white(marks_slide, marks_levels):
    region = marks_slide.read_region_um(-10.0, -5.0, 100, 100, mpp=0.25)
    assert (region[:20] == 255).all()
    assert (region[:, :40] == 255).all()
    assert np.array_equal(region[20:, 40:], marks_levels[0][:80, :60])
    assert (marks_slide.read_region_um(1000.0, 1000.0, 10, 10, mpp=0.25) == 255).all()
    assert (marks_slide.read_region_um(-500.0, 0.0, 10, 10, mpp=0.3) == 255).all()


@pytest.mark.parametrize("fixture", ["tiff_path", "svs_path", "ome_path"])
@pytest.mark.parametrize("decoder", ["openslide", "tifffile"])
def test_files_are_white_outside_as_well(request, fixture, decoder):
    with open_slide(request.getfixturevalue(fixture), decoder=decoder) as slide:
        last = slide.info.levels[0]
        region = slide.read_level(0, last.width_px - 30, last.height_px - 20, 64, 64)
        assert (region[20:] == 255).all()
        assert (region[:, 30:] == 255).all()
        assert not (region[:20, :30] == 255).all()
        assert (slide.read_level(0, -64, -64, 64, 64) == 255).all()
        assert (slide.read_level(0, -10, -10, 64, 64)[:10] == 255).all()


@pytest.mark.parametrize("mpp", [0.25, 0.37, 0.5, 0.9])
def test_neighboring_tiles_fit_without_a_seam(marks_slide, mpp):
    side = 64
    whole = marks_slide.read_region_um(10.0, 20.0, 2 * side, side, mpp).astype(int)
    left = marks_slide.read_region_um(10.0, 20.0, side, side, mpp)
    right = marks_slide.read_region_um(10.0 + side * mpp, 20.0, side, side, mpp)
    # The filter's weights are rounded to 1/256 for each region.
    assert np.abs(np.hstack([left, right]) - whole).max() <= 1


@settings(max_examples=40)
@given(
    st.floats(-300, 300),
    st.floats(-300, 300),
    st.integers(1, 60),
    st.integers(1, 60),
    st.floats(0.06, 9.0),
)
def test_a_region_has_the_size_that_was_asked_for(x_um, y_um, width, height, mpp):
    with ArraySlide(np.zeros((80, 100, 3), np.uint8), mpp=0.25) as slide:
        region = slide.read_region_um(x_um, y_um, width, height, mpp)
    assert region.shape == (height, width, 3)
    assert region.dtype == np.uint8


def test_reduction_averages_so_that_no_pattern_appears():
    checkers = np.zeros((400, 400, 3), np.uint8)
    checkers[::2, 1::2] = checkers[1::2, ::2] = 200
    with ArraySlide(checkers, mpp=0.25) as slide:
        region = slide.read_region_um(20.0, 20.0, 50, 50, mpp=1.0)
    assert np.abs(region.astype(int) - 100).max() <= 2


def test_bounds_move_nothing():
    """MRXS slides name a scanned area; the frame stays that of level 0."""
    picture = np.full((768, 1024, 3), 255, np.uint8)
    picture[100:700, 200:1000] = marks_picture(0.25)[100:700, 200:1000]
    with ArraySlide(picture, mpp=0.25, bounds_xy0=(200, 100, 800, 600)) as slide:
        x_um, y_um = MARKS_UM[2]
        region = slide.read_region_um(x_um - 10, y_um - 10, 40, 40, mpp=0.5)
        found = mark_center_um(region, x_um - 10, y_um - 10, 0.5)
        assert np.allclose(found, (x_um, y_um), atol=0.3)
        assert slide.info.bounds_xy0 == (200, 100, 800, 600)


def test_level_for_is_the_coarsest_that_is_fine_enough(marks_slide):
    asked = [0.1, 0.25, 0.49, 0.4953, 0.5, 0.99, 1.0, 5.0]
    assert [marks_slide.level_for(mpp) for mpp in asked] == [0, 0, 0, 1, 1, 1, 2, 2]


def test_pixels_wider_than_high_come_out_square():
    from dataclasses import replace

    from napari_crlm_spa.core.slide import PixelSize

    base = marks_picture(0.25)
    flat = stretched(base, 1024, 384)
    info = replace(ArraySlide(flat).info, pixel_size=PixelSize(0.25, 0.5, "header"))
    with ArraySlide(flat, info=info) as slide:
        for x_um, y_um in MARKS_UM:
            region = slide.read_region_um(x_um - 10, y_um - 10, 40, 40, mpp=0.5)
            assert np.allclose(
                mark_center_um(region, x_um - 10, y_um - 10, 0.5), (x_um, y_um), atol=0.3
            )


@pytest.mark.parametrize("max_px", [64, 100, 256, 1000, 5000])
def test_a_thumbnail_shows_the_whole_slide(marks_slide, max_px):
    thumbnail = marks_slide.thumbnail(max_px)
    width = min(max_px, 1024)
    assert thumbnail.shape == (round(width * 0.75), width, 3)
    mpp = 256 / width
    x_um, y_um = MARKS_UM[0]
    side = round(24 / mpp)
    col, row = round(18 / mpp), round(28 / mpp)
    part = thumbnail[row : row + side, col : col + side]
    found = mark_center_um(part, col * mpp, row * mpp, mpp)
    assert np.allclose(found, (x_um, y_um), atol=0.5 * mpp)


@pytest.mark.parametrize("max_px", [200, 157, 61])
@pytest.mark.parametrize(
    ("band_px", "most_px"), [(60_000, 32_000_000), (300_000, 32_000_000), (1, 9_000)]
)
def test_a_large_level_is_reduced_band_by_band_to_the_same_thumbnail(
    monkeypatch, max_px, band_px, most_px
):
    base = marks_picture(0.25)
    with ArraySlide(base) as slide:
        whole = slide.thumbnail(max_px).astype(int)
        monkeypatch.setattr("napari_crlm_spa.core.slide.contract._BAND_PX", band_px)
        monkeypatch.setattr("napari_crlm_spa.core.slide.contract._MOST_BAND_PX", most_px)
        banded = slide.thumbnail(max_px)
    assert np.abs(banded - whole).mean() < 1


def test_bands_are_whole_chunks_so_that_none_is_decoded_twice(monkeypatch):
    monkeypatch.setattr("napari_crlm_spa.core.slide.contract._BAND_PX", 100_000)
    with ArraySlide(marks_picture(0.25)) as slide:
        read, rows = slide.read_level, []
        monkeypatch.setattr(
            slide,
            "read_level",
            lambda level, x, y, w, h: rows.append((y, h)) or read(level, x, y, w, h),
        )
        slide.thumbnail(61)
    starts, heights = zip(*rows, strict=True)
    assert len(rows) > 1
    assert all(start % 256 == 0 for start in starts)
    assert sum(heights) == slide.info.height_px


@pytest.mark.parametrize(("small_px", "taken"), [(250, 250), (240, 240), (230, 300)])
def test_a_level_somewhat_smaller_than_a_thumbnail_is_taken_for_it(small_px, taken):
    """Else one with sixteen times as many pixels would be read."""
    base = np.full((1200, 1200, 3), 200, np.uint8)
    small = np.full((small_px, small_px, 3), 100, np.uint8)
    with ArraySlide([base, small]) as slide:
        thumbnail = slide.thumbnail(300)
    assert thumbnail.shape == (taken, taken, 3)
    assert (thumbnail == (100 if taken == small_px else 200)).all()
