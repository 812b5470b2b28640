"""Ours: ``crlm-spa analyze``, run in this process so that its imports can be told apart.

Its work is more than the peers': tissue map, spatial features, risk and report are written too.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import tempfile
from pathlib import Path

import napari_crlm_spa.cli  # noqa: F401 - before torch, as the command line does

# isort: split
import peer

import napari_crlm_spa.cli.main as command_line
from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.store import load_analysis

#: The command line imports these when it needs them; the peers import all at the start.
_LATER = (
    "napari_crlm_spa.core.classifier.fused",
    "napari_crlm_spa.core.classifier.runtime",
    "napari_crlm_spa.core.pipeline.classify",
    "napari_crlm_spa.core.report.html",
    "napari_crlm_spa.core.report.picture",
    "napari_crlm_spa.core.slide.openslide_slide",
    "matplotlib.backends.backend_agg",
    "numba",
    "sklearn.mixture",
    "zarr",
)


def main() -> None:
    for name in _LATER:
        importlib.import_module(name)
    job = peer.read_job()
    out = tempfile.mkdtemp(dir=job.out)
    arguments = ["analyze", job.slide, "-o", out, "--model", job.model, "--mpp", job.mpp]
    arguments += ["--device", job.device, *job.extra]
    sys.argv = ["crlm-spa", *map(str, arguments)]
    peer.work_begins()
    with contextlib.redirect_stdout(sys.stderr):
        try:
            command_line.main()
        except SystemExit as ended:
            if ended.code:
                raise
    analysis = load_analysis(next(Path(out).iterdir()))
    codes = analysis.tissue_map.classes
    computed = analysis.run.get("precision", {})
    engine = computed.get("engine") or {}
    used = {"precision": computed.get("used"), "engine": engine.get("used")}
    peer.report(
        codes[codes != NOT_CLASSIFIED] - 1,
        stages=analysis.run["seconds"],
        used={key: value for key, value in used.items() if value},
    )


if __name__ == "__main__":
    main()
