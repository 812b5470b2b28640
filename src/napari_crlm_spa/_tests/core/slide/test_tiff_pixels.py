import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tifffile

from napari_crlm_spa._tests.drawn_slides import (
    TiffKind,
    marks_picture,
    noise_picture,
    write_svs,
    write_tiff,
)
from napari_crlm_spa.core.slide import open_slide, tiff_pixels
from napari_crlm_spa.core.slide.tiff_colors import over_white
from napari_crlm_spa.errors import UnreadableSlide


def whole(path):
    with open_slide(path, decoder="tifffile") as slide:
        return slide.read_level(0, 0, 0, slide.info.width_px, slide.info.height_px)


@pytest.mark.parametrize("compression", [None, "lzw", "deflate", "zstd"])
@pytest.mark.parametrize(
    "layout",
    [
        {"tile_px": 128},
        {"tile_px": 128, "planarconfig": "separate"},
        {"tile_px": None},
        {"tile_px": None, "rowsperstrip": 7},
        {"tile_px": None, "rowsperstrip": 7, "planarconfig": "separate"},
        {"tile_px": None, "byteorder": ">"},
    ],
)
def test_every_layout_gives_the_stored_pixels(tmp_path, compression, layout):
    picture = noise_picture(333, 211)
    if "planarconfig" in layout:
        stored = np.moveaxis(picture, -1, 0).copy()
        path = tmp_path / "a.tif"
        options = {"tile": (128, 128)} if layout["tile_px"] else {"rowsperstrip": 7}
        tifffile.imwrite(
            path, stored, photometric="rgb", planarconfig="separate", compression=compression,
            metadata=None, **options,
        )  # fmt: skip
    else:
        kind = TiffKind(compression=compression, **layout)
        path = write_tiff(tmp_path / "a.tif", [picture], kind=kind)
    assert np.array_equal(whole(path), picture)


@pytest.mark.parametrize("tile_px", [128, None])
def test_jpeg_differs_from_the_drawing_by_little(tmp_path, tile_px):
    picture = marks_picture(0.5)
    kind = TiffKind(compression="jpeg", tile_px=tile_px, rowsperstrip=16)
    path = write_tiff(tmp_path / "a.tif", [picture], kind=kind)
    assert np.abs(whole(path).astype(int) - picture).max() <= 8


@pytest.mark.parametrize(("photometric", "invert"), [("minisblack", False), ("miniswhite", True)])
def test_gray_becomes_rgb(tmp_path, photometric, invert):
    gray = noise_picture(200, 150)[..., 0]
    tifffile.imwrite(tmp_path / "a.tif", gray, photometric=photometric, tile=(64, 64))
    expected = 255 - gray if invert else gray
    assert np.array_equal(whole(tmp_path / "a.tif"), np.repeat(expected[..., None], 3, axis=-1))


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("tile", [(64, 64), None])
def test_sixteen_bits_become_eight(tmp_path, byteorder, tile):
    deep = noise_picture(200, 150).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", deep, photometric="rgb", byteorder=byteorder, tile=tile)
    assert np.array_equal(whole(tmp_path / "a.tif"), (deep >> 8).astype(np.uint8))


def test_a_palette_is_looked_up(tmp_path):
    index = noise_picture(100, 80)[..., 0]
    palette = np.random.default_rng(1).integers(0, 256, (3, 256)).astype(np.uint16) * 257
    tifffile.imwrite(tmp_path / "a.tif", index, photometric="palette", colormap=palette)
    assert np.array_equal(whole(tmp_path / "a.tif"), (palette >> 8).T[index])


def test_rgba_is_laid_over_white(tmp_path):
    picture = np.full((64, 64, 4), 100, np.uint8)
    picture[:, :20, 3] = 0
    picture[:, 20:, 3] = 255
    tifffile.imwrite(tmp_path / "a.tif", picture, photometric="rgb", extrasamples=["unassalpha"])
    pixels = whole(tmp_path / "a.tif")
    assert (pixels[:, :20] == 255).all() and (pixels[:, 20:] == 100).all()


@pytest.mark.parametrize("alpha", [0, 1, 77, 254, 255])
def test_alpha_mixes_with_white_linearly(alpha):
    color = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
    pixels = np.concatenate([color, np.full((256, 1), alpha, np.uint8)], axis=1)
    expected = (color * (alpha / 255) + 255 - alpha).astype(float)
    assert np.abs(over_white(pixels) - expected).max() <= 1
    premultiplied = pixels.copy()
    premultiplied[:, :3] = np.round(color * (alpha / 255))
    assert np.abs(over_white(premultiplied, premultiplied=True) - expected).max() <= 1


def test_absent_tiles_are_white(tmp_path):
    path = write_tiff(tmp_path / "a.tif", [noise_picture(256, 256)], kind=TiffKind("deflate"))
    with tifffile.TiffFile(path, mode="r+") as tiff:
        counts = list(tiff.pages.first.databytecounts)
        counts[1] = 0
        tiff.pages.first.tags["TileByteCounts"].overwrite(counts)
    pixels = whole(path)
    assert (pixels[:128, 128:] == 255).all()
    assert pixels[:128, :128].std() > 10


@pytest.mark.parametrize("dtype", [np.float32, np.int16, np.uint32])
def test_pixels_of_other_types_are_refused_in_words(tmp_path, dtype):
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((64, 64, 3), dtype), photometric="rgb")
    with pytest.raises(UnreadableSlide, match=r"a\.tif is a TIFF.*are not supported"):
        open_slide(tmp_path / "a.tif")


def test_cmyk_is_refused_in_words(tmp_path):
    cmyk = np.zeros((64, 64, 4), np.uint8)
    tifffile.imwrite(tmp_path / "a.tif", cmyk, photometric="separated")
    with pytest.raises(UnreadableSlide, match="photometric kind 5"):
        open_slide(tmp_path / "a.tif")


def test_many_threads_read_the_same_pixels(tmp_path):
    from concurrent.futures import ThreadPoolExecutor

    picture = noise_picture(700, 600)
    path = write_tiff(tmp_path / "a.tif", [picture], kind=TiffKind("deflate"))
    corners = np.random.default_rng(2).integers(0, 500, (200, 2))
    with open_slide(path, decoder="tifffile") as slide, ThreadPoolExecutor(8) as pool:
        tiles = list(pool.map(lambda at: slide.read_level(0, at[0], at[1], 99, 77), corners))
    for (x, y), tile in zip(corners, tiles, strict=True):
        inside = picture[y : y + 77, x : x + 99]
        assert np.array_equal(tile[: inside.shape[0], : inside.shape[1]], inside)


def test_only_the_rows_asked_for_are_read_from_a_plain_giant(tmp_path):
    """One strip of 60 MB: a corner of it costs one band of a megabyte."""
    picture = np.zeros((4000, 5000, 3), np.uint8)
    picture[3990:] = 77
    path = write_tiff(tmp_path / "a.tif", [picture], kind=TiffKind(tile_px=None))
    with open_slide(path, decoder="tifffile") as slide:
        before = slide._pixels._cache.nbytes
        assert (slide.read_level(0, 10, 3995, 20, 5) == 77).all()
        assert slide._pixels._cache.nbytes - before < 2 * 1024**2


@pytest.mark.parametrize(("decoder", "name"), [("tifffile", "_pixels"), ("auto", "_tiff")])
def test_forgotten_pixels_are_given_back_and_read_again(tmp_path, decoder, name):
    path = write_svs(tmp_path / "a.svs", [marks_picture(0.5)], {"MPP": 0.5})
    with open_slide(path, decoder=decoder) as slide:
        size = slide.info.width_px, slide.info.height_px
        before = slide.read_level(0, 0, 0, *size)
        kept = getattr(slide, name)._cache
        assert kept.nbytes >= before.nbytes
        slide.forget_pixels()
        assert kept.nbytes == 0
        assert np.array_equal(slide.read_level(0, 0, 0, *size), before)


pread = pytest.mark.skipif(not hasattr(os, "pread"), reason="one read at a time on Windows")


@pytest.fixture
def two_tiles(tmp_path):
    path = write_tiff(tmp_path / "a.tif", [noise_picture(256, 128)], kind=TiffKind(tile_px=128))
    with open_slide(path, decoder="tifffile") as slide:
        slide.forget_pixels()
        yield slide


@pread
def test_no_thread_waits_for_what_another_reads(two_tiles, monkeypatch):
    """A disk in the network answers many at once, and each late."""
    both, read = threading.Barrier(2), os.pread
    monkeypatch.setattr(os, "pread", lambda *where: (both.wait(timeout=60), read(*where))[1])
    with ThreadPoolExecutor(2) as pool:
        left, right = pool.map(lambda x: two_tiles.read_level(0, x, 0, 128, 128), (0, 128))
    assert np.array_equal(np.hstack([left, right]), noise_picture(256, 128))


@pread
def test_pixels_of_a_slide_that_was_closed_meanwhile_are_not_taken_for_its_own(
    two_tiles, monkeypatch
):
    """The number of the closed file may be another file's by then."""
    read = os.pread
    monkeypatch.setattr(os, "pread", lambda *where: (read(*where), two_tiles.close())[0])
    with pytest.raises(UnreadableSlide, match="closed"):
        two_tiles.read_level(0, 0, 0, 128, 128)


@pytest.mark.parametrize("tile_px", [256, 512, 1024])
def test_chunks_of_any_size_are_kept_for_the_next_row_of_tiles(tmp_path, tile_px, monkeypatch):
    """A strip of 32 tiles at 40x; the last rows of one row of tiles are the first of the next."""
    monkeypatch.setattr(tiff_pixels, "CACHE_BYTES", 0)
    picture = np.full((3 * 448, 32 * 448 // 8, 3), 200, np.uint8)
    path = write_tiff(tmp_path / "a.tif", [picture], kind=TiffKind(tile_px=tile_px))
    with open_slide(path, decoder="tifffile") as slide:
        pixels, decoded = slide._pixels, []
        level = pixels.levels[0]

        def counted(row, col):
            decoded.append((row, col))
            return level.decode(row, col)

        pixels.levels = (dataclasses.replace(level, decode=counted),)
        slide.forget_pixels()
        for y in range(0, picture.shape[0], 448):
            for x in range(0, picture.shape[1], 448):
                slide.read_level(0, x - 1, y - 1, 450, 450)
    assert len(decoded) == len(set(decoded))
