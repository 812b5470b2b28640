"""Lists for readers: who is in them, in which order, and that they tell nothing."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.cohort.table.cells import read_sheet
from napari_crlm_spa.core.hgp.reviews import check_reviews
from napari_crlm_spa.core.hgp.sample import (
    EXTREMES_WARNING,
    SampleOptions,
    draw_sample,
    proportional,
)
from napari_crlm_spa.core.hgp.sample_files import (
    KEY_CSV,
    list_name,
    read_slides,
    unblinded,
    write_sample,
)
from napari_crlm_spa.errors import CohortError


def slides(n=60):
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "slide": [f"s{at:03d}" for at in range(n)],
            "patient": [f"P{at // 2:03d}" for at in range(n)],
            "interaction_paper": rng.permutation(n) / n,
            "chemo": np.where(np.arange(n) % 4 == 0, "yes", "no"),
        }
    )


def test_all_slides_come_once_and_fifteen_percent_twice():
    drawn = draw_sample(slides(), SampleOptions(), ["Ada", "Ben"])
    assert drawn.warnings == ()
    for rater in ("Ada", "Ben"):
        mine = drawn.key[drawn.key["rater"] == rater]
        assert set(mine["slide"]) == set(slides()["slide"])
        assert (mine["round"] == 2).sum() == 9
        assert len(mine) == 69
        assert mine["order"].tolist() == list(range(1, 70))


def test_readers_have_other_orders_and_other_names_for_the_same_repeated_slides():
    key = draw_sample(slides(), SampleOptions(), ["Ada", "Ben"]).key
    ada, ben = (key[key["rater"] == rater] for rater in ("Ada", "Ben"))
    assert ada["slide"].tolist() != ben["slide"].tolist()
    assert set(ada["slide"][ada["round"] == 2]) == set(ben["slide"][ben["round"] == 2])
    assert key["review_id"].is_unique


@settings(max_examples=40)
@given(st.integers(2, 60), st.integers(0, 50), st.integers(0, 1000))
def test_a_second_reading_comes_much_later(n, percent, seed):
    key = draw_sample(slides(n), SampleOptions(repeats_pct=percent, seed=seed)).key
    order = key.pivot(index="slide", columns="round", values="order")
    assert len(order) == n
    if 2 in order:
        apart = (order[2] - order[1]).dropna()
        assert (apart > n // 3).all()


def test_a_list_tells_neither_slide_nor_score_nor_repetition():
    drawn = draw_sample(slides(), SampleOptions(strata="chemo", how="stratified", n_slides=20))
    columns = set(drawn.lists["reader"].columns)
    assert not columns & {"slide", "patient", "lesion", "round", "stratum", "interaction_paper"}
    assert "slide" in draw_sample(slides(), SampleOptions(show_names=True)).lists["reader"]


def test_a_seed_draws_the_same_list_again():
    a, b, c = (draw_sample(slides(), SampleOptions(seed=seed)).key for seed in (1, 1, 2))
    assert a.equals(b)
    assert not a.equals(c)


def test_a_stratified_sample_has_its_share_of_every_stratum():
    options = SampleOptions(how="stratified", n_slides=24, strata="chemo", score_parts=3)
    key = draw_sample(slides(), options).key
    first = key[key["round"] == 1]
    assert len(first) == 24
    told = slides().set_index("slide").loc[first["slide"]]
    assert (told["chemo"] == "yes").sum() == pytest.approx(6, abs=1)
    thirds = np.bincount((told["interaction_paper"] * 3).astype(int), minlength=3)
    assert thirds.tolist() == pytest.approx([8, 8, 8], abs=1)


def test_extremes_are_the_papers_and_come_with_a_warning():
    drawn = draw_sample(slides(), SampleOptions(how="extremes", repeats_pct=0))
    told = slides().set_index("slide")["interaction_paper"]
    low = drawn.key["slide"][drawn.key["stratum"] == "lowest"]
    high = drawn.key["slide"][drawn.key["stratum"] == "highest"]
    assert (len(low), len(high)) == (15, 15)
    assert told[low].max() == told.sort_values().iloc[14]
    assert told[high].min() == told.sort_values().iloc[-15]
    assert EXTREMES_WARNING in drawn.warnings


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.integers(0, 300))
def test_strata_get_their_share_and_never_more_than_they_have(sizes, wanted):
    given_ = proportional(sizes, wanted)
    assert sum(given_) == min(wanted, sum(sizes))
    assert all(n <= size for n, size in zip(given_, sizes, strict=True))


def test_what_cannot_be_drawn_is_told():
    with pytest.raises(CohortError, match="listed twice"):
        draw_sample(pd.concat([slides(3), slides(3)]), SampleOptions())
    with pytest.raises(CohortError, match="no column age"):
        draw_sample(slides(), SampleOptions(how="stratified", strata="age"))
    with pytest.raises(CohortError, match="the score"):
        draw_sample(slides(), SampleOptions(how="extremes", score="sof"))


def test_a_filled_list_gets_its_slides_back(tmp_path):
    drawn = draw_sample(slides(12), SampleOptions(), ["Ada", "Ben"])
    write_sample(tmp_path, drawn)
    path = tmp_path / list_name("Ben")
    rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    rows["pct_D"], rows["pct_R"] = "40", "60"
    rows["review_id"] = rows["review_id"].str.lower()
    rows.to_csv(path, index=False)
    found = check_reviews(unblinded(read_sheet(path), read_sheet(tmp_path / KEY_CSV)))
    assert found.problems == ()
    assert set(found.frame["slide"]) == set(slides(12)["slide"])
    assert set(found.frame["rater"]) == {"Ben"}
    assert (found.frame["round"] == 2).sum() == 2
    assert found.frame["patient"].tolist()[0].startswith("P")


def test_a_list_of_another_key_is_refused_and_a_key_is_never_overwritten(tmp_path):
    write_sample(tmp_path / "a", draw_sample(slides(5), SampleOptions()))
    write_sample(tmp_path / "b", draw_sample(slides(5), SampleOptions(seed=1)))
    mine = read_sheet(tmp_path / "a" / list_name("reader"))
    with pytest.raises(CohortError, match="does not know"):
        unblinded(mine, read_sheet(tmp_path / "b" / KEY_CSV))
    with pytest.raises(CohortError, match="holds a key already"):
        write_sample(tmp_path / "a", draw_sample(slides(5), SampleOptions()))


def test_patients_who_are_called_by_numbers_keep_their_zeros(tmp_path):
    path = tmp_path / "slides.csv"
    path.write_text("Slide,patient,interaction_paper\n001,007,0.5\n002,008,0.25\n")
    found = read_slides(path)
    assert found["slide"].tolist() == ["001", "002"]
    assert found["patient"].tolist() == ["007", "008"]
    assert found["interaction_paper"].tolist() == [0.5, 0.25]
