"""Which map a view shows: its numbers, what is left out, and why there may be none."""

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import STRIDE_UM, make_analysis
from napari_crlm_spa._tests.plugin.reviewed import reviewed_slide, run, slide_info
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import QualityMark, QualityOptions, TileQuality
from napari_crlm_spa.core.review.effects import tile_effects
from napari_crlm_spa.core.spatial import TISSUES, Zone
from napari_crlm_spa.plugin.layers import CodeMap, HeatMap
from napari_crlm_spa.plugin.layers.source import MapSource, source_of
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.session import OpenSlide


@pytest.fixture
def slide(tmp_path):
    return reviewed_slide(tmp_path)


@pytest.fixture
def source(slide):
    return source_of(slide)


def test_without_a_threshold_the_map_shows_its_own_array(source, slide):
    assert source.shown(MapView()).codes is slide.tissue_map.classes


def test_doubtful_tiles_are_marked_and_counted_but_keep_their_class(source, slide):
    doubtful = (0, slice(0, 5))
    slide.tissue_map.probabilities[doubtful] = 1 / 7
    slide.review.accept([0], [4])
    view = MapView(min_probability=0.5)
    codes = source.shown(view).codes
    n = len(CRLM7)
    assert codes[0, :5].tolist() == [CRLM7.code("HEP") + n] * 4 + [CRLM7.code("HEP")]
    assert source.unsure_tiles(0.5) == 4
    assert source.unsure_tiles(0.0) == 0
    assert slide.tissue_map.classes[0, 0] == CRLM7.code("HEP")


def test_the_palette_reaches_the_map(source):
    shown = source.shown(MapView(palette="color-blind safe"))
    assert shown.colors[CRLM7.code("TUM")] == "#d55e00"


def test_the_distance_is_in_millimeters_outside_of_the_tumor_and_on_tissue(source, slide):
    shown = source.shown(MapView(kind=MapKind.DISTANCE))
    features = slide.features
    outside = ~features.regions.mask & (slide.tissue_map.classes > 0)
    assert np.array_equal(np.isfinite(shown.values), outside)
    rows, cols = np.nonzero(features.regions.mask)
    r, c = np.argwhere(outside)[0]
    nearest_um = np.hypot(rows - r, cols - c).min() * STRIDE_UM
    assert shown.values[r, c] == pytest.approx(nearest_um / 1000)


@pytest.mark.parametrize("tissue", ["STR", "HEP", "DEB", "LYM"])
def test_zones_are_those_of_the_features_for_one_tissue(source, slide, tissue):
    shown = source.shown(MapView(kind=MapKind.ZONES, tissue=tissue))
    assert np.array_equal(shown.codes, slide.features.zone_masks()[tissue])


@pytest.mark.parametrize("tissue", [name for name in TISSUES if name != "MUC"])
def test_interaction_is_that_of_the_features_for_one_tissue(source, slide, tissue):
    shown = source.shown(MapView(kind=MapKind.INTERACTION, tissue=tissue))
    expected = slide.features.interaction_maps()[tissue]
    assert np.array_equal(shown.values, expected, equal_nan=True)


def test_maps_follow_an_edit(source, slide):
    view = MapView(kind=MapKind.ZONES, tissue="HEP")
    assert source.shown(view).codes[0, 0] != Zone.NONE
    slide.review.correct([0, 0], [0, 1], "LYM")
    after = source.shown(view).codes
    assert after[0, 0] == Zone.NONE
    assert np.array_equal(after, slide.features.zone_masks()["HEP"])


@pytest.mark.parametrize("kind", [kind for kind in MapKind if kind.is_heat and kind.of_all_classes])
def test_hidden_classes_are_left_out_of_heat_maps(source, slide, kind):
    if kind is MapKind.CONTRIBUTION:
        source.set_effects(run(tile_effects(slide.features)))
    view = MapView(kind=kind, hidden=frozenset({"HEP"}))
    everything, shown = source.shown(MapView(kind=kind)), source.shown(view)
    hidden = slide.tissue_map.mask("HEP")
    assert np.isfinite(everything.values[hidden]).any()
    assert np.isnan(shown.values[hidden]).all()
    assert np.array_equal(shown.values[~hidden], everything.values[~hidden], equal_nan=True)


def test_contributions_are_the_pushes_of_the_effects(source, slide):
    view = MapView(kind=MapKind.CONTRIBUTION)
    assert "computed" in source.problem(view)
    effects = run(tile_effects(slide.features))
    source.set_effects(effects)
    expected = effects.shown_push(slide.review.risk_model)
    shown = source.shown(view)
    assert source.problem(view) == ""
    assert shown.values == pytest.approx(expected, nan_ok=True)
    assert shown.scale.low == -shown.scale.high == -0.41, "the heaviest term of the model"
    assert shown.scale.warning == "Research use only"


def test_a_tile_that_was_corrected_has_no_contribution_of_its_former_class(source, slide):
    source.set_effects(run(tile_effects(slide.features)))
    assert np.isfinite(source.push_at(0, 0))
    slide.review.correct([0], [0], "LYM")
    assert np.isnan(source.push_at(0, 0))
    assert np.isnan(source.shown(MapView(kind=MapKind.CONTRIBUTION)).values[0, 0])


def test_quality_marks_have_their_colors_and_counts(source, slide):
    view = MapView(kind=MapKind.QUALITY)
    assert "not measured" in source.problem(view)
    marks = np.zeros(slide.tissue_map.shape, np.uint8)
    marks[0, :3] = QualityMark.BLUR
    marks[1, 0] = QualityMark.PEN | QualityMark.FOLD
    nothing = np.zeros(marks.shape, np.float32)
    slide.quality = TileQuality(
        marks, marks >= 0, *(nothing,) * 5, options=QualityOptions(), medians={}
    )
    shown = source.shown(view)
    assert np.array_equal(shown.codes, marks)
    assert shown.words[1][int(marks[1, 0])] == "pen fold"
    assert shown.colors[0] == "#00000000"
    names = [name for _, name in source.key(view)]
    assert names == ["blur 3", "pen 1", "fold 1", "air 0", "several 1"]


def test_every_map_is_there_or_a_sentence_says_why_not(source):
    for kind in MapKind:
        for tissue in TISSUES:
            view = MapView(kind=kind, tissue=tissue)
            shown, problem = source.shown(view), source.problem(view)
            assert (shown is None) == bool(problem)
            if shown is not None:
                assert isinstance(shown, HeatMap if kind.is_heat else CodeMap)
                assert (source.scale(view) is not None) == kind.is_heat


def test_a_tissue_that_the_slide_does_not_have_is_named(source):
    view = MapView(kind=MapKind.ZONES, tissue="MUC")
    assert source.problem(view) == "There is no mucus on this slide."


def test_before_the_analysis_has_ended_only_the_networks_maps_are_there(known_map):
    slide = OpenSlide("a", slide_info(), tissue_map=known_map)
    source = MapSource(slide)
    there = {kind for kind in MapKind if not source.problem(MapView(kind=kind))}
    assert there == {MapKind.TISSUE, MapKind.CONFIDENCE, MapKind.ENTROPY, MapKind.STRANGENESS}


def test_while_a_run_fills_the_map_confidence_is_up_to_date(known_map):
    slide = OpenSlide("a", slide_info(), tissue_map=known_map)
    source = source_of(slide)
    assert source.confidence[0, 0] == 1
    known_map.probabilities[0, 0] = 1 / 7
    assert source.confidence[0, 0] == pytest.approx(1 / 7, abs=1e-3)


def test_a_model_that_cannot_tell_what_is_strange_says_so(slide):
    slide.tissue_map.strangeness[:] = np.nan
    problem = MapSource(slide).problem(MapView(kind=MapKind.STRANGENESS))
    assert "cannot tell" in problem


def test_a_slides_maps_are_kept_until_its_map_is_another(slide, tmp_path):
    first = source_of(slide)
    assert source_of(slide) is first
    slide.tissue_map = make_analysis(tmp_path).tissue_map
    assert source_of(slide) is not first
