"""``crlm-spa quality`` on the painted slide: marks beside the results, counts, a table."""

import csv
import json
import shutil

import numpy as np
import pytest
from typer.testing import CliRunner

from napari_crlm_spa.cli.main import app
from napari_crlm_spa.core.pipeline import analyze_to_end
from napari_crlm_spa.core.store.quality_file import load_quality
from napari_crlm_spa.errors import DamagedAnalysis, ReviewError


@pytest.fixture
def result(slide, options, tmp_path):
    return analyze_to_end(slide, tmp_path / "out", options)


def run(*args):
    return CliRunner().invoke(app, ["quality", *map(str, args)])


def test_marks_lie_beside_the_results_and_every_measured_tile_is_a_row(result, tmp_path):
    table = tmp_path / "tiles.csv"
    done = run(result.folder, "--csv", table, "--pen-share", "0.5")
    assert done.exit_code == 0, done.output
    found = load_quality(result.folder, result.run["identity"], result.tissue_map.shape)
    assert np.array_equal(found.measured, result.tissue_map.classes > 0)
    assert found.options.pen_share == 0.5
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert len(rows) == found.measured_tiles
    for row in rows[:: len(rows) // 20]:
        at = int(row["row"]), int(row["col"])
        names = result.tissue_map.scheme.names
        assert row["class"] == names[result.tissue_map.classes[at] - 1]
        assert float(row["pen_measured"]) == pytest.approx(found.pen[at])
        flags = sum(
            flag * int(row[name])
            for name, flag in zip(("blur", "pen", "fold", "air"), (1, 2, 4, 8), strict=True)
        )
        assert flags == found.marks[at]
    assert f"of {found.measured_tiles:,} tiles are marked" in done.output


def test_the_analysis_itself_is_not_touched(result):
    before = {path: path.read_bytes() for path in result.folder.rglob("*") if path.is_file()}
    assert run(result.folder).exit_code == 0
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_moved_slide_is_asked_for_and_can_be_named(result, slide, tmp_path):
    record = json.loads((result.folder / "run.json").read_text("utf-8"))
    record["slide"]["path"] = str(tmp_path / "gone.png")
    (result.folder / "run.json").write_text(json.dumps(record), "utf-8")
    assert isinstance(run(result.folder).exception, ReviewError)
    moved = shutil.copy(slide, tmp_path / "moved.png")
    assert run(result.folder, "--slide", moved).exit_code == 0


def test_a_folder_without_analysis_is_a_sentence(tmp_path):
    assert isinstance(run(tmp_path).exception, DamagedAnalysis)
