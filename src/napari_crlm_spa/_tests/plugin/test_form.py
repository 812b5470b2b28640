"""Forms are made from options alone."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

import pytest
from qtpy.QtCore import QLocale
from qtpy.QtWidgets import QLabel

from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.spatial import SpatialOptions
from napari_crlm_spa.core.stain import StainOptions
from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.plugin.form import NumberBox, build_form, label_of, read_form, write_form


@dataclass(frozen=True, slots=True, kw_only=True)
class Inner(Options):
    strength: float = option(0.25, "How strong", min=0.0, max=1.0, unit="µm")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outer(Options):
    tile_px: int = option(224, "Side of a tile", min=32, max=1024, unit="px")
    exact: bool = option(True, "Whether it is exact", advanced=True)
    way: str = option("left", "Which way", choices=("left", "right"))
    name: str = option("", "What it is called")
    file: Path | None = option(None, "Where it is")  # noqa: RUF009
    inner: Inner = option(Inner(), "Inside part", label="Inside")  # noqa: RUF009


@pytest.fixture
def form(qtbot):
    form = build_form(Outer)
    qtbot.addWidget(form)
    return form


def test_a_new_form_shows_the_defaults(form):
    assert read_form(form) == Outer()


def test_what_is_written_is_read_back(form):
    other = Outer(
        tile_px=112, exact=False, way="right", name="x", file=Path("a.json"),
        inner=Inner(strength=0.75),
    )  # fmt: skip
    write_form(form, other)
    assert read_form(form) == other


def test_boxes_know_range_choices_and_help(form):
    tile = form.editors["tile_px"].widget
    assert (tile.minimum(), tile.maximum(), tile.toolTip()) == (32, 1024, "Side of a tile")
    way = form.editors["way"].widget
    assert [way.itemText(i) for i in range(way.count())] == ["left", "right"]


def test_labels_are_words_with_units(form):
    labels = {label.text() for label in form.findChildren(QLabel)}
    assert {"Tile (px)", "Strength (µm)", "<b>Inside</b>"} <= labels


def test_skipped_fields_are_asked_for_elsewhere(qtbot):
    form = build_form(Outer, skip=("way",))
    qtbot.addWidget(form)
    assert "way" not in form.editors
    assert read_form(form, way="right").way == "right"


def test_a_lifted_editor_is_still_read(form):
    editor = form.lift("tile_px")
    editor.set(448)
    assert read_form(form).tile_px == 448
    assert "Tile (px)" not in {
        form._plain.itemAt(row, form._plain.ItemRole.LabelRole).widget().text()
        for row in range(form._plain.rowCount())
    }


def test_advanced_fields_are_folded(form):
    assert not form.editors["exact"].widget.isVisibleTo(form)
    assert form.editors["way"].widget.isVisibleTo(form)


@pytest.mark.parametrize(
    "options_class", [TilingOptions, StainOptions, ClassifyOptions, SpatialOptions]
)
def test_every_option_of_the_pipeline_has_an_editor(qtbot, options_class):
    form = build_form(options_class)
    qtbot.addWidget(form)
    fields = {field.name for field in dataclasses.fields(options_class)}
    assert fields == set(form.editors) | set(form.sections)
    assert read_form(form) == options_class()


def test_a_name_becomes_words():
    field = next(f for f in dataclasses.fields(Outer) if f.name == "tile_px")
    assert label_of(field) == "Tile (px)"


@pytest.mark.parametrize(
    ("decimals", "value", "text"),
    [(0, 950.0, "950"), (0, 0.0, "0"), (4, 0.25, "0.25"), (2, 40.0, "40")],
)
def test_a_number_loses_only_zeros_behind_the_point(qtbot, decimals, value, text):
    """A distance of 950 µm was shown as 95 µm, and taken as that when it was confirmed."""
    box = NumberBox()
    qtbot.addWidget(box)
    box.setDecimals(decimals)
    box.setRange(0.0, 5000.0)
    box.setValue(value)
    assert box.text() == text
    box.interpretText()
    assert box.value() == value


@pytest.mark.parametrize("typed", ["0.5", "0,5", ".5"])
def test_a_pixel_size_is_read_alike_in_every_country(qtbot, typed):
    """Where the decimal sign is a comma, Qt took 0.5 for 5."""
    before = QLocale()
    QLocale.setDefault(QLocale("de_DE"))
    try:
        box = NumberBox()
        qtbot.addWidget(box)
        box.setDecimals(4)
        box.setRange(0.05, 10.0)
        box.setValue(0.2527)
        assert box.text() == "0.2527"
        box.lineEdit().selectAll()
        qtbot.keyClicks(box, typed)
        box.interpretText()
    finally:
        QLocale.setDefault(before)
    assert box.value() == 0.5
    assert box.text() == "0.5"
