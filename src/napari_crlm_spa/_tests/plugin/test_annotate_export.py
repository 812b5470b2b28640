"""From drawn areas and corrected tiles to labeled tiles, through the tab's buttons."""

import csv
from collections import Counter

import numpy as np
import pytest
from PIL import Image
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.drawn_slides import halved, write_tiff
from napari_crlm_spa._tests.plugin.annotated import (  # noqa: F401 - fixtures
    desk_of,
    draw_box,
    panel_fixture,
)
from napari_crlm_spa._tests.plugin.conftest import COLS, ROWS, make_analysis, write_slide
from napari_crlm_spa._tests.plugin.correcting import click
from napari_crlm_spa.plugin import retrain
from napari_crlm_spa.plugin.annotating.labels import patient_of
from napari_crlm_spa.plugin.widgets.annotate.export_box import EVERYBODY

#: Tiles that fit the drawn slide of 4 um/px.
TILE_PX, MPP = 32, 4.0


def export_box(panel, tmp_path):
    """The box with options for the small slide."""
    panel.annotate.export_fold.set_open(True)
    box = panel.annotate.export_box
    box.folder.setText(str(tmp_path / "tiles"))
    for name, value in (("tile_px", TILE_PX), ("mpp", MPP), ("blank", "keep")):
        box.options.editors[name].set(value)
    return box


def export(panel, box, qtbot):
    click(qtbot, box.export_button)
    qtbot.waitUntil(lambda: not box.job.busy, timeout=60_000)


def manifest(tmp_path):
    with (tmp_path / "tiles" / "manifest.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_drawn_areas_become_tiles_with_who_and_where(panel, tmp_path, qtbot):
    # 4 x 3 tiles of the grid, exactly, and a corner that is too small for any.
    draw_box(panel, 3 * TILE_PX, 2 * TILE_PX, 7 * TILE_PX, 5 * TILE_PX, "TUM")
    draw_box(panel, 0, 0, 20, 20, "HEP")
    box = export_box(panel, tmp_path)
    box.patient.setText("P07")
    export(panel, box, qtbot)
    rows = manifest(tmp_path)
    assert len(rows) == 12
    assert {row["class"] for row in rows} == {"TUM"}
    assert {row["patient"] for row in rows} == {"P07"}
    assert {row["annotator"] for row in rows} == {"reader"}
    assert {(int(r["x0"]), int(r["y0"])) for r in rows} == {
        (x * TILE_PX, y * TILE_PX) for x in range(3, 7) for y in range(2, 5)
    }
    with Image.open(tmp_path / "tiles" / rows[0]["path"]) as tile:
        assert tile.size == (TILE_PX, TILE_PX)
    assert "12 labeled tiles written (TUM 12)" in box.message.text
    # What a training would suffer from.
    assert "All tiles are of one patient (P07)" in box.message.text
    assert box.balance.text().splitlines()[1].split() == ["TUM", "12", "0", "0", "1"]


def test_the_exported_folder_is_offered_for_retraining(panel, tmp_path, qtbot):
    draw_box(panel, 0, 0, 128, 128, "TUM")
    box = export_box(panel, tmp_path)
    export(panel, box, qtbot)
    assert panel.annotate.retrain_box.folder.text() == str(tmp_path / "tiles")
    assert panel.annotate.retrain_box.count.text() == "16 tiles"
    assert retrain.tiles_in(tmp_path / "tiles") == 16


@pytest.fixture(name="fine")
def fine_fixture(panel, tmp_path):
    """The panel with an analyzed slide that is fine enough for the tiles of its map."""
    pixels = np.full((ROWS * 56, COLS * 56, 3), (200, 120, 160), np.uint8)
    panel.open_slide(str(write_tiff(tmp_path / "fine.tif", [pixels, halved(pixels)], mpp=2.0)))
    slide = panel.session.current
    panel.session.show_analysis(slide, make_analysis(tmp_path / "results" / "fine"))
    QApplication.processEvents()
    slide.review.correct(np.array([2, 2, 3]), np.array([3, 4, 3]), "LYM")
    slide.review.accept(np.array([8]), np.array([12]))
    panel.session.tell_review_changed(slide)
    return panel


@pytest.mark.parametrize(
    ("drawn", "tiles", "wanted"),
    [
        (False, True, {"LYM": 3, "TUM": 1}),
        (True, True, {"LYM": 3, "TUM": 1, "HEP": 4}),
        (True, False, {"HEP": 4}),
    ],
    ids=["tiles", "both", "areas"],
)
def test_corrected_and_accepted_tiles_are_exported_as_chosen(
    fine, tmp_path, qtbot, drawn, tiles, wanted
):
    draw_box(fine, 16 * 56, 10 * 56, 18 * 56, 12 * 56, "HEP")
    box = export_box(fine, tmp_path)
    box.options.editors["tile_px"].set(56)
    box.options.editors["mpp"].set(2.0)
    box.drawn.setChecked(drawn)
    box.tiles.setChecked(tiles)
    export(fine, box, qtbot)
    assert "labeled tiles written" in box.message.text, box.message.text
    rows = manifest(tmp_path)
    assert Counter(row["class"] for row in rows) == wanted
    if tiles:
        corrected = {(r["row"], r["col"]) for r in rows if r["source"] == "corrected"}
        assert corrected == {("2", "3"), ("2", "4"), ("3", "3")}
        assert [r["predicted_class"] for r in rows if r["source"] == "accepted"] == ["TUM"]


def test_labels_of_another_reader_join_only_if_asked_for(fine, tmp_path, qtbot):
    fine.session.set_reader("Ben")
    box = export_box(fine, tmp_path)
    box.options.editors["tile_px"].set(56)
    box.options.editors["mpp"].set(2.0)
    export(fine, box, qtbot)
    assert "Nothing is labeled yet" in box.message.text
    box.whose.setCurrentText(EVERYBODY)
    export(fine, box, qtbot)
    assert Counter(row["annotator"] for row in manifest(tmp_path)) == {"reader": 4}


def test_nothing_labeled_is_told(panel, tmp_path, qtbot):
    box = export_box(panel, tmp_path)
    export(panel, box, qtbot)
    assert "Nothing is labeled yet" in box.message.text
    assert not (tmp_path / "tiles").exists()


def test_the_patient_is_remembered_for_each_slide(panel, tmp_path):
    first = panel.session.current
    box = panel.annotate.export_box
    box.patient.setText(" P07 ")
    panel.open_slide(str(write_slide(tmp_path / "second.tif", 3.9)))
    QApplication.processEvents()
    assert box.patient.text() == ""
    box.patient.setText("P08")
    panel.session.select(first.id)
    assert box.patient.text() == "P07"
    assert {patient_of(slide) for slide in panel.session.slides.values()} == {"P07", "P08"}


def test_all_open_slides_are_exported_at_once_and_patients_stay_together(panel, tmp_path, qtbot):
    box = export_box(panel, tmp_path)
    draw_box(panel, 0, 0, 128, 128, "TUM")
    box.patient.setText("P01")
    for number, mpp in ((2, 3.9), (3, 3.8)):
        panel.open_slide(str(write_slide(tmp_path / f"slide{number}.tif", mpp)))
        QApplication.processEvents()
        draw_box(panel, 0, 0, 200, 200, "TUM")
        box.patient.setText(f"P0{number}")
    assert box.all_slides.isVisible()
    box.all_slides.setChecked(True)
    export(panel, box, qtbot)
    rows = manifest(tmp_path)
    splits = {}
    for row in rows:
        splits.setdefault(row["patient"], set()).add(row["split"])
    assert set(splits) == {"P01", "P02", "P03"}
    assert all(len(found) == 1 for found in splits.values())
    assert {"train", "validation"} <= set().union(*splits.values())


def test_shares_that_leave_too_little_are_refused_in_a_sentence(panel, tmp_path, qtbot):
    draw_box(panel, 0, 0, 128, 128, "TUM")
    box = export_box(panel, tmp_path)
    for editor in box._shares:
        editor.set(0.5)
    click(qtbot, box.export_button)
    assert not box.job.busy
    assert "leave too little to learn from" in box.message.text


def test_without_a_folder_the_panel_asks_for_one(panel, tmp_path, qtbot):
    draw_box(panel, 0, 0, 128, 128, "TUM")
    box = export_box(panel, tmp_path)
    box.folder.setText("  ")
    click(qtbot, box.export_button)
    assert "Choose a folder" in box.message.text


@pytest.mark.parametrize("purity", [0.5, 1.0])
def test_purity_decides_about_the_rim(panel, tmp_path, qtbot, purity):
    # Half a tile more on each side.
    draw_box(panel, 1.5 * TILE_PX, 2 * TILE_PX, 4.5 * TILE_PX, 5 * TILE_PX, "TUM")
    box = export_box(panel, tmp_path)
    box.purity.set(purity)
    export(panel, box, qtbot)
    assert len(manifest(tmp_path)) == (12 if purity == 0.5 else 6)
