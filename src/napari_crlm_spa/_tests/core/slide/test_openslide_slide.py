"""What OpenSlide says is turned into our description, for vendors with files of their own."""

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.drawn_slides import (
    MARKS_UM,
    mark_center_um,
    marks_picture,
    write_scn,
    write_vms,
)
from napari_crlm_spa.core.slide import open_slide, openslide_slide
from napari_crlm_spa.core.slide.openslide_slide import OpenSlideSlide
from napari_crlm_spa.errors import MissingCompanion


class FakeHandle:
    """Answers like an OpenSlide handle of a MIRAX slide whose scanned area is off the corner."""

    level_dimensions = ((1024, 768), (511, 383))
    level_downsamples = (1.0, 1024 / 511)
    associated_images = {"macro": Image.new("RGBA", (30, 20), (9, 9, 9, 255))}  # noqa: RUF012
    properties = {  # noqa: RUF012
        "openslide.vendor": "mirax",
        "openslide.mpp-x": "0.25",
        "openslide.mpp-y": "0.25",
        "openslide.objective-power": "40",
        "openslide.icc-size": "588",
        "openslide.bounds-x": "200",
        "openslide.bounds-y": "100",
        "openslide.bounds-width": "800",
        "openslide.bounds-height": "600",
    }

    def __init__(self, path):
        base = np.dstack([marks_picture(0.25), np.zeros((768, 1024), np.uint8)])
        base[100:700, 200:1000, 3] = 255  # nothing was scanned around it
        base[..., :3][base[..., 3] == 0] = 0
        self.levels = [
            Image.fromarray(base),
            Image.fromarray(base).resize((511, 383), Image.Resampling.BOX),
        ]

    def set_cache(self, cache):
        pass

    def read_region(self, corner, level, size):
        x, y = (round(at / self.level_downsamples[level]) for at in corner)
        return self.levels[level].crop((x, y, x + size[0], y + size[1]))


@pytest.fixture
def mirax(monkeypatch, tmp_path):
    monkeypatch.setattr(openslide_slide.openslide, "OpenSlide", FakeHandle)
    path = tmp_path / "case1.mrxs"
    path.write_bytes(b"preview")
    with OpenSlideSlide(path) as slide:
        yield slide


def test_a_mirax_slide_is_described(mirax):
    info = mirax.info
    assert info.bounds_xy0 == (200, 100, 800, 600)
    assert (info.vendor, info.decoder, info.icc_profile) == ("mirax", "openslide", True)
    assert info.pixel_size.source == "MIRAX Slidedat.ini"
    assert info.objective_power == 40
    assert mirax.associated_image("macro").shape == (20, 30, 3)


def test_what_was_not_scanned_is_white(mirax):
    whole = mirax.read_level(0, 0, 0, 1024, 768)
    assert (whole[:100] == 255).all() and (whole[:, :200] == 255).all()
    assert np.array_equal(whole[100:700, 200:1000], marks_picture(0.25)[100:700, 200:1000])


@pytest.mark.parametrize("mpp", [0.25, 0.4, 0.5, 0.501, 0.8])
def test_bounds_and_odd_downsamples_move_no_mark(mirax, mpp):
    x_um, y_um = 111.3, 97.7
    side = round(24 / mpp)
    region = mirax.read_region_um(x_um - 12, y_um - 12, side, side, mpp)
    found = mark_center_um(region, x_um - 12, y_um - 12, mpp)
    assert np.allclose(found, (x_um, y_um), atol=0.55 * max(mpp, 0.5))


def test_the_companions_sizes_are_part_of_the_fingerprint(mirax, tmp_path):
    (tmp_path / "case1").mkdir()
    (tmp_path / "case1" / "Data0001.dat").write_bytes(b"pixels")
    with OpenSlideSlide(tmp_path / "case1.mrxs") as slide:
        assert slide.info.fingerprint != mirax.info.fingerprint


def test_a_leica_slide_lies_where_its_bounds_say(tmp_path):
    picture = marks_picture(0.25)
    path = write_scn(tmp_path / "a.scn", picture, 0.25, offset_um=(50, 30), extent_um=(400, 300))
    with open_slide(path) as slide:
        assert slide.info.vendor == "leica"
        assert slide.info.bounds_xy0 == (200, 120, 1024, 768)
        assert (slide.info.width_px, slide.info.height_px) == (1600, 1200)
        assert slide.info.pixel_size.source == "objective power 40x, nominal"
        assert (slide.read_level(0, 0, 0, 190, 110) == 255).all()
        for x_um, y_um in MARKS_UM:
            for mpp in (0.25, 0.6, 1.0):
                left, top, side = x_um + 50 - 12, y_um + 30 - 12, round(24 / mpp)
                region = slide.read_region_um(left, top, side, side, mpp)
                found = mark_center_um(region, left, top, mpp)
                assert np.allclose(found, (x_um + 50, y_um + 30), atol=0.55 * mpp)


def test_a_hamamatsu_slide_of_several_files_is_read_as_one(tmp_path):
    picture = marks_picture(0.25)
    path = write_vms(tmp_path / "case1.vms", picture, 0.25)
    with open_slide(path) as slide:
        assert slide.info.vendor == "hamamatsu"
        assert slide.info.pixel_size.mpp == pytest.approx(0.25)
        assert slide.info.pixel_size.source == "Hamamatsu resolution"
        assert slide.info.objective_power == 40
        assert np.abs(slide.read_level(0, 0, 0, 1024, 768).astype(int) - picture).max() <= 8
    (tmp_path / "part1.jpg").unlink()
    with pytest.raises(MissingCompanion, match=r"1 more file\(s\) beside it, the first is part1"):
        open_slide(path)
