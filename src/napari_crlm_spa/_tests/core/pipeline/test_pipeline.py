"""The main job: known answers end to end, resuming, cancelling, refusing, and writing."""

import csv
import dataclasses
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import closing

import numpy as np
import pytest
import torch
import zarr

from napari_crlm_spa._tests.painted_slide import PX, paint
from napari_crlm_spa.core import report
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier import runtime
from napari_crlm_spa.core.classifier.card import load_card, save_card
from napari_crlm_spa.core.classifier.weights import load_model, save_model
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_slide, analyze_to_end, run
from napari_crlm_spa.core.pipeline.classify import SUSPICIOUS_SHARE
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.convert import convert_to_pyramid
from napari_crlm_spa.core.spatial import FEATURES, spatial_features
from napari_crlm_spa.core.store import (
    ANALYSIS_ZARR,
    FEATURES_CSV,
    REPORT_HTML,
    RISK_JSON,
    RUN_JSON,
    TILES_GEOJSON,
    TILES_JOURNAL,
    TISSUE_MAP_PNG,
    TileJournal,
    load_analysis,
    read_features,
    read_journal_header,
)
from napari_crlm_spa.core.tiles import TileGrid, TileScores, TileState, TilingOptions
from napari_crlm_spa.errors import (
    MissingPixelSize,
    ModelError,
    NotASlide,
    NoTissue,
    RegionError,
    StoreError,
    TooLittleTumor,
)

PAPER_FILES = {ANALYSIS_ZARR, FEATURES_CSV, RISK_JSON, TISSUE_MAP_PNG, REPORT_HTML, RUN_JSON}


@pytest.fixture
def counted(monkeypatch):
    """Count the tiles that reach any network."""
    seen = []
    real = runtime.Classifier.predict

    def predict(self, tiles):
        seen.append(len(tiles))
        return real(self, tiles)

    monkeypatch.setattr(runtime.Classifier, "predict", predict)
    return seen


def same(values):
    return pytest.approx(values, abs=1e-12, nan_ok=True)


def test_a_painted_metastasis_comes_out_tile_by_tile(slide, codes, options, tmp_path):
    analysis = analyze_to_end(slide, tmp_path / "out", options)
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)
    assert {path.name for path in analysis.folder.iterdir()} == PAPER_FILES


def test_the_files_say_what_the_result_says(slide, options, tmp_path):
    analysis = analyze_to_end(slide, tmp_path / "out", options)
    with (analysis.folder / FEATURES_CSV).open() as file:
        (row,) = csv.DictReader(file)
    assert list(row)[1:21] == list(FEATURES)
    for column, value in analysis.features.values.items():
        assert float(row[column] or "nan") == pytest.approx(value, abs=1e-12, nan_ok=True)
    assert read_features(analysis.folder) == same(analysis.features.values)
    risk = json.loads((analysis.folder / RISK_JSON).read_text())
    assert risk["group"] is None
    assert "fit-cutoffs" in risk["reason"]
    again = spatial_features(load_analysis(analysis.folder).tissue_map)
    assert again.values == same(analysis.features.values)


def test_masks_and_heat_maps_are_kept_for_readers_in_other_languages(slide, options, tmp_path):
    analysis = analyze_to_end(slide, tmp_path / "out", options)
    group = zarr.open_group(analysis.folder / ANALYSIS_ZARR, mode="r")
    features = analysis.features
    np.testing.assert_array_equal(group["tumor_region"][...], features.regions.mask)
    np.testing.assert_array_equal(group["zones"][...], features.zone)
    tissues = group.attrs["interaction_tissues"]
    for tissue, share in features.interaction_maps().items():
        np.testing.assert_array_equal(group["interaction"][..., tissues.index(tissue)], share)
    assert group.attrs["zone_names"][1:] == ["infiltrating", "adjacent", "distal"]
    assert group.attrs["mpp"] == 0.5


def test_progress_carries_the_grid_then_every_tile_once(slide, codes, options, tmp_path):
    steps = list(analyze_slide(slide, tmp_path / "out", options))
    grids = [step.changed for step in steps if isinstance(step.changed, TileGrid)]
    scores = [step.changed for step in steps if isinstance(step.changed, TileScores)]
    assert [(grid.rows, grid.cols) for grid in grids] == [codes.shape]
    seen = np.zeros(codes.shape, int)
    for part in scores:
        np.add.at(seen, (part.rows, part.cols), 1)
    assert seen.max() == 1
    assert (seen[codes > 0] == 1).all()
    classifying = [step for step in steps if step.stage == "Classifying tiles"]
    assert [step.done for step in classifying] == sorted(step.done for step in classifying)
    assert classifying[-1].done == classifying[-1].total == seen.sum()


def test_a_second_run_returns_at_once_without_the_network(slide, options, tmp_path, counted):
    first = analyze_to_end(slide, tmp_path / "out", options)
    before, written = sum(counted), (first.folder / RUN_JSON).stat().st_mtime_ns
    second = analyze_to_end(slide, tmp_path / "out", options)
    assert sum(counted) == before
    assert second.reused and not first.reused
    assert (second.folder / RUN_JSON).stat().st_mtime_ns == written
    np.testing.assert_array_equal(second.tissue_map.classes, first.tissue_map.classes)


def test_another_decoder_is_the_same_analysis(slide, options, tmp_path, counted):
    tiff = tmp_path / "painted.tif"
    for _ in convert_to_pyramid(slide, tiff, mpp=options.mpp):
        pass
    maps = []
    for decoder in ("openslide", "tifffile"):
        asked = dataclasses.replace(options, mpp=None, decoder=decoder)
        maps.append(analyze_to_end(tiff, tmp_path / decoder, asked).tissue_map)
        again = dataclasses.replace(asked, decoder="auto")
        assert analyze_to_end(tiff, tmp_path / decoder, again).reused
    np.testing.assert_array_equal(maps[0].probabilities, maps[1].probabilities)


def test_other_spatial_options_need_no_network_but_new_files(slide, options, tmp_path, counted):
    first = analyze_to_end(slide, tmp_path / "out", options)
    before = sum(counted)
    other = dataclasses.replace(
        options, spatial=dataclasses.replace(options.spatial, interaction_denominator="non_tumor")
    )
    second = analyze_to_end(slide, tmp_path / "out", other)
    assert sum(counted) == before
    assert read_features(second.folder) == same(second.features.values)
    assert second.features.values != same(first.features.values)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tiling": TilingOptions(mask_mpp=2.0, blank_max=0.4)}, "the options changed"),
        ({"fresh": True}, "it was asked for"),
    ],
)
def test_anything_else_starts_afresh_and_says_why(slide, options, tmp_path, counted, change, why):
    analyze_to_end(slide, tmp_path / "out", options)
    before = sum(counted)
    second = analyze_to_end(slide, tmp_path / "out", dataclasses.replace(options, **change))
    assert sum(counted) == 2 * before
    assert second.run["started_afresh_because"] == why


def test_a_calibrated_model_classifies_anew_and_says_why(slide, options, color_model, tmp_path):
    model = shutil.copytree(color_model, tmp_path / "model")
    mine = dataclasses.replace(options, model=str(model))
    analyze_to_end(slide, tmp_path / "out", mine)
    save_card(model, load_card(model).model_copy(update={"temperature": 1.5}))
    second = analyze_to_end(slide, tmp_path / "out", mine)
    assert not second.reused
    assert second.run["started_afresh_because"] == "the model's temperature changed"
    assert second.run["model"]["temperature"] == 1.5


def test_another_model_is_named_once(slide, options, color_model, tmp_path):
    model = shutil.copytree(color_model, tmp_path / "model")
    mine = dataclasses.replace(options, model=str(model))
    analyze_to_end(slide, tmp_path / "out", mine)
    card, network = load_model(model)
    with torch.no_grad():
        network.head[-1].bias += 0.001
    save_model(model, card.model_copy(update={"temperature": 1.5}), network)
    second = analyze_to_end(slide, tmp_path / "out", mine)
    assert second.run["started_afresh_because"] == "the model changed"


def test_tiles_for_qupath_are_those_of_the_present_map(slide, options, tmp_path):
    asked = dataclasses.replace(options, geojson=True)
    first = analyze_to_end(slide, tmp_path / "out", asked)
    region = {"type": "Polygon", "coordinates": [[[0, 0], [320, 0], [320, 320], [0, 320], [0, 0]]]}
    (tmp_path / "r.geojson").write_text(json.dumps(region))
    fewer = dataclasses.replace(asked, regions=tmp_path / "r.geojson")
    second = analyze_to_end(slide, tmp_path / "out", fewer)
    with gzip.open(second.folder / TILES_GEOJSON, "rt") as file:
        tiles = json.load(file)["features"]
    assert len(tiles) == np.count_nonzero(second.tissue_map.classes)
    third = analyze_to_end(slide, tmp_path / "out", options)
    assert third.folder == first.folder
    assert not (third.folder / TILES_GEOJSON).exists()


def test_a_record_never_vouches_for_files_of_other_options(slide, options, tmp_path):
    first = analyze_to_end(slide, tmp_path / "out", options)
    other = dataclasses.replace(
        options, spatial=dataclasses.replace(options.spatial, interaction_denominator="non_tumor")
    )
    with (
        pytest.MonkeyPatch.context() as patch,
        pytest.raises(OSError, match="pulled"),
    ):
        patch.setattr(report, "write_report", pull_the_plug)
        analyze_to_end(slide, tmp_path / "out", other)
    again = analyze_to_end(slide, tmp_path / "out", options)
    assert again.reused
    assert read_features(again.folder) == same(first.features.values)


def pull_the_plug(*_):
    raise OSError("the plug was pulled")


@pytest.mark.parametrize("name", [FEATURES_CSV, RISK_JSON, TISSUE_MAP_PNG, REPORT_HTML])
def test_a_deleted_file_is_written_again(slide, options, tmp_path, name):
    first = analyze_to_end(slide, tmp_path / "out", options)
    (first.folder / name).unlink()
    second = analyze_to_end(slide, tmp_path / "out", options)
    assert second.reused
    assert {path.name for path in second.folder.iterdir()} == PAPER_FILES


@pytest.mark.parametrize(
    "change", [{"input_px": PX // 2}, {"normalization": {"mean": [0.1, 0.1, 0.1]}}]
)
def test_a_card_that_feeds_the_network_otherwise_is_another_model(
    slide, options, color_model, tmp_path, change
):
    model = shutil.copytree(color_model, tmp_path / "model")
    options = dataclasses.replace(options, model=str(model))
    analyze_to_end(slide, tmp_path / "out", options)
    card = json.loads((model / "card.json").read_text())
    (model / "card.json").write_text(json.dumps(card | change))
    assert not analyze_to_end(slide, tmp_path / "out", options).reused


@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_in_the_place_of_the_folder_is_a_sentence(slide, options, tmp_path, fresh):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(StoreError, match="could not be written"):
        analyze_to_end(slide, tmp_path / "out", dataclasses.replace(options, fresh=fresh))


def test_a_cancelled_run_goes_on_where_it_stopped(slide, codes, options, tmp_path, counted):
    small = dataclasses.replace(
        options, classify=dataclasses.replace(options.classify, batch_size=50)
    )
    threads = threading.active_count()
    with closing(analyze_slide(slide, tmp_path / "out", small)) as work:
        for step in work:
            if isinstance(step.changed, TileScores) and step.done >= 200:
                break
        batches, done = len(counted), step.done
    assert len(counted) == batches, "a batch was computed after the cancel"
    assert threading.active_count() == threads
    folder = tmp_path / "out" / "painted"
    assert {path.name for path in folder.iterdir()} == {TILES_JOURNAL}
    analysis = analyze_to_end(slide, tmp_path / "out", small)
    assert sum(counted) == np.count_nonzero(codes), "a finished tile was computed twice"
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)
    assert analysis.run["resumed_tiles"] == done


@pytest.mark.parametrize("fresh", [False, True])
def test_two_runs_of_one_slide_do_not_meet_in_its_folder(slide, codes, options, tmp_path, fresh):
    with closing(analyze_slide(slide, tmp_path / "out", options)) as first:
        for step in first:
            if isinstance(step.changed, TileScores):
                break
        with pytest.raises(StoreError, match="Another run"):
            analyze_to_end(slide, tmp_path / "out", dataclasses.replace(options, fresh=fresh))
        assert sum(1 for _ in first) > 0
    analysis = load_analysis(tmp_path / "out" / "painted")
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)


KILLED = """
import os, signal, sys
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_slide
from napari_crlm_spa.core.tiles import TilingOptions
slide, out, model = sys.argv[1:]
options = AnalysisOptions(
    mpp=0.5, model=model, tiling=TilingOptions(mask_mpp=2.0),
    classify=ClassifyOptions(batch_size=50),
)
for step in analyze_slide(slide, out, options):
    if step.stage == "Classifying tiles" and step.done >= 300:
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL on Windows")
def test_a_killed_run_loses_no_finished_tile(slide, codes, color_model, tmp_path, counted):
    out = tmp_path / "out"
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(slide), str(out), str(color_model)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    header = read_journal_header(out / "painted" / TILES_JOURNAL)
    with TileJournal(out / "painted" / TILES_JOURNAL, header, CRLM7) as journal:
        finished = np.count_nonzero(journal.finished.states == TileState.CLASSIFIED)
    options = AnalysisOptions(mpp=0.5, model=str(color_model), tiling=TilingOptions(mask_mpp=2.0))
    analysis = analyze_to_end(slide, out, options)
    assert analysis.run["resumed_tiles"] >= 300
    assert sum(counted) == np.count_nonzero(codes) - finished, "a finished tile was computed twice"
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)


def test_regions_and_exclusions_restrict_the_map(slide, codes, options, tmp_path):
    def feature(x0, y0, x1, y1, name):
        corners = [[x0, y0], [x1, y0], [x1, y1], [x0, y1], [x0, y0]]
        return {
            "type": "Feature",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[x * PX, y * PX] for x, y in corners]],
            },
            "properties": {"classification": {"name": name}},
        }

    path = tmp_path / "regions.geojson"
    features = [feature(5, 5, 30, 25, "Region*"), feature(10, 10, 12, 12, "Ignore*")]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    analysis = analyze_to_end(slide, tmp_path / "out", dataclasses.replace(options, regions=path))
    expected = np.zeros_like(codes)
    expected[5:25, 5:30] = codes[5:25, 5:30]
    expected[10:12, 10:12] = 0
    np.testing.assert_array_equal(analysis.tissue_map.classes, expected)


def test_regions_count_from_the_scanned_area_as_in_qupath(
    slide, codes, options, tmp_path, monkeypatch
):
    def open_cropped(*args, **keywords):
        opened = open_slide(*args, **keywords)
        bounds = (4 * PX, 3 * PX, 30 * PX, 25 * PX)
        opened.info = dataclasses.replace(opened.info, bounds_xy0=bounds)
        return opened

    monkeypatch.setattr(run, "open_slide", open_cropped)
    corners = [[x * PX, y * PX] for x, y in ((5, 5), (15, 5), (15, 12), (5, 12), (5, 5))]
    path = tmp_path / "regions.geojson"
    path.write_text(json.dumps({"type": "Polygon", "coordinates": [corners]}))
    analysis = analyze_to_end(slide, tmp_path / "out", dataclasses.replace(options, regions=path))
    expected = np.zeros_like(codes)
    expected[8:15, 9:19] = codes[8:15, 9:19]
    np.testing.assert_array_equal(analysis.tissue_map.classes, expected)
    assert "scanned area" in analysis.run["notes"][0]


def test_a_slide_with_little_tumor_gets_its_map_but_no_risk(options, tmp_path):
    codes = np.full((20, 20), CRLM7.code("HEP"), np.uint8)
    codes[5:10, 5:14] = CRLM7.code("TUM")
    slide = paint(codes, tmp_path / "small.png")
    analysis = analyze_to_end(slide, tmp_path / "out", options)
    assert analysis.risk is None
    assert "50" in analysis.features.refusal
    assert analysis.features.values["Overall_Hepatocyte_ratio"] == pytest.approx(355 / 400)
    assert json.loads((analysis.folder / RISK_JSON).read_text())["group"] is None
    with pytest.raises(TooLittleTumor, match="50"):
        read_features(analysis.folder)


def test_a_slide_of_one_class_comes_with_a_warning(options, tmp_path):
    slide = paint(np.full((12, 12), CRLM7.code("HEP"), np.uint8), tmp_path / "one.png")
    analysis = analyze_to_end(slide, tmp_path / "out", options)
    assert SUSPICIOUS_SHARE < 1
    assert "check the pixel size" in analysis.run["notes"][0]


def test_bad_input_writes_nothing(slide, options, tmp_path):
    out = tmp_path / "out"
    text = tmp_path / "note.svs"
    text.write_text("this is no slide")
    white = paint(np.zeros((9, 9), np.uint8), tmp_path / "white.png")
    outside = tmp_path / "outside.geojson"
    outside.write_text("{}")
    for path, error, change in [
        (slide, MissingPixelSize, {"mpp": None}),
        (text, NotASlide, {}),
        (white, NoTissue, {}),
        (slide, RegionError, {"regions": outside}),
        (slide, ModelError, {"tiling": TilingOptions(tile_px=64)}),
        (slide, ModelError, {"model": "no such model"}),
    ]:
        with pytest.raises(error):
            analyze_to_end(path, out, dataclasses.replace(options, **change))
    assert not out.exists()
