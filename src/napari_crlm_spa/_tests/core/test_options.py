"""Options refuse what lies outside their range."""

import pytest

from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.errors import CrlmSpaError


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_number_outside_its_range_is_refused(value):
    with pytest.raises(CrlmSpaError, match=r"blank_max is .* within 0"):
        TilingOptions(blank_max=value)
