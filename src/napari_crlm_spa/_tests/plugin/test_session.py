"""The session: who is open, who runs, and what comes too late."""

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import batch_of, known_grid, known_map
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.plugin.session import USER, Meter, Session


def info(name="a.svs", mpp=0.5):
    return ArraySlide(np.zeros((8, 8, 3), np.uint8), mpp=mpp, path=name).info


@pytest.fixture
def session():
    session = Session()
    session.add_slide("a", info("a.svs"))
    session.add_slide("b", info("b.svs"))
    return session


def started(session, slide_id="a"):
    run = session.begin_run(slide_id, 0.0)
    session.take_progress(run, Progress("Finding tissue", 1, 1, changed=known_grid()), 0.0)
    return run


def test_the_slide_opened_last_is_the_current_one(session):
    assert session.current is session.slides["b"]


def test_a_slide_is_taken_up_once(session):
    session.add_slide("a", info("a.svs"))
    assert list(session.slides) == ["a", "b"]
    assert session.current.id == "a"


def test_closing_the_current_slide_shows_another(session):
    session.remove_slide("b")
    assert session.current.id == "a"
    session.remove_slide("a")
    assert session.current is None


def test_the_map_starts_empty_and_fills_with_each_report(session):
    run = started(session)
    slide = session.slides["a"]
    assert not slide.tissue_map.classes.any()
    first = known_grid().pending()[:5]
    scores = batch_of(known_map(), first)
    session.take_progress(run, Progress("Classifying tiles", 5, 9, "tiles", scores), 1.0)
    expected = known_map().classes[tuple(first.T)]
    assert slide.tissue_map.classes[tuple(first.T)].tolist() == expected.tolist()
    assert np.count_nonzero(slide.tissue_map.classes) == 5


def test_a_result_for_a_closed_slide_is_dropped(session, analysis):
    heard = []
    session.analysis_changed.connect(heard.append)
    run = started(session)
    session.remove_slide("a")
    assert session.run is None
    session.take_analysis(run, analysis)
    assert heard == []


def test_a_result_of_an_earlier_run_is_dropped(session, analysis):
    late = started(session)
    session.end_run(late)
    now = started(session)
    session.take_analysis(late, analysis)
    assert session.slides["a"].analysis is None
    assert session.run is now


def test_reports_of_an_earlier_run_do_not_touch_the_map(session):
    late = started(session)
    session.end_run(late)
    started(session)
    scores = batch_of(known_map(), known_grid().pending()[:5])
    session.take_progress(late, Progress("Classifying tiles", 5, 9, "tiles", scores), 1.0)
    assert not session.slides["a"].tissue_map.classes.any()


def test_a_result_stays_with_its_slide_while_another_is_looked_at(session, analysis):
    run = started(session, "a")
    session.select("b")
    session.take_analysis(run, analysis)
    assert session.slides["a"].analysis is analysis
    assert session.slides["b"].analysis is None
    assert session.run is None


def test_a_new_run_discards_the_old_result(session, analysis):
    session.take_analysis(started(session), analysis)
    started(session)
    assert session.slides["a"].analysis is None


def test_an_entered_pixel_size_is_the_users_and_drops_the_old_map(session, analysis):
    session.take_analysis(started(session), analysis)
    assert session.slides["a"].user_mpp is None
    session.set_pixel_size("a", 0.25)
    slide = session.slides["a"]
    assert (slide.user_mpp, slide.info.pixel_size.source) == (0.25, USER)
    assert slide.tissue_map is None
    assert slide.analysis is None


def test_changing_the_pixel_size_ends_the_run(session):
    started(session)
    session.set_pixel_size("a", 0.25)
    assert session.run is None


def test_speed_counts_from_the_first_report_of_a_stage():
    meter = Meter()
    meter.read(Progress("Finding tissue", 0, 1), 0.0)
    resumed = meter.read(Progress("Classifying tiles", 400, 1000, "tiles"), 5.0)
    assert resumed.per_second is None
    status = meter.read(Progress("Classifying tiles", 500, 1000, "tiles"), 7.0)
    assert status.per_second == pytest.approx(50.0)
    assert status.left_s == pytest.approx(10.0)
