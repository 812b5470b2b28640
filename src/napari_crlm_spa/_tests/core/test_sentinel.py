"""The sentinel: what share of a slide looks strange, when it warns, and what it says."""

import numpy as np
import pytest

from napari_crlm_spa._tests.core.spatial.maps import drawn
from napari_crlm_spa.core.sentinel import Sentinel, SentinelOptions, watch_slide
from napari_crlm_spa.errors import CrlmSpaError


def map_with(strange, usual, unknown=3):
    tissue_map = drawn("H" * (strange + usual + unknown))
    tissue_map.strangeness[0, :strange] = 1.25
    tissue_map.strangeness[0, strange : strange + usual] = 0.75
    return tissue_map


def test_only_tiles_whose_strangeness_is_known_are_counted():
    watched = watch_slide(map_with(strange=3, usual=7))
    assert (watched.tiles, watched.strange) == (10, 3)
    assert watched.share == pytest.approx(0.3)


def test_a_tile_on_the_limit_is_usual():
    tissue_map = drawn("HH")
    tissue_map.strangeness[:] = 1
    assert watch_slide(tissue_map).strange == 0


def test_it_warns_beyond_its_limit_and_not_on_it():
    on_it = SentinelOptions(strange_max=0.3)
    assert not watch_slide(map_with(3, 7), on_it).warns
    assert watch_slide(map_with(4, 6), on_it).warns


def test_a_warning_says_how_much_how_much_is_usual_and_what_to_do():
    sentence = watch_slide(map_with(9, 1)).sentence
    assert sentence.startswith("This slide looks unlike the training slides: 90% ")
    for part in ("about 5%", "pixel size", "regions of interest", "retrain"):
        assert part in sentence


def test_a_usual_slide_is_told_its_share_without_alarm():
    sentence = watch_slide(map_with(1, 19)).sentence
    assert sentence.startswith("5% of the classified tiles")
    assert "unlike the training slides" not in sentence


def test_a_model_that_cannot_tell_never_warns_and_says_so():
    watched = watch_slide(drawn("HHTT"), SentinelOptions(strange_max=0.0))
    assert not watched.warns
    assert np.isnan(watched.share)
    assert "unlike the training slides is not known: the classifier has no reference" in (
        watched.sentence
    )


def test_a_slide_of_which_no_tile_was_classified_does_not_blame_the_classifier():
    watched = watch_slide(drawn("...."))
    assert not watched.warns
    assert "no tile was classified" in watched.sentence
    assert "reference set" not in watched.sentence


def test_the_record_holds_share_limit_and_sentence():
    record = Sentinel(tiles=200, strange=100, strange_max=0.25).as_dict()
    assert (record["share"], record["limit"], record["warns"]) == (0.5, 0.25, True)
    assert "50%" in record["sentence"]


def test_a_share_is_no_percentage():
    with pytest.raises(CrlmSpaError, match="strange_max"):
        SentinelOptions(strange_max=25)
