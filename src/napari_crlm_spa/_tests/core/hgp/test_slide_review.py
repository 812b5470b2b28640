"""A reader's review beside an analysis: blinded first, and what was changed later."""

import json

import numpy as np
import pytest

from napari_crlm_spa.core.hgp.reviews import review_frame
from napari_crlm_spa.core.hgp.slide_review import (
    CHANGED,
    SlideReview,
    read_slide_review,
    review_path,
    saved_reviews,
    write_slide_review,
)
from napari_crlm_spa.core.store.names import READERS
from napari_crlm_spa.errors import ReviewError

T0, T1, T2, T3 = (f"2026-03-01T10:{minute:02d}:00+00:00" for minute in (0, 2, 3, 9))
SEEN = {"pct_D": 80, "pct_R": 20, "assessable_pct": 90, "viable": True, "comment": "thin rim"}


def review():
    return SlideReview("slide-07", "Ada", patient="P1", lesion="L1").opened(T0)


def test_a_reader_who_commits_before_anything_is_shown_is_blinded():
    done = review().committed(SEEN, T1).shown("map", T2)
    assert done.blinded
    assert done.seconds == 120
    assert done.seen == ("map",)


def test_a_reader_who_saw_the_map_first_is_not():
    done = review().shown("map", T1).committed(SEEN, T2)
    assert not done.blinded
    assert done.is_committed


def test_a_change_is_logged_with_what_was_seen_and_the_first_commitment_stays():
    done = review().committed(SEEN, T1).shown("map", T2).shown("map", T2).shown("risk", T2)
    changed = done.committed({**SEEN, "pct_D": 100, "pct_R": 0}, T3)
    assert changed.first["pct_D"] == 80
    assert changed.values["pct_D"] == 100
    last = changed.log[-1]
    assert (last.what, last.seen) == (CHANGED, ("map", "risk"))
    assert last.details["pct_D"] == {"from": 80.0, "to": 100.0}
    assert "comment" not in last.details
    assert changed.blinded
    assert changed.row()["pct_D"] == 80
    assert changed.row(first=False)["pct_D"] == 100


def test_committing_the_same_again_changes_nothing():
    done = review().committed(SEEN, T1)
    assert done.committed(SEEN, T2) is done


def test_values_that_cannot_be_right_are_not_committed():
    with pytest.raises(ReviewError, match="add up to 110"):
        review().committed({**SEEN, "pct_D": 90}, T1)
    assert review().problems(SEEN) == ()
    assert "add up" in review().problems({**SEEN, "pct_D": 90})[0].problem


def test_a_review_comes_back_as_it_was_written(tmp_path):
    done = review().committed(SEEN, T1).shown("map", T2).committed({**SEEN, "comment": "ok"}, T3)
    write_slide_review(tmp_path, done)
    assert read_slide_review(tmp_path) == done
    assert json.loads(review_path(tmp_path).read_text())["blinded"] is True


def test_a_missing_review_is_none_and_a_damaged_one_is_told(tmp_path):
    assert read_slide_review(tmp_path) is None
    review_path(tmp_path).write_text('{"format_version": 1, "slide": ')
    with pytest.raises(ReviewError, match="cannot be read"):
        read_slide_review(tmp_path)


def test_all_readers_of_an_analysis_are_found_once_they_committed(tmp_path):
    write_slide_review(tmp_path / READERS / "ada", review().committed(SEEN, T1))
    write_slide_review(tmp_path / READERS / "ben", review())
    found = saved_reviews(tmp_path)
    assert [each.rater for each in found] == ["Ada"]
    frame = review_frame([{**found[0].row(), "n_blocks": np.nan, "chemo": np.nan}])
    assert frame["pct_non_D"].tolist() == [20]
