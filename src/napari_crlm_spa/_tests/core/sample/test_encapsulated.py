import numpy as np
import pytest
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample import CapsuleOptions, encapsulated_layout, encapsulated_pct
from napari_crlm_spa.core.sample.layout import TRUTH_MPP


def masks(options):
    truth = encapsulated_layout(options).truth()
    return tuple(truth == CRLM7.code(name) for name in ("TUM", "STR", "HEP"))


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.8, 1.0])
def test_the_stated_share_is_that_of_border_pixels_beside_stroma(share):
    options = CapsuleOptions(encapsulated=share)
    tumor, stroma, liver = masks(options)
    beside = [np.count_nonzero(ndimage.binary_dilation(mask) & tumor) for mask in (stroma, liver)]
    assert encapsulated_pct(options) == pytest.approx(100 * beside[0] / sum(beside), abs=1.5)


def test_the_capsule_is_as_thick_as_asked():
    tumor, stroma, liver = masks(CapsuleOptions(encapsulated=1.0, thickness_um=200.0))
    assert stroma.any()
    to_liver = ndimage.distance_transform_edt(~liver) * TRUTH_MPP
    border = tumor & ~ndimage.binary_erosion(tumor)
    assert np.median(to_liver[border]) == pytest.approx(200.0, abs=15.0)


def test_nothing_but_liver_reaches_the_edge_of_the_slide():
    truth = encapsulated_layout().truth()
    edge = np.concatenate([truth[0], truth[-1], truth[:, 0], truth[:, -1]])
    assert set(edge) == {CRLM7.code("HEP")}
