import numpy as np
import pytest
from scipy.stats import false_discovery_control

from napari_crlm_spa._tests.core.cohort.cox.drawn import draw
from napari_crlm_spa.core.cohort.cox.fit import fit_cox
from napari_crlm_spa.core.cohort.cox.univariate import (
    false_discovery_rate,
    significant,
    univariate_table,
)


def test_each_row_is_the_model_of_its_column():
    survival, frame = draw(0, p=5)
    frame.loc[[0, 1], "x3"] = np.nan
    table = univariate_table(frame, survival, list(frame)).set_index("column")
    assert list(table.index) == list(frame)
    for column, row in table.iterrows():
        fit = fit_cox(frame, survival, [column])
        assert (row["n"], row["events"]) == (fit.n, fit.n_events)
        assert row["hr"] == fit.hazard_ratio[0] and row["p_lrt"] == fit.lrt.p
        assert row["p_score"] == fit.score.p and row["concordance"] == fit.concordance
    assert table.loc["x3", "n"] == 78


def test_columns_stand_in_the_order_of_the_contract():
    survival, frame = draw(0)
    header = (
        "column label kind n events coef se hr hr_lower95 hr_upper95 p_lrt p_fdr p_wald p_score "
        "concordance note"
    )
    assert list(univariate_table(frame, survival, ["x0"])) == header.split()
    assert list(univariate_table(frame, survival, [])) == header.split()


def test_features_and_clinical_columns_are_told_apart_and_labeled():
    survival, frame = draw(1, p=3)
    frame = frame.set_axis(["Overall_Debris_ratio", "Age", "x2"], axis=1)
    table = univariate_table(frame, survival, list(frame))
    assert list(table["kind"]) == ["sof", "clinical", "clinical"]
    assert table["label"][0] == "Debris (necrosis), overall"


def test_a_column_that_cannot_be_fitted_leaves_the_others_alone():
    survival, frame = draw(2)
    table = univariate_table(frame.assign(flat=1.0), survival, ["flat", "x0"])
    assert np.isnan(table["p_lrt"][0]) and "flat is 1" in table["note"][0]
    alone = univariate_table(frame, survival, ["x0"])
    assert table["p_fdr"][1] == alone["p_fdr"][0] == alone["p_lrt"][0]


@pytest.mark.parametrize("seed", range(5))
def test_false_discovery_rate_is_that_of_scipy(seed):
    p = np.round(np.random.default_rng(seed).uniform(size=20) ** 3, 2)
    assert false_discovery_rate(p) == pytest.approx(false_discovery_control(p), rel=1e-14)


def test_holes_do_not_count_as_tests():
    adjusted = false_discovery_rate([0.01, np.nan, 0.04])
    assert adjusted[[0, 2]] == pytest.approx([0.02, 0.04])
    assert np.isnan(adjusted[1])
    assert len(false_discovery_rate([])) == 0


def test_significant_is_strictly_below_and_keeps_the_order_asked_for():
    survival, frame = draw(3, n=300)
    table = univariate_table(frame, survival, list(frame))
    limit = float(table["p_lrt"][1])
    assert significant(table, limit, ["x1", "x0", "unknown"]) == ("x0",)
    assert significant(table, limit * 1.01, ["x1", "x0"]) == ("x1", "x0")
