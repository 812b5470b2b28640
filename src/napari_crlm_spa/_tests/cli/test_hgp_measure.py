"""``crlm-spa hgp measure``: several slides, one table, readers, what goes wrong."""

import csv
import dataclasses
import shutil

import numpy as np
import pytest

from napari_crlm_spa._tests.cli.test_cli import run  # noqa: F401 - a fixture
from napari_crlm_spa.core.hgp.columns import MARKERS, PCT_D
from napari_crlm_spa.core.hgp.measures import read_measures
from napari_crlm_spa.core.pipeline import analyze_to_end
from napari_crlm_spa.core.review import open_review, reader_folder
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.spatial.interface import RESEARCH_USE_ONLY
from napari_crlm_spa.core.store.interface_files import read_interface
from napari_crlm_spa.core.store.names import (
    FRONT_ZARR,
    INTERFACE_GEOJSON,
    INTERFACE_SENSITIVITY_CSV,
)

#: The painted slide's tiles are 16 µm wide.
SMALL = (
    *("--min-tumor-tiles", "1", "--closing-um", "0", "--smooth-um", "0", "--min-liver-mm2", "0"),
    *("--fill-liver-mm2", "0", "--min-interface-mm", "0", "--min-assessable", "0"),
)
BAND = ("--front-band", "--stride-um", "8", "--half-width-um", "50", "--device", "cpu")


@pytest.fixture
def results(slide, options, tmp_path):
    """Two analyzed slides below one folder."""
    out = tmp_path / "results"
    second = shutil.copy(slide, slide.with_name("second.png"))
    for path in (slide, second):
        analyze_to_end(path, out, dataclasses.replace(options, fresh=True))
    return out


def rows(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_each_slide_gets_a_row_that_agree_can_read(run, results, tmp_path):  # noqa: F811
    table = tmp_path / "interfaces.csv"
    code, out, _ = run("hgp", "measure", results, "-o", table, *SMALL)
    assert code == 0
    assert RESEARCH_USE_ONLY in out
    frame = read_measures(table).frame
    assert list(frame["slide"]) == ["painted.png", "second.png"]
    assert frame[[PCT_D, *MARKERS, "assessable_fraction", "interface_mm"]].notna().all(axis=None)
    for row, name in zip(rows(table), ("painted", "second"), strict=True):
        written = read_interface(results / name)
        assert float(row["pct_D"]) == pytest.approx(written["summary"]["pct_D"], abs=1e-3)
        assert row["call_strict"] == written["calls"]["strict"]["call"]
        assert row["map"] == written["map"] == "analysis"
        assert (results / name / INTERFACE_GEOJSON).exists()


def test_what_each_limit_does_is_written_on_request_and_not_left_behind(run, results):  # noqa: F811
    folder = results / "painted"
    assert run("hgp", "measure", folder, *SMALL, "--sensitivity")[0] == 0
    varied = rows(folder / INTERFACE_SENSITIVITY_CSV)
    assert varied[0]["parameter"] == "as it is"
    assert float(varied[0]["pct_D"]) == pytest.approx(
        read_interface(folder)["summary"]["pct_D"], abs=1e-3
    )
    assert {("contact_tiles", "halved"), ("contact_tiles", "doubled")} <= {
        (row["parameter"], row["change"]) for row in varied
    }
    assert run("hgp", "measure", folder, *SMALL)[0] == 0
    assert not (folder / INTERFACE_SENSITIVITY_CSV).exists()


def test_tiles_and_time_are_told_before_the_band_is_looked_at(
    run,  # noqa: F811
    results,
    tmp_path,
):
    table = tmp_path / "interfaces.csv"
    code, _, err = run("hgp", "measure", results / "painted", "-o", table, *SMALL, *BAND)
    assert code == 0
    assert "tiles at 8 µm along" in err
    assert "at the analysis's speed" in err
    assert rows(table)[0]["map"] == "front band"
    assert float(rows(table)[0]["stride_um"]) == 8.0
    assert (results / "painted" / FRONT_ZARR).is_dir()


def test_a_slide_that_cannot_be_measured_does_not_stop_the_others(
    run,  # noqa: F811
    results,
    tmp_path,
):
    shutil.rmtree(results / "painted" / "analysis.zarr")
    table = tmp_path / "interfaces.csv"
    code, _, err = run("hgp", "measure", results, "-o", table, *SMALL)
    assert code == 2
    assert "painted" in err
    broken, whole = rows(table)
    assert "damaged" in broken["error"]
    assert broken["pct_D"] == ""
    assert not whole["error"]
    assert float(whole["pct_D"]) >= 0


def test_a_readers_map_is_measured_and_kept_beside_the_reader(
    run,  # noqa: F811
    results,
    options,
    slide,
    tmp_path,
):
    analysis = analyze_to_end(slide, results, options)
    review = open_review(analysis, load_risk_model(), "Ada")
    stroma = np.argwhere(analysis.tissue_map.mask("STR"))
    review.correct(stroma[:, 0], stroma[:, 1], "HEP")
    table = tmp_path / "ada.csv"
    code, _, err = run("hgp", "measure", results, "--reader", "ada", "-o", table, *SMALL)
    assert code == 0
    corrected, as_classified = rows(table)
    assert corrected["reader"] == "Ada"
    assert float(corrected["pct_N"]) > float(as_classified["pct_N"])
    assert as_classified["reader"] == ""
    assert "ada has corrected nothing here" in err
    assert read_interface(reader_folder(results / "painted", "Ada"))["reader"] == "Ada"
    assert read_interface(results / "painted") is None


def test_a_reader_whom_nobody_knows_is_refused_with_the_names_there_are(
    run,  # noqa: F811
    results,
):
    code, _, err = run("hgp", "measure", results, "--reader", "Bob")
    assert code == 2
    assert "corrections are there by: nobody" in " ".join(err.split())


def test_slides_of_a_patient_are_summed_up_and_what_weakens_a_call_is_flagged(
    run,  # noqa: F811
    results,
    tmp_path,
):
    known, table = tmp_path / "slides.csv", tmp_path / "interfaces.csv"
    known.write_text("Slide;Case;Chemotherapy\npainted;P1;yes\nsecond.png;P1;\n")
    code, out, _ = run("hgp", "measure", results, "-o", table, "--patients", known, *SMALL)
    assert code == 0
    assert "Treated before surgery" in out
    assert "One slide of this patient" not in out
    assert [row["patient"] for row in rows(table)] == ["P1", "P1"]
    assert [row["chemo"] for row in rows(table)] == ["yes", ""]
    [patient] = rows(tmp_path / "interfaces-patients.csv")
    assert (patient["n_slides"], patient["n_measured"], patient["chemo"]) == ("2", "2", "yes")
    lengths = [float(row["interface_mm"]) for row in rows(table)]
    assert float(patient["interface_mm"]) == pytest.approx(sum(lengths), rel=1e-4)
    assert list(read_measures(table).frame["patient"]) == ["P1", "P1"]


def test_one_slide_of_a_patient_is_flagged_on_the_slide_and_the_patient(
    run,  # noqa: F811
    results,
    tmp_path,
):
    known, table = tmp_path / "slides.csv", tmp_path / "interfaces.csv"
    known.write_text("slide,patient\npainted,P1\n")
    code, _, err = run("hgp", "measure", results, "-o", table, "--patients", known, *SMALL)
    assert code == 0
    assert "does not name this slide" in err
    [patient] = rows(tmp_path / "interfaces-patients.csv")
    assert "One slide of this patient" in patient["notes"]
    assert "One slide" in " ".join(read_interface(results / "painted")["notes"])
    assert "One slide" not in " ".join(read_interface(results / "second")["notes"])


def test_a_table_of_other_slides_is_refused(run, results, tmp_path):  # noqa: F811
    known = tmp_path / "slides.csv"
    known.write_text("slide,patient\nelse,P1\n")
    code, _, err = run("hgp", "measure", results, "--patients", known)
    assert code == 2
    assert "names none of these slides" in " ".join(err.split())
