import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from napari_crlm_spa.core.cohort.cox.collinearity import (
    correlation_matrix,
    correlation_table,
    drop_collinear,
)


def table(*pairs):
    """Correlations by hand: (a, b, r)."""
    rows = [(a, b, 100, r, np.nan, np.nan, 1e-9) for a, b, r in pairs]
    return pd.DataFrame(rows, columns=["a", "b", "n", "r", "lower95", "upper95", "p"])


@given(seed=st.integers(0, 10_000), n=st.integers(4, 60))
@settings(max_examples=40, deadline=None)
def test_it_is_pearson_as_scipy_computes_it(seed, n):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    frame = pd.DataFrame({"a": x, "b": 0.7 * x + rng.normal(size=n)})
    one = correlation_table(frame, ["a", "b"]).iloc[0]
    theirs = pearsonr(frame["a"], frame["b"])
    assert one["r"] == pytest.approx(theirs.statistic, rel=1e-12)
    assert one["p"] == pytest.approx(theirs.pvalue, rel=1e-9)
    limits = theirs.confidence_interval()
    assert (one["lower95"], one["upper95"]) == pytest.approx((limits.low, limits.high), rel=1e-10)


def test_holes_are_left_out_pair_by_pair():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(30, 3)), columns=list("abc"))
    frame.loc[:4, "a"] = np.nan
    frame.loc[3:9, "b"] = np.nan
    ours = correlation_table(frame, list("abc")).set_index(["a", "b"])
    assert list(ours["n"]) == [20, 25, 23]
    both = frame[["a", "b"]].dropna()
    assert ours.loc[("a", "b"), "r"] == pytest.approx(pearsonr(both["a"], both["b"]).statistic)


def test_what_has_no_correlation_is_a_hole():
    frame = pd.DataFrame({"flat": [1.0] * 5, "a": range(5), "twice": range(0, 10, 2)})
    ours = correlation_table(frame, list(frame)).set_index(["a", "b"])
    assert ours.loc[("flat", "a"), ["r", "p"]].isna().all()
    perfect = ours.loc[("a", "twice")]
    assert perfect["r"] == pytest.approx(1, abs=1e-15) and perfect["p"] < 1e-15
    assert correlation_table(frame.iloc[:2], ["a", "twice"])["r"].isna().all()


def test_the_square_is_symmetric():
    frame = pd.DataFrame(np.random.default_rng(1).normal(size=(30, 4)), columns=list("abcd"))
    square = correlation_matrix(correlation_table(frame, list("abcd")), list("dcba"))
    assert list(square.columns) == list("dcba")
    assert square.to_numpy() == pytest.approx(frame[list("dcba")].corr().to_numpy(), rel=1e-12)


def test_the_overall_features_are_kept_as_in_the_paper():
    pairs = table(
        ("Distal_Debris_ratio", "Overall_Debris_ratio", 0.93),
        ("Distal_Lymphocyte_ratio", "Overall_Lymphocyte_ratio", 0.81),
        ("Overall_Debris_ratio", "Infiltrating_Debris_ratio", 0.69),
    )
    candidates = [
        "Distal_Debris_ratio",
        "Distal_Lymphocyte_ratio",
        "Distal_Hepatocyte_ratio",
        "Infiltrating_Debris_ratio",
        "TUM_LYM_interaction",
        "TUM_HEP_interaction",
        "Overall_Debris_ratio",
        "Overall_Lymphocyte_ratio",
    ]
    kept, dropped = drop_collinear(pairs, candidates)
    assert kept == tuple(candidates[2:])
    assert list(dropped["dropped"]) == candidates[:2]
    assert list(dropped["kept"]) == candidates[6:]
    assert "overall features are preferred" in dropped["reason"][0]


def test_preference_can_be_turned_around():
    pairs = table(("Distal_Debris_ratio", "Overall_Debris_ratio", 0.93))
    names = ["Overall_Debris_ratio", "Distal_Debris_ratio"]
    kept, _ = drop_collinear(pairs, names, prefer=["distal", "overall"])
    assert kept == ("Distal_Debris_ratio",)


def test_in_one_family_the_smaller_p_is_kept_and_then_the_first():
    pairs = table(("a", "b", 0.9))
    assert drop_collinear(pairs, ["a", "b"], p_univariate={"a": 0.04, "b": 0.01})[0] == ("b",)
    kept, dropped = drop_collinear(pairs, ["b", "a"])
    assert kept == ("b",) and "comes first" in dropped["reason"][0]


def test_a_chain_loses_its_middle_only_if_the_middle_is_no_favorite():
    chain = table(("a", "b", 0.8), ("b", "c", 0.8), ("a", "c", 0.3))
    assert drop_collinear(chain, ["a", "b", "c"])[0] == ("a", "c")
    kept, dropped = drop_collinear(chain, ["a", "b", "c"], p_univariate={"b": 0.001})
    assert kept == ("b",) and set(dropped["dropped"]) == {"a", "c"}


def test_the_limit_itself_is_not_above_it():
    pairs = table(("a", "b", 0.7))
    assert drop_collinear(pairs, ["a", "b"])[0] == ("a", "b")


def test_negative_correlations_count_unless_told_otherwise():
    pairs = table(("a", "b", -0.9))
    assert drop_collinear(pairs, ["a", "b"])[0] == ("a",)
    assert drop_collinear(pairs, ["a", "b"], negative=False)[0] == ("a", "b")


def test_a_correlation_that_may_be_chance_does_not_count():
    pairs = table(("a", "b", 0.9)).assign(p=0.06)
    assert drop_collinear(pairs, ["a", "b"])[0] == ("a", "b")


@given(seed=st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_no_kept_pair_is_collinear_and_each_dropped_one_was_with_a_kept_one(seed):
    rng = np.random.default_rng(seed)
    mixed = rng.normal(size=(60, 4)) @ rng.normal(size=(4, 8))
    frame = pd.DataFrame(mixed, columns=list("abcdefgh"))
    pairs = correlation_table(frame, list(frame))
    kept, dropped = drop_collinear(pairs, list(frame))
    square = correlation_matrix(pairs, list(frame)).abs()
    inside = square.loc[list(kept), list(kept)].to_numpy()
    assert (inside - np.eye(len(kept))).max(initial=0) <= 0.7
    assert {*kept, *dropped["dropped"]} == set(frame)
    for one, other in zip(dropped["kept"], dropped["dropped"], strict=True):
        assert one in kept and square.loc[one, other] > 0.7
