import dataclasses
from html.parser import HTMLParser

import numpy as np
import pytest

from napari_crlm_spa._tests.core.report.conftest import HOSTILE, make_map
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.report import (
    MarkCount,
    ReviewSummary,
    render_report,
    words,
    write_report,
)
from napari_crlm_spa.core.risk import (
    RESEARCH_USE_ONLY,
    ClinicalFactors,
    assess_risk,
    clinical_risk_score,
    load_risk_model,
)
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.spatial import FEATURES, spatial_features
from napari_crlm_spa.core.tiles import TileState


class Page(HTMLParser):
    """Text of a page, its tags and attributes; complains about tags that don't match."""

    VOID = frozenset({"meta", "img", "input", "wbr", "br"})

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes, self.words, self._open = [], [], [], []
        self.feed(html)
        assert self._open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_endtag(self, tag):
        assert self._open.pop() == tag

    def handle_data(self, data):
        if not self._open or self._open[-1] not in ("style", "script"):
            self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def page(report):
    return Page(render_report(report))


def test_every_feature_stands_with_name_sentence_and_value(make_report):
    report = make_report()
    html = render_report(report)
    text = Page(html).text
    for column, definition in FEATURES.items():
        assert str(words.breakable(column)) in html
        assert definition.sentence in text
        shown = " ".join(words.percent(report.features.values[column], 2).split())
        assert shown in text


def test_every_class_stands_with_tiles_area_and_share(make_report):
    report = make_report()
    text = page(report).text
    for tissue in CRLM7.classes:
        tiles = report.features.counts[tissue.name]
        mm2 = words.area(report.tissue_map.area_mm2(tiles)).replace("\u00a0", " ")
        assert f"{tissue.title} {tissue.name} {words.count(tiles)} {mm2}".replace(
            "\u202f", " "
        ) in text.replace("\u202f", " ")


def test_a_hostile_name_stays_text(make_report):
    html = render_report(make_report(HOSTILE))
    found = Page(html)
    assert found.tags.count("script") == 1
    assert HOSTILE.replace("\n", " ") in found.text
    assert "49.svs" not in found.text
    assert not any(name.startswith("on") for name, _ in found.attributes)


def test_hostile_records_stay_text(make_report):
    bad = "<img src=x onerror=alert(1)>"
    report = make_report(
        run={
            "created": bad,
            "notes": [bad],
            "device": bad,
            "identity": bad,
            "versions": {bad: bad},
            "options": {bad: bad, "stain": {"method": bad}},
        }
    )
    found = page(report)
    assert not any(name == "onerror" for name, _ in found.attributes)
    assert found.text.count("onerror=alert(1)") >= 6


def test_the_page_needs_nothing_from_elsewhere(make_report):
    html = render_report(make_report())
    found = Page(html)
    sources = [value for name, value in found.attributes if name in ("src", "href", "srcset")]
    assert sources
    assert all(value.startswith("data:image/") for value in sources)
    assert "http://" not in html
    assert "https://" not in html
    assert "url(" not in html
    assert "link" not in found.tags


def test_folders_are_not_passed_on(make_report):
    html = render_report(make_report())
    assert "patient name" not in html
    assert "/home/" not in html
    assert "roi.geojson" in html


def test_research_use_only_stands_at_the_top_and_at_the_risk(make_report):
    assert page(make_report()).text.count(RESEARCH_USE_ONLY) >= 2


def test_risk_rows_show_formula_source_and_what_is_missing(make_report):
    report = make_report()
    text = page(report).text
    assert "No risk group" in text
    assert " ".join(report.risk.formula.split()) in text
    assert report.risk.model.source in text
    assert "the model does not say where to split it" in text


def test_a_group_and_the_clinical_score_are_shown(make_report, features):
    model = load_risk_model("paper_eq1")
    parts = [part.model_copy(update={"cutoff": 0.05}) for part in model.features]
    model = model.model_copy(update={"features": tuple(parts)})
    crs = clinical_risk_score(
        ClinicalFactors(
            node_positive=True,
            disease_free_interval_months=3.0,
            n_metastases=4,
            largest_metastasis_cm=7.0,
            cea_ng_ml=500.0,
        )
    )
    risk = assess_risk(features, model, crs)
    text = page(make_report(risk=risk)).text
    assert f"Risk group: {risk.group}" in text
    assert "Clinical risk score 5 of 5" in text
    assert risk.combined.sentence in text


def test_a_refused_slide_says_why_and_keeps_its_map(make_report):
    codes = np.full((12, 12), CRLM7.code("HEP"), np.uint8)
    codes[5, 5:8] = CRLM7.code("TUM")
    tissue_map = make_map(codes)
    features = spatial_features(tissue_map)
    text = page(make_report(tissue_map=tissue_map, features=features, risk=None)).text
    assert features.refusal in text
    assert "There is no tumor region." in text
    assert "Hepatocytes HEP" in text


def test_without_features_the_page_ends_after_the_map(make_report):
    report = make_report(features=None, risk=None, card=None, run={})
    text = page(report).text
    assert "Spatial organization features" not in text.replace("Tissue map, spatial", "")
    assert f"Tumor TUM {report.tissue_map.counts()['TUM']}" in text
    assert f"Classified {(report.tissue_map.classes > 0).sum()}".replace(" ", "") in text.replace(
        " ", ""
    ).replace("\u202f", "")


def test_quality_and_provenance_are_told(make_report):
    text = page(make_report()).text
    assert "Stain fallback 17" in text
    assert "At the slide's edge 5" in text
    for fact in ("f" * 64, "ab" * 32, "cd" * 32, "numpy 9.9", "from: the test", "test-model"):
        assert fact in text
    assert "2026-11-20 19:00 UTC" in text


def test_shares_are_those_of_the_features_or_of_the_map(make_report):
    from napari_crlm_spa.core.report import tissue_rows

    with_features = {row.name: row.share for row in tissue_rows(make_report())}
    alone = {row.name: row.share for row in tissue_rows(make_report(features=None, risk=None))}
    assert with_features["BACK"] is alone["BACK"] is None
    for name in with_features.keys() - {"BACK"}:
        assert with_features[name] == pytest.approx(alone[name])


def test_the_page_is_written_whole(make_report, tmp_path):
    path = tmp_path / "report.html"
    write_report(path, make_report("肝転移.ndpi"))
    html = path.read_text("utf-8")
    assert html.rstrip().endswith("</html>")
    assert "肝転移.ndpi" in html
    assert [child.name for child in tmp_path.iterdir()] == ["report.html"]


def doubtful(make_report, strange):
    report = make_report()
    shown = report.tissue_map
    shown.probabilities[shown.classes > 0] = 1 / 7
    shown.strangeness[shown.classes > 0] = strange
    return dataclasses.replace(report, sentinel=watch_slide(shown))


def test_a_slide_unlike_the_training_slides_is_called_so_above_the_map_and_at_the_risk(make_report):
    text = page(doubtful(make_report, strange=1.5)).text
    warning = "This slide looks unlike the training slides: 100%"
    assert text.count(warning) == 2
    assert text.index(warning) < text.index("Slide with the map")
    assert text.rindex(warning) > text.index("Risk For research use only")


def test_a_usual_slide_is_told_its_share_without_a_warning(make_report):
    text = page(doubtful(make_report, strange=0.5)).text
    assert "Strangeness: 0% of the classified tiles" in text
    assert "unlike the training slides" not in text


def test_the_maps_of_doubt_name_their_medians_and_what_their_colors_mean(make_report):
    text = page(doubtful(make_report, strange=1.5)).text
    for part in ("Confidence · median 14.3", "Entropy · median 1", "Strangeness · median 1.5"):
        assert part in text
    assert "1, the limit" in text


def test_without_a_reference_set_there_is_no_map_of_strangeness(make_report):
    text = page(doubtful(make_report, strange=np.nan)).text
    assert "no reference set" in text
    assert "Strangeness · median" not in text
    assert "Entropy · median" in text


def reviewed(make_report, codes, **risks):
    shown = make_map(codes)
    at = np.argwhere(shown.classes == CRLM7.code("HEP"))[:5]
    corrected = dataclasses.replace(shown, classes=shown.classes.copy(), state=shown.state.copy())
    for (row, col), name in zip(at, ("STR", "STR", "STR", "LYM", None), strict=True):
        corrected.classes[row, col] = CRLM7.code(name) if name else 0
        corrected.state[row, col] = TileState.EDITED if name else TileState.SET_ASIDE
    row, col = np.argwhere(shown.classes == CRLM7.code("TUM"))[0]
    corrected.state[row, col] = TileState.ACCEPTED
    review = ReviewSummary.of(shown, corrected, "<Anna>", **risks)
    return make_report(tissue_map=corrected, review=review), review


def test_a_review_counts_what_went_from_where_to_where(make_report, codes):
    report, review = reviewed(make_report, codes)
    assert review.moves == (("HEP", "STR", 3), ("HEP", "LYM", 1), ("HEP", "set aside", 1))
    assert (review.corrected, review.accepted, review.set_aside) == (4, 1, 1)
    text = page(report).text
    assert "Corrections by <Anna>" in text
    assert "4 tiles corrected 1 tiles confirmed 1 tiles set aside" in text
    assert "HEP STR 3 HEP LYM 1 HEP set aside 1" in text
    assert "Set aside 1 left out by a reader" in text


def test_a_review_shows_score_and_group_before_and_after(make_report, codes, features):
    model = load_risk_model("paper_eq1")

    def risk(cutoff):
        parts = [part.model_copy(update={"cutoff": cutoff}) for part in model.features]
        return assess_risk(features, model.model_copy(update={"features": tuple(parts)}))

    before, after = risk(0.99), risk(0.0)
    report, review = reviewed(make_report, codes, before=before, after=after)
    assert review.flipped == (before.group != after.group)
    text = page(report).text
    assert f"{words.number(before.score)} → {words.number(after.score)}" in text
    assert f"{before.group} → {after.group}" in text
    assert "distance thresholds are those of the uncorrected map" in text


def test_an_unreviewed_report_has_no_corrections(make_report):
    assert "Corrections by" not in page(make_report()).text


def test_every_feature_names_its_formula_and_source(make_report):
    from napari_crlm_spa.core.report.tables import feature_sources

    text, sources = page(make_report()).text, feature_sources()
    for definition in FEATURES.values():
        number = sources.index(definition.source) + 1
        assert f"{definition.sentence} {definition.formula} [{number}]" in text
        assert f"[{number}] {definition.source}" in text


def test_marks_of_quality_are_counted_but_not_hidden(make_report):
    marks = [MarkCount("blur", 65, "Less sharp."), MarkCount("pen", 0)]
    report = make_report(marks=marks)
    text = page(report).text
    total = int((report.tissue_map.classes > 0).sum())
    assert f"Blur 65 {words.percent(65 / total)} Less sharp.".replace("\u00a0", " ") in text
    assert "Pen 0" in text
    assert "Marks on classified tiles" not in page(make_report()).text


def test_limits_of_the_classifier_stand_at_the_risk(make_report):
    card = make_report().card.model_copy(update={"known_limits": ["Seven slides only."]})
    text = page(make_report(card=card)).text
    assert text.index("Seven slides only.") > text.index("Risk For research use only")
    assert text.index("Seven slides only.") < text.index("Quality")


def test_times_are_told(make_report):
    report = make_report(run={"seconds": {"classifying": 61.5, "writing": 1.5, "stain": 0.0}})
    assert "Time taken 63 s: classifying 61.5 s, writing 1.5 s" in page(report).text


def test_without_a_card_the_record_names_the_model(make_report):
    run = {"model": {"name": "m1", "version": "3", "sha256": "99" * 32}}
    text = page(make_report(card=None, run=run)).text
    assert "m1, version 3" in text and "99" * 32 in text


def test_another_palette_changes_legend_and_map_alike(make_report):
    safe = render_report(make_report().in_palette("color-blind safe"))
    assert 'style="background: #d55e00"' in safe
    assert 'style="background: #d62728"' not in safe
