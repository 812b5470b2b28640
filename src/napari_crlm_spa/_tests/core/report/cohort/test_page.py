"""The page: complete, self-contained, honest about what was done."""

import dataclasses
import html
import re
from html.parser import HTMLParser

import pandas as pd
import pytest

from napari_crlm_spa.core.cohort.study.contents import StudyTable
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.core.report.cohort import write_cohort_report
from napari_crlm_spa.core.report.cohort.columns import shown_table
from napari_crlm_spa.core.report.cohort.contents import Tables
from napari_crlm_spa.core.report.cohort.methods import methods
from napari_crlm_spa.core.report.cohort.options import CohortReportOptions
from napari_crlm_spa.core.report.cohort.page import Links, render_page
from napari_crlm_spa.core.report.cohort.sections import all_sections
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY


class Tags(HTMLParser):
    """All tags of a page with their attributes."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag

    def of(self, name):
        return [attributes for tag, attributes in self.found if tag == name]


@pytest.fixture(scope="module")
def page(written):
    return (written / "report.html").read_text("utf-8")


def only(study, *names, **changes):
    tables = {name: study.tables[name] for name in names}
    return dataclasses.replace(study, tables=tables, **changes)


def rendered(study):
    """A page without figures: quick."""
    sections = [dataclasses.replace(s, plots=()) for s in all_sections(Tables(study))]
    return render_page(study, sections, {}, Links(lambda name: None, lambda name: None))


def test_it_needs_nothing_but_itself(page):
    tags = Tags(page)
    assert not tags.of("script") and not tags.of("link") and not tags.of("img")
    assert not re.search(r'(?:href|src|xlink:href)="https?:', page)
    assert not re.search(r"url\((?!#)", page)


def test_all_links_lead_to_a_file_or_a_place_on_the_page(page, written):
    tags = Tags(page)
    places = {attributes["id"] for _, attributes in tags.found if "id" in attributes}
    links = [attributes["href"] for attributes in tags.of("a")]
    assert len(links) > 40
    for link in links:
        assert link[1:] in places if link[0] == "#" else (written / link).is_file()


def test_ids_are_unique_though_many_figures_stand_in_one_page(page):
    ids = [attributes["id"] for _, attributes in Tags(page).found if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_what_figures_refer_to_is_there(page):
    ids = {attributes["id"] for _, attributes in Tags(page).found if "id" in attributes}
    wanted = set(re.findall(r'(?:url\(#|xlink:href="#)([^)"]+)', page))
    assert wanted and wanted <= ids


def test_every_table_of_the_study_is_linked(page, study):
    for name in study.tables:
        assert f'href="tables/{name}.csv"' in page, name


def test_figures_have_words_for_those_who_cannot_see_them(page):
    pictures = [each for each in Tags(page).of("svg") if each.get("role") == "img"]
    assert len(pictures) > 15
    assert all(len(each["aria-label"]) > 15 for each in pictures)


def test_heads_of_tables_say_what_they_are_heads_of(page):
    heads = Tags(page).of("th")
    assert heads and all(each.get("scope") in ("col", "row") for each in heads)


def test_where_risk_is_shown_it_says_research_only(page):
    text = html.unescape(page)
    assert text.count(RESEARCH_USE_ONLY) >= 5
    for key in ("score", "survival", "prediction", "adjuvant"):
        section = re.search(rf'<section id="{key}">.*?</section>', text, re.DOTALL)[0]
        assert RESEARCH_USE_ONLY in section


def test_simulated_patients_are_called_so(study, page):
    assert "Simulated patients" in page
    real = dataclasses.replace(study, facts={"n": 3, "events": 1})
    assert "imulated" not in rendered(only(real, "flow", cohort="Ours"))


def test_small_p_values_have_the_exact_number_in_the_tooltip(study):
    frame = study.tables["univariate"].frame.head(1).assign(p_lrt=1.4e-12)
    table = dataclasses.replace(study.tables["univariate"], frame=frame)
    page = rendered(dataclasses.replace(study, tables={"univariate": table}))
    assert re.search(r'title="p = 1.4e-12">&lt;\s0.0001<', page)


def test_names_cannot_break_out_into_the_page(study):
    frame = pd.DataFrame({"x": ["<script>alert(1)</script>"]})
    table = StudyTable("mine", "<b>t</b>", frame, "<i>n</i>")
    evil = dataclasses.replace(
        only(study), cohort="<img src=x>", tables={"mine": table}, warnings=("<u>w</u>",)
    )
    page = rendered(evil)
    for tag in ("<script", "<img", "<b>t", "<i>n", "<u>w"):
        assert tag not in page


def test_a_table_that_nobody_knows_is_shown_all_the_same(study):
    frame = pd.DataFrame({"what": ["a"], "p_own": [1e-9], "share": [0.123456], "n": [1234]})
    page = rendered(only(study, "flow"))
    assert "More tables" not in page
    tables = {"mine": StudyTable("mine", "My table", frame)}
    page = html.unescape(rendered(dataclasses.replace(study, tables=tables)))
    assert "My table" in page and "0.123456" in page and "<\u00a00.0001" in page


def test_long_tables_are_folded_and_very_long_ones_cut(study):
    frame = pd.DataFrame({"what": [f"row{i}" for i in range(500)]})
    page = rendered(dataclasses.replace(study, tables={"mine": StudyTable("mine", "M", frame)}))
    assert "<details><summary>500 rows, the first 200 here" in page
    assert "row199" in page and "row200" not in page


def test_patients_are_linked_but_not_printed(page, study):
    assert study.tables["patients"].frame["patient"][0] not in page


def test_a_new_report_removes_figures_that_it_has_not_but_no_others(study, tmp_path):
    small = only(study, "flow")
    write_study(tmp_path, small)
    figures = tmp_path / "figures"
    figures.mkdir()
    for name in ("km-crs.svg", "score.png", "mine.svg"):
        (figures / name).write_text("old")
    write_cohort_report(tmp_path, small)
    assert sorted(path.name for path in figures.iterdir()) == ["flow.svg", "mine.svg"]


def test_figures_come_as_pdf_and_png_too(study, tmp_path):
    small = only(study, "flow")
    write_study(tmp_path, small)
    for form, begins in (("pdf", b"%PDF"), ("png", b"\x89PNG")):
        options = CohortReportOptions(figures=form, dpi=60)
        write_cohort_report(tmp_path, small, options=options)
        assert (tmp_path / "figures" / f"flow.{form}").read_bytes().startswith(begins)


def test_a_page_elsewhere_links_back_to_the_folder(study, tmp_path):
    small = only(study, "flow")
    write_study(tmp_path / "a study", small)
    out = tmp_path / "pages" / "mine.html"
    assert write_cohort_report(tmp_path / "a study", small, out=out) == out
    assert 'href="../a%20study/tables/flow.csv"' in out.read_text()


def words(study):
    return " ".join(methods(Tables(study)).paragraphs)


def test_the_methods_say_what_was_done(study):
    said = words(study).replace("\u00a0", " ").replace("\u202f", "")
    for part in (
        "150 patients",
        "censored at 120 months",
        "the median",
        "200 bootstrap resamples",
        "p < 0.05 were candidates",
        "above 0.7",
        "5 years and 8 years",
        "1000 bootstrap resamples",
        "5-fold nested cross-validation, 5 times",
        "lifelines 0.30.3",
        "seed 1.",
    ):
        assert part in said, part


@pytest.mark.parametrize(
    ("table", "word"),
    [
        ("roc", "ROC"),
        ("nested_cv", "nested"),
        ("calibration", "Calibration"),
        ("brier", "Brier"),
        ("decision", "Net benefit"),
        ("ph_test", "Proportionality"),
        ("cutpoint_optimism", "overstate"),
        ("cutpoint_stability", "stability"),
        ("adjuvant_interaction", "interaction"),
        ("association_groups", "Wilcoxon"),
    ],
)
def test_the_methods_do_not_say_what_was_not_done(study, table, word):
    assert word in words(study)
    left = dataclasses.replace(
        study, tables={key: value for key, value in study.tables.items() if key != table}
    )
    assert word not in words(left)


def test_without_random_numbers_there_is_no_seed(study):
    assert "seed" not in words(only(study, "flow", "univariate"))


def test_a_validation_says_that_nothing_was_fitted(study):
    for source in ("Guangzhou", {"cohort": "Guangzhou", "n": 433}):
        done = dataclasses.replace(study, kind="validate", facts={"discovery": source})
        said = words(done)
        assert "found in Guangzhou was applied unchanged" in said
        assert "dichotomized by" not in said


def test_citations_are_numbered_in_order_and_all_listed(study):
    found = methods(Tables(study))
    cited = [int(n) for part in re.findall(r"\[([\d,]+)\]", " ".join(found.paragraphs))
             for n in part.split(",")]  # fmt: skip
    first = list(dict.fromkeys(cited))
    assert first == list(range(1, len(found.references) + 1))


def test_a_study_without_anything_has_a_page(study, tmp_path):
    empty = dataclasses.replace(study, tables={}, facts={}, versions={}, warnings=(),
                                risk_model=None)  # fmt: skip
    write_study(tmp_path, empty)
    assert "<h1>" in write_cohort_report(tmp_path, empty).read_text()


def test_groups_are_called_as_the_study_calls_them(study):
    own = {"sof": {"title": "Tissue", "levels": ["low", "high"], "labels": ["Mild", "Grim"]}}
    named = dataclasses.replace(only(study, "km", "groups"), facts={"groupings": own})
    (section,) = (s for s in all_sections(Tables(named)) if s.key == "survival")
    plot = next(plot for plot in section.plots if plot.name == "km-sof")
    assert "Mild tissue (n" in plot.alt and "Grim tissue (n" in plot.alt


def test_markers_have_names_and_keys_stay_in_the_tooltip(study):
    table = study.tables["roc"]
    frame = table.frame.assign(marker="CRS_score")
    page = rendered(
        dataclasses.replace(study, tables={"roc": dataclasses.replace(table, frame=frame)})
    )
    assert re.search(r'title="CRS_score">Clinical risk score<', page)


def test_the_docs_example_draws(written):
    from napari_crlm_spa.core.cohort.study.folder import read_study
    from napari_crlm_spa.core.report.cohort import figures

    study = read_study(written)
    km, risk = (study.tables[name].frame for name in ("km", "risk_table"))
    figure = figures.draw_kaplan_meier(km, risk, grouping="sof", intervals=False)
    assert len(figure.axes) == 2


def test_a_problem_names_its_row_whether_rows_are_numbers_or_words():
    row = {"severity": "warning", "row": "12", "patient": "A", "problem": "a hole"}
    for number in ("12", 12, 12.0):
        table = StudyTable("problems", "Problems", pd.DataFrame([{**row, "row": number}]))
        shown = shown_table(table)
        at = [column.head for column in shown.columns].index("Row")
        assert shown.rows[0][at].text == "12"
