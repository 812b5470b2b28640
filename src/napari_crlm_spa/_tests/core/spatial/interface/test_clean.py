import dataclasses

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.spatial.maps import CODES, drawn, map_of
from napari_crlm_spa.core.spatial.interface.clean import cleaned, despeckled
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.tiles import TileState

GRIDS = arrays(
    np.uint8,
    st.tuples(st.integers(1, 9), st.integers(1, 9)),
    elements=st.sampled_from([0, 3, 6, 7]),
)


def with_probabilities(tissue_map, sure=0.8):
    """Each tile's class has the probability `sure`, the others share the rest."""
    classes = tissue_map.classes
    n = len(tissue_map.scheme)
    spread = np.full((*classes.shape, n), (1 - sure) / (n - 1), np.float16)
    rows, cols = np.nonzero(classes)
    spread[rows, cols, classes[rows, cols] - 1] = sure
    spread[classes == 0] = 0
    return dataclasses.replace(tissue_map, probabilities=spread)


@given(classes=GRIDS)
@settings(max_examples=60, deadline=None)
def test_only_tiles_with_less_than_two_neighbors_of_their_class_change(classes):
    found = despeckled(classes)
    rows, cols = classes.shape
    for r in range(rows):
        for c in range(cols):
            around = [
                int(classes[i, j])
                for i in range(max(r - 1, 0), min(r + 2, rows))
                for j in range(max(c - 1, 0), min(c + 2, cols))
                if (i, j) != (r, c)
            ]
            own = classes[r, c]
            others = [k for k in around if k]
            if own == 0 or around.count(own) >= 2 or not others:
                assert found[r, c] == own
            else:
                assert around.count(found[r, c]) == max(others.count(k) for k in others)


def test_a_line_of_one_tile_stays():
    line = drawn("""
        TTTTT
        TTTTT
        SSSSS
        HHHHH
        HHHHH""")
    assert np.array_equal(despeckled(line.classes)[:, 1:-1], line.classes[:, 1:-1])


def test_single_tiles_and_pairs_go_in_two_passes():
    classes = np.full((9, 9), CODES["T"], np.uint8)
    classes[2, 2] = CODES["H"]
    classes[5, 5:7] = CODES["H"]
    assert (cleaned(map_of(classes), InterfaceOptions()) == CODES["T"]).all()


def test_unclassified_tiles_stay_unclassified_and_have_no_vote():
    found = despeckled(
        drawn("""
        ...
        .H.
        ..S""").classes
    )
    assert found.tolist() == [[0, 0, 0], [0, CODES["S"], 0], [0, 0, CODES["H"]]]


def test_probabilities_are_smoothed_where_there_are_any():
    classes = np.full((9, 9), CODES["T"], np.uint8)
    classes[4, 4] = CODES["H"]
    tissue_map = with_probabilities(map_of(classes))
    assert cleaned(tissue_map, InterfaceOptions())[4, 4] == CODES["T"]
    assert cleaned(tissue_map, InterfaceOptions(cleaning="none"))[4, 4] == CODES["H"]
    # By its neighbors' labels it would stay if it had two of its kind.
    classes[4, 3] = classes[3, 4] = CODES["H"]
    labels = InterfaceOptions(cleaning="despeckle")
    assert cleaned(with_probabilities(map_of(classes)), labels)[4, 4] == CODES["H"]


def test_a_capsule_of_one_tile_survives_the_smoothing():
    classes = np.full((21, 21), CODES["H"], np.uint8)
    classes[:10], classes[10] = CODES["T"], CODES["S"]
    found = cleaned(with_probabilities(map_of(classes)), InterfaceOptions())
    assert (found[10] == CODES["S"]).all()
    assert np.array_equal(found, classes)


def test_what_a_reader_has_corrected_is_never_overruled():
    classes = np.full((9, 9), CODES["T"], np.uint8)
    for tissue_map in (map_of(classes), with_probabilities(map_of(classes))):
        edited = tissue_map.edited(np.array([4]), np.array([4]), "STR")
        assert cleaned(edited, InterfaceOptions())[4, 4] == CODES["S"]
        edited.state[4, 4] = TileState.CLASSIFIED
        smoothed = cleaned(edited, InterfaceOptions())
        assert smoothed[4, 4] == CODES["T"]


def test_maps_of_one_tile_or_none_are_cleaned():
    assert cleaned(drawn("T"), InterfaceOptions()).tolist() == [[7]]
    assert cleaned(map_of(np.zeros((0, 0))), InterfaceOptions()).shape == (0, 0)
