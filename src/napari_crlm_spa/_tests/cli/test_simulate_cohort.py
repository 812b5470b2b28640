"""``crlm-spa cohort simulate``: a folder that says it is simulated."""

import json

import pandas as pd
from typer.testing import CliRunner

from napari_crlm_spa.cli.main import app


def _simulate(*arguments):
    return CliRunner().invoke(app, ["cohort", "simulate", *map(str, arguments)])


def test_a_cohort_is_written_with_its_truth(tmp_path):
    result = _simulate("-o", tmp_path, "--n-patients", 20, "--seed", 4)
    assert result.exit_code == 0, result.output
    assert "20 simulated patients" in result.output
    assert "These patients do not exist" in result.output
    table = pd.read_csv(tmp_path / "cohort.csv")
    assert list(table["patient"])[:2] == ["SIM4-0001", "SIM4-0002"]
    assert json.loads((tmp_path / "truth.json").read_text("utf-8"))["seed"] == 4


def test_the_same_seed_writes_the_same_files(tmp_path):
    for name in ("one", "two"):
        assert _simulate("-o", tmp_path / name, "--n-patients", 15, "--analyses").exit_code == 0
    one = sorted(p.relative_to(tmp_path / "one") for p in (tmp_path / "one").rglob("*.*"))
    assert len(one) > 15
    for name in one:
        if (tmp_path / "one" / name).is_file():
            assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_wish_that_cannot_be_met_is_a_sentence(tmp_path):
    result = _simulate("-o", tmp_path, "--longest-follow-up-months", 2)
    assert result.exit_code != 0
    assert "must be longer" in f"{result.output}{result.exception}"
