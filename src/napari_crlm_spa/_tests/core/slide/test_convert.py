import threading

import numpy as np
import openslide
import pytest
from PIL import Image

from napari_crlm_spa._tests.drawn_slides import (
    TiffKind,
    halved,
    marks_picture,
    stretched,
    write_tiff,
)
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.convert import convert_to_pyramid
from napari_crlm_spa.errors import SlideError, StoreError


@pytest.fixture
def plain(tmp_path):
    """A TIFF of one level, 2600 x 1777, stored as strips."""
    picture = stretched(marks_picture(0.25), 2600, 1777)
    kind = TiffKind(tile_px=None, rowsperstrip=50, compression="lzw")
    return write_tiff(tmp_path / "plain.tif", [picture], 0.1, kind), picture


def test_the_pyramid_shows_the_same_picture_with_smaller_levels(plain, tmp_path):
    source, picture = plain
    target = tmp_path / "out" / "pyramid.tif"
    progress = list(convert_to_pyramid(source, target))
    with open_slide(target) as slide:
        sizes = [(level.width_px, level.height_px) for level in slide.info.levels]
        assert sizes == [(2600, 1777), (1300, 888), (650, 444)]
        assert [level.downsample for level in slide.info.levels] == [1, 2, 4]
        assert slide.info.pixel_size.mpp == pytest.approx(0.1)
        expected = picture
        for level, (width, height) in enumerate(sizes):
            found = slide.read_level(level, 0, 0, width, height).astype(int)
            assert np.abs(found - expected).mean() < 1.5
            expected = halved(expected)
    assert openslide.OpenSlide(target).level_count == 3
    done = [step.done for step in progress]
    assert done == sorted(done) and done[-1] == progress[-1].total == 24 + 6 + 2


def test_a_picture_gets_the_pixel_size_that_the_user_says(tmp_path):
    Image.fromarray(marks_picture(0.5)).save(tmp_path / "a.png")
    list(convert_to_pyramid(tmp_path / "a.png", tmp_path / "a.tif", mpp=0.5))
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.info.pixel_size.mpp == pytest.approx(0.5)


def test_an_unknown_pixel_size_stays_unknown(tmp_path):
    Image.fromarray(marks_picture(0.5)).save(tmp_path / "a.png")
    list(convert_to_pyramid(tmp_path / "a.png", tmp_path / "a.tif"))
    with open_slide(tmp_path / "a.tif") as slide:
        assert slide.info.pixel_size is None


def test_stopping_leaves_nothing_behind(plain, tmp_path):
    source, _ = plain
    target = tmp_path / "out" / "pyramid.tif"
    steps = convert_to_pyramid(source, target)
    next(steps)
    steps.close()
    assert list(target.parent.iterdir()) == []
    assert not [one for one in threading.enumerate() if one.name.startswith("pyramid-writer")]


def test_a_full_disk_is_a_sentence(plain, tmp_path, monkeypatch):
    import tifffile

    def fail(*_args, **_options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tifffile.TiffWriter, "write", fail)
    source, _ = plain
    with pytest.raises(StoreError, match="disk is full"):
        list(convert_to_pyramid(source, tmp_path / "pyramid.tif"))
    assert not (tmp_path / "pyramid.tif").exists()


def test_the_source_is_never_overwritten(plain):
    source, _ = plain
    before = source.read_bytes()
    with pytest.raises(StoreError, match="source itself"):
        list(convert_to_pyramid(source, source))
    assert source.read_bytes() == before


def test_the_target_must_be_a_tiff(plain, tmp_path):
    with pytest.raises(StoreError, match=r"end in \.tif"):
        list(convert_to_pyramid(plain[0], tmp_path / "a.png"))


def test_a_source_that_is_no_slide_is_refused_before_anything_is_written(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    with pytest.raises(SlideError):
        list(convert_to_pyramid(tmp_path / "a.txt", tmp_path / "out" / "a.tif"))
    assert not (tmp_path / "out").exists()
