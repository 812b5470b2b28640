"""crlm-spa export and figure: from a finished analysis to files of other programs."""

import csv
import gzip
import json
import shutil

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from napari_crlm_spa._tests.cli.test_cli import crlm_spa
from napari_crlm_spa._tests.painted_slide import metastasis, paint
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline import AnalysisOptions, analyze_to_end, reopen_folder
from napari_crlm_spa.core.review import open_review
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.store import load_analysis
from napari_crlm_spa.core.tiles import TilingOptions


@pytest.fixture(scope="module")
def finished(color_model, tmp_path_factory):
    """A slide and its analysis, with corrections of a reader; tests get copies."""
    place = tmp_path_factory.mktemp("finished")
    slide = paint(metastasis(), place / "painted.png")
    options = AnalysisOptions(mpp=0.5, model=str(color_model), tiling=TilingOptions(mask_mpp=2.0))
    folder = analyze_to_end(slide, place / "results", options).folder
    review = open_review(reopen_folder(folder), load_risk_model(), "Anna")
    review.correct([20, 21], [30, 31], "STR")
    review.set_aside([22], [32])
    return folder


@pytest.fixture
def result(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "painted")


@pytest.fixture
def run(monkeypatch, capfd):
    def call(*arguments):
        return crlm_spa(monkeypatch, capfd, *arguments)

    return call


def features(path):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return json.load(file)["features"]


def test_every_tile_goes_to_qupath(run, result):
    code, out, _ = run("export", result)
    tissue_map = load_analysis(result).tissue_map
    found = features(result / "tiles.geojson.gz")
    assert code == 0
    assert len(found) == np.count_nonzero(tissue_map.classes)
    assert f"Wrote {len(found)} tiles" in out


def test_corrections_of_a_reader_go_along(run, result):
    code, _, _ = run("export", result, "--reader", "Anna")
    assert code == 0
    found = {
        (int(e["properties"]["metadata"]["row"]), int(e["properties"]["metadata"]["col"])): e
        for e in features(result / "readers" / "anna" / "tiles.geojson.gz")
    }
    corrected = found[20, 30]["properties"]
    assert corrected["classification"]["name"] == "STR"
    assert corrected["metadata"]["predicted"] == "HEP"
    assert corrected["metadata"]["reader"] == "Anna"
    assert found[22, 32]["properties"]["classification"]["name"] == "Ignore*"
    assert not (result / "tiles.geojson.gz").exists()


def test_areas_cover_what_the_tiles_cover(run, result):
    run("export", result, "--to", "qupath-areas")
    tiles = sum(
        each["properties"]["measurements"]["tiles"]
        for each in features(result / "areas.geojson.gz")
    )
    assert tiles == np.count_nonzero(load_analysis(result).tissue_map.classes)


def test_a_table_goes_where_it_is_asked_to(run, result, tmp_path):
    path = tmp_path / "out" / "t.csv"
    code, _, _ = run("export", result, "--to", "csv", "-o", path)
    table = pd.read_csv(path)
    assert code == 0
    classes = load_analysis(result).tissue_map.classes
    np.testing.assert_array_equal(
        [CRLM7.code(name) for name in table["class"]], classes[classes > 0]
    )


def test_anndata_is_written_beside_the_results(run, result):
    anndata = pytest.importorskip("anndata", reason="needs the extra [anndata]")
    code, _, _ = run("export", result, "--to", "anndata")
    assert code == 0
    read = anndata.read_h5ad(result / "tiles.h5ad")
    assert read.n_obs == np.count_nonzero(load_analysis(result).tissue_map.classes)


def test_an_unknown_reader_is_told_who_there_is(run, result):
    code, _, err = run("export", result, "--reader", "Bert")
    assert code == 2
    assert "by: Anna" in err


@pytest.mark.parametrize("command", ["export", "figure"])
def test_a_moved_slide_is_asked_for(run, finished, result, command, tmp_path):
    record = json.loads((result / "run.json").read_text())
    moved = tmp_path / "elsewhere.png"
    shutil.copy(record["slide"]["path"], moved)
    record["slide"]["path"] = str(tmp_path / "gone.png")
    (result / "run.json").write_text(json.dumps(record))
    out = tmp_path / ("f.png" if command == "figure" else "t.geojson.gz")
    code, _, err = run(command, result, "-o", out)
    assert code == 2 and "--slide" in err and "gone.png" in err
    code, _, _ = run(command, result, "-o", out, "--slide", moved)
    assert code == 0 and out.exists()


def test_another_slide_is_refused(run, result, tmp_path):
    codes = metastasis()
    codes[3] = CRLM7.code("TUM")
    other = paint(codes, tmp_path / "other.png")
    code, _, err = run("export", result, "--slide", other)
    assert code == 2
    assert "other.png is not the slide that was analyzed" in err


def test_a_figure_shows_the_region_with_its_numbers(run, result, tmp_path):
    out = tmp_path / "fig.png"
    region = "160,160,320,160"  # tiles of 16 µm: columns 10-29, rows 10-19
    flags = ["--region", region, "--dpi", "100", "--width-mm", "100", "--no-outline"]
    code, told, _ = run("figure", result, "-o", out, *flags)
    assert code == 0 and "fig.csv" in told
    assert Image.open(out).width == round(100 / 25.4 * 100)
    with (tmp_path / "fig.csv").open(newline="") as file:
        rows = {row["name"]: int(row["tiles"]) for row in csv.DictReader(file)}
    assert rows == {
        tissue.name: int((metastasis()[10:20, 10:30] == CRLM7.code(tissue.name)).sum())
        for tissue in CRLM7.classes
    }


def test_a_region_that_is_none_is_one_sentence(run, result, tmp_path):
    code, _, err = run("figure", result, "-o", tmp_path / "f.png", "--region", "1,2,3")
    assert code == 2
    assert "x,y,width,height" in err


def test_the_report_of_a_reader_lists_the_corrections(run, result):
    before = (result / "report.html").read_bytes()
    code, out, _ = run("export", result, "--to", "report", "--reader", "Anna")
    path = result / "readers" / "anna" / "report.html"
    assert code == 0 and str(path) in out
    html = path.read_text("utf-8")
    assert "Corrections by Anna" in html
    assert "<td>HEP</td><td>STR</td>" in html
    assert (result / "report.html").read_bytes() == before


def test_the_report_can_be_written_anew_in_other_colors(run, result, tmp_path):
    out = tmp_path / "safe.html"
    code, _, _ = run("export", result, "--to", "report", "--palette", "color-blind safe", "-o", out)
    assert code == 0
    assert 'style="background: #d55e00"' in out.read_text("utf-8")
    assert "Corrections by" not in out.read_text("utf-8")


def test_marks_of_quality_go_along(run, result, tmp_path):
    assert run("quality", result)[0] == 0
    run("export", result, "--to", "csv", "-o", tmp_path / "t.csv")
    table = pd.read_csv(tmp_path / "t.csv")
    assert {"mark_blur", "mark_pen", "mark_fold", "mark_air"} <= set(table.columns)
    run("export", result, "--to", "report", "-o", tmp_path / "r.html")
    assert "Marks on classified tiles" in (tmp_path / "r.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("target", "name"),
    [
        *(("csv", "t.parquet"), ("parquet", "t.csv"), ("anndata", "t.csv"), ("report", "t.pdf")),
        *(("qupath", "t.csv"), ("spatialdata", "results")),
    ],
)
def test_a_name_of_another_kind_of_file_is_refused(run, result, tmp_path, target, name):
    code, _, err = run("export", result, "--to", target, "-o", tmp_path / name)
    assert code == 2
    assert name in err
    assert target in err
    assert not (tmp_path / name).exists()


def test_brackets_in_a_path_are_no_markup(run, result, tmp_path):
    place = tmp_path / "[red]" / "[" / "x]"
    for arguments in (("--to", "csv", "-o", place / "t.csv"), ("-o", place / "t.geojson")):
        code, out, _ = run("export", result, *arguments)
        assert code == 0
        assert str(arguments[-1]) in out
    code, out, _ = run("figure", result, "-o", place / "f.png", "--dpi", "50")
    assert code == 0
    assert str(place / "f.png") in out


def test_corrections_on_another_map_are_not_passed_off_as_applied(run, result, tmp_path):
    log = result / "readers" / "anna" / "edits.jsonl"
    text = log.read_text("utf-8")
    run_record = json.loads((result / "run.json").read_text("utf-8"))
    log.write_text(text.replace(run_record["identity"], "ab" * 32), "utf-8")
    out = tmp_path / "t.csv"
    code, _, err = run("export", result, "--to", "csv", "--reader", "Anna", "-o", out)
    assert code == 0
    assert "another tissue map" in " ".join(err.split())
    assert (pd.read_csv(out)["state"] == "classified").all()


def test_corrections_that_cannot_be_read_stop_an_export(run, result, tmp_path):
    log = result / "readers" / "anna" / "edits.jsonl"
    log.unlink()
    log.mkdir()
    for command in (("export", "--to", "csv", "-o", tmp_path / "t.csv"), ("figure",)):
        code, _, err = run(command[0], result, *command[1:], "--reader", "Anna")
        assert code == 2
        assert "cannot be read" in " ".join(err.split())
    assert not (tmp_path / "t.csv").exists()
