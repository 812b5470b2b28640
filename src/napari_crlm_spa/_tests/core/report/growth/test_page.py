"""The page of a growth-pattern study: readers first, nothing claimed beyond D and non-D."""

import dataclasses
import html
import re

import pytest

from napari_crlm_spa._tests.chromium import measured, needs_chromium
from napari_crlm_spa._tests.core.hgp.made_study import made_reviews, made_truth
from napari_crlm_spa._tests.core.hgp.test_association import finished
from napari_crlm_spa._tests.core.report.cohort.test_page import Tags
from napari_crlm_spa._tests.core.report.growth.conftest import made
from napari_crlm_spa.core.cohort.study.contents import StudyTable
from napari_crlm_spa.core.cohort.study.folder import read_study, write_study
from napari_crlm_spa.core.cohort.table import Problem, problems_frame
from napari_crlm_spa.core.hgp.agree import agree
from napari_crlm_spa.core.report.cohort import write_cohort_report
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.page import Links, render_page
from napari_crlm_spa.core.report.growth.methods import growth_methods
from napari_crlm_spa.core.report.growth.sections import growth_sections
from napari_crlm_spa.core.report.growth.words import FOOT
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY as OF_RISKS
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY


@pytest.fixture(scope="module")
def page(written):
    return (written / "report.html").read_text("utf-8")


def without(study, *names, **changes):
    tables = {key: table for key, table in study.tables.items() if key not in names}
    return dataclasses.replace(study, tables=tables, **changes)


def rendered(study):
    """A page without figures: quick."""
    sections = [dataclasses.replace(s, plots=()) for s in growth_sections(Tables(study))]
    return render_page(study, sections, {}, Links(lambda name: None, lambda name: None))


def words(study):
    said = " ".join(growth_methods(Tables(study)).paragraphs)
    return said.replace("\u00a0", " ").replace("\u202f", "")


def test_it_stands_on_its_own_and_all_links_lead_somewhere(page, written):
    tags = Tags(page)
    assert not tags.of("script") and not tags.of("link") and not tags.of("img")
    ids = [attributes["id"] for _, attributes in tags.found if "id" in attributes]
    assert len(ids) == len(set(ids))
    links = [attributes["href"] for attributes in tags.of("a")]
    assert len(links) > 30
    for link in links:
        assert link[1:] in ids if link[0] == "#" else (written / link).is_file()


def test_every_table_and_every_figure_is_linked(page, study, written):
    for name in study.tables:
        assert f'href="tables/{name}.csv"' in page, name
    drawn = {path.stem for path in (written / "figures").glob("*.svg")}
    assert drawn == {
        "flow",
        *("growth-readers", "growth-rater-pairs", "growth-within-readers"),
        *("growth-measured", "growth-calibration"),
        *("growth-association", "growth-markers", "growth-extremes"),
        *("growth-roc", "growth-auc", "growth-rules", "growth-strata"),
        *("growth-survival", "growth-added"),
    }
    for name in drawn:
        assert f'href="figures/{name}.svg"' in page


def test_readers_come_before_what_is_measured(page):
    order = re.findall(r'<section id="(\w+)"', page)
    assert order == [
        *("slides", "readers", "measured", "association", "telling", "strata", "survival"),
        "methods",
    ]


def test_it_says_that_it_is_an_estimate_and_not_a_pathology_report(page, written):
    text = html.unescape(page)
    assert text.index(RESEARCH_USE_ONLY) < text.index("<h2>")
    assert OF_RISKS not in text
    for key in ("measured", "association", "telling", "strata", "survival"):
        section = re.search(rf'<section id="{key}">.*?</section>', text, re.DOTALL)[0]
        assert RESEARCH_USE_ONLY in section
    for path in (written / "figures").glob("*.svg"):
        assert FOOT in html.unescape(path.read_text("utf-8")), path.name


def test_figures_have_words_for_those_who_cannot_see_them(page, study):
    pictures = [each for each in Tags(page).of("svg") if each.get("role") == "img"]
    assert len(pictures) == 15
    assert all(len(each["aria-label"]) > 15 for each in pictures)
    icc = study.tables["agreement"].frame["icc"].iloc[0]
    assert any(f"ICC {icc:.2f}" in each["aria-label"] for each in pictures)


def test_the_large_numbers_are_those_of_the_tables(page, study):
    summary = re.search(r'<div class="summary">.*?</section>', page, re.DOTALL)[0]
    icc = study.tables["reliability"].frame["value"].iloc[0]
    rho = study.tables["association"].frame.query("stratum == 'all'")["rho"].iloc[0]
    for number in (f"{icc:.2f}", f"{rho:.2f}", str(study.facts["n_slides"]), "40"):
        assert f"<b>{number}</b>" in summary


def test_patients_and_slides_are_linked_but_not_printed(page, study):
    assert study.tables["patients"].frame["patient"][0] not in page
    assert study.tables["slides"].frame["slide"][0] not in page


def test_the_methods_say_what_was_done(study):
    said = words(study)
    for part in (
        f"{study.facts['n_slides']} slides of 40 patients, read by 3 readers",
        "less than 20 % of the interface",
        "Fleiss' kappa",
        "the mean of the readers' shares",
        "given log tumor tiles, perimeter per area",
        "The 10 slides of lowest and the 10 of highest score",
        "3 rules",
        "at most 5 % other",
        "chemotherapy-naive and pretreated patients",
        "plain and adjusted for preoperative chemotherapy, clinical risk score",
        "20 bootstrap samples of whole patients (seed 0)",
        "lifelines 0.30.3",
        "not replacement from pushing",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ("rater_pairs", "Every two readers"),
        ("within_readers", "repeated"),
        ("calibration", "Calibration"),
        ("association", "Spearman"),
        ("extremes", "Fisher"),
        ("auc", "ROC"),
        ("rules", "predominant"),
        ("cutoff", "cut-off"),
        ("outcome_models", "Cox"),
        ("outcome_added", "likelihood ratio"),
    ],
)
def test_the_methods_do_not_say_what_was_not_done(study, table, word):
    assert word in words(study)
    assert word not in words(without(study, table))


def test_citations_are_numbered_in_order_and_all_listed(study):
    found = growth_methods(Tables(study))
    parts = re.findall(r"\[([\d,]+)\]", " ".join(found.paragraphs))
    first = list(dict.fromkeys(int(n) for part in parts for n in part.split(",")))
    assert first == list(range(1, len(found.references) + 1))


def test_names_of_readers_cannot_break_out_into_the_page(study):
    table = study.tables["raters"]
    evil = dataclasses.replace(table, frame=table.frame.assign(rater="<script>alert(1)</script>"))
    assert "<script" not in rendered(
        dataclasses.replace(study, tables={**study.tables, "raters": evil})
    )


def test_the_page_can_be_drawn_anew_from_the_folder(written, page, tmp_path):
    again = write_cohort_report(written, read_study(written), out=written / "again.html")
    assert again.read_text("utf-8") == page
    again.unlink()


def test_a_reader_alone_without_measurement_has_a_short_page(tmp_path):
    alone = finished(agree(made_reviews(made_truth(12), ("Ada",), repeats=0)))
    write_study(tmp_path, alone)
    text = write_cohort_report(tmp_path, alone).read_text("utf-8")
    assert re.findall(r'<section id="(\w+)"', text) == ["slides", "readers", "methods"]


def test_a_study_without_anything_has_a_page(study):
    empty = without(study, *study.tables, facts={}, versions={}, warnings=())
    assert "<h1>" in rendered(empty)


@pytest.mark.parametrize("patients", [4, 400])
def test_eight_slides_or_eight_hundred(patients, tmp_path):
    few = made(tmp_path, patients, resamples=0)
    assert few.facts["n_slides"] in (range(6, 13) if patients == 4 else range(700, 900))
    write_study(tmp_path, few)
    text = write_cohort_report(tmp_path, few).read_text("utf-8")
    assert "Methods, for a paper" in text
    assert len(text) < 6_000_000


@needs_chromium
@pytest.mark.parametrize("width", [390, 1200])
def test_nothing_widens_the_window(page, width, tmp_path):
    found = measured(tmp_path, page.replace("<details>", "<details open>"), width)
    assert found["beyond"] == []
    assert found["page"] <= width


def test_neither_slides_nor_patients_are_named_on_the_page(study):
    """What is wrong with a row stands in a table of its own, which names both and is linked."""
    wrong = Problem(
        "error", 4, "P-secret", "slide", "s-secret", "It is wrong.", "Mend it.", "a.csv"
    )
    table = StudyTable("problems", "Problems of the tables", problems_frame([wrong]))
    told = dataclasses.replace(study, tables={**study.tables, "problems": table})
    page = rendered(told)
    assert "secret" not in page
    assert "problems" in growth_sections(Tables(told))[0].files
    slides = study.tables["slides"].frame
    assert not [name for name in (*slides["slide"], *slides["patient"]) if f">{name}<" in page]
