"""``crlm-spa cohort build``: what it prints and writes, and when it fails."""

import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from napari_crlm_spa._tests.core.cohort.table.made_analyses import analysis, table
from napari_crlm_spa.cli.cohort.build import build
from napari_crlm_spa.core.cohort.table import BuildOptions, read_cohort

app = typer.Typer()
app.command()(build)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    for at in range(3):
        analysis(tmp_path / "results" / f"S{at}", f"S{at}.svs")

    def call(text, *flags):
        clinical = table(tmp_path / "c.csv", "Patient ID,slide,os.time,os.event\n" + text)
        out = tmp_path / "cohort"
        done = CliRunner().invoke(
            app,
            [str(tmp_path / "results"), "--clinical", str(clinical), "-o", str(out), *flags],
        )
        return done.exit_code, done.output, out

    return call


def test_a_cohort_is_built_and_its_flow_told(run):
    code, out, folder = run("A,S0,10,1\nB,S1,20,0\nC,S2,-3,0\n")
    assert code == 0
    assert "c: 2 patients, 1 death." in out
    assert "Patient ID = patient" in out
    assert "The follow-up is negative" in out
    assert "follow-up is negative (1 patient)" in out
    assert len(read_cohort(folder)) == 2


def test_strict_stops_at_an_error_and_leaves_the_list(run):
    code, out, folder = run("A,S0,10,1\nB,S1,20,0\nC,S2,-3,0\n", "--strict")
    assert code == 2
    assert "--strict" in out
    assert [each.name for each in folder.iterdir()] == ["problems.csv"]
    assert pd.read_csv(folder / "problems.csv")["row"].tolist() == [4]
    code, _, _ = run("A,S0,10,1\nB,S1,20,0\nC,S2,3,0\n", "--strict")
    assert code == 0


def test_nobody_left_is_exit_code_2(run):
    code, out, folder = run("A,S0,-10,1\nB,S1,-20,0\n")
    assert code == 2
    assert "nobody is left" in out
    assert (folder / "problems.csv").is_file()


def test_only_the_first_problems_are_printed_and_all_are_written(run):
    rows = "".join(f"P{at},X{at},-1,0\n" for at in range(60))
    code, out, folder = run("A,S0,10,1\n" + rows)
    assert code == 0
    written = len(pd.read_csv(folder / "problems.csv"))
    assert written >= 120
    assert f"{written - 20} more in" in " ".join(out.split())


def test_every_option_is_a_flag():
    out = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).output
    for name in BuildOptions.__dataclass_fields__:
        assert f"--{name.replace('_', '-')}" in out
