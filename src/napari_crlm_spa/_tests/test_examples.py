"""The examples run, on the painted slide."""

import runpy
import sys
from pathlib import Path

import pytest

import napari_crlm_spa
from napari_crlm_spa._tests.painted_slide import codes, color_model, slide  # noqa: F401

EXAMPLES = Path(napari_crlm_spa.__file__).parents[2] / "examples"


def run(monkeypatch, capsys, name, *arguments):
    monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
    runpy.run_path(str(EXAMPLES / name))
    return capsys.readouterr().out


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the examples lie beside the source only")
def test_the_examples_print_tiles_and_features(
    monkeypatch,
    capsys,
    tmp_path,
    slide,  # noqa: F811
    color_model,  # noqa: F811
):
    out = run(monkeypatch, capsys, "analyze_one_slide.py", slide, tmp_path, color_model, 0.5)
    assert "TUM" in out and "Overall_Stroma_ratio" in out and "score =" in out
    out = run(monkeypatch, capsys, "correct_a_map.py", tmp_path / "painted", "HEP", "STR")
    assert "unsure tiles of HEP become STR" in out
