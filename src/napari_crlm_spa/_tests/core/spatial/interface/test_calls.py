"""No call where there is nothing to call."""

from napari_crlm_spa.core.spatial.interface import InterfaceOptions
from napari_crlm_spa.core.spatial.interface.calls import calls, refusals
from napari_crlm_spa.core.spatial.interface.summary import summarize


def test_without_any_limit_nothing_is_still_not_called_non_desmoplastic():
    """NaN is not at most 0, which once made a call of it."""
    anything_goes = InterfaceOptions(min_assessable=0, min_interface_mm=0)
    nothing = summarize([], [], lesion=0, tumor_tiles=60, tumor_mm2=0.75)
    refused = refusals(nothing, anything_goes)
    assert "nothing of the tumor's outline can be judged" in refused[0]
    assert {call.call for call in calls(nothing, refused, anything_goes).values()} == {None}
