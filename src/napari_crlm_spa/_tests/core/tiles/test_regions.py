"""Regions of interest: reading QuPath's GeoJSON, and the tiles that belong to them."""

import json

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, box, mapping

from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.tiles import RegionsOfInterest, read_regions
from napari_crlm_spa.core.tiles.regions import covered_share, tiles_inside
from napari_crlm_spa.errors import RegionError

SQUARE = mapping(box(10, 20, 110, 220))
EDGES = np.arange(0, 1001, 100.0)


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / "roi.geojson"
        text = content if isinstance(content, str) else json.dumps(content)
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize(
    "content",
    [
        SQUARE,
        feature(SQUARE),
        [feature(SQUARE)],
        {"type": "FeatureCollection", "features": [feature(SQUARE)]},
        {"type": "GeometryCollection", "geometries": [SQUARE]},
        {"type": "MultiPolygon", "coordinates": [SQUARE["coordinates"]]},
        feature(SQUARE, objectType="annotation", classification={"name": "Tumor"}),
        feature(SQUARE, classification=None),
        {**feature(SQUARE), "properties": None},
    ],
)
def test_every_wrapping_that_qupath_uses_is_read(write, content):
    regions = read_regions(write(content))
    assert [p.bounds for p in regions.include] == [(10, 20, 110, 220)]
    assert regions.exclude == ()
    assert regions.notes == ()
    assert regions.source == "roi.geojson"


@pytest.mark.parametrize(
    "properties",
    [
        {"classification": {"name": "Exclude", "color": [0, 0, 0]}},
        {"classification": {"name": "Ignore*", "colorRGB": -1}},
        {"classification": {"name": "ignore"}},
        {"classification": "Exclude"},
        {"crlm_spa": "exclude"},
    ],
)
def test_exclusions_are_told_by_their_class_or_property(write, properties):
    regions = read_regions(
        write([feature(mapping(box(0, 0, 500, 500))), feature(SQUARE, **properties)])
    )
    assert len(regions.include) == len(regions.exclude) == 1
    assert regions.exclude[0].bounds == (10, 20, 110, 220)


def test_holes_are_kept(write):
    ring = Polygon(box(0, 0, 300, 300).exterior, [box(100, 100, 200, 200).exterior])
    regions = read_regions(write(feature(mapping(ring))))
    inside = tiles_inside(regions, EDGES[:4], EDGES[:4], "center")
    expected = np.ones((3, 3), bool)
    expected[1, 1] = False
    np.testing.assert_array_equal(inside, expected)


def test_a_polygon_that_crosses_itself_is_mended_and_the_user_told(write):
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [100, 100], [100, 0], [0, 100], [0, 0]]]}
    regions = read_regions(write(feature(bow_tie)))
    assert sum(p.area for p in regions.include) == pytest.approx(5000)
    assert all(p.is_valid for p in regions.include)
    assert "crossed itself" in regions.notes[0]


def test_points_and_lines_are_ignored_and_the_user_told(write):
    regions = read_regions(
        write([feature(SQUARE), feature({"type": "Point", "coordinates": [1, 2]})])
    )
    assert len(regions.include) == 1
    assert "Region 2" in regions.notes[0]
    assert "Point" in regions.notes[0]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "not JSON"),
        ("x,y\n1,2\n", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "no polygon"),
        ("{}", "no GeoJSON geometry"),
        ("3", "no polygon"),
        (feature({"type": "Point", "coordinates": [1, 2]}), "no polygon"),
        (feature(None), "no polygon"),
        (feature({"type": "Polygon", "coordinates": "here"}), "no GeoJSON geometry"),
        (feature({"type": "Polygon", "coordinates": [[[0, 0], [1, 1]]]}), "no GeoJSON geometry"),
        (feature({"type": "Blob", "coordinates": []}), "no GeoJSON geometry"),
        (
            '{"type": "Polygon", "coordinates": [[[0,0],[NaN,1],[1,1],[0,0]]]}',
            "no GeoJSON geometry",
        ),
    ],
)
def test_unusable_files_are_refused_in_a_sentence(write, content, sentence):
    with pytest.raises(RegionError, match=sentence) as caught:
        read_regions(write(content))
    assert "roi.geojson" in str(caught.value)


def test_missing_or_binary_file_is_refused(tmp_path):
    with pytest.raises(RegionError, match="cannot be read"):
        read_regions(tmp_path / "absent.geojson")
    (tmp_path / "slide.geojson").write_bytes(b"II*\x00\xff\xfe\x80")
    with pytest.raises(RegionError, match="not JSON"):
        read_regions(tmp_path / "slide.geojson")


anything = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["type", "features", "geometry", "properties", "coordinates",
                             "geometries", "classification"]),
            inner | st.sampled_from(["Feature", "FeatureCollection", "Polygon", "MultiPolygon",
                                     "GeometryCollection", "Point", "LineString"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(content=anything)
def test_any_json_is_either_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "roi.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        regions = read_regions(path)
    except RegionError:
        return
    assert all(p.is_valid and p.area > 0 for p in (*regions.include, *regions.exclude))


def test_rules_differ_where_the_border_cuts_a_tile():
    # Covers column 0 wholly, 60 % of column 1 and 10 % of column 2, in row 0 only.
    regions = RegionsOfInterest(include=(box(0, 0, 160, 100), box(150, 0, 210, 10)))
    first_row = {
        rule: tiles_inside(regions, EDGES[:5], EDGES[:3], rule)[0].tolist()
        for rule in ("center", "most", "whole", "any")
    }
    assert first_row == {
        "center": [True, True, False, False],
        "most": [True, True, False, False],
        "whole": [True, False, False, False],
        "any": [True, True, True, False],
    }


def test_a_center_on_the_border_belongs_to_the_region():
    regions = RegionsOfInterest(include=(box(0, 0, 150, 100),))
    assert tiles_inside(regions, EDGES[:4], EDGES[:2], "center").tolist() == [[True, True, False]]


def test_overlapping_regions_are_joined_before_the_rule():
    halves = RegionsOfInterest(include=(box(0, 0, 60, 100), box(40, 0, 100, 100)))
    assert tiles_inside(halves, EDGES[:2], EDGES[:2], "whole").all()


corner = st.integers(-200, 1200)


@settings(max_examples=60, deadline=None)
@given(points=st.lists(st.tuples(corner, corner), min_size=3, max_size=8))
def test_center_rule_equals_a_test_of_every_center(points):
    region = shapely.make_valid(Polygon(points))
    polygons = tuple(p for p in shapely.get_parts(region) if isinstance(p, Polygon))
    area = shapely.union_all(list(polygons))
    inside = tiles_inside(RegionsOfInterest(include=polygons), EDGES, EDGES, "center")
    everywhere = not polygons
    for row, col in np.ndindex(10, 10):
        center = shapely.Point(col * 100 + 50, row * 100 + 50)
        assert inside[row, col] == (everywhere or area.intersects(center))


@settings(max_examples=40, deadline=None)
@given(points=st.lists(st.tuples(corner, corner), min_size=3, max_size=8))
def test_whole_implies_most_implies_any(points):
    region = shapely.make_valid(Polygon(points))
    polygons = tuple(p for p in shapely.get_parts(region) if isinstance(p, Polygon))
    regions = RegionsOfInterest(include=polygons)
    whole, most, any_ = (tiles_inside(regions, EDGES, EDGES, r) for r in ("whole", "most", "any"))
    assert (whole <= most).all()
    assert (most <= any_).all()


@settings(max_examples=40, deadline=None)
@given(points=st.lists(st.tuples(corner, corner), min_size=3, max_size=8))
def test_covered_shares_add_up_to_the_area(points):
    region = shapely.make_valid(Polygon(points))
    share = covered_share(region, EDGES, EDGES)
    assert share.shape == (10, 10)
    inside = region.intersection(box(0, 0, 1000, 1000))
    assert share.sum() * 100 * 100 == pytest.approx(inside.area)
    assert share.min() >= 0
    assert share.max() <= 1 + 1e-9


def test_fingerprint_tells_regions_apart():
    square = (box(0, 0, 1, 1),)
    prints = {
        RegionsOfInterest().fingerprint,
        RegionsOfInterest(include=square).fingerprint,
        RegionsOfInterest(exclude=square).fingerprint,
        RegionsOfInterest(include=(box(0, 0, 1, 2),)).fingerprint,
    }
    assert len(prints) == 4
    assert RegionsOfInterest(include=square, source="other").fingerprint in prints


@real_data
def test_drawn_regions_of_a_real_slide_are_read():
    regions = read_regions(SHARED / "annotations" / "liver-metastasis.regions.geojson")
    assert len(regions.include) == 5
    slide = box(0, 0, 16_000, 14_000)
    assert all(slide.buffer(1).contains(p) for p in regions.include)
    assert 0.7 < sum(p.area for p in regions.include) / slide.area < 1
