"""Ours: ``crlm-spa analyze``, run in this process so that its imports can be told apart.

Its work is more than the peers': tissue map, spatial features, risk and report are written too.
"""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import peer

import napari_crlm_spa.cli.main as command_line
import napari_crlm_spa.core.classifier.inference
import napari_crlm_spa.core.classifier.network  # noqa: F401 - torch
from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.store import load_analysis


def main() -> None:
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
    peer.report(codes[codes != NOT_CLASSIFIED] - 1, stages=analysis.run["seconds"])


if __name__ == "__main__":
    main()
