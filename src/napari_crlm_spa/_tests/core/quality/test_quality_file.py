"""The marks of a slide on disk: what was written is read; what is not of this map is not."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from napari_crlm_spa._tests.core.quality.drawn_faults import to_end
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline.quality import check_quality
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.store.names import QUALITY_ZARR
from napari_crlm_spa.core.store.quality_file import load_quality, write_quality
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ReviewError, StoreError

SHAPE = (7, 300)


def some_quality(seed=0):
    rng = np.random.default_rng(seed)
    numbers = [rng.random(SHAPE, np.float32) for _ in range(5)]
    numbers[0][2] = np.nan
    marks = rng.integers(0, 16, SHAPE, np.uint8)
    options = QualityOptions(air_share=0.4)
    return TileQuality(marks, marks < 9, *numbers, options, {"TUM": 1.5})


def test_what_was_written_is_read(tmp_path):
    written = some_quality()
    write_quality(tmp_path, written, "run-1")
    found = load_quality(tmp_path, "run-1", SHAPE)
    for field in dataclasses.fields(TileQuality):
        ours, theirs = getattr(written, field.name), getattr(found, field.name)
        if isinstance(ours, np.ndarray):
            np.testing.assert_array_equal(ours, theirs)
            assert ours.dtype == theirs.dtype
        else:
            assert ours == theirs


def test_marks_of_another_run_are_not_shown(tmp_path):
    assert load_quality(tmp_path, "run-1", SHAPE) is None
    write_quality(tmp_path, some_quality(), "run-1")
    assert load_quality(tmp_path, "run-2", SHAPE) is None


def test_a_second_check_takes_the_place_of_the_first(tmp_path):
    write_quality(tmp_path, some_quality(0), "run-1")
    write_quality(tmp_path, some_quality(1), "run-1")
    found = load_quality(tmp_path, "run-1", SHAPE)
    np.testing.assert_array_equal(found.marks, some_quality(1).marks)
    assert [path.name for path in tmp_path.iterdir()] == [QUALITY_ZARR]


def test_a_damaged_file_says_so_and_the_way_out(tmp_path):
    write_quality(tmp_path, some_quality(), "run-1")
    shutil.rmtree(tmp_path / QUALITY_ZARR / "marks")
    with pytest.raises(StoreError, match="Check the quality again"):
        load_quality(tmp_path, "run-1", SHAPE)
    with pytest.raises(StoreError, match="damaged"):
        load_quality(tmp_path, "run-1", (1, 1))


def test_the_flags_can_be_read_without_this_package(tmp_path):
    path = write_quality(tmp_path, some_quality(), "run-1")
    attributes = json.loads((path / "zarr.json").read_text("utf-8"))["attributes"]
    assert attributes["flags"] == {"blur": 1, "pen": 2, "fold": 4, "air": 8}
    assert attributes["options"]["air_share"] == 0.4


# -- checking an analyzed slide -----------------------------------------------------------


def map_of(slide_path):
    codes = np.full((5, 6), CRLM7.code("TUM"), np.uint8)
    shares = np.zeros((5, 6, len(CRLM7)), np.float16)
    strange = np.full((5, 6), np.nan, np.float16)
    state = np.full((5, 6), TileState.CLASSIFIED, np.uint8)
    edge = np.zeros((5, 6), bool)
    return TissueMap(codes, shares, strange, state, edge, 8.0, (0.0, 0.0), CRLM7)


def record_of(slide_path):
    with open_slide(slide_path) as slide:
        fingerprint = slide.info.fingerprint
    return {"identity": "run-1", "slide": {"path": str(slide_path), "fingerprint": fingerprint}}


def test_a_checked_slide_is_found_again(tmp_path, tiff_path):
    found = to_end(check_quality(tmp_path, map_of(tiff_path), record_of(tiff_path)))
    assert found.measured.all()
    again = load_quality(tmp_path, "run-1", (5, 6))
    np.testing.assert_array_equal(again.marks, found.marks)


def test_a_moved_slide_can_be_named(tmp_path, tiff_path):
    record = record_of(tiff_path)
    record["slide"]["path"] = str(tmp_path / "gone.tif")
    with pytest.raises(ReviewError, match="--slide"):
        to_end(check_quality(tmp_path, map_of(tiff_path), record))
    found = to_end(check_quality(tmp_path, map_of(tiff_path), record, slide=tiff_path))
    assert found.measured.all()


def test_another_slide_is_refused(tmp_path, tiff_path, svs_path):
    with pytest.raises(ReviewError, match="not the slide that was analyzed"):
        to_end(check_quality(tmp_path, map_of(tiff_path), record_of(tiff_path), slide=svs_path))
    assert not (tmp_path / QUALITY_ZARR).exists()


def test_a_pixel_size_entered_by_hand_is_used(tmp_path, tiff_path):
    record = record_of(tiff_path)
    record["slide"] |= {"pixel_size_um": [0.5, 0.5], "pixel_size_source": "user"}
    tissue_map = dataclasses.replace(map_of(tiff_path), stride_um=16.0)
    plain = to_end(check_quality(tmp_path, map_of(tiff_path), record_of(tiff_path)))
    entered = to_end(check_quality(tmp_path, tissue_map, record))
    np.testing.assert_allclose(entered.air, plain.air, atol=0.05)


def test_cancelling_writes_nothing(tmp_path, tiff_path):
    work = check_quality(tmp_path, map_of(tiff_path), record_of(tiff_path))
    next(work)
    work.close()
    assert not (tmp_path / QUALITY_ZARR).exists()


def test_where_nothing_can_be_written_the_marks_are_told_first(tmp_path, tiff_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    told = []
    with pytest.raises(StoreError):
        for step in check_quality(blocked, map_of(tiff_path), record_of(tiff_path)):
            told.append(step.changed)
    assert isinstance(told[-1], TileQuality)
    assert told[-1].counts().keys() == set(QualityMark)
