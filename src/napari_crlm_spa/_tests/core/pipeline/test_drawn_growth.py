"""From pixels over the default classifier to percent: a drawn slide whose truth is known."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.pipeline.painted_front import drive, source_of
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_to_end
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions
from napari_crlm_spa.core.pipeline.interface import measure_analysis
from napari_crlm_spa.core.sample import (
    CapsuleOptions,
    encapsulated_layout,
    encapsulated_pct,
    write_sample_slide,
)

#: Drawing and classifying take a while on a busy machine.
pytestmark = pytest.mark.timeout(900)
#: Half of the border has a capsule of 320 µm.
DRAWN = CapsuleOptions()
#: Narrow, so that the test stays short; the capsule's inner border is what decides.
BAND = FrontBandOptions(half_width_um=250.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("drawn-growth")
    slide = place / "half-encapsulated.tif"
    for _ in write_sample_slide(slide, layout=encapsulated_layout(DRAWN)):
        pass
    options = AnalysisOptions(classify=ClassifyOptions(device="cpu"))
    return analyze_to_end(slide, place, options).folder


@pytest.mark.parametrize("band", [None, BAND], ids=["tiles side by side", "front band"])
def test_the_share_with_a_capsule_comes_out_within_5_points(folder, band):
    classify = ClassifyOptions(device="cpu")
    found, _ = drive(measure_analysis(source_of(folder), None, band, classify))
    truth, summary = encapsulated_pct(DRAWN), found.interface.summary
    assert found.interface.stride_um == (112.0 if band is None else 56.0)
    assert summary.pct_D == pytest.approx(truth, abs=5)
    assert summary.pct_N == pytest.approx(100 - truth, abs=5)
    assert summary.assessable_fraction > 0.98
    # A stretch with a rim and one in contact; each lies on its own side of the nodule.
    assert sorted(run.code.name for run in found.interface.runs) == ["D", "N"]
    assert found.interface.calls["strict"].call == "non-D"
    # Tiles are named after most of them, so the rim looks thinner than it is, never thicker.
    assert 200 < summary.rim_median_um < DRAWN.thickness_um + 30
    circumference_mm = 2 * np.pi * DRAWN.radius_um / 1000
    assert summary.interface_mm == pytest.approx(circumference_mm, rel=0.1)
