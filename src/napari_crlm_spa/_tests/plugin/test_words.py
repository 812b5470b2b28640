"""Words and table rows that the panel shows."""

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import known_map
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.plugin import memory
from napari_crlm_spa.plugin.session import RunStatus
from napari_crlm_spa.plugin.tables import SHOWN_FAMILIES, feature_table, legend_rows
from napari_crlm_spa.plugin.words import (
    duration,
    pixel_size_line,
    progress_text,
    setup_line,
    slide_line,
    status_line,
)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "1 s"), (59, "59 s"), (60, "1 min"), (150, "2 min"), (3600, "1 h 0 min"),
     (5430, "1 h 30 min")],
)  # fmt: skip
def test_durations_are_as_coarse_as_speech(seconds, words):
    assert duration(seconds) == words


def test_the_status_tells_stage_speed_and_time_left():
    status = RunStatus("Classifying tiles", 400, 1000, "tiles", 1234.5, 150)
    assert status_line(status) == "Classifying tiles · 1,234 tiles/s · about 2 min left"
    assert progress_text(status) == "400 of 1,000 tiles (40 %)"


def test_a_stage_without_numbers_is_only_named():
    assert status_line(RunStatus("Loading the model")) == "Loading the model"
    assert progress_text(RunStatus("Loading the model")) == ""


def test_a_slide_is_described_in_millimeters_once_its_pixels_have_a_size():
    pixels = np.zeros((200, 1000, 3), np.uint8)
    assert slide_line(ArraySlide(pixels, mpp=0.5).info) == "0.5 × 0.1 mm · 1,000 × 200 px"
    unknown = ArraySlide(pixels).info
    assert slide_line(unknown) == "1,000 × 200 px"
    assert "unknown" in pixel_size_line(unknown)


def test_the_legend_has_every_class_and_the_shares_of_tissue_sum_to_one():
    tissue_map = known_map()
    tissue_map.classes[0, :4] = CRLM7.code("BACK")
    rows = legend_rows(tissue_map)
    assert [row.name for row in rows][-1] == "BACK"
    assert {row.name for row in rows} == set(CRLM7.names)
    assert sum(row.share for row in rows if row.share is not None) == pytest.approx(1)
    background = rows[-1]
    assert (background.tiles, background.share) == (4, None)
    assert background.area_mm2 == pytest.approx(4 * 0.112**2)


def test_an_empty_map_has_shares_of_zero():
    tissue_map = known_map()
    tissue_map.classes[:] = 0
    assert {row.share for row in legend_rows(tissue_map)} == {0.0, None}


def test_the_feature_table_holds_each_feature_once(analysis):
    table = feature_table(analysis.features)
    columns = [cell.column for cells in table.values() for cell in cells]
    assert sorted(columns) == sorted(analysis.features.values)
    assert all(len(cells) == len(SHOWN_FAMILIES) for cells in table.values())


def test_choices_are_remembered_and_a_damaged_file_is_forgotten():
    memory.remember(model="a", device="cpu")
    memory.remember(device="cuda")
    assert memory.recall() == {"model": "a", "device": "cuda"}
    memory.memory_file().write_text("{")
    assert memory.recall() == {}


def test_a_folder_that_may_not_be_written_does_not_stop_the_panel(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(memory, "user_config_path", lambda *_, **__: tmp_path / "file")
    memory.remember(model="a")
    assert memory.recall() == {}


def test_the_setup_is_told_in_one_line():
    slide = ArraySlide(np.zeros((2000, 4000, 3), np.uint8), mpp=0.5, path="a.svs")
    assert setup_line(slide.info, "default", "cpu") == (
        "a.svs · 2.0 × 1.0 mm · 0.5 µm/px · model default on cpu"
    )
    unknown = ArraySlide(np.zeros((8, 8, 3), np.uint8), path="b.svs")
    assert "pixel size unknown" in setup_line(unknown.info, "default", "auto")
