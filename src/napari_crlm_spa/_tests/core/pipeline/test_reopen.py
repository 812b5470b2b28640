"""A finished analysis comes back from its folder, to the last bit, without model and pixels."""

import dataclasses
import json
import shutil

import numpy as np
import pytest

from napari_crlm_spa._tests.core.review.made_reviews import assert_same
from napari_crlm_spa._tests.painted_slide import paint
from napari_crlm_spa.core.pipeline import analyze_to_end, reopen, reopen_folder
from napari_crlm_spa.core.review import open_review
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.sentinel import SentinelOptions
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.spatial import (
    SpatialOptions,
    TumorRegionOptions,
    ZoneOptions,
    fit_pooled,
    fitted_distances,
    save_mixture_model,
    tumor_regions,
)
from napari_crlm_spa.core.store import ANALYSIS_ZARR, RUN_JSON
from napari_crlm_spa.errors import DamagedAnalysis, SlideError

SPATIAL = SpatialOptions(
    regions=TumorRegionOptions(dilate_tiles=3, min_tiles=20),
    zones=ZoneOptions(components=3, inside="signed"),
    interaction_denominator="nine",
    count_edge=False,
    min_tumor_tiles=10,
)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def analysis(slide, options, out):
    return analyze_to_end(slide, out, options)


def assert_same_analysis(found, expected):
    assert found.folder == expected.folder
    assert_same(found.tissue_map, expected.tissue_map)
    assert_same(found.features, expected.features)
    assert found.risk == expected.risk
    assert_same(found.sentinel, expected.sentinel)
    assert found.run["identity"] == expected.run["identity"]


def edit_run(folder, change):
    record = json.loads((folder / RUN_JSON).read_text("utf-8"))
    change(record)
    (folder / RUN_JSON).write_text(json.dumps(record), "utf-8")


@pytest.mark.parametrize("spatial", [SpatialOptions(), SPATIAL], ids=["default", "own"])
def test_map_features_and_risk_are_those_of_the_run(slide, options, out, spatial):
    options = dataclasses.replace(
        options, spatial=spatial, sentinel=SentinelOptions(strange_max=0.5)
    )
    analysis = analyze_to_end(slide, out, options)
    assert_same_analysis(reopen(slide, out), analysis)
    with open_slide(slide, mpp=0.5) as opened:
        assert_same_analysis(reopen(opened.info, out), analysis)
    assert_same_analysis(reopen_folder(analysis.folder), analysis)


def test_neither_network_nor_slide_is_needed(slide, analysis, color_model, tmp_path):
    slide.unlink()
    again = reopen_folder(analysis.folder)
    assert again.reused
    assert_same_analysis(again, analysis)


def test_pooled_thresholds_come_back_though_their_file_is_gone(slide, options, out, tmp_path):
    first = analyze_to_end(slide, out, options)
    regions = tumor_regions(first.tissue_map)
    distances = fitted_distances(first.tissue_map, regions, slide="a")
    file = tmp_path / "mixture.json"
    save_mixture_model(fit_pooled([distances, distances]), file)
    analysis = analyze_to_end(slide, out, dataclasses.replace(options, mixture=file))
    file.unlink()
    assert_same_analysis(reopen(slide, out), analysis)


def test_records_of_earlier_versions_name_the_file_of_thresholds(slide, options, out, tmp_path):
    first = analyze_to_end(slide, out, options)
    regions = tumor_regions(first.tissue_map)
    file = tmp_path / "mixture.json"
    save_mixture_model(fit_pooled([fitted_distances(first.tissue_map, regions)]), file)
    analysis = analyze_to_end(slide, out, dataclasses.replace(options, mixture=file))
    edit_run(analysis.folder, lambda run: run["options"].pop("mixture_model"))
    assert_same_analysis(reopen(slide, out), analysis)
    file.unlink()
    with pytest.raises(DamagedAnalysis, match="not classified anew"):
        reopen(slide, out)


def test_the_risk_is_that_of_the_model_asked_for(slide, analysis, out):
    model = load_risk_model("repo_2022")
    assert reopen(slide, out, model).risk.model == model


def test_a_slide_without_an_analysis_has_none(slide, analysis, out, codes, tmp_path):
    assert reopen(slide, tmp_path / "elsewhere") is None
    (tmp_path / "other").mkdir()
    other = paint(np.roll(codes, 3, axis=1), tmp_path / "other" / "painted.png")
    assert reopen(other, out) is None
    paint(np.roll(codes, 3, axis=1), slide)
    assert reopen(slide, out) is None


def test_a_copied_slide_finds_its_analysis(slide, analysis, out, tmp_path):
    (tmp_path / "copy").mkdir()
    copy = shutil.copy(slide, tmp_path / "copy" / slide.name)
    assert_same_analysis(reopen(copy, out), analysis)


def test_a_run_that_is_not_finished_is_none(slide, analysis, out):
    (analysis.folder / RUN_JSON).unlink()
    assert reopen(slide, out) is None
    with pytest.raises(DamagedAnalysis, match="no finished analysis"):
        reopen_folder(analysis.folder)


def test_a_damaged_map_is_told(slide, analysis, out):
    shutil.rmtree(analysis.folder / ANALYSIS_ZARR / "classes")
    with pytest.raises(DamagedAnalysis, match="damaged"):
        reopen(slide, out)


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run.pop("options"),
        lambda run: run["options"].pop("spatial"),
        lambda run: run["options"]["spatial"].update(unheard_of=1),
        lambda run: run["options"]["spatial"]["zones"].update(components=7),
        lambda run: run["options"].update(spatial=3),
        lambda run: run["options"].update(mixture_model={"components": 2}),
    ],
)
def test_a_record_that_does_not_say_how_is_told(slide, analysis, out, change):
    edit_run(analysis.folder, change)
    with pytest.raises(DamagedAnalysis, match="Analyze the slide again"):
        reopen(slide, out)


def test_a_file_that_is_no_slide_is_told(analysis, out, tmp_path):
    with pytest.raises(SlideError):
        reopen(tmp_path / "absent.svs", out)


def test_a_reviewed_slide_opens_with_its_corrections(slide, analysis, out):
    review = open_review(analysis, load_risk_model(), "Ada")
    review.correct([10, 10, 11], [20, 21, 21], "STR")
    again = open_review(reopen(slide, out), load_risk_model(), "Ada")
    assert again.notes == ()
    np.testing.assert_array_equal(again.tissue_map.classes, review.tissue_map.classes)
    assert_same(again.features, review.features)


def test_a_second_run_leaves_the_corrections_alone(slide, options, analysis, out):
    open_review(analysis, load_risk_model(), "Ada").correct([10], [20], "STR")
    fresh = analyze_to_end(slide, out, dataclasses.replace(options, fresh=True))
    assert open_review(fresh, load_risk_model(), "Ada").corrected.sum() == 1
