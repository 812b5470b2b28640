import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.stepwise import NO_CHANGE, stepwise
from napari_crlm_spa.core.cohort.survival import Survival
from napari_crlm_spa.errors import CohortError


def lifelines_aic(survival, frame):
    from lifelines import CoxPHFitter

    data = frame.assign(time=survival.time, event=survival.event)
    fitted = CoxPHFitter().fit(data, "time", "event", fit_options={"precision": 1e-12})
    return fitted.AIC_partial_


@given(
    seed=st.integers(0, 10_000),
    direction=st.sampled_from(["backward", "forward", "both"]),
    start=st.sampled_from([None, "full", "null", ["x1", "x3"]]),
)
@settings(max_examples=25, deadline=None)
def test_each_step_makes_the_best_of_all_changes_and_ends_where_none_helps(seed, direction, start):
    survival, frame = draw(seed, n=120, p=5)
    names = list(frame)
    found = stepwise(frame, survival, names, direction, start=start)
    current = {"full": names, "null": []}.get(
        start if isinstance(start, str) else "", start or (names if direction == "backward" else [])
    )
    aic = {(): fit_cox(frame, survival, []).aic}

    def of(terms):
        key = tuple(sorted(terms))
        if key not in aic:
            aic[key] = fit_cox(frame, survival, list(key)).aic
        return aic[key]

    for change in [*found.path["change"][1:], NO_CHANGE]:
        options = {NO_CHANGE: list(current)}
        if direction != "forward":
            options |= {f"- {t}": [each for each in current if each != t] for t in current}
        if direction != "backward":
            options |= {f"+ {t}": [*current, t] for t in names if t not in current}
        best = min(options, key=lambda each: of(options[each]))
        assert change == best
        current = options[best]
    assert list(found.terms) == list(current)
    assert found.path["aic"].iloc[-1] == pytest.approx(of(current), rel=1e-12)
    assert found.fit.aic == pytest.approx(of(current), rel=1e-12)
    assert (np.diff(found.path["aic"]) < 0).all()


def test_the_criterion_is_that_of_lifelines():
    survival, frame = draw(1, n=150, p=4)
    found = stepwise(frame, survival, list(frame), "backward")
    assert found.path["aic"][0] == pytest.approx(lifelines_aic(survival, frame), rel=1e-9)
    final = lifelines_aic(survival, frame[list(found.terms)])
    assert found.path["aic"].iloc[-1] == pytest.approx(final, rel=1e-9)


def test_all_changes_of_each_step_are_kept_best_first():
    survival, frame = draw(2, n=150, p=4)
    found = stepwise(frame, survival, list(frame), "both")
    for step, rows in found.candidates.groupby("step"):
        assert len(rows) == 5 and NO_CHANGE in set(rows["change"])
        assert rows["aic"].is_monotonic_increasing
        made = found.path.loc[found.path["step"] == step, "change"]
        assert rows["change"].iloc[0] == (made.iloc[0] if len(made) else NO_CHANGE)
    assert found.candidates["step"].max() == len(found.path)


def test_a_factor_enters_with_all_its_columns():
    survival, frame = draw(3, n=200, p=4)
    terms = {"pair": ["x0", "x1"], "x2": ["x2"], "x3": ["x3"]}
    found = stepwise(frame, survival, terms, "forward")
    assert found.terms[0] == "pair"
    assert found.path["change"][1] == "+ pair" and found.path["df"][1] == 2
    assert found.fit.columns[:2] == ("x0", "x1")


def test_patients_with_a_hole_in_any_candidate_are_in_no_model():
    survival, frame = draw(4, p=4)
    frame.loc[:9, "x3"] = np.nan
    found = stepwise(frame, survival, list(frame), "both")
    alone = stepwise(frame.iloc[10:], survival.take(np.arange(10, 80)), list(frame), "both")
    assert found.path["aic"].to_numpy() == pytest.approx(alone.path["aic"].to_numpy())
    assert found.fit.n == 70


def test_terms_below_always_stay_and_penalties_differ():
    survival, frame = draw(5, n=200, p=5)
    found = stepwise(frame, survival, list(frame), "both", lower=["x3"])
    assert found.terms[0] == "x3"
    dropped = stepwise(frame, survival, list(frame), "backward", lower=["x3"])
    assert "x3" in dropped.terms
    strict = stepwise(frame, survival, list(frame), "both", penalty=50)
    assert len(strict.terms) < len(stepwise(frame, survival, list(frame), "both").terms)
    all_of_them = stepwise(frame, survival, list(frame), "forward", penalty=0)
    assert len(all_of_them.terms) == 5


def test_of_two_equal_columns_the_first_enters_and_the_last_leaves():
    survival, frame = draw(6, n=150, p=2)
    frame = frame[["x0"]].assign(copy=lambda table: table["x0"])
    assert stepwise(frame, survival, ["copy", "x0"], "forward").terms == ("copy",)
    assert stepwise(frame, survival, ["copy", "x0"], "backward").terms == ("copy",)


def test_a_sum_of_other_columns_costs_nothing_and_leaves_before_anything_else():
    """As R: coefficients that are NA don't count, changes of 0 df are no choice but made first."""
    survival, frame = draw(10, n=150, p=3)
    frame["total"] = frame["x0"] + frame["x1"]
    frame["three"] = frame["x2"] * 3
    path = stepwise(frame, survival, list(frame), "backward").path
    without = fit_cox(frame, survival, ["x0", "x1", "x2"])
    assert list(path["change"][1:3]) == ["- three", "- total"]
    assert list(path["df"][1:3]) == [0, 0]
    assert path["aic"][:3].to_numpy() == pytest.approx(without.aic, rel=1e-10)
    tried = stepwise(frame, survival, list(frame), "forward", penalty=0).candidates
    assert (tried["df"].dropna() == 1).all()


def test_df_of_a_factor_are_its_columns():
    survival, frame = draw(11, n=150, p=3)
    found = stepwise(frame, survival, {"pair": ["x0", "x1"], "x2": ["x2"]}, "backward")
    of = found.candidates.query("step == 1").set_index("change")["df"]
    assert (of["- pair"], of["- x2"]) == (2, 1)


def test_constant_and_separated_candidates_do_not_break_it():
    survival, frame = draw(7, n=150, p=3)
    frame["flat"] = 1.0
    frame["spared"] = 0.0
    frame.loc[np.flatnonzero(~survival.event)[:2], "spared"] = 1.0
    for direction in ("backward", "forward", "both"):
        found = stepwise(frame, survival, list(frame), direction)
        assert "flat" not in found.terms
        assert np.isfinite(found.candidates["aic"]).all()


def test_a_wrong_call_says_what_is_wrong():
    survival, frame = draw(8)
    with pytest.raises(CohortError, match="not among the candidates"):
        stepwise(frame, survival, ["x0"], lower=["x1"])
    with pytest.raises(CohortError, match="backward, forward or both"):
        stepwise(frame, survival, ["x0"], "sideways")
    with pytest.raises(CohortError, match="none of them died"):
        stepwise(frame, Survival.of(survival.time, np.zeros(80)), ["x0"])


def test_no_candidates_end_where_they_start():
    survival, frame = draw(9)
    found = stepwise(frame, survival, [], "both")
    assert found.terms == () and len(found.path) == 1
