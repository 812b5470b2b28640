"""Write a simulated cohort, marked as such in every file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from napari_crlm_spa.core.cohort.columns import (
    CLINICAL,
    EVENT,
    PATIENT,
    SIMULATED_MARK,
    SLIDE,
    SOFS,
    TIME,
    TUMOR_TILES,
)
from napari_crlm_spa.core.cohort.simulate.draw import TISSUE_TILES, SimulatedCohort
from napari_crlm_spa.core.cohort.simulate.truth import SIMULATED
from napari_crlm_spa.core.cohort.table.folder import COHORT_CSV, write_cohort
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.risk import save_risk_model
from napari_crlm_spa.core.store.names import FEATURES_CSV, RUN_JSON
from napari_crlm_spa.core.store.plain import to_json

if TYPE_CHECKING:
    import pandas as pd

#: Beside the cohort's own files.
TRUTH_JSON = "truth.json"
TRUE_RISK_MODEL_JSON = "true_risk_model.json"
NOTICE_TXT = "SIMULATED.txt"
CLINICAL_CSV = "simulated-clinical.csv"
ANALYSES = "simulated-analyses"


def write_simulated(
    folder: Path | str, simulated: SimulatedCohort, *, analyses: bool = False
) -> list[Path]:
    """Write a simulated cohort as ``cohort build`` would have, with its truth beside it.

    Parameters
    ----------
    folder
        Where; it is made.
    simulated
        The patients.
    analyses
        Also write a folder per slide with features.csv and run.json, and the clinical table, so
        that ``cohort build`` can be tried on them.

    Returns
    -------
    list of Path
        What was written for people to open: notice, cohort, truth, risk model, clinical table,
        folder of analyses.

    Raises
    ------
    FolderNotWritable, DiskFull
        If the files can't be written.
    """
    target = Path(folder)
    notice = target / NOTICE_TXT
    write_text(notice, SIMULATED + "\n")
    written = [notice, write_cohort(target, simulated.cohort()) / COHORT_CSV]
    truth = target / TRUTH_JSON
    write_text(truth, to_json(simulated.record()) + "\n")
    written.append(truth)
    if simulated.truth.has_risk_model:
        model = target / TRUE_RISK_MODEL_JSON
        save_risk_model(simulated.truth.true_risk_model(), model)
        written.append(model)
    if analyses:
        written += [_write_clinical(target, simulated), _write_analyses(target, simulated)]
    return written


def _write_clinical(folder: Path, simulated: SimulatedCohort) -> Path:
    """Write the hospital's side: a row per slide with its patient, follow-up, clinical columns."""
    columns = [PATIENT, TIME, EVENT, *CLINICAL, SIMULATED_MARK]
    patients = simulated.frame[columns]
    rows = simulated.slides[[PATIENT, SLIDE]].merge(patients, on=PATIENT, how="left", sort=False)
    path = folder / CLINICAL_CSV
    write_text(path, rows.to_csv(index=False, lineterminator="\n"))
    return path


def _write_analyses(folder: Path, simulated: SimulatedCohort) -> Path:
    target = folder / ANALYSES
    columns = [SLIDE, *SOFS, TISSUE_TILES, TUMOR_TILES]
    table = simulated.slides[columns].assign(refusal="", **{SIMULATED_MARK: 1})
    for place, name in enumerate(table[SLIDE]):
        _write_analysis(target / str(name), table.iloc[[place]])
    return target


def _write_analysis(folder: Path, row: pd.DataFrame) -> None:
    slide = str(row[SLIDE].iloc[0])
    text = row.assign(**{SLIDE: f"{slide}.svs"}).to_csv(index=False, lineterminator="\n")
    write_text(folder / FEATURES_CSV, text)
    # No model and no pixels stand behind these numbers; whoever reads the record learns that.
    run = {
        SIMULATED_MARK: True,
        "statement": SIMULATED,
        "slide": {"path": f"{slide}.svs", "fingerprint": f"simulated-{slide}"},
        "model": {"name": SIMULATED_MARK},
        "options": {},
    }
    write_text(folder / RUN_JSON, json.dumps(run, indent=2) + "\n")
