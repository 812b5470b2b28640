"""The Features tab: numbers now and before, the map behind a number, the risk model's terms."""

import csv

import pytest

from napari_crlm_spa._tests.plugin.tile_review import reviewed
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.spatial import TISSUES
from napari_crlm_spa.core.spatial.definitions import column_name
from napari_crlm_spa.plugin.map_view import MapKind
from napari_crlm_spa.plugin.tables import SHOWN_FAMILIES
from napari_crlm_spa.plugin.widgets.features import FeaturesTab
from napari_crlm_spa.plugin.widgets.lens import MixtureLens


@pytest.fixture
def session(tmp_path):
    return reviewed(tmp_path)


@pytest.fixture
def tab(qtbot, session):
    tab = FeaturesTab(session)
    qtbot.addWidget(tab)
    return tab


def cells(tab):
    """(row, column) in the table of every feature's column name."""
    return {
        column_name(family, tissue): (row, column)
        for row, tissue in enumerate(TISSUES)
        for column, family in enumerate(SHOWN_FAMILIES, start=1)
    }


def test_every_number_is_the_feature_as_it_is_now(tab, session):
    for name, value in session.current.features.values.items():
        shown = tab.table.text(*cells(tab)[name])
        assert shown == ("–" if value != value else f"{value:.4f}")


def test_after_a_correction_a_number_says_what_it_was(qtbot, tab, session):
    slide = session.current
    name = column_name("overall", "MUC")
    before = slide.analysis.features.values[name]
    slide.review.correct([6, 6], [7, 8], "MUC")
    session.tell_review_changed(slide)
    row, column = cells(tab)[name]
    expected = f"{slide.features.values[name]:.4f}\nwas {before:.4f}"
    qtbot.waitUntil(lambda: tab.table.text(row, column) == expected, timeout=60_000)
    assert f"As predicted: {before:.4f}" in tab.table.item(row, column).toolTip()
    assert tab.table.rowHeight(row) > 30
    slide.review.undo()
    session.tell_review_changed(slide)
    qtbot.waitUntil(lambda: tab.table.text(row, column) == f"{before:.4f}", timeout=60_000)


def test_terms_of_the_risk_model_are_bold_and_follow_its_choice(qtbot, tab, session):
    def bold():
        return {n for n, at in cells(tab).items() if tab.table.item(*at).font().bold()}

    terms = {feature.column for feature in session.risk_model.features}
    assert bold() == terms
    other = load_risk_model("paper_eq1").model_copy(
        update={"features": session.risk_model.features[:1]}
    )
    session.current.review.set_risk_model(other)
    session.risk_model_changed.emit(other)
    qtbot.waitUntil(lambda: bold() == {other.features[0].column}, timeout=60_000)


@pytest.mark.parametrize(
    ("column", "kind"),
    [(2, MapKind.ZONES), (3, MapKind.ZONES), (4, MapKind.INTERACTION), (1, MapKind.TISSUE)],
)
def test_a_click_on_a_number_shows_its_map(qtbot, tab, session, column, kind):
    session.set_view(kind=MapKind.ENTROPY, tissue="DEB")
    row = TISSUES.index("LYM")
    tab.table.cellClicked.emit(row, column)
    assert session.view.kind is kind
    assert session.view.tissue == ("DEB" if kind is MapKind.TISSUE else "LYM")


def test_the_file_holds_the_corrected_numbers(tab, session, tmp_path):
    session.current.review.correct([6], [7], "MUC")
    tab.save_to(tmp_path / "features.csv")
    row = next(csv.DictReader((tmp_path / "features.csv").open(encoding="utf-8")))
    name = column_name("overall", "MUC")
    assert float(row[name]) == pytest.approx(session.current.features.values[name])


def test_without_a_result_there_is_no_table(tab, session):
    session.remove_slide(session.current.id)
    assert tab.table.rowCount() == 0
    assert not tab.save_button.isEnabled()


def test_the_lens_waits_in_a_fold(tab):
    assert isinstance(tab.lens, MixtureLens)
    assert not tab.lens_fold.is_open
