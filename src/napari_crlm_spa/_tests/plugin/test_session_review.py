"""The session keeps each reader's review of each slide."""

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import make_analysis
from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.plugin.session import Session


def session_with_slides(tmp_path, reader):
    session = Session()
    session.set_reader(reader)
    for name in "ab":
        info = ArraySlide(np.zeros((8, 8, 3), np.uint8), mpp=0.5, path=f"{name}.svs").info
        session.add_slide(name, info)
        session.show_analysis(session.slides[name], make_analysis(tmp_path / name))
    return session


@pytest.fixture
def session(tmp_path):
    return session_with_slides(tmp_path, "Ada")


def corrected(session):
    return {name: int(slide.review.corrected.sum()) for name, slide in session.slides.items()}


def test_corrections_are_there_in_the_next_session(session, tmp_path):
    session.slides["a"].review.correct([0, 0], [0, 1], "STR")
    session.slides["b"].review.correct([0], [0], "STR")
    session.slides["b"].review.undo()
    later = session_with_slides(tmp_path, "Ada")
    assert corrected(later) == {"a": 2, "b": 0}
    assert later.slides["b"].review.can_redo
    assert later.slides["a"].tissue_map is later.slides["a"].review.tissue_map


def test_another_reader_sees_his_own_corrections_on_every_slide(session):
    heard = []
    session.slides["a"].review.correct([0, 0], [0, 1], "STR")
    session.analysis_changed.connect(lambda slide: heard.append(slide.id))
    session.set_reader("Ben")
    assert corrected(session) == {"a": 0, "b": 0}
    assert heard == ["a", "b"]
    session.slides["b"].review.correct([0], [0], "STR")
    session.set_reader("Ada")
    assert corrected(session) == {"a": 2, "b": 0}
    session.set_reader("Ben")
    assert corrected(session) == {"a": 0, "b": 1}


def test_the_same_name_again_changes_nothing(session):
    review = session.slides["a"].review
    session.set_reader("Ada")
    assert session.slides["a"].review is review


def test_a_slide_that_is_shown_again_goes_on_where_it_was(session, tmp_path):
    session.slides["a"].review.correct([0], [0], "STR")
    session.show_analysis(session.slides["a"], make_analysis(tmp_path / "a"))
    review = session.slides["a"].review
    review.correct([1], [0], "STR")
    assert review.problem == ""
    assert corrected(session)["a"] == 2
