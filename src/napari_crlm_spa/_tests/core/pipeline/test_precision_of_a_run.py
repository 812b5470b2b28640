"""The number format of a run: recorded, the same after an interruption, told where it changes."""

import dataclasses
import json
from contextlib import closing

import numpy as np
import pytest

from napari_crlm_spa.core.classifier import engine as engines
from napari_crlm_spa.core.classifier import precision as precisions
from napari_crlm_spa.core.classifier.int8 import why_no_int8
from napari_crlm_spa.core.pipeline import analyze_slide, analyze_to_end
from napari_crlm_spa.core.store import RUN_JSON
from napari_crlm_spa.core.tiles import TileScores

quick = pytest.mark.skipif(bool(why_no_int8()), reason=why_no_int8())


@pytest.fixture(autouse=True)
def with_bf16(monkeypatch):
    monkeypatch.setattr(precisions, "has_bf16", lambda device: True)


def asking(options, precision, **changes):
    classify = dataclasses.replace(options.classify, precision=precision, batch_size=50)
    return dataclasses.replace(options, classify=classify, **changes)


def interrupted(slide, out, options):
    """Cancel a run after its first tiles."""
    with closing(analyze_slide(slide, out, options)) as work:
        for step in work:
            if isinstance(step.changed, TileScores) and step.done >= 200:
                return


def test_the_record_says_what_was_used_and_on_how_many_tiles_it_was_checked(
    slide, options, codes, tmp_path
):
    analysis = analyze_to_end(slide, tmp_path, asking(options, "auto"))
    found = json.loads((analysis.folder / RUN_JSON).read_text(encoding="utf-8"))["precision"]
    assert (found["asked"], found["used"], found["fell_back"]) == ("auto", "bf16", False)
    assert found["checked"]["tiles"] == 100
    assert found["checked"]["same_class"] == 1.0
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)


def test_fp32_reads_no_tile_more(slide, options, tmp_path):
    analysis = analyze_to_end(slide, tmp_path, asking(options, "fp32"))
    assert analysis.run["precision"]["checked"] is None
    assert "checking the number format" not in analysis.run["seconds"]


@quick
def test_int8_gives_the_painted_classes(slide, options, codes, tmp_path):
    analysis = analyze_to_end(slide, tmp_path, asking(options, "int8"))
    assert analysis.run["precision"]["used"] == "int8"
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)


def test_a_resumed_run_goes_on_in_the_format_in_which_it_began(slide, options, codes, tmp_path):
    interrupted(slide, tmp_path, asking(options, "fp32"))
    analysis = analyze_to_end(slide, tmp_path, asking(options, "auto"))
    found = analysis.run["precision"]
    assert analysis.run["resumed_tiles"] >= 200
    assert (found["asked"], found["begun"], found["used"]) == ("auto", "fp32", "fp32")
    assert "began" in found["why"]
    np.testing.assert_array_equal(analysis.tissue_map.classes, codes)


def test_anew_takes_the_format_that_is_asked_for(slide, options, tmp_path):
    interrupted(slide, tmp_path, asking(options, "fp32"))
    analysis = analyze_to_end(slide, tmp_path, asking(options, "bf16", fresh=True))
    assert analysis.run["precision"]["used"] == "bf16"


def test_a_map_in_two_formats_says_so(slide, options, tmp_path, monkeypatch):
    interrupted(slide, tmp_path, asking(options, "bf16"))
    unlike = precisions.Agreement(100, 0.5, 1.0)
    monkeypatch.setattr(precisions.Agreement, "between", lambda *_: unlike)
    analysis = analyze_to_end(slide, tmp_path, asking(options, "auto"))
    tiles = analysis.run["resumed_tiles"]
    assert (
        f"{tiles} tiles were classified in bf16 before the run was interrupted, the rest in fp32."
        in analysis.run["notes"]
    )


def test_a_format_that_is_given_up_is_a_note_of_the_run(slide, options, tmp_path, monkeypatch):
    unlike = precisions.Agreement(100, 0.5, 1.0)
    monkeypatch.setattr(precisions.Agreement, "between", lambda *_: unlike)
    analysis = analyze_to_end(slide, tmp_path, asking(options, "auto"))
    assert any("fp32 instead of bf16" in note for note in analysis.run["notes"])


def test_8_bits_are_another_analysis_and_bf16_is_not(slide, options, tmp_path):
    analyze_to_end(slide, tmp_path, asking(options, "fp32"))
    assert analyze_to_end(slide, tmp_path, asking(options, "bf16")).reused
    anew = analyze_to_end(slide, tmp_path, asking(options, "int8"))
    assert not anew.reused
    assert anew.run["started_afresh_because"] == "the precision changed"


def test_the_engine_is_kept_beside_the_format_and_does_not_make_another_analysis(
    slide, options, tmp_path
):
    in_torch = dataclasses.replace(
        options, classify=dataclasses.replace(options.classify, precision="bf16", engine="torch")
    )
    analysis = analyze_to_end(slide, tmp_path, in_torch)
    assert analysis.run["precision"]["engine"]["used"] == "torch"
    asked = dataclasses.replace(in_torch.classify, engine="openvino")
    assert analyze_to_end(slide, tmp_path, dataclasses.replace(options, classify=asked)).reused


def test_an_engine_that_is_given_up_is_a_note_of_the_run(slide, options, tmp_path, monkeypatch):
    monkeypatch.setattr(engines, "openvino_version", lambda: "")
    asked = dataclasses.replace(options.classify, engine="openvino")
    analysis = analyze_to_end(slide, tmp_path, dataclasses.replace(options, classify=asked))
    assert any("PyTorch instead of OpenVINO" in note for note in analysis.run["notes"])
