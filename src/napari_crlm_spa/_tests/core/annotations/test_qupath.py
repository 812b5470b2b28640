"""Areas to QuPath and back: nothing lost, nothing moved, every odd file read or refused."""

import dataclasses
import gzip
import json
import uuid
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import MultiPolygon, Polygon, box, mapping

from napari_crlm_spa._tests.core.tiles.test_regions import anything
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.annotations import Area, Areas, known_name, read_areas, write_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.slide import PixelSize, SlideInfo, SlideLevel
from napari_crlm_spa.errors import AnnotationError

SQUARE = mapping(box(10, 20, 110, 220))


def slide_info(bounds=(0, 0, 20_000, 30_000), mpp=0.5):
    return SlideInfo(
        path=Path("drawn.mrxs"),
        vendor="drawn",
        decoder="array",
        levels=(SlideLevel(40_000, 60_000, 1.0),),
        pixel_size=None if mpp is None else PixelSize(mpp, mpp, "drawn"),
        bounds_xy0=bounds,
        objective_power=None,
        icc_profile=False,
        associated_images=(),
        fingerprint="drawn",
    )


INFO = slide_info()
#: MRXS: QuPath shows only the scanned part and counts from its corner.
CROPPED = slide_info(bounds=(1234, 5678, 20_000, 30_000))


def feature(geometry, **properties):
    return {"type": "Feature", "geometry": geometry, "properties": properties}


@pytest.fixture
def write(tmp_path):
    def write(content, name="areas.geojson"):
        path = tmp_path / name
        data = json.dumps(content).encode()
        path.write_bytes(gzip.compress(data) if name.endswith("gz") else data)
        return path

    return write


WITH_HOLE = Polygon(
    box(100.1234567891, 200.7654321987, 900.5, 800.25).exterior,
    [box(300.333333333333, 400.666666666667, 500.1, 600.2).exterior],
)
TWO_PARTS = MultiPolygon([box(2000, 2000, 2100.000000123, 2100), box(3000.5, 2000, 3100, 2150.75)])


@pytest.mark.parametrize("info", [INFO, CROPPED])
@pytest.mark.parametrize("name", ["a.geojson", "a.geojson.gz"])
def test_what_is_written_is_read_back(tmp_path, info, name):
    when = "2026-01-02T03:04:05+00:00"
    areas = (
        Area(WITH_HOLE, "TUM", "Dr. Ångström", when, name="nest", locked=True),
        Area(TWO_PARTS, "STR", properties={"measurements": {"Nucleus: Area": 1.5}}),
        Area(box(5000, 5000, 6000, 6000), ""),
    )  # fmt: skip
    assert write_areas(tmp_path / name, areas, info, CRLM7) == 3
    back = read_areas(tmp_path / name, info, CRLM7).areas
    for old, new in zip(areas, back, strict=True):
        assert shapely.get_coordinates(new.polygon_xy0) == pytest.approx(
            shapely.get_coordinates(old.polygon_xy0), abs=1e-6, rel=0
        )
        assert type(new.polygon_xy0) is type(old.polygon_xy0)
        same = dataclasses.replace(new, polygon_xy0=old.polygon_xy0)
        assert same == old
    assert len(back[0].polygon_xy0.interiors) == 1


def test_a_second_round_writes_the_same_bytes(tmp_path):
    area = Area(WITH_HOLE, "TUM", "a", properties={"metadata": {"scan": "7"}, "color": [1, 2, 3]})
    write_areas(tmp_path / "1.geojson.gz", [area], INFO, CRLM7)
    write_areas(tmp_path / "2.geojson.gz", read_areas(tmp_path / "1.geojson.gz", INFO, CRLM7),
                INFO, CRLM7)  # fmt: skip
    assert (tmp_path / "1.geojson.gz").read_bytes() == (tmp_path / "2.geojson.gz").read_bytes()


def test_a_file_is_what_qupath_expects(tmp_path):
    area = Area(box(1244, 5698, 1344, 5898), "TUM", "ann", name="nest")
    write_areas(tmp_path / "a.geojson", Areas((area,)), CROPPED, CRLM7)
    content = json.loads((tmp_path / "a.geojson").read_text())
    assert content["type"] == "FeatureCollection"
    (one,) = content["features"]
    assert one["type"] == "Feature"
    assert uuid.UUID(one["id"])
    told = one["properties"]
    assert told["objectType"] == "annotation"
    assert told["classification"] == {"name": "TUM", "color": list(CRLM7["TUM"].rgb)}
    assert (told["name"], told["isLocked"]) == ("nest", False)
    # 100 x 200 px of 0.5 µm.
    assert told["measurements"] == {"Area mm2": pytest.approx(0.005)}
    assert told["metadata"] == {"annotator": "ann", "offset_xy0": "1234,5678"}
    assert shapely.geometry.shape(one["geometry"]).bounds == (10, 20, 110, 220)


def test_without_a_pixel_size_there_is_no_area_in_mm2(tmp_path):
    info = slide_info(mpp=None)
    write_areas(tmp_path / "a.geojson", [Area(box(0, 0, 9, 9), "TUM")], info, CRLM7)
    assert '"measurements": {}' in (tmp_path / "a.geojson").read_text()


@settings(max_examples=60)
@given(
    points=st.lists(
        st.tuples(*[st.floats(0, 2e5, allow_nan=False, allow_infinity=False)] * 2),
        min_size=3,
        max_size=12,
    ),
    corner=st.tuples(st.integers(0, 10**5), st.integers(0, 10**5)),
)
def test_no_outline_moves_by_a_millionth_of_a_pixel(tmp_path_factory, points, corner):
    polygon = Polygon(points)
    cropped = Polygon(np.array(points) - corner)
    if not polygon.is_valid or not cropped.is_valid or polygon.area < 1:
        return  # rounding may make an outline touch itself; then it is mended
    info = slide_info(bounds=(*corner, 1000, 1000))
    path = tmp_path_factory.mktemp("round") / "a.geojson"
    write_areas(path, [Area(polygon, "TUM")], info, CRLM7)
    (back,) = read_areas(path, info, CRLM7).areas
    np.testing.assert_allclose(
        shapely.get_coordinates(back.polygon_xy0),
        shapely.get_coordinates(polygon), rtol=0, atol=1e-6,
    )  # fmt: skip


@pytest.mark.parametrize(
    "classification",
    [
        "Tumor",
        {"name": "tumor"},
        {"name": "TUM", "colorRGB": -3670016},
        {"name": "Tum", "color": [200, 0, 0]},
        {"names": ["TUMOR"], "color": [200, 0, 0]},
    ],
)
def test_every_spelling_of_a_class_is_understood(write, classification):
    path = write([feature(SQUARE, classification=classification)])
    found = read_areas(path, INFO, CRLM7)
    assert [area.class_name for area in found.areas] == ["TUM"]
    assert found.notes == ()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Debris (necrosis)", "DEB"), ("necrosis", "DEB"), ("Debris", "DEB"),
        ("hepatocyte", "HEP"), ("HEPATOCYTES", "HEP"), (" str ", "STR"), ("", ""),
        ("Immune cells", "Immune cells"),
    ],
)  # fmt: skip
def test_classes_go_by_short_name_title_and_column(name, expected):
    assert known_name(name, CRLM7) == expected


def test_names_of_others_are_renamed_first():
    rename = {"immune cells": "LYM", "Tumor": "stroma"}
    assert known_name("Immune  Cells", CRLM7, rename) == "LYM"
    assert known_name("tumor", CRLM7, rename) == "STR"


def test_unknown_classes_keep_name_and_color_and_are_told(write, tmp_path):
    path = write([feature(SQUARE, classification={"name": "TUM_SARCOMA", "colorRGB": -16711936})])
    found = read_areas(path, INFO, CRLM7)
    assert found.areas[0].class_name == "TUM_SARCOMA"
    assert "TUM_SARCOMA (1)" in found.notes[0]
    write_areas(tmp_path / "b.geojson", found, INFO, CRLM7)
    (one,) = json.loads((tmp_path / "b.geojson").read_text())["features"]
    assert one["properties"]["classification"] == {"name": "TUM_SARCOMA", "color": [0, 255, 0]}
    assert read_areas(tmp_path / "b.geojson", INFO, CRLM7).areas == found.areas


def test_a_class_given_here_replaces_the_one_of_the_file(write, tmp_path):
    path = write([feature(SQUARE, classification={"name": "odd", "color": [1, 2, 3]})])
    area = dataclasses.replace(read_areas(path, INFO, CRLM7).areas[0], class_name="LYM")
    write_areas(tmp_path / "b.geojson", [area], INFO, CRLM7)
    (one,) = json.loads((tmp_path / "b.geojson").read_text())["features"]
    assert one["properties"]["classification"] == {"name": "LYM", "color": list(CRLM7["LYM"].rgb)}


def test_what_a_program_detected_is_no_annotation(write):
    path = write([
        feature(SQUARE, objectType="detection", classification="Tumor"),
        feature(SQUARE, objectType="tile", classification="Tumor"),
        feature(SQUARE, objectType="annotation", classification="Stroma"),
    ])  # fmt: skip
    found = read_areas(path, INFO, CRLM7)
    assert [area.class_name for area in found.areas] == ["STR"]
    assert "2 objects" in found.notes[0]


def test_ids_that_a_file_repeats_become_ids_of_their_own(write):
    one = {**feature(SQUARE), "id": "PathAnnotationObject"}
    two = {**feature(SQUARE), "id": str(uuid.UUID(int=7))}
    path = write([one, one, two, two])
    ids = [area.id for area in read_areas(path, INFO, CRLM7).areas]
    assert len({uuid.UUID(each) for each in ids}) == 4
    assert ids[2] == str(uuid.UUID(int=7))
    assert ids == [area.id for area in read_areas(path, INFO, CRLM7).areas]


def test_lists_of_measurements_as_older_versions_write_them(write):
    listed = [{"name": "Area", "value": 3.0}, {"name": "bad", "value": float("nan")}]
    path = write(feature(SQUARE, measurements=listed))
    (area,) = read_areas(path, INFO, CRLM7).areas
    assert area.properties["measurements"] == {"Area": 3.0}


def test_bow_ties_are_mended_and_parts_that_overlap_joined(write):
    bow_tie = {"type": "Polygon", "coordinates": [[[0, 0], [99, 99], [99, 0], [0, 99], [0, 0]]]}
    overlapping = mapping(MultiPolygon([box(0, 0, 100, 100), box(50, 0, 150, 100)]))
    found = read_areas(write([feature(bow_tie), feature(overlapping)]), INFO, CRLM7)
    assert all(area.polygon_xy0.is_valid for area in found.areas)
    assert found.areas[0].polygon_xy0.area == pytest.approx(99 * 99 / 2)
    assert found.areas[1].polygon_xy0.area == pytest.approx(15_000)
    assert "crossed itself" in found.notes[0]
    assert "overlap" in found.notes[1]


def test_areas_of_another_slide_are_told(write):
    path = write([feature(mapping(box(90_000, 0, 91_000, 100)), classification="Tumor")])
    assert "1 of 1 areas" in read_areas(path, INFO, CRLM7).notes[0]


def test_a_file_without_areas_is_empty_not_wrong(write):
    point = feature({"type": "Point", "coordinates": [1, 2]})
    found = read_areas(write({"type": "FeatureCollection", "features": [point]}), INFO, CRLM7)
    assert found.areas == ()
    assert "Point" in found.notes[0]
    assert read_areas(write({"type": "FeatureCollection", "features": []}), INFO, CRLM7) == Areas()


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"x,y", "not JSON"),
        (b"\x1f\x8b\x08\x00broken", "cut off"),
        (gzip.compress(b"{}" * 999, mtime=0)[:-9], "cut off"),
        (b'{"type": "Blob"}', "no GeoJSON geometry"),
    ],
)
def test_unusable_files_are_refused_in_a_sentence(tmp_path, data, sentence):
    (tmp_path / "a.geojson").write_bytes(data)
    with pytest.raises(AnnotationError, match=sentence) as caught:
        read_areas(tmp_path / "a.geojson", INFO, CRLM7)
    assert "a.geojson" in str(caught.value)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(AnnotationError, match="cannot be read"):
        read_areas(tmp_path / "absent.geojson", INFO, CRLM7)


@settings(max_examples=150)
@given(content=anything)
def test_any_json_is_either_read_or_refused(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("fuzz") / "a.geojson"
    path.write_text(json.dumps(content), encoding="utf-8")
    try:
        found = read_areas(path, CROPPED, CRLM7)
    except AnnotationError:
        return
    assert all(a.polygon_xy0.is_valid and a.polygon_xy0.area > 0 for a in found.areas)
    write_areas(path, found, CROPPED, CRLM7)
    again = read_areas(path, CROPPED, CRLM7)
    assert [a.class_name for a in again.areas] == [a.class_name for a in found.areas]


@real_data
def test_areas_drawn_on_a_real_slide_are_read():
    info = slide_info(bounds=(0, 0, 16_000, 14_000))
    path = SHARED / "annotations" / "liver-metastasis.regions.geojson"
    found = read_areas(path, info, CRLM7, annotator="a layman")
    counts = {name: len(found.of_class(name)) for name in found.class_names()}
    assert counts == {"BACK": 1, "HEP": 2, "STR": 1, "TUM_SARCOMA": 1}
    assert {area.annotator for area in found.areas} == {"a layman"}
    renamed = read_areas(path, info, CRLM7, {"TUM_SARCOMA": "TUM"})
    assert "TUM" in renamed.class_names()
    assert renamed.notes == ()


def test_halves_of_characters_do_not_keep_a_file_from_being_read(write, tmp_path):
    odd = feature(
        SQUARE, classification={"name": "a\ud800"}, name="\udfff", metadata={"annotator": "\ud83d"}
    )
    areas = read_areas(write([odd]), INFO, CRLM7)
    assert (areas.areas[0].class_name, areas.areas[0].annotator) == ("a?", "?")
    write_areas(tmp_path / "again.geojson", areas, INFO, CRLM7)
    again = read_areas(tmp_path / "again.geojson", INFO, CRLM7)
    assert again.areas[0].name == areas.areas[0].name
