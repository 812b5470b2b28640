"""Strangeness end to end: a slide with green blotches, and a model that knows no green."""

import csv
import dataclasses
import gzip
import json
import shutil
from contextlib import closing

import numpy as np
import pytest
import zarr

from napari_crlm_spa._tests.painted_slide import paint_over
from napari_crlm_spa.core.pipeline import analyze_slide, analyze_to_end
from napari_crlm_spa.core.sentinel import SentinelOptions
from napari_crlm_spa.core.store import (
    ANALYSIS_ZARR,
    FEATURES_CSV,
    REPORT_HTML,
    RISK_JSON,
    TILES_GEOJSON,
    load_analysis,
)
from napari_crlm_spa.core.tiles import TileScores


@pytest.fixture
def watchful(options, watchful_model):
    return dataclasses.replace(options, model=str(watchful_model), geojson=True)


@pytest.fixture
def green(slide, codes):
    """A third of the tissue, painted over."""
    mask = (codes > 0) & (np.arange(codes.shape[1]) >= 26)
    paint_over(slide, mask)
    return mask


def test_what_the_model_does_not_know_is_strange_and_what_it_knows_is_not(
    slide, codes, green, watchful, tmp_path
):
    strangeness = analyze_to_end(slide, tmp_path, watchful).tissue_map.strangeness
    assert (strangeness[green] > 1).all()
    assert (strangeness[(codes > 0) & ~green] <= 1).all()
    assert np.isnan(strangeness[codes == 0]).all(), "glass is not asked"


def test_every_file_tells_it(slide, codes, green, watchful, tmp_path):
    analysis = analyze_to_end(slide, tmp_path, watchful)
    share = green.sum() / np.count_nonzero(codes)
    group = zarr.open_group(analysis.folder / ANALYSIS_ZARR, mode="r")
    np.testing.assert_array_equal(group["strangeness"][...], analysis.tissue_map.strangeness)
    with (analysis.folder / FEATURES_CSV).open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["strange_share"]) == pytest.approx(share, abs=1e-4)
    risk = json.loads((analysis.folder / RISK_JSON).read_text())
    for record in (risk["strangeness"], analysis.run["strangeness"]):
        assert record["share"] == pytest.approx(share)
        assert record["warns"]
    assert analysis.sentinel.sentence in (analysis.folder / REPORT_HTML).read_text()
    with gzip.open(analysis.folder / TILES_GEOJSON, "rt") as file:
        tiles = json.load(file)["features"]
    measured = [tile["properties"]["measurements"] for tile in tiles]
    assert sum(each["strangeness"] > 1 for each in measured) == green.sum()
    assert all({"confidence", "entropy"} <= set(each) for each in measured)


def test_a_cancelled_run_keeps_the_strangeness_of_what_it_had_done(
    slide, green, watchful, tmp_path
):
    small = dataclasses.replace(
        watchful, classify=dataclasses.replace(watchful.classify, batch_size=50)
    )
    with closing(analyze_slide(slide, tmp_path / "cancelled", small)) as work:
        for step in work:
            if isinstance(step.changed, TileScores) and step.done >= 300:
                break
    resumed = analyze_to_end(slide, tmp_path / "cancelled", small)
    assert resumed.run["resumed_tiles"] >= 300
    whole = analyze_to_end(slide, tmp_path / "whole", small)
    np.testing.assert_array_equal(resumed.tissue_map.strangeness, whole.tissue_map.strangeness)


def test_the_sentinel_is_asked_anew_when_its_limit_changes_and_no_tile_is(
    slide, green, watchful, tmp_path
):
    assert analyze_to_end(slide, tmp_path, watchful).sentinel.warns
    patient = dataclasses.replace(watchful, sentinel=SentinelOptions(strange_max=0.9))
    again = analyze_to_end(slide, tmp_path, patient)
    assert again.reused
    assert not again.sentinel.warns
    report = (again.folder / REPORT_HTML).read_text()
    assert "looks unlike the training slides" not in report


def test_a_model_that_got_a_reference_set_classifies_anew_and_says_why(
    slide, options, color_model, watchful_model, tmp_path
):
    model = tmp_path / "model"
    shutil.copytree(color_model, model)
    plain = dataclasses.replace(options, model=str(model))
    before = analyze_to_end(slide, tmp_path / "out", plain)
    assert np.isnan(before.tissue_map.strangeness).all()
    assert not before.sentinel.tiles
    shutil.copytree(watchful_model, model, dirs_exist_ok=True)
    after = analyze_to_end(slide, tmp_path / "out", plain)
    assert not after.reused
    assert after.run["started_afresh_because"] == "the model's reference set changed"
    assert after.sentinel.tiles


def test_a_finished_folder_of_an_earlier_version_is_still_used(slide, options, tmp_path):
    first = analyze_to_end(slide, tmp_path, options)
    shutil.rmtree(first.folder / ANALYSIS_ZARR / "strangeness")
    again = analyze_to_end(slide, tmp_path, options)
    assert again.reused
    assert np.isnan(again.tissue_map.strangeness).all()
    assert np.isnan(load_analysis(first.folder).tissue_map.strangeness).all()
    assert "no reference set" in again.sentinel.sentence
