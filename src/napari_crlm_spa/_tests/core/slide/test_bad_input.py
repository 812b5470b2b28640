"""Each bad input: one sentence of the right class, that names the file and the way out."""

import re
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_crlm_spa._tests.drawn_slides import TiffKind, noise_picture, write_tiff
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.openslide_slide import OpenSlideSlide
from napari_crlm_spa.errors import (
    MissingCompanion,
    NotASlide,
    SlideError,
    UnpyramidedSlide,
    UnreadableSlide,
)


def refusal(path, kind, **options):
    """Open, expect an error of exactly that class, and return its sentence."""
    with pytest.raises(SlideError) as caught:
        open_slide(path, **options)
    assert type(caught.value) is kind
    sentence = str(caught.value)
    assert Path(path).name in sentence
    assert sentence.endswith((".", '"', "jpeg")) and "\n" not in sentence
    return sentence


def test_no_such_file(tmp_path):
    assert "does not exist" in refusal(tmp_path / "a.svs", UnreadableSlide)


def test_empty_file(tmp_path):
    path = tmp_path / "a.svs"
    path.touch()
    assert "is empty (0 bytes)" in refusal(path, UnreadableSlide)


@pytest.mark.parametrize("suffix", [".svs", ".ndpi", ".scn", ".bif", ".tif", ".png", ".dcm"])
def test_text_named_like_a_slide(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    path.write_text("This is not a slide at all. " * 20)
    assert "named like a slide" in refusal(path, NotASlide)


def test_some_other_file(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("notes")
    sentence = refusal(path, NotASlide)
    assert ".svs" in sentence and "DICOM" in sentence


def test_no_permission(tmp_path, tiff_path, monkeypatch):
    # Root may read everything: the refusal is played.
    def refuse(*_args, **_options):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "permission denied" in refusal(tiff_path, UnreadableSlide)


def test_a_disk_that_fails(tiff_path, monkeypatch):
    def fail(*_args, **_options):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(Path, "open", fail)
    assert "Input/output error" in refusal(tiff_path, UnreadableSlide)


def test_a_folder_without_a_slide(tmp_path):
    assert "folder without DICOM files" in refusal(tmp_path, NotASlide)


def test_the_folder_of_a_mirax_slide(tmp_path):
    folder = tmp_path / "case1"
    folder.mkdir()
    (folder / "Slidedat.ini").write_text("[GENERAL]")
    assert "Open case1.mrxs beside it" in refusal(folder, NotASlide)


def test_mirax_without_its_folder(tmp_path):
    path = tmp_path / "case1.mrxs"
    path.write_bytes(b"\xff\xd8\xff\xe0 preview")
    assert "needs the folder case1 beside it" in refusal(path, MissingCompanion)
    (tmp_path / "case1").mkdir()
    assert "Slidedat.ini" in refusal(path, MissingCompanion)


@pytest.mark.parametrize("suffix", [".vms", ".vmu"])
def test_hamamatsu_index_without_its_images(tmp_path, suffix):
    path = tmp_path / f"case1{suffix}"
    path.write_text(
        "[Virtual Microscope Specimen]\nNoLayers=1\nImageFile=a.jpg\nImageFile(1,0)=b.jpg\n"
        "MapFile=map.jpg\nOptimisationFile=\n"
    )
    assert "needs 3 more file(s) beside it, the first is a.jpg" in refusal(path, MissingCompanion)
    for name in ("a.jpg", "b.jpg", "map.jpg"):
        Image.new("RGB", (16, 16)).save(tmp_path / name)
    assert type(_error(path)) is not MissingCompanion


def _error(path):
    with pytest.raises(SlideError) as caught:
        open_slide(path)
    return caught.value


def test_dicom_that_is_no_slide(tmp_path):
    path = tmp_path / "a.dcm"
    path.write_bytes(b"\0" * 128 + b"DICM" + b"\0" * 200)
    sentence = refusal(path, UnreadableSlide)
    assert "not a whole-slide image that conforms" in sentence and "Export" in sentence
    folder = tmp_path / "series"
    folder.mkdir()
    path.rename(folder / "a.dcm")
    assert "a.dcm is a DICOM file" in str(_error(folder))


@pytest.mark.parametrize("share", [0.9, 0.5, 0.05])
@pytest.mark.parametrize("fixture", ["tiff_path", "jpeg_tiff_path", "svs_path", "ome_path"])
def test_a_truncated_slide(request, tmp_path, fixture, share):
    whole = request.getfixturevalue(fixture)
    path = tmp_path / whole.name
    data = whole.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    sentence = refusal(path, UnreadableSlide)
    assert re.search(r"cut off|damaged", sentence)
    assert "Copy it again" in sentence or "copy it again" in sentence


@pytest.mark.parametrize("n_bytes", [3, 6, 12, 200])
def test_a_file_of_a_few_bytes(tmp_path, tiff_path, n_bytes):
    path = tmp_path / "a.tif"
    path.write_bytes(tiff_path.read_bytes()[:n_bytes])
    assert type(_error(path)) in (UnreadableSlide, NotASlide)


def test_a_slide_cut_off_before_its_index(tmp_path):
    path = tmp_path / "a.svs"
    path.write_bytes(b"II*\0" + struct.pack("<I", 1_000_000) + noise_picture(64, 64).tobytes())
    sentence = refusal(path, UnreadableSlide)
    assert "reach to byte 1,000,000, but the file ends at byte 12,296" in sentence


def test_only_our_sentence_is_printed(tmp_path, ome_path, capfd):
    path = tmp_path / "a.tif"
    path.write_bytes(ome_path.read_bytes()[:5000])
    refusal(path, UnreadableSlide)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_truncated_picture(tmp_path, suffix):
    whole = tmp_path / f"whole{suffix}"
    Image.fromarray(noise_picture(200, 200)).save(whole)
    path = tmp_path / f"part{suffix}"
    path.write_bytes(whole.read_bytes()[:5000])
    assert "is damaged" in refusal(path, UnreadableSlide)


def damaged_jpeg_tiff(path, tile, **options):
    """A JPEG TIFF of 8 x 8 tiles of which one is overwritten with nonsense."""
    write_tiff(path, [noise_picture(1024, 1024)], 0.25, TiffKind(compression="jpeg", **options))
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        offset, count = page.dataoffsets[tile], page.databytecounts[tile]
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\0" * count)
    return path


@pytest.mark.parametrize("decoder", ["auto", "openslide", "tifffile"])
def test_one_damaged_tile_spoils_only_itself(tmp_path, decoder):
    path = damaged_jpeg_tiff(tmp_path / "a.tif", tile=9)
    with open_slide(path, decoder=decoder) as slide:
        with pytest.raises(UnreadableSlide, match=r"a\.tif is damaged: the part"):
            slide.read_level(0, 130, 130, 64, 64)
        assert slide.read_level(0, 300, 300, 64, 64).std() > 10
        with pytest.raises(UnreadableSlide, match="is damaged"):
            slide.read_level(0, 100, 100, 64, 64)
        assert slide.read_level(0, 0, 0, 64, 64).std() > 10


@pytest.mark.parametrize("decoder", ["auto", "openslide", "tifffile"])
def test_a_slide_none_of_which_can_be_read_is_refused_at_once(tmp_path, decoder):
    path = tmp_path / "a.tif"
    damaged_jpeg_tiff(path, tile=0, tile_px=1024)
    assert "is damaged" in refusal(path, UnreadableSlide, decoder=decoder)


def test_damage_in_one_thread_does_not_disturb_others(tmp_path):
    """OpenSlide's handle stays broken after an error, for all threads that share it."""
    from concurrent.futures import ThreadPoolExecutor

    path = damaged_jpeg_tiff(tmp_path / "a.tif", tile=9)

    def read(index):
        try:
            return slide.read_level(0, index % 8 * 128, index // 8 * 128, 128, 128)
        except UnreadableSlide:
            return None

    with OpenSlideSlide(path, direct=False) as slide, ThreadPoolExecutor(4) as pool:
        expected = [read(index) for index in range(64)]
        found = list(pool.map(read, list(range(64)) * 4))
    assert [tile is None for tile in expected] == [index == 9 for index in range(64)]
    for index, tile in enumerate(found):
        assert (tile is None) == (index % 64 == 9)
        assert tile is None or np.array_equal(tile, expected[index % 64])


def giant_tiff(path, sides=(10_240,)):
    """Square levels of one color, compressed to nothing."""
    tile = np.full((1024, 1024), 200, np.uint8)
    with tifffile.TiffWriter(path) as writer:
        for side in sides:
            writer.write(
                (tile for _ in range((side // 1024) ** 2)),
                shape=(side, side),
                dtype=np.uint8,
                tile=(1024, 1024),
                compression="deflate",
                metadata=None,
                subfiletype=int(side < sides[0]),
                resolution=(40_000, 40_000),
                resolutionunit="CENTIMETER",
            )
    return path


def test_a_giant_without_levels_names_the_conversion(tmp_path):
    path = giant_tiff(tmp_path / "giant.tif")
    sentence = refusal(path, UnpyramidedSlide)
    assert "10,240 x 10,240" in sentence
    assert 'crlm-spa convert "giant.tif"' in sentence
    with open_slide(path, allow_huge=True) as slide:
        assert slide.read_level(0, 10_000, 10_000, 100, 100).mean() == 200


def test_a_giant_whose_smallest_copy_is_one_too_names_that_copy(tmp_path):
    path = giant_tiff(tmp_path / "huge.tif", (20_480, 10_240))
    sentence = refusal(path, UnpyramidedSlide)
    assert "no copy smaller than 10,240 x 10,240 pixels" in sentence
    assert "crlm-spa convert" in sentence


def picture_that_claims_to_be(path, width, height):
    """A small PNG whose header names another size."""
    Image.new("RGB", (8, 8)).save(path)
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(data)
    return path


def test_a_picture_bomb_is_refused_before_it_fills_the_memory(tmp_path):
    path = picture_that_claims_to_be(tmp_path / "a.png", 60_000, 50_000)
    for allow_huge in (False, True):
        assert "9 GB of memory" in refusal(path, UnpyramidedSlide, allow_huge=allow_huge)


def test_a_giant_picture_names_the_conversion(tmp_path):
    path = picture_that_claims_to_be(tmp_path / "a.png", 20_000, 10_000)
    assert "crlm-spa convert" in refusal(path, UnpyramidedSlide)
    # Allowed, it is decoded, and found to be only 8 pixels wide.
    assert "is damaged" in refusal(path, UnreadableSlide, allow_huge=True)


def test_a_users_impossible_pixel_size(tiff_path):
    with pytest.raises(SlideError, match="353 µm/px cannot be"):
        open_slide(tiff_path, mpp=353)
