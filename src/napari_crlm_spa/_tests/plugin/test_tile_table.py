"""The tile table without Qt: its numbers are the maps', its filters understand or say why not."""

import csv
import io

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.tile_review import quality_with, reviewed, some_marks
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.spatial import TISSUES, Zone
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.layers.source import source_of
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.tile_columns import COLUMNS
from napari_crlm_spa.plugin.tile_filter import matching
from napari_crlm_spa.plugin.tile_table import TileTable


@pytest.fixture
def session(tmp_path):
    return reviewed(tmp_path)


@pytest.fixture
def slide(session):
    return session.current


@pytest.fixture
def table(slide):
    return TileTable(slide)


def column(name):
    return next(each for each in COLUMNS if each.name == name)


def grid_of(table, name):
    """A column put back on the grid."""
    found = np.full(table.review.predicted.shape, np.nan)
    found[table.rows, table.cols] = table.values(name).numbers
    return found


def text_of(table, name, row, col):
    return table.text(table.find(row, col), column(name))


# -- the numbers --------------------------------------------------------------------------


def test_every_classified_tile_is_a_row_and_glass_is_none(table, slide):
    assert len(table) == np.count_nonzero(slide.review.predicted.classes)
    assert table.find(0, slide.review.predicted.shape[1] - 1) == -1
    assert (table.rows[table.find(7, 3)], table.cols[table.find(7, 3)]) == (7, 3)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("probability", MapKind.CONFIDENCE),
        ("entropy", MapKind.ENTROPY),
        ("strangeness", MapKind.STRANGENESS),
    ],
)
def test_numbers_are_those_of_the_map(table, slide, name, kind):
    shown = source_of(slide).shown(MapView(kind=kind)).values
    np.testing.assert_allclose(grid_of(table, name), shown, atol=5e-4)


@pytest.mark.parametrize("tissue", TISSUES)
def test_interaction_is_that_of_the_map(table, slide, tissue):
    shown = slide.features.interaction_maps()[tissue]
    np.testing.assert_array_equal(grid_of(table, f"interaction_{tissue.lower()}"), shown)


def test_distance_and_zone_are_those_of_the_features(table, slide):
    classified = slide.review.predicted.classes > 0
    np.testing.assert_array_equal(
        grid_of(table, "distance_um")[classified], slide.features.distance_um[classified]
    )
    np.testing.assert_array_equal(
        grid_of(table, "zone")[classified], slide.features.zone[classified]
    )


def test_the_second_class_is_the_second_likeliest(slide):
    shares = slide.review.predicted.probabilities
    shares[5, 6] = [0, 0, 0.2, 0.5, 0, 0.3, 0]
    assert text_of(TileTable(slide), "second", 5, 6) == CRLM7.names[5]


def test_a_corrected_tile_shows_both_classes_and_its_state(slide, table):
    assert text_of(table, "predicted", 6, 7) == ""
    slide.review.correct([6], [7], "MUC")
    slide.review.set_aside([6], [8])
    now = TileTable(slide, earlier=table)
    assert text_of(now, "class", 6, 7) == "MUC"
    assert text_of(now, "predicted", 6, 7) == "TUM"
    assert text_of(now, "state", 6, 7) == "edited"
    assert text_of(now, "class", 6, 8) == ""
    assert text_of(now, "state", 6, 8) == "set aside"


def test_the_features_follow_a_correction(slide, table):
    before = grid_of(table, "interaction_muc")[6, 8]
    slide.review.correct([6], [7], "MUC")
    after = grid_of(TileTable(slide, earlier=table), "interaction_muc")[6, 8]
    assert before == 0 < after
    shown = slide.features.interaction_maps()["MUC"]
    assert after == shown[6, 8]


def test_marks_are_words_once_they_are_known(slide, table):
    assert text_of(table, "marks", 6, 8) == ""
    slide.quality = quality_with(some_marks(table.review.predicted.shape))
    now = TileTable(slide, earlier=table)
    assert text_of(now, "marks", 6, 8) == "blur pen"
    assert text_of(now, "blur_sd", 0, 1) == "2.0"


def test_contributions_are_those_that_are_given(slide):
    push = np.random.default_rng(0).normal(size=slide.review.predicted.shape)
    table = TileTable(slide, push)
    at = table.find(9, 9)
    assert table.values("contribution").numbers[at] == push[9, 9]
    assert not TileTable(slide).is_known("contribution")


# -- order --------------------------------------------------------------------------------


def test_sorting_is_stable_and_leaves_the_unknown_at_the_end(table):
    everything = np.arange(len(table))
    for descending in (False, True):
        order = table.sorted_by(everything, "interaction_str", descending=descending)
        values = table.values("interaction_str").numbers[order]
        known = values[np.isfinite(values)]
        assert np.isnan(values[len(known) :]).all()
        assert (np.diff(known) * (-1 if descending else 1) >= 0).all()
        for value in np.unique(known):
            assert (np.diff(order[: len(known)][known == value]) > 0).all()


def test_words_are_sorted_as_words(table):
    order = table.sorted_by(np.arange(len(table)), "class", descending=False)
    shown = [table.text(index, column("class")) for index in order]
    assert shown == sorted(shown)


# -- filters ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", lambda c, d, s: c > 0),
        ("TUM", lambda c, d, s: c == CRLM7.code("TUM")),
        ("class = TUM", lambda c, d, s: c == CRLM7.code("TUM")),
        ("class != 'tum'", lambda c, d, s: c != CRLM7.code("TUM")),
        ("class in (TUM, STR)", lambda c, d, s: np.isin(c, [6, 7])),
        ("class not in (TUM, STR)", lambda c, d, s: ~np.isin(c, [6, 7])),
        ("distance_um > 200", lambda c, d, s: d > 200),
        ("200 < distance_um <= 500", lambda c, d, s: (d > 200) & (d <= 500)),
        ("HEP and distance_um > 200", lambda c, d, s: (c == CRLM7.code("HEP")) & (d > 200)),
        ("HEP AND NOT distance_um > 200", lambda c, d, s: (c == CRLM7.code("HEP")) & ~(d > 200)),
        ("(HEP or LYM) and strangeness < 1", lambda c, d, s: np.isin(c, [3, 4]) & (s < 1)),
        ("zone = distal", None),
        ("not classified", lambda c, d, s: np.zeros_like(c, bool)),
        ("row = 5 and col = 6", None),
        ("entropy > -1", lambda c, d, s: c > 0),
        ("class != predicted", lambda c, d, s: np.zeros_like(c, bool)),
    ],
)  # fmt: skip
def test_a_filter_keeps_what_it_says(table, slide, text, expected):
    grid = np.zeros(table.review.predicted.shape, bool)
    keep = matching(table, text)
    grid[table.rows[keep], table.cols[keep]] = True
    classes, features = slide.review.predicted.classes, slide.features
    if expected is None:
        expected = {
            "zone = distal": lambda *_: features.zone == Zone.DISTAL,
            "row = 5 and col = 6": lambda *_: (
                np.equal.outer(np.arange(grid.shape[0]), [5]) & (np.arange(grid.shape[1]) == 6)
            ),
        }[text]
    wanted = expected(classes, features.distance_um, table.review.predicted.strangeness)
    np.testing.assert_array_equal(grid, wanted & (classes > 0))


def test_filters_know_marks_and_states(slide):
    slide.quality = quality_with(some_marks(slide.review.predicted.shape))
    slide.review.set_aside([6], [7])
    table = TileTable(slide)

    def tiles(text):
        keep = matching(table, text)
        return sorted(zip(table.rows[keep].tolist(), table.cols[keep].tolist(), strict=True))

    assert tiles("blur") == [(6, 7), (6, 8)]
    assert tiles("blur and not pen") == [(6, 7)]
    assert tiles("marks = pen") == [(6, 8)]
    assert tiles("blur or air") == [(0, 0), (6, 7), (6, 8)]
    assert tiles("set aside") == tiles("state = 'set aside'") == tiles("set_aside") == [(6, 7)]
    assert tiles("class != predicted") == [(6, 7)]


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('true')",
        "entropy.__class__",
        "[x for x in (1, 2)]",
        "lambda: 1",
        "entropy >",
        "entropy > TUM",
        "class > TUM",
        "class = GLAND",
        "nonsense > 1",
        "entropy",
        "entropy + 1 > 2",
        "class = 3",
        "entropy is 1",
        "f'{entropy}' = 1",
        "1 < 2",
        "x := 1",
        "(" * 500,
        "class = zone and entropy = class",
        "not" * 2000,
    ],
)
def test_what_is_no_filter_is_refused_in_a_sentence(table, text):
    with pytest.raises(ReviewError):
        matching(table, text)


def test_an_unknown_column_names_the_columns(table):
    with pytest.raises(ReviewError, match="entropy"):
        matching(table, "nonsense > 1")
    with pytest.raises(ReviewError, match="check the quality"):
        matching(table, "air_share > 0.2")


# -- the file -----------------------------------------------------------------------------


def test_the_file_holds_the_rows_in_the_order_given_with_the_maps_numbers(slide):
    slide.quality = quality_with(some_marks(slide.review.predicted.shape))
    slide.review.correct([6], [7], "MUC")
    table = TileTable(slide)
    indices = table.sorted_by(
        np.flatnonzero(matching(table, "distance_um > 100 or MUC")), "distance_um", descending=True
    )
    text = "".join(part for _, part in table.csv(indices))
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(int(row["row"]), int(row["col"])) for row in rows] == [
        (int(table.rows[i]), int(table.cols[i])) for i in indices
    ]
    shown = source_of(slide).tissue_map
    for row in rows:
        at = int(row["row"]), int(row["col"])
        assert row["class"] == shown.scheme.names[shown.classes[at] - 1]
        assert float(row["distance_um"]) == slide.features.distance_um[at]
        assert np.float32(row["entropy"]) == source_of(slide).entropy[at]
        assert row["state"] == TileState(shown.state[at]).name.lower()
        assert float(row["x_um"]) == at[1] * 112
