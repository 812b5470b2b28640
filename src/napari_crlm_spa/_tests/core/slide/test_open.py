from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_crlm_spa._tests.drawn_slides import (
    TiffKind,
    halved,
    marks_picture,
    noise_picture,
    write_ome_tiff,
    write_svs,
    write_tiff,
)
from napari_crlm_spa.core.slide import SLIDE_SUFFIXES, is_slide_name, open_slide, stem
from napari_crlm_spa.errors import NotASlide, SlideError, UnreadableSlide


def sizes_of(slide):
    return [(level.width_px, level.height_px, level.downsample) for level in slide.info.levels]


PYRAMID = [(1024, 768, 1.0), (512, 384, 2.0), (256, 192, 4.0)]


@pytest.mark.parametrize(
    ("fixture", "vendor", "decoder", "source"),
    [
        ("tiff_path", "generic-tiff", "tifffile", "TIFF tags, 40000 px per centimeter"),
        ("jpeg_tiff_path", "generic-tiff", "tifffile", "TIFF tags, 101600 px per inch"),
        ("svs_path", "aperio", "tifffile", "aperio.MPP"),
        ("ome_path", "OME-TIFF", "tifffile", "OME PhysicalSize"),
    ],
)
def test_each_kind_of_file_is_described(request, fixture, vendor, decoder, source):
    with open_slide(request.getfixturevalue(fixture)) as slide:
        info = slide.info
        assert sizes_of(slide) == PYRAMID
        assert (info.vendor, info.decoder) == (vendor, decoder)
        assert info.pixel_size.source == source
        assert info.pixel_size.mpp == pytest.approx(0.2525 if vendor == "aperio" else 0.25)
        assert info.pixel_size_note == ""
        assert info.bounds_xy0 == (0, 0, 1024, 768)


@pytest.mark.parametrize("decoder", ["auto", "openslide", "tifffile"])
def test_every_decoder_gives_the_same_pixels(tiff_path, marks_levels, decoder):
    with open_slide(tiff_path, decoder=decoder) as slide:
        for level, pixels in enumerate(marks_levels):
            height, width = pixels.shape[:2]
            assert np.array_equal(slide.read_level(level, 0, 0, width, height), pixels)


def test_a_path_may_be_text(tiff_path):
    with open_slide(str(tiff_path)) as slide:
        assert slide.info.path == tiff_path


def test_the_decoder_that_is_named_reads_the_pixels(svs_path):
    for decoder in ("openslide", "tifffile"):
        with open_slide(svs_path, decoder=decoder) as slide:
            assert slide.info.decoder == decoder


def test_an_unknown_decoder_is_refused_by_name(tiff_path):
    with pytest.raises(SlideError, match=r"no decoder 'bioformats'.*openslide"):
        open_slide(tiff_path, decoder="bioformats")


@pytest.mark.parametrize("decoder", ["openslide", "tifffile"])
def test_a_decoder_that_cannot_read_the_file_says_so_and_the_way_out(tmp_path, decoder):
    path = tmp_path / "plain.png"
    Image.fromarray(noise_picture(64, 48)).save(path)
    with pytest.raises(UnreadableSlide, match=rf"plain\.png cannot be read by {decoder}.*auto"):
        open_slide(path, decoder=decoder)


def test_a_folder_of_dicom_files_is_read_by_openslide_alone(tmp_path):
    (tmp_path / "1.dcm").write_bytes(b"\0" * 128 + b"DICM")
    with pytest.raises(SlideError, match=r"tifffile: it knows no folders"):
        open_slide(tmp_path, decoder="tifffile")


def test_a_file_that_nobody_can_read_is_not_blamed_on_the_decoder(tmp_path):
    path = tmp_path / "note.svs"
    path.write_text("this is no slide")
    with pytest.raises(NotASlide, match="its content is none"):
        open_slide(path, decoder="openslide")


def test_svs_tells_objective_power_and_associated_images(svs_path):
    with open_slide(svs_path) as slide:
        assert slide.info.objective_power == 40
        assert slide.info.associated_images == ("label", "macro", "thumbnail")
        assert slide.associated_image("label").shape == (48, 64, 3)


def test_tifffile_reads_the_same_svs(svs_path):
    with open_slide(svs_path, decoder="tifffile") as slide:
        assert sizes_of(slide) == PYRAMID
        assert slide.info.vendor == "aperio"
        assert slide.info.objective_power == 40
        assert slide.info.pixel_size.source == "aperio.MPP"
        assert slide.associated_image("macro").shape == (48, 64, 3)


def test_without_mpp_the_objective_power_is_taken_as_nominal(tmp_path):
    path = write_svs(tmp_path / "a.svs", [marks_picture(0.5)], {"AppMag": 20})
    with open_slide(path) as slide:
        assert slide.info.pixel_size.mpp == 0.5
        assert slide.info.pixel_size.source == "objective power 20x, nominal"


def test_the_users_pixel_size_wins_and_the_difference_is_noted(svs_path):
    with open_slide(svs_path, mpp=0.5) as slide:
        assert (slide.info.pixel_size.mpp, slide.info.pixel_size.source) == (0.5, "user")
        assert "aperio.MPP says 0.2525" in slide.info.pixel_size_note


def test_a_nonsense_resolution_is_not_used_and_is_told(tmp_path):
    kind = TiffKind(unit="INCH", per_unit=72)
    path = write_tiff(tmp_path / "a.tif", [marks_picture(0.5)], kind=kind)
    with open_slide(path) as slide:
        assert slide.info.pixel_size is None
        assert "352.8 µm/px" in slide.info.pixel_size_note
        assert "cannot be" in slide.info.pixel_size_note
    with open_slide(path, mpp=0.5) as slide:
        assert slide.info.pixel_size.mpp == 0.5


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".jpeg"])
def test_pictures_open_without_believing_their_dpi(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    picture = marks_picture(0.5)
    Image.fromarray(picture).save(path, dpi=(50_800, 50_800), quality=95)
    with open_slide(path) as slide:
        assert slide.info.pixel_size is None
        assert slide.info.decoder == "pillow"
        error = np.abs(slide.read_level(0, 0, 0, 512, 384).astype(int) - picture)
        assert error.max() <= (0 if suffix == ".png" else 12)
    with open_slide(path, mpp=0.5) as slide:
        assert slide.info.known_pixel_size().source == "user"


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "I;16"])
def test_pictures_of_any_color_mode_become_rgb(tmp_path, mode):
    path = tmp_path / "a.png"
    gray = np.tile(np.array([0, 255], np.uint8), (40, 30))
    if mode == "I;16":
        Image.fromarray(gray.astype(np.uint16) * 257).save(path)
    else:
        Image.fromarray(gray).convert(mode).save(path)
    with open_slide(path) as slide:
        pixels = slide.read_level(0, 0, 0, 60, 40)
    assert np.array_equal(pixels, np.repeat(gray[..., None], 3, axis=-1))


def test_transparent_pixels_are_white(tmp_path):
    path = tmp_path / "a.png"
    Image.new("RGBA", (20, 20), (200, 0, 0, 0)).save(path)
    with open_slide(path) as slide:
        assert slide.read_level(0, 0, 0, 20, 20).min() == 255


def test_a_content_that_contradicts_its_suffix_is_still_found(tmp_path, marks_levels):
    path = write_tiff(tmp_path / "slide.svs", marks_levels, mpp=0.25)
    with open_slide(path) as slide:
        assert sizes_of(slide) == PYRAMID


def test_an_unknown_suffix_is_opened_by_its_content(tmp_path, marks_levels):
    path = write_tiff(tmp_path / "slide.image", marks_levels, mpp=0.25)
    with open_slide(path) as slide:
        assert sizes_of(slide) == PYRAMID


def test_pages_of_the_same_shape_are_levels_even_if_not_marked(tmp_path):
    base = noise_picture(1000, 800)
    path = tmp_path / "a.ome.tif"
    options = {"tile": (128, 128), "photometric": "rgb", "metadata": None}
    with tifffile.TiffWriter(path) as writer:
        writer.write(base, compression="deflate", **options)
        writer.write(halved(base), compression="deflate", **options)
        writer.write(noise_picture(300, 300), compression="deflate", **options)
    with open_slide(path, decoder="tifffile") as slide:
        assert sizes_of(slide) == [(1000, 800, 1.0), (500, 400, 2.0)]


def test_ome_subifds_are_levels_where_openslide_sees_one(ome_path, marks_levels):
    with open_slide(ome_path) as slide:
        assert np.array_equal(slide.read_level(2, 0, 0, 256, 192), marks_levels[2])


def test_ome_channels_in_separate_pages_are_joined(tmp_path):
    picture = noise_picture(300, 200)
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        np.moveaxis(picture, -1, 0),
        photometric="minisblack",
        tile=(64, 64),
        metadata={"axes": "CYX", "PhysicalSizeX": 500, "PhysicalSizeXUnit": "nm"},
    )
    with open_slide(path) as slide:
        assert np.array_equal(slide.read_level(0, 0, 0, 300, 200), picture)
        assert slide.info.pixel_size.mpp == pytest.approx(0.5)


def test_an_imagej_unit_turns_the_tags_into_micrometers(tmp_path):
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, marks_picture(0.5), imagej=True, resolution=(2.0, 2.0), metadata={"unit": "um"}
    )
    with open_slide(path) as slide:
        assert slide.info.pixel_size.mpp == pytest.approx(0.5)
        assert slide.info.vendor == "ImageJ"


def test_a_closed_slide_says_so(tiff_path, ome_path, svs_path):
    for path in (tiff_path, ome_path, svs_path):
        slide = open_slide(path)
        slide.close()
        with pytest.raises(SlideError, match="has been closed"):
            slide.read_level(0, 0, 0, 10, 10)
        slide.close()


def test_suffixes_are_known_whatever_their_case():
    assert is_slide_name(Path("A.SVS"))
    assert stem(Path("A.SVS")) == "A"
    assert not is_slide_name(Path("svs"))
    assert len(SLIDE_SUFFIXES) == len(set(SLIDE_SUFFIXES))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.ome.tif", "a"),
        ("a.b.svs", "a.b"),
        ("dicom-folder", "dicom-folder"),
        (".tif", ".tif"),
        ("...tif", "...tif"),  # ".." would be the folder above
    ],
)
def test_stem_leaves_the_name_only(tmp_path, name, expected):
    assert stem(tmp_path / name) == expected


def test_one_ome_level_is_described_by_its_ome_header(tmp_path):
    path = write_ome_tiff(tmp_path / "b.ome.tif", [noise_picture(300, 200)], mpp=0.33)
    with open_slide(path) as slide:
        assert slide.info.pixel_size.mpp == pytest.approx(0.33)
