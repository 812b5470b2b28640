import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.slide import ArraySlide
from napari_crlm_spa.core.slide.pixel_size import (
    MPP_RANGE,
    PixelSizeClaim,
    description_claims,
    imagej_unit,
    number,
    objective_claims,
    objective_power,
    resolve_pixel_size,
    tiff_claims,
    vendor_claims,
)
from napari_crlm_spa.errors import MissingPixelSize

positive = st.floats(1e-6, 1e6)
claims = st.lists(st.builds(PixelSizeClaim, positive, positive, st.just("header")), max_size=4)


@given(claims)
def test_what_cannot_be_is_never_used(claimed):
    chosen, note = resolve_pixel_size(claimed)
    if chosen is None:
        assert not any(claim.is_sane for claim in claimed)
    else:
        assert MPP_RANGE[0] <= chosen.x_um <= MPP_RANGE[1]
        assert MPP_RANGE[0] <= chosen.y_um <= MPP_RANGE[1]
    assert note.count("cannot be") == sum(not claim.is_sane for claim in claimed)


@given(claims, st.floats(*MPP_RANGE))
def test_the_users_value_wins_over_everything(claimed, value):
    chosen, _ = resolve_pixel_size(claimed, value)
    assert (chosen.x_um, chosen.y_um, chosen.source) == (value, value, "user")


def test_the_first_sane_claim_wins_and_a_contradiction_is_noted():
    nonsense = PixelSizeClaim(1000, 1000, "TIFF tags")
    chosen, note = resolve_pixel_size(
        [nonsense, *vendor_claims("0.25", "0.25", "OME"), *vendor_claims(0.5, 0.5, "other")]
    )
    assert chosen.source == "OME"
    assert "1000 µm/px (TIFF tags), which cannot be" in note
    assert "other says 0.5 µm/px, OME 0.25 µm/px: the latter is used" in note


def test_a_nominal_value_that_differs_is_no_news():
    _, note = resolve_pixel_size(vendor_claims(0.2325, 0.2325, "header") + objective_claims(40))
    assert note == ""


@pytest.mark.parametrize("value", [353.0, 0.0, -0.5, math.nan, math.inf, 0.04])
def test_a_users_value_that_cannot_be_is_refused(value):
    with pytest.raises(MissingPixelSize, match=r"cannot be.*0.05 to 10"):
        resolve_pixel_size([], value)


@pytest.mark.parametrize(
    ("x", "unit", "expected"),
    [
        (72, "inch", 352.78),
        (50_800, "inch", 0.5),
        (20_000, "centimeter", 0.5),
        ("39840.6", "centimeter", 0.251),
        (10, "centimeter", 1000.0),
    ],
)
def test_tiff_tags_are_pixels_per_unit(x, unit, expected):
    (claim,) = tiff_claims(x, x, unit)
    assert claim.x_um == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("x", "unit"), [(1, ""), (1, "none"), (0, "inch"), ("nan", "inch")])
def test_tags_without_a_unit_or_value_claim_nothing(x, unit):
    assert tiff_claims(x, x, unit) == []


def test_one_axis_stands_for_a_missing_one():
    (claim,) = vendor_claims("0.25", None, "header")
    assert (claim.x_um, claim.y_um) == (0.25, 0.25)


@pytest.mark.parametrize("power", [5, 10, 20, 40])
def test_objective_power_is_ten_micrometers_by_power(power):
    assert objective_claims(power)[0].x_um == 10 / power


def test_aperio_headers_are_read():
    header = "Aperio Image Library v11\r\n100x100 (240x240)|AppMag = 20|MPP = 0.4990|Left = 25.69"
    assert description_claims(header)[0].x_um == 0.499
    assert objective_power(header) == 20


@pytest.mark.parametrize(
    ("size", "unit", "expected"),
    [
        ("0.25", 'PhysicalSizeXUnit="µm"', 0.25),
        ("250", 'PhysicalSizeXUnit="nm"', 0.25),
        ("0.00025", 'PhysicalSizeXUnit="mm"', 0.25),
        ("0.25", "", 0.25),
    ],
)
def test_ome_sizes_are_turned_into_micrometers(size, unit, expected):
    xml = (
        '<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
        '<Instrument><Objective NominalMagnification="40.0"/></Instrument>'
        f'<Image><Pixels PhysicalSizeX="{size}" {unit}/></Image></OME>'
    )
    (claim,) = description_claims(xml)
    assert claim.x_um == pytest.approx(expected)
    assert objective_power(xml) == 40


@pytest.mark.parametrize(
    "text",
    ["", "no header", "<OME", '<OME xmlns="x"><Image/></OME>', "|MPP = abc", "ImageJ=1.5\nunit=um"],
)
def test_headers_without_a_size_claim_nothing(text):
    assert description_claims(text) == []


@pytest.mark.parametrize(
    ("unit", "expected"),
    [("um", "micrometer"), ("\\u00B5m", "micrometer"), ("cm", "centimeter"), ("pixel", "")],
)
def test_imagej_units_are_translated(unit, expected):
    assert imagej_unit(f"ImageJ=1.53\nunit={unit}\n") == expected


@given(st.text(max_size=8))
def test_numbers_are_positive_and_finite_or_none(text):
    value = number(text)
    assert value is None or (value > 0 and math.isfinite(value))


def test_a_decimal_comma_is_read():
    assert number(" 0,25 ") == 0.25


def test_without_pixel_size_the_sentence_names_reason_and_way_out(marks_levels):
    with (
        ArraySlide(marks_levels, path="folder/slide.tif") as slide,
        pytest.raises(MissingPixelSize, match=r"slide\.tif does not say.*header.*--mpp"),
    ):
        slide.info.known_pixel_size()
