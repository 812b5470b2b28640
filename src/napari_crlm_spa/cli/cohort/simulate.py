"""``crlm-spa cohort simulate``: patients who do not exist, with a known truth."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from napari_crlm_spa.cli.flags import with_options
from napari_crlm_spa.cli.progress import console
from napari_crlm_spa.core.cohort.simulate.options import SimulateOptions


@with_options("options", SimulateOptions)
def simulate(
    options: SimulateOptions,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write the cohort into")],
    analyses: Annotated[
        bool,
        typer.Option(
            "--analyses",
            help="Also write a folder per slide and a clinical table, to try cohort build on",
        ),
    ] = False,
) -> None:
    """Draw a cohort of patients who do not exist, in the shape of the paper's.

    The truth that they were drawn from (coefficients, cut-points, survival) is written beside
    them: to learn the program with, and to see whether an analysis finds what is there. Another
    --seed draws other patients from the same truth, for instance to validate on.
    """
    from napari_crlm_spa.core.cohort.simulate import SIMULATED, simulate_cohort
    from napari_crlm_spa.core.cohort.simulate.write import write_simulated

    simulated = simulate_cohort(options)
    written = write_simulated(out, simulated, analyses=analyses)
    console.print(f"[bold yellow]{SIMULATED}[/]")
    follow_up = simulated.survival
    Console().print(
        f"{len(follow_up)} simulated patients, {follow_up.n_events} died. Wrote "
        f"{', '.join(path.name for path in written)} into {out}.",
        soft_wrap=True,
    )
    console.print(f"Go on: crlm-spa cohort fit {out} -o {out}/study", soft_wrap=True)
