import base64
import io

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.report.conftest import make_map, slide_info
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.map_colors import ZONE_COLORS
from napari_crlm_spa.core.report import rasters
from napari_crlm_spa.core.spatial import TISSUES, Zone


def test_zone_colors_mark_exactly_the_zones(features):
    for tissue in TISSUES:
        picture = rasters.zone_raster(features, tissue)
        zones = features.zone_masks()[tissue]
        for zone in (Zone.INFILTRATING, Zone.DISTAL):
            colored = np.all(picture == rasters.rgb_of(ZONE_COLORS[zone]), axis=2)
            np.testing.assert_array_equal(colored, zones == zone)


def test_heat_has_a_fixed_scale(features):
    share = np.full(features.tissue_map.shape, np.nan, np.float32)
    share[10, 10], share[10, 11], share[10, 12] = 0, 0.5, 1
    picture = rasters.heat_raster(features.tissue_map, share)
    bar = rasters.heat_scale(257)
    np.testing.assert_array_equal(picture[10, 10], bar[0, 0])
    np.testing.assert_array_equal(picture[10, 12], bar[0, -1])
    assert np.abs(picture[10, 11].astype(int) - bar[0, 128]).max() <= 2


def test_the_slide_is_cut_to_the_grid(make_report, codes):
    """A grid that begins 1120 µm to the right and 560 µm down, and ends beyond the slide."""
    thumbnail = np.zeros((504, 616, 3), np.uint8)
    thumbnail[..., 0] = np.linspace(0, 250, 616)[None, :]
    thumbnail[..., 1] = np.linspace(0, 250, 504)[:, None]
    tissue_map = make_map(np.full((36, 44), CRLM7.code("HEP"), np.uint8))
    object.__setattr__(tissue_map, "origin_um", (1120.0, 560.0))
    cut = rasters.slide_picture(
        make_report(tissue_map=tissue_map, thumbnail=thumbnail, info=slide_info())
    )
    assert cut.shape == (504, 616, 3)
    np.testing.assert_allclose(cut[0, 0, :2], thumbnail[70, 140, :2], atol=1)
    np.testing.assert_array_equal(cut[-1, -1], 255)


@pytest.mark.parametrize("kind", ["png", "jpeg"])
def test_data_addresses_hold_the_picture(kind):
    picture = np.full((8, 16, 3), 200, np.uint8)
    uri = rasters.png_uri(picture) if kind == "png" else rasters.jpeg_uri(picture)
    head, data = uri.split(",")
    assert head == f"data:image/{kind};base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as found:
        assert np.abs(np.asarray(found).astype(int) - 200).max() <= 2


def test_strangeness_turns_from_gray_to_alarm_at_its_limit(codes):
    shown = make_map(codes)
    shown.strangeness[10, 10:14] = 0.98, 1.02, 2, 500
    picture = rasters.strange_raster(shown).astype(int)
    below, above, top, beyond = picture[10, 10:14]
    assert np.ptp(below) < 30
    assert above[0] > above[2] + 150
    assert (top == beyond).all()
    assert (picture[20, 20] == rasters.rgb_of(rasters.OTHER_TISSUE_COLOR)).all(), "not known"
