"""A simulated cohort on disk: every analysis reads it, every file says what it is."""

import json

import pandas as pd

from napari_crlm_spa.core.cohort.columns import CLINICAL, SOFS
from napari_crlm_spa.core.cohort.simulate import SIMULATED, SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.simulate.write import write_simulated
from napari_crlm_spa.core.cohort.table import BuildOptions, build_cohort
from napari_crlm_spa.core.cohort.table.folder import read_folder
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.store import read_features


def test_the_cohort_is_read_back_as_it_was_drawn(tmp_path):
    drawn = simulate_cohort(SimulateOptions(n_patients=30))
    write_simulated(tmp_path, drawn)
    read = read_folder(tmp_path)
    pd.testing.assert_frame_equal(read.patients, drawn.frame)
    assert read.name == "simulated cohort (seed 0)"
    assert read.record["simulated"] is True


def test_the_truth_lies_beside_it(tmp_path):
    drawn = simulate_cohort(SimulateOptions(n_patients=30, seed=2))
    write_simulated(tmp_path, drawn)
    truth = json.loads((tmp_path / "truth.json").read_text("utf-8"))
    assert truth["sof_coefficients"]["Overall_Debris_ratio"] == 0.432
    assert truth["seed"] == 2
    assert set(truth["cutpoints"]) == set(SOFS)
    model = load_risk_model(tmp_path / "true_risk_model.json")
    assert {f.column: f.cutoff for f in model.features}.items() <= truth["cutpoints"].items()
    assert SIMULATED in model.source


def test_every_file_says_that_it_is_simulated(tmp_path):
    write_simulated(tmp_path, simulate_cohort(SimulateOptions(n_patients=12)), analyses=True)
    for path in (p for p in tmp_path.rglob("*") if p.is_file() and p.name != "problems.csv"):
        assert "simulated" in path.read_text("utf-8").lower(), path.name


def test_analyses_hold_the_slides_features(tmp_path):
    drawn = simulate_cohort(SimulateOptions(n_patients=12, slides_per_patient=2))
    write_simulated(tmp_path, drawn, analyses=True)
    folders = sorted((tmp_path / "simulated-analyses").iterdir())
    assert len(folders) == 24
    row = drawn.slides.set_index("slide").loc[folders[5].name]
    assert read_features(folders[5]) == {name: row[name] for name in SOFS}
    clinical = pd.read_csv(tmp_path / "simulated-clinical.csv")
    assert len(clinical) == 24
    assert not set(SOFS) & set(clinical)


def test_cohort_build_makes_the_same_patients_of_the_analyses(tmp_path):
    """The whole way: folders of slides and a clinical table, two slides a patient."""
    drawn = simulate_cohort(SimulateOptions(n_patients=25, slides_per_patient=2))
    write_simulated(tmp_path, drawn, analyses=True)
    work = build_cohort(
        [tmp_path / "simulated-analyses"], tmp_path / "simulated-clinical.csv", BuildOptions()
    )
    while True:
        try:
            next(work)
        except StopIteration as end:
            built = end.value
            break
    assert not [each for each in built.problems if each.severity == "error"]
    columns = ["patient", "os.time", "os.event", *CLINICAL, *SOFS, "simulated"]
    pd.testing.assert_frame_equal(built.patients[columns], drawn.frame[columns])
