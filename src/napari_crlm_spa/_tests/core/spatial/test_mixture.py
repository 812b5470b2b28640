import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa._tests.r_reference import reference_json, reference_numbers
from napari_crlm_spa.core.spatial import mixture
from napari_crlm_spa.core.spatial.mixture import fit_mixture, start_classes

REFERENCE = reference_json("h_mclust.json")
SMALL = [
    "lnorm2_n1200",
    "lnorm3_n1200",
    "lnorm2_log",
    "lnorm3_log",
    "lattice_DEB_outside",
    "lattice_HEP_outside_1500",
    "lattice_LYM_outside",
    "lattice_LYM_all",
    "lattice_STR_outside_1500",
    "lattice_HEP_log1p_1500",
]
# R starts these from a random subset; the last has so many different values that we bin.
LARGE = ["lattice_STR_outside", "lattice_pooled_10pct", "lnorm2_n5000"]
FITS = ["G2_E", "G2_V", "G2_auto", "G3_E", "G3_V", "G3_auto"]


def cases(names):
    return [(name, fit) for name in names for fit in FITS if REFERENCE[name].get(fit)]


def fitted(name, fit):
    values = reference_numbers(f"h_vec_{name}.csv")
    return fit_mixture(values, int(fit[1]), fit[3:])


def class_ends(fit):
    """Largest value of each class; None for a class without values."""
    return [
        float(fit.values[fit.classes == k].max()) if (fit.classes == k).any() else None
        for k in range(len(fit.means))
    ]


def agree(ours, theirs, rel):
    """Equal within `rel`, or both absent."""
    if ours is None or theirs is None:
        return ours is theirs
    return ours == pytest.approx(theirs, rel=rel)


@pytest.mark.parametrize(("name", "fit"), cases(SMALL))
def test_fits_equal_mclust(name, fit):
    """R: Mclust(x, G = G, modelNames = model)."""
    expected, found = REFERENCE[name][fit], fitted(name, fit)
    assert found.model == expected["model"]
    assert found.loglik == pytest.approx(expected["loglik"], rel=1e-13)
    assert found.bic == pytest.approx(expected["bic"], rel=1e-13)
    assert found.df == expected["df"]
    assert found.means == pytest.approx(expected["mean"], rel=1e-12)
    assert found.variances == pytest.approx(
        np.broadcast_to(expected["sigmasq"], found.variances.shape), rel=1e-12
    )
    assert found.proportions == pytest.approx(expected["pro"], rel=1e-12)
    assert found.class_counts.tolist() == expected["counts"]
    for ours, theirs in zip(class_ends(found), expected["max_of_class"], strict=True):
        assert agree(ours, theirs, 1e-13)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("model", ["E", "V"])
def test_bic_of_one_to_five_components_equals_mclust(name, model):
    """R: mclustBIC(x, G = 1:5); NA where a variance collapses."""
    values = reference_numbers(f"h_vec_{name}.csv")
    for components, expected in enumerate(REFERENCE[name]["BIC_1_to_5"][model], start=1):
        found = fit_mixture(values, components, model)
        assert agree(found.bic if found else None, expected, 1e-12)


@pytest.mark.parametrize(("name", "fit"), cases(LARGE))
def test_large_fits_are_close_to_mclust_in_spite_of_its_random_start(name, fit):
    expected, found = REFERENCE[name][fit], fitted(name, fit)
    assert found.model == expected["model"]
    assert found.loglik == pytest.approx(expected["loglik"], rel=2e-5)
    assert found.means == pytest.approx(expected["mean"], rel=2e-2)
    assert np.abs(found.class_counts - expected["counts"]).sum() / found.n < 0.01


def test_collapsing_variances_leave_only_equal_ones():
    """A quarter of lattice_LYM_all is 0: R's V fit is NA, Mclust falls back to E."""
    values = reference_numbers("h_vec_lattice_LYM_all.csv")
    assert fit_mixture(values, 2, "V") is None
    assert fit_mixture(values, 2, "auto").model == "E"


@pytest.mark.parametrize(("components", "model"), [(1, "E"), (2, "E"), (2, "V"), (3, "V")])
def test_binning_very_many_values_changes_next_to_nothing(monkeypatch, components, model):
    rng = np.random.default_rng(4)
    values = np.concatenate([rng.gamma(2, 4, 12_000), rng.normal(80, 15, 8_000)])
    binned = fit_mixture(values, components, model)
    monkeypatch.setattr(mixture, "MOST_DISTINCT", len(values))
    exact = fit_mixture(values, components, model)
    assert binned.loglik == pytest.approx(exact.loglik, rel=1e-7)
    assert binned.means == pytest.approx(exact.means, rel=1e-4)
    assert np.abs(binned.class_counts - exact.class_counts).max() <= 5


def test_counts_give_the_same_fit_as_repeated_values():
    values, counts = np.array([1.0, 2.0, 3.0, 9.0, 10.0]), np.array([40, 0, 30, 20, 10])
    folded = fit_mixture(values, 2, "E", counts)
    unfolded = fit_mixture(np.repeat(values, counts), 2, "E")
    assert folded.n == unfolded.n == 100
    assert folded.loglik == pytest.approx(unfolded.loglik, rel=1e-14)
    assert folded.means == pytest.approx(unfolded.means, rel=1e-14)


def test_counts_need_not_come_sorted():
    backward = fit_mixture(np.array([9.0, 3.0, 1.0]), 2, "E", np.array([5, 6, 7]))
    forward = fit_mixture(np.array([1.0, 3.0, 9.0]), 2, "E", np.array([7, 6, 5]))
    assert backward.loglik == forward.loglik


def test_one_component_is_the_plain_normal_fit():
    values = np.array([1.0, 2.0, 4.0, 9.0])
    found = fit_mixture(values, 1)
    assert found.means[0] == pytest.approx(4.0)
    assert found.variances[0] == pytest.approx(np.var(values))
    assert found.loglik == pytest.approx(-2.0 * (np.log(2 * np.pi * np.var(values)) + 1))


def test_far_apart_groups_are_found_where_they_are():
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(5, 1, 600), rng.normal(50, 2, 400)])
    found = fit_mixture(values, 2)
    assert found.model == "V"
    assert found.means == pytest.approx([5, 50], abs=0.3)
    assert found.class_counts.tolist() == [600, 400]


@pytest.mark.parametrize("values", [[], [3.0], [3.0] * 50, [1.0, 2.0], [1.0] * 30 + [9.0] * 30])
def test_too_few_different_values_give_no_mixture(values):
    assert fit_mixture(np.array(values, float), 2) is None


def test_as_many_components_as_values_give_no_mixture():
    assert fit_mixture(np.array([1.0, 5.0, 9.0]), 3) is None


def test_heavily_tied_values_still_get_start_classes():
    values, counts = np.array([1.0, 2.0, 3.0]), np.array([1_000_000, 1, 1])
    classes = start_classes(values, counts, 2)
    assert classes.min() == 0
    assert classes.max() == 1
    assert (np.diff(classes) >= 0).all()


@given(
    counts=st.lists(st.integers(1, 200), min_size=4, max_size=30),
    components=st.integers(1, 3),
    model=st.sampled_from(["E", "V", "auto"]),
)
@settings(max_examples=80, deadline=None)
def test_any_fit_is_a_mixture(counts, components, model):
    values = np.sqrt(np.arange(1.0, len(counts) + 1) ** 2 + 1)
    found = fit_mixture(values, components, model, np.array(counts))
    if found is None:
        return
    assert found.proportions.sum() == pytest.approx(1)
    assert (found.variances > 0).all()
    assert found.class_counts.sum() == found.n == sum(counts)
    assert values[0] <= found.means.min()
    assert found.means.max() <= values[-1]


@given(shift=st.floats(-100, 100))
@settings(max_examples=15, deadline=None)
def test_a_shift_moves_the_means_and_nothing_else(shift):
    values = reference_numbers("h_vec_lattice_DEB_outside.csv")
    moved, expected = fit_mixture(values + shift, 2, "V"), REFERENCE["lattice_DEB_outside"]["G2_V"]
    assert moved.class_counts.tolist() == expected["counts"]
    assert moved.means - shift == pytest.approx(expected["mean"], rel=1e-9)
    assert moved.variances == pytest.approx(expected["sigmasq"], rel=1e-9)
