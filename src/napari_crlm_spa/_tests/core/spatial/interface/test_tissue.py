import numpy as np
import pytest
from scipy import ndimage

from napari_crlm_spa._tests.core.spatial.interface.drawn import DEB, HEP, MUC, STR, TUM, polar
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.tissue import (
    filled_liver,
    lesion_bodies,
    mask_of,
    retained_liver,
)


def bodies_of(classes, stride_um=112.0, **limits):
    options = InterfaceOptions(**limits)
    liver = retained_liver(mask_of(classes, CRLM7, "HEP"), stride_um, options)
    return lesion_bodies(classes, CRLM7, liver, stride_um, options)


def square(side=60, fill=HEP):
    return np.full((side, side), fill, np.uint8)


@pytest.mark.parametrize(("stride_um", "least"), [(112, 50), (56, 200), (28, 800), (224, 12.5)])
def test_the_smallest_lesion_is_an_area_and_not_a_number_of_tiles(stride_um, least):
    for tiles in (int(np.ceil(least)), int(np.ceil(least)) - 1):
        classes = square()
        classes[10:50].flat[:tiles] = TUM
        found = bodies_of(classes, stride_um)
        assert len(found) == (tiles >= least)
        assert found.small == (tiles < least)


def test_mucus_and_debris_belong_to_a_lesion_but_do_not_make_one():
    classes = square()
    classes[10:20, 10:20], classes[10:20, 20:30] = TUM, MUC
    classes[40:50, 10:30] = DEB
    found = bodies_of(classes)
    assert len(found) == 1
    assert found.tumor_tiles.tolist() == [100]
    assert (found.labels[10:20, 10:30] == 1).all()
    assert not found.labels[40:50].any()


def test_gaps_of_stroma_up_to_twice_the_radius_are_closed():
    for gap, lesions in ((4, 1), (6, 2)):
        classes = square(fill=STR)
        classes[10:30, 5:20] = classes[10:30, 20 + gap : 35 + gap] = TUM
        assert len(bodies_of(classes)) == lesions


def test_two_lesions_with_liver_between_them_stay_two():
    classes = square()
    classes[10:30, 5:20] = classes[10:30, 23:38] = TUM
    found = bodies_of(classes)
    assert len(found) == 2
    assert not found.labels[:, 20:23].any()


def test_holes_are_filled_unless_liver_is_kept_in_them():
    for inside, island in ((STR, False), (0, False), (HEP, True)):
        classes = square()
        classes[10:40, 10:40] = TUM
        classes[20:30, 20:30] = inside
        assert (bodies_of(classes).labels[25, 25] == 0) == island


def test_a_few_liver_tiles_in_a_tumor_are_no_island():
    classes = square()
    classes[10:40, 10:40] = TUM
    classes[20:23, 20:23] = HEP  # 0.11 mm2
    assert bodies_of(classes).labels[21, 21] == 1


def test_lesions_are_numbered_by_their_tumor():
    classes = square()
    classes[2:12, 2:12], classes[30:50, 30:50] = TUM, TUM
    found = bodies_of(classes)
    assert found.tumor_tiles.tolist() == [400, 100]
    assert (found.labels[5, 5], found.labels[40, 40]) == (2, 1)


def test_specks_of_liver_are_dropped_and_its_small_holes_filled():
    hepatocytes = np.zeros((40, 60), bool)
    hepatocytes[:, :30] = True
    hepatocytes[10:13, 10:13] = False  # 9 tiles, 0.11 mm2: a portal field
    hepatocytes[20:26, 10:16] = False  # 0.45 mm2
    hepatocytes[10:14, 40:44] = True  # 0.20 mm2: a speck
    liver = retained_liver(hepatocytes, 112.0, InterfaceOptions())
    assert not liver[:, 30:].any()
    filled = filled_liver(liver, np.zeros_like(liver), 112.0, InterfaceOptions())
    assert filled[11, 11]
    assert not filled[22, 12]


def test_a_thin_piece_of_capsule_between_liver_and_lesion_is_no_hole():
    distance, turn = polar(40)
    classes = np.where(distance < 10, TUM, HEP).astype(np.uint8)
    piece = (distance >= 10) & (distance < 12) & (turn < 0.1)
    classes[piece] = STR
    options = InterfaceOptions()
    liver = retained_liver(mask_of(classes, CRLM7, "HEP"), 112.0, options)
    body = lesion_bodies(classes, CRLM7, liver, 112.0, options).labels > 0
    assert 0 < piece.sum() * 0.112**2 < options.fill_liver_mm2
    assert not filled_liver(liver, body, 112.0, options)[piece].any()


@pytest.mark.parametrize("radius", [1.0, 2.23, 3.0, 8.93])
def test_the_closing_equals_that_with_a_disc(radius):
    rng = np.random.default_rng(3)
    tumor = ndimage.gaussian_filter(rng.random((60, 60)), 2) > 0.5
    classes = np.where(tumor, TUM, STR).astype(np.uint8)
    found = bodies_of(classes, closing_um=radius * 112, min_tumor_tiles=1).labels > 0
    y, x = np.mgrid[-9:10, -9:10]
    disc = np.hypot(y, x) <= radius
    closed = ndimage.binary_closing(np.pad(tumor, 20), disc)[20:-20, 20:-20]
    holes = ndimage.binary_fill_holes(closed | tumor)
    labels, _ = ndimage.label(holes, np.ones((3, 3)))
    with_tumor = np.isin(labels, np.unique(labels[tumor])[np.unique(labels[tumor]) > 0])
    assert np.array_equal(found, with_tumor)
