import dataclasses
import json
import shutil

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.pipeline.painted_front import (
    MPP,
    SMALL,
    TILE_UM,
    Voter,
    disc,
    drive,
    paint_fine,
    shares,
    source_of,
)
from napari_crlm_spa._tests.painted_slide import PX
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import load_card
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_to_end
from napari_crlm_spa.core.pipeline.front_band import classify_front_band
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions, plan_front_band
from napari_crlm_spa.core.pipeline.interface import measure_analysis
from napari_crlm_spa.core.spatial.interface import measure_interface
from napari_crlm_spa.core.store.front_file import load_front
from napari_crlm_spa.core.store.interface_files import read_interface
from napari_crlm_spa.core.store.names import (
    FRONT_JOURNAL,
    FRONT_ZARR,
    INTERFACE_GEOJSON,
    INTERFACE_RUNS_CSV,
    RUN_JSON,
)
from napari_crlm_spa.core.tiles import TileScores, TileState, TilingOptions
from napari_crlm_spa.errors import FeatureError, ModelNotFound, NoInterface, ReviewError

BAND = FrontBandOptions(stride_um=8.0, half_width_um=60.0)


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory, color_model):
    """The painted slide and its analysis by a voter; to be copied, not written to."""
    folder = tmp_path_factory.mktemp("painted-front")
    picture = paint_fine(disc(), folder / "painted.png")
    options = AnalysisOptions(mpp=MPP, model=str(color_model), tiling=TilingOptions(mask_mpp=2.0))
    with pytest.MonkeyPatch.context() as patch:
        voting(patch, color_model)
        return analyze_to_end(picture, folder, options).folder


def voting(patch, model):
    voter = Voter(load_card(model))
    patch.setattr("napari_crlm_spa.core.classifier.runtime.load_classifier", lambda *_, **__: voter)
    return voter


@pytest.fixture
def voter(monkeypatch, color_model):
    return voting(monkeypatch, color_model)


@pytest.fixture
def folder(analyzed, tmp_path):
    return shutil.copytree(analyzed, tmp_path / "painted")


def banded(folder, options=BAND, **more):
    return drive(classify_front_band(source_of(folder, **more), options, SMALL))


def test_each_cell_of_the_band_is_named_after_most_of_the_tile_about_its_center(folder, voter):
    front, _ = banded(folder)
    picture = np.asarray(Image.open(source_of(folder).run["slide"]["path"]).convert("RGB"))
    padded = np.pad(picture, ((PX, PX), (PX, PX), (0, 0)), constant_values=255)
    step = round(BAND.stride_um / MPP)
    looked_at = np.argwhere(front.band)
    assert len(looked_at) > 500
    corners = looked_at * step + step // 2 - PX // 2 + PX
    tiles = np.stack([padded[row : row + PX, col : col + PX] for row, col in corners])
    expected = shares(tiles).argmax(axis=1) + 1
    blank = (tiles == 255).all(axis=3).mean(axis=(1, 2)) > 0.5
    codes = front.tissue_map.classes[tuple(looked_at.T)]
    # A tie may go either way; half-precision probabilities blur it.
    clear = np.ptp(np.sort(shares(tiles), axis=1)[:, -2:], axis=1) > 0.01
    assert (codes == np.where(blank, 0, expected))[clear | blank].all()


def test_outside_the_band_each_cell_has_what_the_coarse_map_has_at_its_center(folder, voter):
    coarse = source_of(folder).tissue_map
    front, _ = banded(folder)
    rows, cols = np.nonzero(~front.band)
    at = tuple(
        np.floor((index + 0.5) * BAND.stride_um / TILE_UM).astype(int) for index in (rows, cols)
    )
    for name in ("classes", "probabilities", "state"):
        fine = getattr(front.tissue_map, name)[rows, cols]
        assert np.array_equal(fine, getattr(coarse, name)[at]), name


def test_a_capsule_thinner_than_a_tile_is_contact_on_the_map_and_a_rim_in_the_band(folder, voter):
    coarse = measure_interface(source_of(folder).tissue_map, SMALL)
    front, _ = banded(folder, FrontBandOptions(stride_um=4.0, half_width_um=60.0))
    fine = measure_interface(front.tissue_map, SMALL)
    # Half of the border has a capsule of 14 µm; a tile is 16 µm wide.
    assert coarse.summary.pct_D < 42
    assert fine.summary.pct_D == pytest.approx(50, abs=3)
    assert fine.stride_um == 4.0


def test_the_band_reaches_as_far_as_asked_and_only_over_tissue(folder):
    coarse = source_of(folder).tissue_map
    plan = plan_front_band(coarse, BAND, SMALL)
    contours = measure_interface(coarse, SMALL).contours
    points = np.concatenate([line.vertices_um for line in contours])
    rows, cols = np.indices(plan.band.shape)
    centers = np.stack([cols + 0.5, rows + 0.5], axis=-1) * BAND.stride_um
    away = np.array([np.hypot(*(points - each).T).min() for each in centers.reshape(-1, 2)])
    away = away.reshape(plan.band.shape)
    assert away[plan.band].max() <= BAND.half_width_um + BAND.stride_um
    inside = away <= BAND.half_width_um - BAND.stride_um
    glass = plan.start.state == TileState.GLASS
    assert glass.any()
    assert plan.band[inside & ~glass].all()


@pytest.mark.parametrize(
    ("settled", "asked", "expected"),
    [("fp32", "auto", "fp32"), ("bf16", "auto", "bf16"), ("bf16", "fp32", "fp32")],
)
def test_the_band_is_classified_in_the_number_format_of_the_analysis(
    folder, color_model, monkeypatch, settled, asked, expected
):
    used = []

    def load(_model, options):
        used.append(options.precision)
        return Voter(load_card(color_model))

    monkeypatch.setattr("napari_crlm_spa.core.classifier.runtime.load_classifier", load)
    source = source_of(folder)
    run = {**source.run, "precision": {"used": settled}}
    band = classify_front_band(
        dataclasses.replace(source, run=run), BAND, SMALL, ClassifyOptions(precision=asked)
    )
    drive(band)
    assert used == [expected]


def test_half_the_stride_takes_four_times_the_tiles(folder):
    coarse = source_of(folder).tissue_map
    n_tiles = [
        plan_front_band(coarse, FrontBandOptions(stride_um=stride), SMALL).n_tiles
        for stride in (4.0, 8.0)
    ]
    assert n_tiles[0] == pytest.approx(4 * n_tiles[1], rel=0.05)


def test_a_stride_that_does_not_divide_a_tile_covers_the_whole_map(folder):
    coarse = source_of(folder).tissue_map
    plan = plan_front_band(coarse, FrontBandOptions(stride_um=7.0, half_width_um=60.0), SMALL)
    for axis in (0, 1):
        assert plan.start.shape[axis] * 7.0 >= coarse.shape[axis] * TILE_UM
        assert (plan.start.shape[axis] - 1) * 7.0 < coarse.shape[axis] * TILE_UM


def test_the_time_is_guessed_from_the_speed_of_the_analysis(folder):
    plan = plan_front_band(source_of(folder).tissue_map, BAND, SMALL)
    run = {"tiles": {"classified": 300, "blank": 100}, "seconds": {"classifying": 40.0}}
    assert plan.seconds(run) == pytest.approx(plan.n_tiles * 0.1)
    assert plan.seconds({**run, "resumed_tiles": 200}) == pytest.approx(plan.n_tiles * 0.2)
    assert plan.seconds({}) is None


def test_a_stopped_look_goes_on_and_ends_with_the_same_map(folder, voter, tmp_path):
    whole, _ = banded(shutil.copytree(folder, tmp_path / "whole"))
    asked = voter.asked
    work = classify_front_band(source_of(folder), BAND, SMALL)
    batches = 0
    for step in work:
        batches += isinstance(step.changed, TileScores)
        if batches == 3:
            break
    work.close()
    assert (folder / FRONT_JOURNAL).exists()
    assert not (folder / FRONT_ZARR).exists()
    before = voter.asked
    resumed, _ = banded(folder)
    assert resumed.record["resumed_tiles"] > 0
    assert voter.asked - before < asked
    assert np.array_equal(resumed.tissue_map.classes, whole.tissue_map.classes)
    assert np.array_equal(resumed.tissue_map.probabilities, whole.tissue_map.probabilities)
    assert not (folder / FRONT_JOURNAL).exists()


def test_a_finished_band_is_read_and_not_classified_again(folder, voter):
    first, _ = banded(folder)
    asked = voter.asked
    again, _ = banded(folder)
    assert voter.asked == asked
    assert np.array_equal(again.tissue_map.classes, first.tissue_map.classes)
    assert np.array_equal(again.band, first.band)
    other, _ = banded(folder, FrontBandOptions(stride_um=8.0, half_width_um=80.0))
    assert voter.asked > asked
    assert other.identity != first.identity


def test_what_a_reader_corrected_is_kept_in_the_band(folder, voter):
    coarse = source_of(folder).tissue_map
    plan = plan_front_band(coarse, BAND, SMALL)
    near = np.argwhere(plan.band)[len(np.argwhere(plan.band)) // 2] // 2
    rows, cols = (np.array([index], np.intp) for index in near)
    corrected = coarse.edited(rows, cols, "MUC")
    front, _ = banded(folder, tissue_map=corrected, reader="Ann", place=folder / "readers" / "ann")
    cells = (slice(2 * near[0], 2 * near[0] + 2), slice(2 * near[1], 2 * near[1] + 2))
    assert (front.tissue_map.classes[cells] == CRLM7.code("MUC")).all()
    assert (front.tissue_map.state[cells] == TileState.EDITED).all()
    assert not front.band[cells].any()
    assert front.record["reader"] == "Ann"
    assert load_front(folder) is None
    assert load_front(folder / "readers" / "ann", run=front.record["run"]) is not None


def test_a_damaged_or_foreign_band_counts_as_none(folder, voter):
    front, _ = banded(folder)
    assert load_front(folder, identity=front.identity) is not None
    assert load_front(folder, identity="another") is None
    assert load_front(folder, run="another") is None
    shutil.rmtree(folder / FRONT_ZARR / "classes")
    assert load_front(folder) is None


def test_another_model_than_the_analysis_had_is_refused(folder, voter):
    run = json.loads((folder / RUN_JSON).read_text())
    run["model"]["sha256"] = "0" * 64
    (folder / RUN_JSON).write_text(json.dumps(run))
    with pytest.raises(ModelNotFound, match="--model"):
        banded(folder)


def test_a_slide_that_was_moved_is_asked_for(folder, voter, tmp_path):
    run = json.loads((folder / RUN_JSON).read_text())
    moved = shutil.copy(run["slide"]["path"], tmp_path / "elsewhere.png")
    run["slide"]["path"] = str(tmp_path / "gone.png")
    (folder / RUN_JSON).write_text(json.dumps(run))
    with pytest.raises(ReviewError, match="--slide"):
        banded(folder)
    front, _ = banded(folder, slide=moved)
    assert front.band.any()


def test_a_map_without_liver_has_no_band_and_is_measured_as_it_is(folder):
    source = source_of(folder)
    classes = np.where(source.tissue_map.classes == CRLM7.code("HEP"), 0, source.tissue_map.classes)
    bare = dataclasses.replace(
        source, tissue_map=dataclasses.replace(source.tissue_map, classes=classes)
    )
    with pytest.raises(NoInterface, match="no tumor-liver interface"):
        plan_front_band(bare.tissue_map, BAND, SMALL)
    found, _ = drive(measure_analysis(bare, SMALL, BAND))
    assert found.record["map"] == "analysis"
    assert found.row()["refusal"]
    assert any("no tumor-liver interface" in note for note in found.notes)


def test_a_band_no_finer_than_the_map_is_refused(folder):
    with pytest.raises(FeatureError, match="smaller stride"):
        plan_front_band(source_of(folder).tissue_map, FrontBandOptions(stride_um=16.0), SMALL)


def test_the_files_say_what_was_measured_and_on_which_map(folder, voter):
    found, _ = drive(measure_analysis(source_of(folder), SMALL, BAND))
    written = read_interface(folder)
    assert written["map"] == "front band"
    assert written["front_band"]["stride_um"] == written["stride_um"] == BAND.stride_um
    assert written["summary"]["pct_D"] == pytest.approx(found.interface.summary.pct_D)
    assert set(written["calls"]) == {"strict", "tolerant", "predominant", "continuous"}
    assert written["front_band"]["tiles"]["classified"] > 0
    runs = np.genfromtxt(
        folder / INTERFACE_RUNS_CSV, delimiter=",", names=True, dtype=None, encoding="utf-8"
    )
    total_mm = np.atleast_1d(runs)["length_um"].sum() / 1000
    assert total_mm == pytest.approx(found.interface.summary.interface_mm, abs=1e-4)
    assert any("at any stride" in note for note in found.notes)


def test_interaction_scores_stay_those_of_the_map_that_the_paper_defines_them_on(folder, voter):
    fine, _ = drive(measure_analysis(source_of(folder), SMALL, BAND))
    coarse = measure_interface(source_of(folder).tissue_map, SMALL).summary
    assert fine.row()["interaction_paper"] == coarse.interaction_paper > 0
    assert fine.row()["interaction_border"] == coarse.interaction_border
    assert fine.interface.summary.interface_mm != coarse.interface_mm


def test_the_lines_for_qupath_are_as_long_as_the_runs_and_lie_on_the_border(folder):
    found, _ = drive(measure_analysis(source_of(folder), SMALL))
    lines = json.loads((folder / INTERFACE_GEOJSON).read_text())["features"]
    assert len(lines) == len(found.interface.runs)
    for line, run in zip(lines, found.interface.runs, strict=True):
        points = np.array(line["geometry"]["coordinates"]) * MPP
        length = np.hypot(*np.diff(points, axis=0).T).sum()
        assert length == pytest.approx(run.length_um, rel=0.02)
        assert line["properties"]["measurements"]["length um"] == pytest.approx(length, rel=0.02)
        # The disc's center is that of the slide, its radius 150 µm.
        assert np.abs(np.hypot(*(points - 240.0).T) - 150.0).max() < TILE_UM
