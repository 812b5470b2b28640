import pytest

from napari_crlm_spa.core.classifier.evaluation.intervals import Estimate
from napari_crlm_spa.core.report.evaluation.numbers import figure, span


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (1.0, 3, "1.000"),
        (0.99996, 3, ">0.999"),
        (0.9994, 3, "0.999"),
        (0.99996, 4, ">0.9999"),
        (0.0, 3, "0.000"),
        (float("nan"), 3, "\u2013"),
    ],
)
def test_only_perfection_reads_as_one(value, digits, text):
    assert figure(value, digits) == text


def test_an_interval_that_is_not_there_is_not_printed():
    assert span(Estimate(0.5, reason="one slide")) == ""
    assert span(Estimate(0.5, 0.25, 0.75)) == "0.250\u20130.750"
