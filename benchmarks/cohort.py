"""How long the analysis of a cohort takes: everything, then each resampling.

    python benchmarks/cohort.py [patients]

A simulated cohort with the 20 spatial features and all clinical columns (500 patients if not
given). "fit" is all of ``crlm-spa cohort fit`` but the start of Python: cut-offs with exact p
values, models, curves, prediction, tables, figures, report. Limits: fit 20 s, 1000 resamples of the
calibration 60 s, on 2 cores.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

from napari_crlm_spa.core.cohort.simulate import SimulateOptions, simulate_cohort
from napari_crlm_spa.core.cohort.study.fit import FitOptions, fit_cohort
from napari_crlm_spa.core.cohort.study.folder import write_study
from napari_crlm_spa.core.cohort.study.options import StudyOptions


def finished(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def timed(name, limit, work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    print(f"{name:<44}{wall:8.1f} s wall{cpu:8.1f} s CPU{limit:>12}")
    return result


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    cohort = simulate_cohort(SimulateOptions(n_patients=n, seed=1)).cohort()
    events = cohort.survival.n_events
    print(f"{n} patients, {events} deaths, 20 spatial features, {os.cpu_count()} cores")

    def fit(**study):
        options = FitOptions(study=StudyOptions(**study))
        return lambda: finished(fit_cohort(cohort, options))

    study = timed("fit, tables", "", fit())
    with tempfile.TemporaryDirectory() as folder:

        def report():
            from napari_crlm_spa.core.report.cohort import write_cohort_report

            write_study(Path(folder), study)
            write_cohort_report(Path(folder), study)

        timed("files, figures, report", "fit: 20 s", report)
    timed("fit with 1000 resamples of the calibration", "60 s", fit(calibration_resamples=1000))
    timed("fit with 1000 resamples of the cut-offs", "", fit(stability_resamples=1000))
    timed("fit with 1 repeat of cross-validation", "", fit(cv_repeats=1))


if __name__ == "__main__":
    main()
