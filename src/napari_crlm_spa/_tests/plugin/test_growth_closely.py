"""A closer look from the dock: numbers of the finer map, until the map is corrected."""

import threading

import numpy as np
import pytest
from qtpy.QtWidgets import QApplication

from napari_crlm_spa._tests.plugin.test_growth_panel import (  # noqa: F401 - fixtures
    TIMEOUT_MS,
    dock_fixture,
    growth_fixture,
    session_of,
    wait_for,
)
from napari_crlm_spa.core.pipeline.front_plan import refined
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.core.spatial.interface import (
    InterfaceCode,
    InterfaceOptions,
    measure_interface,
)
from napari_crlm_spa.core.store.front_file import FrontBand
from napari_crlm_spa.errors import NoInterface
from napari_crlm_spa.plugin import engine
from napari_crlm_spa.plugin.growth.closely import front_source
from napari_crlm_spa.plugin.widgets.growth.close_box import NO_LONGER, STOPPED

FINE_UM = 56.0


def seen_closely(tissue_map):
    """The same map at half the stride, on which half of the capsule turns out to be liver."""
    fine = refined(tissue_map, FINE_UM)
    stroma = fine.classes == fine.scheme.code("STR")
    stroma[:, : stroma.shape[1] // 2] = False
    fine.classes[stroma] = fine.scheme.code("HEP")
    fine.probabilities[stroma] = 0
    fine.probabilities[stroma, fine.scheme.code("HEP") - 1] = 1
    record = {"tiles": {"classified": 1234}, "tile_um": 112.0, "stride_um": FINE_UM}
    return FrontBand(fine, np.ones(fine.shape, bool), {**record, "interface_mm": 4.2})


@pytest.fixture(name="looks")
def looks_fixture(monkeypatch):
    """Stands in for the classifier: what was asked, and a gate that lets it end."""
    asked, gate = [], threading.Event()
    gate.set()

    def look(source, options, interface):
        asked.append((source, options, interface))
        yield Progress("Looking closely at the interface", 0, 2, "tiles")
        while not gate.wait(0.02):
            yield Progress("Looking closely at the interface", 1, 2, "tiles")
        return seen_closely(source.tissue_map)

    monkeypatch.setattr(engine, "look_closely", look)
    return asked, gate


def box_of(dock):
    return dock.desk.measured.close_box


def look(qtbot, dock):
    box_of(dock).button.click()
    qtbot.waitUntil(lambda: not box_of(dock).job.busy, timeout=TIMEOUT_MS)
    wait_for(qtbot, dock)


def test_the_numbers_are_those_of_the_finer_map_and_interaction_stays_the_coarse_one(
    qtbot, growth, looks
):
    before = growth.desk.keeper.measured.interface.summary
    look(qtbot, growth)
    measured = growth.desk.keeper.measured
    expected = measure_interface(seen_closely(session_of(growth).current.tissue_map).tissue_map)
    assert measured.interface.stride_um == FINE_UM
    assert measured.interface.summary.pct_D == expected.summary.pct_D
    assert measured.interface.summary.pct_D < before.pct_D
    assert measured.interface.summary.interaction_paper == before.interaction_paper
    bar = growth.desk.measured.shares
    now = expected.summary.pct_D
    qtbot.waitUntil(lambda: bar.shares[InterfaceCode.D] == now, timeout=TIMEOUT_MS)
    assert "1,234 overlapping tiles of 112 µm along 4.2 mm" in box_of(growth).line.text()


def test_it_is_asked_for_as_the_forms_say(qtbot, growth, looks):
    asked, _ = looks
    growth.desk.keeper.set_options(InterfaceOptions(smooth_um=200.0))
    box_of(growth).form.editors["stride_um"].set(28.0)
    look(qtbot, growth)
    _, options, interface = asked[-1]
    assert (options.stride_um, interface.smooth_um) == (28.0, 200.0)


def test_one_can_go_back_to_the_map(qtbot, growth, looks):
    before = growth.desk.keeper.measured.interface.summary
    look(qtbot, growth)
    box_of(growth).back_button.click()
    wait_for(qtbot, growth)
    assert growth.desk.keeper.measured.interface.summary == before
    assert box_of(growth).line.isHidden()


def test_a_correction_ends_it_and_says_so(qtbot, growth, looks):
    look(qtbot, growth)
    session = session_of(growth)
    session.current.review.correct([5], [4], "HEP")
    session.tell_review_changed(session.current)
    assert box_of(growth).message.text == NO_LONGER
    qtbot.waitUntil(lambda: growth.desk.keeper.measured.front is None, timeout=TIMEOUT_MS)


def test_a_correction_while_it_looks_stops_it(qtbot, growth, looks):
    _, gate = looks
    gate.clear()
    box_of(growth).button.click()
    session = session_of(growth)
    session.current.review.correct([5], [4], "HEP")
    session.tell_review_changed(session.current)
    assert not box_of(growth).job.busy
    gate.set()
    wait_for(qtbot, growth)
    assert growth.desk.keeper.measured.front is None


def test_cancel_leaves_the_numbers_of_the_map(qtbot, growth, looks):
    _, gate = looks
    gate.clear()
    before = growth.desk.keeper.measured
    box_of(growth).button.click()
    box_of(growth).job.cancel_button.click()
    qtbot.waitUntil(lambda: not box_of(growth).job.busy, timeout=TIMEOUT_MS)
    assert box_of(growth).message.text == STOPPED
    assert growth.desk.keeper.measured is before


def test_what_cannot_be_looked_at_is_a_sentence(qtbot, growth, monkeypatch):
    def refuse(*_):
        yield Progress("Looking closely at the interface", 0, 2, "tiles")
        raise NoInterface("There is no tumor-liver interface to look at closely.")

    monkeypatch.setattr(engine, "look_closely", refuse)
    look(qtbot, growth)
    assert box_of(growth).message.text == "There is no tumor-liver interface to look at closely."


def test_the_pointer_marks_its_place_on_the_ribbon_of_the_finer_map(qtbot, growth, looks):
    from napari_crlm_spa.plugin.session import TileAt

    look(qtbot, growth)
    ribbon, session = growth.desk.ribbon, session_of(growth)
    growth.desk.measured.ribbon_button.click()
    QApplication.processEvents()
    strip, stride = ribbon.view.strip, session.current.tissue_map.stride_um
    x, y = strip.center_um(1000)
    ribbon.on_hovered(TileAt(session.current.id, int(y // stride), int(x // stride)))
    assert ribbon.view._marked == pytest.approx(1000, abs=1.5 * stride)


def test_a_corrected_map_is_looked_at_in_the_readers_folder(growth):
    slide = session_of(growth).current
    as_classified = front_source(slide, slide.review)
    assert (as_classified.place, as_classified.reader) == (slide.analysis.folder, "")
    session_of(growth).set_reader("Anna")
    slide.review.correct([5], [4], "HEP")
    corrected = front_source(slide, slide.review)
    assert corrected.place == reader_folder(slide.analysis.folder, "Anna")
    assert corrected.reader == "Anna"
