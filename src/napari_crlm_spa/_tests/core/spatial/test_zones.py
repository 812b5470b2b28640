import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.maps import (
    CODES,
    fixed_thresholds,
    map_of,
)
from napari_crlm_spa._tests.r_reference import reference_grid, reference_json, reference_numbers
from napari_crlm_spa.core.spatial import (
    SlideDistances,
    TumorRegionOptions,
    Zone,
    ZoneOptions,
    fit_pooled,
    fit_zones,
    fitted_distances,
    load_mixture_model,
    save_mixture_model,
    tumor_regions,
    zone_map,
    zone_masks,
)
from napari_crlm_spa.core.spatial.mixture import fit_mixture
from napari_crlm_spa.core.spatial.zone_fit import _counted, zone_ends
from napari_crlm_spa.errors import CrlmSpaError, FeatureError


def stripe(n_cols=60, n_rows=40, width=10):
    """Tumor in the first columns, liver in the rest; column c is c - width away."""
    classes = np.full((n_rows, n_cols), CODES["H"])
    classes[:, :width] = CODES["T"]
    return map_of(classes)


def two_bands():
    """Lymphocytes beside the tumor (0-4) and far from it (39-47), liver between."""
    classes = np.full((40, 70), CODES["H"])
    classes[:, :10] = CODES["T"]
    classes[:, 10:15] = CODES["L"]
    classes[:, 49:58] = CODES["L"]
    return map_of(classes)


def slide(numbers, tissue="LYM", name="a", stride_um=112.0):
    return SlideDistances(slide=name, stride_um=stride_um, tiles={tissue: np.array(numbers, float)})


def test_two_bands_are_split_between_them():
    tiles = two_bands()
    regions = tumor_regions(tiles)
    model = fit_zones(fitted_distances(tiles, regions))
    lymphocytes = zone_masks(tiles, zone_map(tiles, regions, model))["LYM"]
    assert (lymphocytes[:, 10:15] == Zone.INFILTRATING).all()
    assert (lymphocytes[:, 49:58] == Zone.DISTAL).all()
    assert np.count_nonzero(lymphocytes) == 40 * 14
    assert model.tissues["LYM"].near_tiles == 4
    assert model.tissues["LYM"].near_um == 4 * 112


@pytest.mark.parametrize(
    ("vector", "fit"),
    [
        ("lattice_LYM_outside", "G2_V"),
        ("lattice_HEP_outside_1500", "G2_V"),
        ("lattice_DEB_outside", "G2_V"),
        ("lattice_HEP_outside_1500", "G3_V"),
        ("lattice_LYM_outside", "G3_V"),
    ],
)
def test_thresholds_are_the_largest_distances_of_mclusts_classes(vector, fit):
    """The authors' code: th1 = max(x[class == 1]), th2 = max(x[class == 2])."""
    options = ZoneOptions(components=int(fit[1]), variances=fit[3])
    found = fit_zones(slide(reference_numbers(f"h_vec_{vector}.csv")), options).tissues["LYM"]
    ends = reference_json("h_mclust.json")[vector][fit]["max_of_class"]
    assert found.near_tiles == pytest.approx(ends[0], rel=1e-13)
    assert found.far_tiles == pytest.approx(ends[-2], rel=1e-13)


def test_with_three_components_there_is_a_zone_between():
    tiles = stripe(100)
    model = fixed_thresholds(10, 20)
    zone = zone_map(tiles, tumor_regions(tiles), model)
    assert zone[20].tolist() == [0] * 10 + [1] * 11 + [2] * 10 + [3] * 69


def test_thresholds_belong_to_the_nearer_zone():
    tiles = stripe()
    zone = zone_map(tiles, tumor_regions(tiles), fixed_thresholds(7))
    assert zone[20, 17] == Zone.INFILTRATING  # distance 7
    assert zone[20, 18] == Zone.DISTAL


def test_thresholds_are_converted_for_tiles_of_another_size():
    half = map_of(stripe().classes, stride_um=56.0)
    zone = zone_map(half, tumor_regions(half), fixed_thresholds(7, stride_um=112.0))
    assert zone[20, 24] == Zone.INFILTRATING  # 14 tiles of 56 um
    assert zone[20, 25] == Zone.DISTAL


def test_tumor_background_and_empty_tiles_have_no_zone():
    classes = stripe().classes.copy()
    classes[0, 30:40], classes[1, 30:40] = CODES["B"], 0
    tiles = map_of(classes)
    zone = zone_map(tiles, tumor_regions(tiles), fixed_thresholds(7))
    assert not zone[:2, 30:40].any()
    assert not zone[:, :10].any()


def test_tiles_inside_a_tumor_region_infiltrate_and_stay_out_of_the_fit():
    classes = stripe().classes.copy()
    classes[5:20, 2:5] = CODES["S"]
    tiles = map_of(classes)
    regions = tumor_regions(tiles)
    assert len(fitted_distances(tiles, regions).tiles["STR"]) == 0
    zone = zone_map(tiles, regions, fit_zones(fitted_distances(tiles, regions)))
    assert (zone[5:20, 2:5] == Zone.INFILTRATING).all()


def test_zeros_take_part_in_the_fit_only_if_asked():
    lattice = map_of(reference_grid("h_lattice_slide1.csv"))
    regions = tumor_regions(lattice)
    outside = fitted_distances(lattice, regions).tiles["LYM"]
    everything = fitted_distances(lattice, regions, ZoneOptions(inside="fitted")).tiles["LYM"]
    signed = fitted_distances(lattice, regions, ZoneOptions(inside="signed")).tiles["LYM"]
    assert outside.min() > 0
    assert everything.min() == 0
    assert signed.min() < 0
    assert len(outside) < len(everything) == len(signed) == lattice.counts()["LYM"]


def test_many_zeros_collapse_model_v_and_e_is_fitted_instead():
    """R: Mclust(x, G = 2) falls back to E on lattice_LYM_all, where 34 % are 0."""
    numbers = reference_numbers("h_vec_lattice_LYM_all.csv")
    found = fit_zones(slide(numbers), ZoneOptions(variances="V", inside="fitted")).tissues["LYM"]
    ends = reference_json("h_mclust.json")["lattice_LYM_all"]["G2_E"]["max_of_class"]
    assert found.model == "E"
    assert "collapsed" in found.note
    assert found.near_tiles == pytest.approx(ends[0], rel=1e-13)


def test_signed_distances_may_put_the_threshold_inside_the_tumor():
    tiles = two_bands()
    regions = tumor_regions(tiles)
    model = fixed_thresholds(-2, inside="signed")
    assert not (zone_map(tiles, regions, model) == Zone.INFILTRATING).any()


@pytest.mark.parametrize(
    ("numbers", "reason"),
    [
        ([], "no tile to fit"),
        ([3.0], "only 1 tile to fit, 20 are needed"),
        ([1.0, 2.0, 3.0], "only 3 tiles to fit, 20 are needed"),
        ([4.0] * 50, "too few different values"),
        ([1.0] * 30 + [9.0] * 30, "too few different values"),
    ],
)
def test_what_cannot_be_split_has_no_threshold_but_a_reason(numbers, reason):
    found = fit_zones(slide(numbers)).tissues["LYM"]
    assert found.near_tiles is None
    assert reason in found.reason


def test_one_group_is_split_as_asked_but_marked():
    numbers = np.random.default_rng(1).normal(50, 3, 2000)
    found = fit_zones(slide(numbers), ZoneOptions(variances="E")).tissues["LYM"]
    assert "one group" in found.note
    assert found.bic_one_component > found.bic


def test_a_component_without_tiles_is_passed_over():
    """R's G = 3, E on lnorm3_n1200: classes of 0, 903 and 297; no zone lies between."""
    numbers = reference_numbers("h_vec_lnorm3_n1200.csv")
    options = ZoneOptions(components=3, variances="E")
    found = fit_zones(slide(numbers), options).tissues["LYM"]
    ends = reference_json("h_mclust.json")["lnorm3_n1200"]["G3_E"]["max_of_class"]
    assert found.near_tiles == found.far_tiles == pytest.approx(ends[1], rel=1e-13)
    assert "claims no tile" in found.note


def test_a_wide_near_component_does_not_take_the_far_tail():
    """A narrow group at 20 inside a wide one around 18: the wide one claims both tails."""
    rng = np.random.default_rng(0)
    numbers = np.concatenate([rng.normal(18, 9, 800), rng.normal(22, 0.5, 800)])
    mixture = fit_mixture(numbers, 2, "V")
    nearer = int(np.argmin(mixture.means))
    assert mixture.values[mixture.classes == nearer].max() > 30
    assert zone_ends(mixture)[0] < 22


def test_pooling_one_slide_is_fitting_it():
    tiles = two_bands()
    distances = fitted_distances(tiles, tumor_regions(tiles))
    assert fit_pooled([distances]).tissues == fit_zones(distances).tissues


def test_pooling_joins_the_slides_tissue_by_tissue():
    numbers = reference_numbers("h_vec_lattice_LYM_outside.csv")
    together = fit_pooled([slide(numbers[:300], name="a"), slide(numbers[300:], name="b")])
    assert together.tissues["LYM"] == fit_zones(slide(numbers)).tissues["LYM"]
    assert [(s.name, s.tiles["LYM"]) for s in together.slides] == [("a", 300), ("b", 595)]
    assert together.pooled
    assert not fit_zones(slide(numbers)).pooled


def test_a_sample_of_the_distances_follows_its_seed():
    numbers = reference_numbers("h_vec_lattice_STR_outside.csv")

    def near(seed):
        return fit_pooled([slide(numbers)], fraction=0.1, seed=seed).tissues["LYM"]

    assert near(10) == near(10)
    assert near(10).n == 490
    assert near(10) != near(11)


def test_slides_with_tiles_of_different_size_are_not_pooled():
    with pytest.raises(FeatureError, match="same tile size"):
        fit_pooled([slide([1.0], name="a"), slide([1.0], name="b", stride_um=56.0)])


def test_nothing_to_pool_is_an_error():
    with pytest.raises(FeatureError, match="no slide"):
        fit_pooled([])
    with pytest.raises(FeatureError, match="fraction"):
        fit_pooled([slide([1.0])], fraction=0)


def test_options_outside_their_choices_are_refused():
    with pytest.raises(CrlmSpaError, match="choose one of"):
        ZoneOptions(inside="somewhere")
    with pytest.raises(CrlmSpaError, match="components is 4"):
        ZoneOptions(components=4)


def test_counted_distances_equal_sorted_ones():
    lattice = map_of(reference_grid("h_lattice_slide3.csv"))
    distances = fitted_distances(lattice, tumor_regions(lattice)).tiles["HEP"]
    for numbers in (distances, -distances, distances + 0.3, distances * 5000):
        values, counts = np.unique(numbers, return_counts=True)
        found = _counted(numbers)
        assert np.array_equal(found[0], values)
        assert np.array_equal(found[1], counts)


def test_a_model_file_gives_back_the_same_thresholds(tmp_path):
    lattice = map_of(reference_grid("h_lattice_slide1.csv"))
    regions = tumor_regions(lattice)
    options = ZoneOptions(components=3)
    model = fit_zones(fitted_distances(lattice, regions, slide="one"), options)
    save_mixture_model(model, tmp_path / "mixture.json")
    loaded = load_mixture_model(tmp_path / "mixture.json")
    assert loaded == model
    assert loaded.slides[0].name == "one"
    assert loaded.regions == TumorRegionOptions().as_dict()
    assert np.array_equal(zone_map(lattice, regions, loaded), zone_map(lattice, regions, model))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "mixture.json is no mixture model"),
        ("{", "mixture.json is no mixture model"),
        ("{}", "components"),
        ('{"components": 2, "stride_um": 0, "tissues": {}}', "stride_um"),
        ('{"components": 2, "stride_um": 112, "tissues": {}, "extra": 1}', "extra"),
        ('{"schema_version": 2, "components": 2, "stride_um": 112, "tissues": {}}', "schema"),
    ],
)
def test_a_damaged_model_file_is_one_sentence(tmp_path, text, what):
    (tmp_path / "mixture.json").write_text(text)
    with pytest.raises(FeatureError, match=what):
        load_mixture_model(tmp_path / "mixture.json")


def test_a_missing_or_binary_model_file_is_one_sentence(tmp_path):
    with pytest.raises(FeatureError, match="cannot be read"):
        load_mixture_model(tmp_path / "absent.json")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FeatureError, match="cannot be read"):
        load_mixture_model(tmp_path / "binary.json")
