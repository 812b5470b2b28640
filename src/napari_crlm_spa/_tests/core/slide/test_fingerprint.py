import shutil

import pytest

from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.fingerprint import SAMPLE_BYTES, fingerprint


@pytest.fixture
def large(tmp_path):
    """A file that is larger than all samples of it together."""
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(range(256)) * 16_000)
    return path


def test_it_survives_renaming_and_copying(tiff_path, tmp_path):
    copy = tmp_path / "other-name.tif"
    shutil.copy(tiff_path, copy)
    with open_slide(tiff_path) as one, open_slide(copy) as other:
        assert one.info.fingerprint == other.info.fingerprint


def test_the_decoder_and_the_users_pixel_size_play_no_part(tiff_path):
    with open_slide(tiff_path) as one, open_slide(tiff_path, mpp=1, decoder="tifffile") as other:
        assert one.info.fingerprint == other.info.fingerprint


@pytest.mark.parametrize("at", [0, SAMPLE_BYTES - 1, -1, -SAMPLE_BYTES])
def test_a_changed_byte_at_either_end_changes_it(large, at):
    before = fingerprint(large)
    data = bytearray(large.read_bytes())
    data[at] ^= 1
    large.write_bytes(data)
    assert fingerprint(large) != before


def test_one_byte_more_changes_it(large):
    before = fingerprint(large)
    with large.open("ab") as file:
        file.write(b"\0")
    assert fingerprint(large) != before


def test_companions_and_series_count(large, tmp_path):
    companion = tmp_path / "companion"
    companion.write_bytes(b"12345")
    plain, with_companion = fingerprint(large), fingerprint(large, [companion])
    companion.write_bytes(b"1234567")
    changed = fingerprint(large, [companion])
    assert len({plain, with_companion, changed, fingerprint(large, extra="1.2.3")}) == 4


def test_a_small_file_is_hashed_whole(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"abc")
    assert len(fingerprint(path)) == 64
