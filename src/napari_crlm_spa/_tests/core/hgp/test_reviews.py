"""The table of reviews: what is accepted, what is refused and what is told."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.hgp.review_rows import ReviewOptions
from napari_crlm_spa.core.hgp.reviews import joined_reviews, read_reviews, write_reviews
from napari_crlm_spa.core.hgp.rules import desmoplastic, predominant_pattern, words
from napari_crlm_spa.errors import CohortError

HEAD = "patient,lesion,slide,rater,round,pct_D,pct_R,pct_P,pct_other,assessable_pct,viable,chemo"


def table(folder, *rows, head=HEAD, name="reviews.csv"):
    path = folder / name
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return read_reviews(path)


def told(reviews):
    return [(each.severity, each.row, each.problem) for each in reviews.problems]


def test_a_review_is_read_as_it_stands(tmp_path):
    found = table(tmp_path, "P1,L1,s1,Ada,1,60,30,10,0,90,yes,no")
    row = found.frame.iloc[0]
    assert (row["pct_D"], row["pct_R"], row["pct_P"], row["pct_other"]) == (60, 30, 10, 0)
    assert row["pct_non_D"] == 40
    assert (row["viable"], row["chemo"]) == (1, 0)
    assert found.problems == ()
    assert found.raters == ("Ada",)


@pytest.mark.parametrize(
    ("shares", "problem"),
    [
        ("60,30,0,0", "add up to 90"),
        ("60,60,0,0", "add up to 120"),
        ("0,0,0,0", "add up to 0"),
        ("101,0,0,0", "within 0 to 100"),
        ("-5,100,5,0", "within 0 to 100"),
        ("most,0,0,0", "not a number"),
        (",,,", "no shares"),
    ],
)
def test_shares_that_cannot_be_right_leave_the_row_out_and_say_so(tmp_path, shares, problem):
    found = table(tmp_path, f"P1,L1,s1,Ada,1,{shares},90,yes,no", "P1,L1,s2,Ada,1,100,0,0,0,,,")
    assert found.frame["slide"].tolist() == ["s2"]
    [(severity, row, sentence)] = told(found)
    assert (severity, row) == ("error", 2)
    assert problem in sentence


def test_thirds_are_scaled_to_one_hundred_with_a_warning(tmp_path):
    found = table(tmp_path, "P1,L1,s1,Ada,1,33,33,33,0,90,yes,no")
    assert found.frame["pct_D"].iloc[0] == pytest.approx(100 / 3)
    assert told(found)[0][0] == "warning"


def test_an_empty_share_beside_others_is_none(tmp_path):
    found = table(tmp_path, "P1,L1,s1,Ada,1,70,30,,,90,yes,no")
    assert found.frame["pct_P"].iloc[0] == 0
    assert found.problems == ()


def test_a_review_of_d_alone_knows_nothing_of_replacement(tmp_path):
    found = table(tmp_path, "P1,L1,s1,Ada,1,70,,,,90,yes,no", "P1,L1,s2,Ada,1,100,,,,90,yes,no")
    assert found.frame["pct_non_D"].tolist() == [30, 0]
    assert np.isnan(found.frame["pct_R"].iloc[0])
    assert found.frame["pct_R"].iloc[1] == 0


@pytest.mark.parametrize("why", ["0,yes", "90,no", "0,no", "90,0"])
def test_what_cannot_be_judged_needs_no_shares(tmp_path, why):
    found = table(tmp_path, f"P1,L1,s1,Ada,1,,,,,{why},no")
    assert len(found) == 1
    assert np.isnan(found.frame["pct_D"].iloc[0])


def test_words_and_percent_signs_of_spreadsheets_are_understood(tmp_path):
    head = "Case;Slide;Pathologist;Desmoplastic;Replacement;Pushing;Viable;Chemotherapy"
    found = table(
        tmp_path,
        "P1;s1;Ada;12,5 %;87,5 %;0;30 %;pretreated",
        "P1;s2;Ada;100%;0;0;0 %;naive",
        head=head,
    )
    assert found.frame["pct_D"].tolist() == [12.5, 100]
    assert found.frame["chemo"].tolist() == [1, 0]
    assert found.frame["viable"].tolist() == [1, 0]
    assert found.frame["round"].tolist() == [1, 1]
    assert found.problems == ()


def test_the_same_reading_twice_counts_once(tmp_path):
    row = "P1,L1,s1,{},{},100,0,0,0,90,yes,no"
    found = table(tmp_path, *(row.format(*each) for each in (("Ada", 1), ("ada", 1), ("Ada", 2))))
    assert len(found) == 2
    assert "row 2 already" in told(found)[0][2]


def test_capitals_make_no_other_reader(tmp_path):
    row = "P1,L1,{},{},1,100,0,0,0,90,yes,no"
    found = table(tmp_path, row.format("s1", "Ada"), row.format("s2", "ADA"))
    assert found.raters == ("Ada",)
    other = table(tmp_path, row.format("s3", "ada"), name="other.csv")
    assert joined_reviews([found, other]).raters == ("Ada",)


def test_unknown_words_are_not_known_and_told(tmp_path):
    found = table(tmp_path, "P1,L1,s1,Ada,1,100,0,0,0,90,perhaps,FOLFOX?")
    assert found.frame[["viable", "chemo"]].isna().all(axis=None)
    assert [each[0] for each in told(found)] == ["warning", "warning"]


@pytest.mark.parametrize(
    ("head", "problem"),
    [
        ("slide,pct_R,b", "no column pct_D"),
        ("slide,D,dHGP", "several columns that may be pct_D"),
        ("a,b,pct_D", "no column slide"),
    ],
)
def test_tables_of_other_columns_are_refused(tmp_path, head, problem):
    path = tmp_path / "a.csv"
    path.write_text(f"{head}\n1,2,3\n")
    with pytest.raises(CohortError, match=problem):
        read_reviews(path)


def test_a_json_list_is_a_table_too(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"slide": "s1", "pct_D": 40, "pct_R": 60.0, "viable": True}]))
    assert read_reviews(path, rater="Ada").frame["rater"].tolist() == ["Ada"]
    path.write_text('{"slide": "s1"}')
    with pytest.raises(CohortError, match="no list of reviews"):
        read_reviews(path)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.floats(0, 100), st.floats(0, 1), st.sampled_from(["", 'Ok; so, "x"'])),
        min_size=1,
        max_size=6,
    )
)
def test_written_reviews_come_back(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("reviews")
    lines = []
    for at, (d, part, _) in enumerate(rows):
        r = (100 - d) * part
        lines.append(f"007,L1,s{at},Ada,1,{d!r},{r!r},{100 - d - r!r},0,90,yes,")
    first = table(folder, *lines)
    first.frame["comment"] = [comment for *_, comment in rows]
    write_reviews(folder / "again.csv", first)
    again = read_reviews(folder / "again.csv")
    assert again.problems == ()
    assert again.frame.equals(first.frame)


def test_joined_reviews_keep_the_first_of_two_equal_readings(tmp_path):
    a = table(tmp_path, "P1,L1,s1,Ada,1,100,0,0,0,90,yes,no")
    b = table(tmp_path, "P1,L1,s1,Ada,1,0,100,0,0,90,yes,no", "P1,L1,s1,Ben,1,0,100,0,0,,,")
    both = joined_reviews([a, b])
    assert both.frame["pct_D"].tolist() == [100, 0]
    assert "two of the files" in both.problems[0].problem


def test_the_tolerance_of_sums_is_an_option(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("slide,pct_D,pct_R\ns1,50,46\n")
    assert len(read_reviews(path)) == 0
    assert len(read_reviews(path, ReviewOptions(sum_tolerance_pct=5))) == 1


def test_rules_call_what_they_say():
    shares = [100, 99.96, 99, 95, 94.9, 50.1, 50, 0, np.nan]
    calls = {rule: words(desmoplastic(shares, rule)) for rule in ("strict", "tolerant")}
    assert calls["strict"] == ["D", "D", *["non-D"] * 6, ""]
    assert calls["tolerant"] == ["D"] * 4 + ["non-D"] * 4 + [""]
    assert words(desmoplastic(shares, "predominant")) == ["D"] * 6 + ["non-D"] * 2 + [""]


def test_the_predominant_pattern_has_no_ties():
    rows = [[60, 40, 0, 0], [50, 50, 0, 0], [10, 20, 70, 0], [0, 0, 0, 100], [40, np.nan, 0, 0]]
    assert predominant_pattern(rows) == ["D", "", "P", "other", ""]
