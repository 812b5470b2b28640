"""A whole study with a known truth, and studies where something is missing."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.hgp.made_study import (
    made_cohort,
    made_measures,
    made_reviews,
    made_truth,
)
from napari_crlm_spa._tests.core.hgp.test_association import finished
from napari_crlm_spa.core.cohort.study.folder import read_study, write_study
from napari_crlm_spa.core.hgp.agree import agree
from napari_crlm_spa.core.hgp.agree_options import AgreeOptions
from napari_crlm_spa.core.hgp.agreement import icc_a1
from napari_crlm_spa.core.hgp.association import delong, partial_spearman
from napari_crlm_spa.core.hgp.measured_tables import strata
from napari_crlm_spa.core.hgp.reviews import Reviews, review_frame
from napari_crlm_spa.core.hgp.stratum_values import StratumStatistics, StratumValues
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY
from napari_crlm_spa.errors import CohortError

OPTIONS = AgreeOptions(resamples=100)


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    truth = made_truth()
    measures = made_measures(tmp_path_factory.mktemp("made"), truth)
    work = agree(made_reviews(truth), measures, made_cohort(truth), OPTIONS, name="made")
    return finished(work)


def rows(study, table, **wanted):
    frame = study.tables[table].frame
    for column, value in wanted.items():
        frame = frame[frame[column] == value]
    return frame.to_dict("records")


def test_everything_that_was_asked_for_is_in_the_study(study):
    assert set(study.tables) >= {
        *("raters", "reliability", "rater_pairs", "within_readers", "association", "extremes"),
        *("agreement", "calibration", "auc", "roc", "rules", "cutoff", "patients", "slides"),
        *("outcome_models", "outcome_added", "flow"),
    }
    assert study.facts["disclaimer"] == RESEARCH_USE_ONLY
    assert study.facts["raters"] == ["Ada", "Ben"]
    assert all(table.note for name, table in study.tables.items() if name not in ("raters", "flow"))


def test_readers_who_see_alike_agree(study):
    [icc] = rows(study, "reliability", what="pct_D")
    assert icc["value"] > 0.98
    [strict] = rows(study, "reliability", what="strict")
    assert strict["value"] == 1
    assert {row["n"] for row in rows(study, "within_readers")} == {8}


def test_the_papers_interaction_goes_with_non_d_less_than_contact_does(study):
    paper, contact = (
        rows(study, "association", stratum="all", marker=marker)[0]
        for marker in ("interaction_paper", "pct_N")
    )
    assert contact["rho"] > 0.95
    assert 0.4 < paper["rho"] < 0.8
    assert paper["partial_rho"] > paper["rho"]
    assert paper["lower"] < paper["rho"] < paper["upper"]
    rim = rows(study, "association", stratum="all", marker="rim_median_um")[0]
    assert rim["rho"] < -0.8


def test_both_strata_are_there_and_add_up(study):
    by_stratum = {row["stratum"]: row["n"] for row in rows(study, "agreement")}
    assert by_stratum["all"] == by_stratum["chemotherapy-naive"] + by_stratum["pretreated"]
    share = {
        row["stratum"]: row["d"] / (row["d"] + row["non_d"])
        for row in rows(study, "auc", marker="pct_D", rule="strict")
    }
    assert share["pretreated"] > share["chemotherapy-naive"]
    assert any("pretreated" in sentence for sentence in study.warnings)


def test_the_measurement_is_without_bias_as_it_was_made(study):
    [row] = rows(study, "agreement", stratum="all")
    assert row["bias_lower"] < 0 < row["bias_upper"]
    assert row["calibration_slope"] == pytest.approx(1, abs=0.05)
    assert row["sd"] == pytest.approx(5, abs=1.5)


def test_each_rule_is_compared_with_itself_and_with_the_strict_one(study):
    pairs = [(r["rule"], r["reviewed_rule"]) for r in rows(study, "rules", stratum="all")]
    assert pairs == [
        ("strict", "strict"),
        ("tolerant", "tolerant"),
        ("tolerant", "strict"),
        ("predominant", "predominant"),
        ("predominant", "strict"),
    ]
    [loose] = rows(study, "rules", stratum="all", rule="predominant", reviewed_rule="strict")
    assert loose["sensitivity"] == 1
    assert loose["specificity"] < 0.8


def test_the_study_comes_back_from_its_folder(study, tmp_path):
    write_study(tmp_path, study)
    back = read_study(tmp_path)
    assert back.kind == "hgp"
    for name, table in study.tables.items():
        assert list(back.tables[name].frame.columns) == list(table.frame.columns)
        assert len(back.tables[name].frame) == len(table.frame)


def test_draws_use_the_same_statistics_as_the_tables(study):
    slides = study.tables["slides"].frame
    values = StratumValues(slides)
    statistics = StratumStatistics(values)
    found = dict(zip(statistics.names, statistics.of(np.arange(len(slides))), strict=True))
    [row] = rows(study, "association", stratum="all", marker="interaction_paper")
    assert found["rho interaction_paper"] == pytest.approx(row["rho"])
    assert found["partial interaction_paper"] == pytest.approx(row["partial_rho"])
    assert row["partial_rho"] == pytest.approx(
        partial_spearman(values.markers["interaction_paper"], values.non_d, values.given).rho
    )
    pair = np.column_stack([values.measured_d, values.reviewed_d])
    assert found["icc"] == pytest.approx(icc_a1(pair).value)
    auc = delong(-values.markers["interaction_paper"], values.calls["strict"]).value
    assert found["auc interaction_paper strict"] == pytest.approx(auc)
    for row in rows(study, "rules", stratum="all"):
        kappa = found[f"kappa {row['rule']} {row['reviewed_rule']}"]
        assert kappa == pytest.approx(row["kappa"])


def test_one_reader_without_measures_is_a_small_study_with_a_warning():
    truth = made_truth(12)
    found = finished(agree(made_reviews(truth, ("Ada",), repeats=0), options=OPTIONS))
    assert "reliability" not in found.tables
    assert "association" not in found.tables
    assert any("One reader only" in sentence for sentence in found.warnings)


def test_slides_that_are_all_alike_give_holes_with_reasons(tmp_path):
    truth = made_truth(8)
    truth["pct_D"] = 100.0
    found = finished(agree(made_reviews(truth), made_measures(tmp_path, truth), None, OPTIONS))
    for row in rows(found, "association", stratum="all"):
        assert np.isnan(row["rho"])
        assert row["note"]
    assert all("same group" in row["note"] for row in rows(found, "auc", stratum="all"))
    assert all(row["note"] for row in rows(found, "rules", stratum="all"))
    assert rows(found, "reliability", what="pct_D")[0]["note"]


def test_three_readers_are_compared_by_fleiss_and_pair_by_pair():
    truth = made_truth(20)
    found = finished(agree(made_reviews(truth, ("Ada", "Ben", "Cem")), options=OPTIONS))
    kinds = {row["statistic"] for row in rows(found, "reliability")}
    assert kinds == {"ICC(A,1)", "Fleiss' kappa"}
    assert len(found.tables["rater_pairs"].frame) == 3


def test_reviews_of_which_none_counts_are_told():
    with pytest.raises(CohortError, match="No review can be used"):
        finished(agree(Reviews(review_frame([])), options=OPTIONS))


def test_small_strata_are_not_tabulated():
    truth = made_truth(10)
    found = finished(agree(made_reviews(truth, repeats=0), options=OPTIONS))
    slides = found.tables["slides"].frame
    alone = slides.assign(chemo=[1.0] + [0.0] * (len(slides) - 1))
    assert list(strata(alone)) == ["all", "chemotherapy-naive"]
