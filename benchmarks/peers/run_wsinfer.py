"""WSInfer's own command ``wsinfer run``; ``--speedup`` is passed on. It has no Macenko."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sys
import tempfile
from pathlib import Path

import peer
import torch

# The list of published models, which WSInfer downloads as it is imported, stays unused.
import wsinfer_zoo.client as zoo

zoo.load_registry = lambda *_: zoo.ModelRegistry(models={})

from wsinfer.cli.cli import cli  # noqa: E402


def main() -> None:
    job = peer.read_job()
    network = peer.load_network(job)
    scratch = Path(tempfile.mkdtemp(dir=job.out))
    slides, results = scratch / "slides", scratch / "results"
    slides.mkdir()
    (slides / job.slide.name).symlink_to(job.slide.resolve())
    example = torch.zeros(1, 3, job.card["tile_px"], job.card["tile_px"])
    torch.jit.trace(network.cpu(), example).save(scratch / "model.pt")
    (scratch / "config.json").write_text(json.dumps(_config(job)), "utf-8")
    if job.device == "cpu":
        os.environ["WSINFER_FORCE_CPU"] = "1"
    arguments = ["run", "-i", slides, "-o", results, "-c", scratch / "config.json"]
    arguments += ["-p", scratch / "model.pt", "-b", job.batch_size, "-n", job.workers, *job.extra]
    peer.work_begins()
    with contextlib.redirect_stdout(sys.stderr):
        cli([str(argument) for argument in arguments], standalone_mode=False)
    with next((results / "model-outputs-csv").glob("*.csv")).open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    names = job.card["classes"]
    peer.report(
        max(range(len(names)), key=lambda code: float(row[f"prob_{names[code]}"])) for row in rows
    )


def _config(job: peer.Job) -> dict[str, object]:
    card = job.card
    normalization = {"mean": card["normalization"]["mean"], "std": card["normalization"]["std"]}
    return {
        "spec_version": "1.0",
        "architecture": card["architecture"]["name"],
        "num_classes": len(card["classes"]),
        "patch_size_pixels": card["tile_px"],
        "spacing_um_px": card["mpp"],
        "class_names": card["classes"],
        "transform": [
            {"name": "ToTensor"},
            {"name": "Normalize", "arguments": normalization},
        ],
    }


if __name__ == "__main__":
    main()
