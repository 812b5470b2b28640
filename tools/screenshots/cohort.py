"""The dock of a cohort: simulated patients, some of whom have the drawn slides."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
from tools.screenshots.desk import Desk

from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.table import Cohort, write_cohort
from napari_crlm_spa.plugin.widgets.cohort.fit_box import fit

PATIENTS, SEED = 200, 0
#: Who has which of the drawn slides, whose results an earlier walk has left.
DRAWN = {4: "case-01", 6: "case-02"}
SHOWN = 4
READ_OUT_MONTHS = 48.0


def walk(slides: Path, out: Path) -> None:
    folder = _made(slides)
    desk = Desk(out)
    desk.panel.show_cohort()
    cohort = desk.viewer.window.dock_widgets["CRLM-SPA cohort (napari-crlm-spa)"]
    cohort.open_page = lambda _page: None
    cohort.open_path(folder / "study")
    desk.until(lambda: cohort.cohort is not None)
    desk.wait(1)
    cohort.list.look_at(SHOWN)
    desk.click(cohort.list.open_button)
    desk.ready()
    cohort.come_forward()
    cohort.message.clear()
    cohort.curves.canvas.point_at(READ_OUT_MONTHS)
    desk.picture("cohort")
    cohort.curves.choose("combined")
    desk.picture("cohort-combined", cohort)
    cohort.tabs.setCurrentWidget(cohort.neighbors)
    desk.picture("cohort-neighbors", cohort)
    cohort.show_build()
    desk.picture("cohort-build", cohort)
    desk.close()


def _made(slides: Path) -> Path:
    """Write a cohort and its study, as ``cohort simulate`` and ``cohort fit`` would."""
    folder = Path("cohort").absolute()
    shutil.rmtree(folder, ignore_errors=True)
    simulated = simulate_cohort(SimulateOptions(n_patients=PATIENTS, seed=SEED))
    table = simulated.slides.assign(slide_path="", analysis_folder="", reader="", left_out="")
    table = table.assign(used=True)
    for row, case in DRAWN.items():
        mine = table.index[table["patient"] == simulated.frame["patient"][row]][0]
        table.loc[mine, ["slide", "slide_path", "analysis_folder"]] = [
            case,
            str(slides / f"{case}.tif"),
            str(Path("results", case).absolute()),
        ]
    plain = simulated.cohort()
    cohort = Cohort(plain.name, plain.patients, plain.flow, slides=pd.DataFrame(table))
    write_cohort(folder / "cohort", cohort)
    for _ in fit(cohort, folder / "cohort", folder / "study", _options()):
        pass
    return folder


def _options():
    from napari_crlm_spa.core.cohort.study.fit import FitOptions

    return FitOptions()
