"""Drawn lines: lengths in micrometers from QuPath and from NDP.view, and what titles mean."""

import json

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_crlm_spa.core.hgp.line_files import (
    PixelFrame,
    read_line_file,
    read_line_geojson,
    write_line_geojson,
)
from napari_crlm_spa.core.hgp.lines import (
    LineOptions,
    PatternLine,
    line_lengths_um,
    line_shares,
    pattern_of,
    title_table,
)
from napari_crlm_spa.core.hgp.ndpa import NdpFrame, read_ndpa
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.slide.center import center_offset_nm
from napari_crlm_spa.errors import AnnotationError

OFFSET_NM = (-1_500_000, 2_500_000)


def ndpa(*lines, head='<?xml version="1.0" encoding="utf-8"?>', unit="nanometers"):
    """Lines as NDP.view writes them: (title, points in nm, closed)."""
    states = ""
    for number, (title, points, closed) in enumerate(lines, start=1):
        told = "".join(f"<point><x>{x}</x><y>{y}</y></point>" for x, y in points)
        states += (
            f'<ndpviewstate id="{number}"><title>{title}</title><details/>'
            f"<coordformat>{unit}</coordformat><lens>1.2</lens><x>0</x><y>0</y><z>0</z>"
            f'<annotation type="freehand" displayname="AnnotateFreehand" color="#00ff00" '
            f'owner="Ada"><measuretype>0</measuretype><closed>{int(closed)}</closed>'
            f"<pointlist>{told}</pointlist></annotation></ndpviewstate>"
        )
    return f"{head}<annotations>{states}</annotations>"


@pytest.fixture
def ndpi(tmp_path):
    """A drawn NDPI of 512 x 256 px at 0.5 um/px whose scan lies beside the slide's center."""
    path = tmp_path / "slide-07.ndpi"
    picture = np.full((256, 512, 3), 230, np.uint8)
    tags = [(65420, "I", 1, 1, True), (65421, "f", 1, 20.0, True)]
    tags += [(65422 + at, "i", 1, value, True) for at, value in enumerate((*OFFSET_NM, 0))]
    with tifffile.TiffWriter(path) as file:
        file.write(
            picture,
            photometric="ycbcr",
            compression="jpeg",
            rowsperstrip=256,
            resolution=(20_000, 20_000),
            resolutionunit="CENTIMETER",
            metadata=None,
            extratags=tags,
        )
    return path


def geojson(path, *features):
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def feature(name, coordinates, kind="LineString"):
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"objectType": "annotation", "classification": {"name": name}},
    }


def test_a_line_of_known_length_has_that_length_in_qupath(tmp_path):
    """3-4-5: 300 x 400 px at 0.25 um/px are 125 um."""
    path = geojson(tmp_path / "a.geojson", feature("D", [[10, 10], [310, 410]]))
    found = read_line_file(path, mpp=0.25)
    assert found.lines[0].length_um == pytest.approx(125)
    assert found.lines[0].pattern == "D"


def test_a_line_of_known_length_has_that_length_in_ndp_view(tmp_path):
    """3-4-5 in nanometers, without the slide: 500 um."""
    path = tmp_path / "a.ndpi.ndpa"
    path.write_text(ndpa(("D", [(0, 0), (300_000, 400_000)], False)))
    assert read_ndpa(path).lines[0].length_um == pytest.approx(500)
    assert read_ndpa(path).rater == "Ada"


def test_a_line_of_ndp_view_lies_where_it_was_drawn(ndpi):
    """The scan's center, 256 x 128 px = 128 x 64 um, is at the offset from the slide's center."""
    assert center_offset_nm(ndpi) == OFFSET_NM
    x, y = OFFSET_NM
    path = ndpi.with_name("slide-07.ndpi.ndpa")
    path.write_text(ndpa(("R", [(x, y), (x - 128_000, y - 64_000), (x + 10_000, y)], False)))
    with open_slide(ndpi) as slide:
        found = read_line_file(path, slide.info)
        assert NdpFrame.of(slide.info).center_um == pytest.approx((128, 64))
    assert found.lines[0].vertices_um == pytest.approx(np.array([[128, 64], [0, 0], [138, 64]]))


def test_other_slides_do_not_say_where_their_center_is(svs_path):
    assert center_offset_nm(svs_path) is None


def test_a_closed_line_ends_where_it_began(tmp_path):
    square = [(0, 0), (100_000, 0), (100_000, 100_000), (0, 100_000)]
    path = tmp_path / "a.ndpa"
    path.write_text(ndpa(("D", square, True), ("R", square, False)))
    assert line_lengths_um(read_ndpa(path).lines) == {
        "D": pytest.approx(400),
        "R": pytest.approx(300),
        "R2": 0,
        "P": 0,
        "other": 0,
    }


def test_shares_are_of_the_drawn_length_and_r2_is_replacement(tmp_path):
    path = geojson(
        tmp_path / "a.geojson",
        feature("desmoplastic", [[0, 0], [500, 0]]),
        feature("R", [[0, 0], [0, 250]]),
        feature("Replacement type 2", [[[0, 0], [0, 100]], [[5, 0], [5, 50]]], "MultiLineString"),
        feature("Pushing", [[0, 0], [100, 0]]),
    )
    shares = line_shares(read_line_file(path, mpp=1.0).lines)
    assert shares == pytest.approx({"pct_D": 50, "pct_R": 40, "pct_P": 10, "pct_other": 0})


def test_strange_titles_areas_and_points_are_told_and_left_out(tmp_path):
    path = geojson(
        tmp_path / "a.geojson",
        feature("D", [[0, 0], [5, 0]]),
        feature("measure", [[0, 0], [5, 0]]),
        feature("D", [[[0, 0], [5, 0], [5, 5], [0, 0]]], "Polygon"),
        feature("D", [[3, 3], [3, 3]]),
    )
    found = read_line_file(path, mpp=1.0)
    assert len(found.lines) == 1
    assert any("measure (1)" in note for note in found.notes)
    assert any("no lines" in note for note in found.notes)
    assert any("no length" in note for note in found.notes)


def test_titles_can_be_named():
    table = title_table(LineOptions(titles="thin capsule = D; C=R2"))
    assert pattern_of("Thin-Capsule", table) == "D"
    assert pattern_of("c", table) == "R2"
    assert pattern_of("r 2", table) == "R2"
    assert pattern_of("D3", table) is None
    with pytest.raises(AnnotationError, match="capsule=D"):
        title_table(LineOptions(titles="capsule"))


def test_pixels_count_from_the_scanned_corner(tmp_path):
    frame = PixelFrame((0.5, 0.25), (100, 200))
    path = geojson(tmp_path / "a.geojson", feature("D", [[0, 0], [10, 0]]))
    vertices = read_line_geojson(path, frame).lines[0].vertices_um
    assert vertices.tolist() == [[50, 50], [55, 50]]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0, 5e4), st.floats(0, 5e4)), min_size=2, max_size=8),
    st.booleans(),
)
def test_written_lines_come_back(tmp_path_factory, points, closed):
    frame = PixelFrame((0.25, 0.25), (7, 9))
    line = PatternLine("P", np.array(points), closed)
    path = tmp_path_factory.mktemp("lines") / "a.geojson"
    write_line_geojson(path, [line], frame, rater="Ada")
    back = read_line_geojson(path, frame)
    if line.length_um > 1e-3:
        assert back.rater == "Ada"
        assert back.lines[0].pattern == "P"
        assert back.lines[0].length_um == pytest.approx(line.length_um, rel=1e-9, abs=1e-6)


def test_geojson_without_a_pixel_size_asks_for_it(tmp_path):
    path = geojson(tmp_path / "a.geojson", feature("D", [[0, 0], [5, 0]]))
    with pytest.raises(AnnotationError, match="--mpp"):
        read_line_file(path)


BOMB = '<!DOCTYPE a [<!ENTITY b "ha"><!ENTITY c "&b;&b;">]>'


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_xml_that_declares_entities_is_refused(tmp_path, encoding):
    path = tmp_path / "a.ndpa"
    head = f'<?xml version="1.0" encoding="{encoding}"?>{BOMB}'
    path.write_text(ndpa(("D", [(0, 0), (1, 1)], False), head=head), encoding=encoding)
    with pytest.raises(AnnotationError, match="document type"):
        read_ndpa(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<annotations><ndpviewstate>", "no XML"),
        ("", "no XML"),
        ("<html></html>", "holds html"),
        (ndpa(("D", [("x", 0), (1, 1)], False)), "no numbers"),
        (ndpa(("D", [("inf", 0), (1, 1)], False)), "no numbers"),
        (ndpa(("D", [(0, 0), (1, 1)], False), unit="pixels"), "pixels"),
    ],
)
def test_damaged_files_of_ndp_view_are_named(tmp_path, text, told):
    path = tmp_path / "a.ndpa"
    path.write_text(text)
    with pytest.raises(AnnotationError, match=told):
        read_ndpa(path)


def test_no_line_no_percent():
    with pytest.raises(AnnotationError, match="Draw lines"):
        line_shares([])
