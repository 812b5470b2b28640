"""The paper's ten years and event codes."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.table.made_analyses import assert_adds_up
from napari_crlm_spa.core.cohort.table import Cohort, FilterOptions, FlowStep, apply_filters
from napari_crlm_spa.errors import CohortError, SurvivalDataError

TIMES = (0.0, 5.0, 119.9, 120.0, 120.1, 300.0)
EVENTS = (1, 0, 1, 1, 1, 0)


def made(times=TIMES, events=EVENTS):
    n = len(times)
    frame = pd.DataFrame(
        {"patient": [f"p{at}" for at in range(n)], "os.time": times, "os.event": events}
    )
    return Cohort("made", frame, (FlowStep("table", "patients", n, n),))


@pytest.mark.parametrize(("includes", "left"), [(False, 4), (True, 3)])
def test_delete_removes_what_the_authors_scripts_remove(includes, left):
    options = FilterOptions(beyond="delete", limit_includes=includes)
    found = apply_filters(made(), options)
    assert found.survival.time.tolist() == list(TIMES[:left])
    assert found.flow[-1].excluded == len(TIMES) - left
    assert_adds_up(found)


@pytest.mark.parametrize(
    ("includes", "events"), [(False, [1, 0, 1, 1, 0, 0]), (True, [1, 0, 1, 0, 0, 0])]
)
def test_censor_keeps_everybody_and_forgets_later_deaths(includes, events):
    cohort = made()
    found = apply_filters(cohort, FilterOptions(limit_includes=includes))
    assert found.survival.time.tolist() == [0, 5, 119.9, 120, 120, 120]
    assert found.survival.event.tolist() == [bool(event) for event in events]
    assert cohort.survival.time.max() == 300
    assert "censored at 120 months" in found.flow[-1].reason
    assert found.flow[-1].excluded == 0
    assert_adds_up(found)


def test_nobody_beyond_the_limit_loses_nobody():
    # R: x[-which(x$os.time > 120), ] would be empty.
    cohort = made((1.0, 2.0), (1, 0))
    for beyond in ("delete", "censor", "keep"):
        found = apply_filters(cohort, FilterOptions(beyond=beyond))
        assert len(found) == 2
        assert found.flow == cohort.flow


def test_no_limit_and_keep_change_nothing():
    for options in (FilterOptions(limit_months=0), FilterOptions(beyond="keep")):
        assert apply_filters(made(), options).survival.time.tolist() == list(TIMES)


def test_other_event_codes_are_an_error_or_deleted():
    cohort = made((1, 2, 3, 4), (0, 1, 2, 3))
    with pytest.raises(SurvivalDataError):
        _ = cohort.survival
    with pytest.raises(CohortError, match=r"2 \(1 patient\), 3 \(1 patient\).*--event-codes"):
        apply_filters(cohort)
    found = apply_filters(cohort, FilterOptions(event_codes="delete"))
    assert found.survival.time.tolist() == [1, 2]
    assert_adds_up(found)


def test_a_limit_that_leaves_nobody_is_an_error():
    with pytest.raises(CohortError, match="in months"):
        apply_filters(made((500.0, 900.0), (1, 0)), FilterOptions(beyond="delete"))


def test_patients_are_taken_by_a_mask_never_by_positions():
    cohort = made()
    with pytest.raises(CohortError):
        cohort.take(np.array([0, 1]), "step", "reason")
    with pytest.raises(CohortError):
        cohort.take(np.array([True]), "step", "reason")
    assert len(cohort.take(np.zeros(len(TIMES), bool), "step", "reason")) == 0


@given(
    st.lists(st.tuples(st.floats(0, 400), st.integers(0, 3)), min_size=1, max_size=40),
    st.floats(1, 300),
    st.sampled_from(["censor", "delete", "keep"]),
    st.booleans(),
)
def test_the_flow_adds_up_whatever_is_filtered(rows, limit, beyond, includes):
    cohort = made(*zip(*rows, strict=True))
    options = FilterOptions(
        limit_months=limit, beyond=beyond, limit_includes=includes, event_codes="delete"
    )
    try:
        found = apply_filters(cohort, options)
    except CohortError as error:
        assert "No patient" in str(error)
        return
    assert_adds_up(found)
    if beyond != "keep":
        assert found.survival.time.max(initial=0) <= limit
    assert found.patients.index.tolist() == list(range(len(found)))
