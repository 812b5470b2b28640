"""Spatial features of a whole real slide do not depend on the number format of the network."""

from functools import cache

import numpy as np
import pytest

from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.classifier.int8 import why_no_int8
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_to_end

SLIDE = SHARED / "slides" / "liver-metastasis.tif"
#: What a spatial feature, from 0 to 1, may differ by.
TOLERANCE = 0.005
quick = pytest.mark.skipif(bool(why_no_int8()), reason=why_no_int8())


@pytest.fixture(scope="module")
def analyzed(tmp_path_factory):
    """The slide by the default model in a number format; PyTorch alone is there everywhere."""

    @cache
    def analyze(precision):
        classify = ClassifyOptions(device="cpu", precision=precision, engine="torch")
        out = tmp_path_factory.mktemp(precision)
        return analyze_to_end(SLIDE, out, AnalysisOptions(classify=classify))

    return analyze


@real_data
@pytest.mark.parametrize(
    ("precision", "least"), [("bf16", 0.995), pytest.param("int8", 0.99, marks=quick)]
)
def test_a_real_slide_has_the_features_that_it_has_in_32_bits(analyzed, precision, least):
    exact, short = analyzed("fp32"), analyzed(precision)
    assert short.run["precision"]["used"] == precision
    known = {name: value for name, value in exact.features.values.items() if not np.isnan(value)}
    assert len(known) >= 15
    assert short.features.values == pytest.approx(
        exact.features.values, rel=0, abs=TOLERANCE, nan_ok=True
    )
    seen = exact.tissue_map.classes > 0
    assert seen.sum() > 3900
    assert (short.tissue_map.classes == exact.tissue_map.classes)[seen].mean() >= least
    assert short.risk.score == pytest.approx(exact.risk.score, abs=0.05)
    assert short.risk.group == exact.risk.group
