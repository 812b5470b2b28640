"""``crlm-spa cohort report``."""

import dataclasses
import json

import pytest
import typer
from typer.testing import CliRunner

from napari_crlm_spa._tests.core.cohort.made_study import made_study
from napari_crlm_spa.cli.cohort.report import report
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.errors import CohortError


@pytest.fixture
def run():
    app = typer.Typer()
    app.command()(report)
    return lambda *arguments: CliRunner().invoke(app, [str(each) for each in arguments])


@pytest.fixture
def folder(tmp_path):
    study = made_study(60)
    tables = {name: study.tables[name] for name in ("flow", "univariate")}
    write_study(tmp_path, dataclasses.replace(study, tables=tables))
    return tmp_path


def test_it_shows_titles_that_were_edited(run, folder):
    path = folder / "study.json"
    record = json.loads(path.read_text())
    record["tables"][1]["title"] = "Table 2. One factor at a time"
    path.write_text(json.dumps(record))
    done = run(folder, "--figures", "png", "--dpi", "60")
    assert done.exit_code == 0, done.output
    assert "report.html" in done.output
    assert "Table 2. One factor at a time" in (folder / "report.html").read_text()
    assert (folder / "figures" / "univariate.png").is_file()


def test_a_folder_without_a_study_is_refused(run, tmp_path):
    done = run(tmp_path)
    assert isinstance(done.exception, CohortError)
