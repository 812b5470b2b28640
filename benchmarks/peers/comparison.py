"""All programs on the same slide with the same weights, in turns, and the tables so far."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import re
import shutil
import sys
import tempfile
from pathlib import Path

import psutil
import same_weights
import torch
from contenders import RESNET, TINY, Contender, contenders
from measure import Run, RunFailedError, run
from table import Row, section
from venvs import BASE, CannotBuildError, Environments, version

from napari_crlm_spa.core.slide import open_slide

_HERE = Path(__file__).parent
_TITLES = {TINY: "A tiny network: the work around it", RESNET: "ResNet-50: the whole job"}
_STAINS = {"macenko": "with Macenko", "none": "without stain normalization"}
_NOTE = """\
CPU seconds, tiles/s and their ratios leave out the start-up (imports, loading of the network),
which has a column of its own. Runs of each, taken in turns: {repeats}; median (range). *Further
1000*: what the slide costs beyond a small part of it, that is without the price of a slide, such
as a report. The peers estimate the stain in every tile, as `--stain per_tile` does. Each program
finds the tissue in its own way, so the numbers of tiles differ. With the tiny network torch has
one thread in every program: more would only wait for each other, most of all in the peers'
Macenko. Ours also computes and writes tissue map, spatial features, risk and report. *Classes as
ours*: common share of the histograms of classes.
"""


class Comparison:
    """Runs everything; what is known so far is always in the file that was asked for."""

    def __init__(self, options: argparse.Namespace, environments: Environments) -> None:
        self._options = options
        self._environments = environments
        self._cache: Path = options.cache.resolve()
        with open_slide(options.slide, mpp=options.mpp) as slide:
            info = slide.info
            self._mpp = info.known_pixel_size().mpp
            self._slide_id = info.fingerprint[:12]
            self._size = f"{info.width_px} x {info.height_px} px at {self._mpp:.3g} µm/px"
        self._tables: dict[str, list[Row]] = {}

    def compare(self) -> str:
        """Run all; return the Markdown."""
        for network in self._options.networks:
            slide, model = self._given(network)
            for stain in self._options.stains:
                self._compare(network, stain, slide, model)
        return self._text()

    def _given(self, network: str) -> tuple[Path, Path]:
        slide, trained = self._options.slide, self._options.model
        models = self._cache / "models"
        if network == RESNET and self._options.crop_px:
            slide = self._crop(self._options.crop_px)
        if network == RESNET and trained:
            return slide, same_weights.trained_model(models, trained, slide, self._mpp)
        folder = models / f"{self._slide_id}-{network}"
        return slide, same_weights.random_model(folder, network, slide, self._mpp)

    def _crop(self, side_px: int) -> Path:
        target = self._cache / "slides" / f"{self._slide_id}-{side_px}.tif"
        return same_weights.crop(self._options.slide, target, side_px, self._mpp)

    def _compare(self, network: str, stain: str, slide: Path, model: Path) -> None:
        macenko, only = stain == "macenko", self._options.only
        wanted = [
            contender
            for contender in contenders(network, macenko, self._options.precisions)
            if contender.ours or not only or contender.environment in only
        ]
        rows = [Row(each.name, each.ours, problem=each.lacks) for each in wanted]
        self._tables[f"{_TITLES[network]}, {_STAINS[stain]}"] = rows
        given = ["--model", model, *["--macenko"] * macenko]
        small_px = self._options.small_px if network == TINY else 0
        small = self._crop(small_px) if small_px else None
        for number in range(1, self._options.repeats + 1):
            for contender, row in zip(wanted, rows, strict=True):
                if row.problem:
                    continue
                label = f"{network}, {stain}, {contender.name}, run {number}"
                try:
                    row.runs.append(self._run(contender, slide, given, network, label))
                    if small:
                        label += ", small part"
                        row.small.append(self._run(contender, small, given, network, label))
                except (CannotBuildError, RunFailedError) as error:
                    row.problem = str(error)
                    row.runs.clear()
                    row.small.clear()
                    _say(f"{label}: {error}")
                self._keep()

    def _run(
        self, contender: Contender, slide: Path, given: list[object], network: str, label: str
    ) -> Run:
        python = sys.executable
        if not contender.ours:
            python = str(self._environments.interpreter(contender.environment))
        options = self._options
        self._cache.mkdir(parents=True, exist_ok=True)
        scratch = tempfile.mkdtemp(dir=self._cache, prefix="run-")
        command = [python, _HERE / f"run_{contender.script}.py", *given]
        command += ["--slide", slide, "--out", scratch, "--mpp", self._mpp]
        command += ["--device", options.device, "--workers", options.workers]
        log = self._cache / "logs" / f"{re.sub(r'[^a-zA-Z0-9.]+', '-', label)}.log"
        try:
            command += contender.flags
            done = run(command, self._variables(network), log, 60 * options.timeout_min)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        _say(
            f"{label}: {done.work_cpu_s_per_1000:.2f} CPU s / 1000 tiles, "
            f"{done.tiles_per_s:.1f} tiles/s, {done.peak_mb:.0f} MB"
        )
        return done

    def _variables(self, network: str) -> dict[str, str]:
        variables = {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "COLUMNS": "200"}
        threads = self._options.threads or (1 if network == TINY else None)
        if threads:
            variables["OMP_NUM_THREADS"] = str(threads)
        if self._options.device == "cpu":
            variables["CUDA_VISIBLE_DEVICES"] = ""
        return variables

    def _keep(self) -> None:
        raw = {
            title: [dataclasses.asdict(row) for row in rows] for title, rows in self._tables.items()
        }
        (self._cache / "peers.json").write_text(json.dumps(raw, indent=1), "utf-8")
        if self._options.out:
            self._options.out.parent.mkdir(parents=True, exist_ok=True)
            self._options.out.write_text(self._text(), "utf-8")

    def _text(self) -> str:
        options = self._options
        slide = f"{options.slide.name}, {self._size}"
        if RESNET in options.networks and options.crop_px:
            slide += f"; for ResNet-50 a part {options.crop_px} px wide"
        parts = [
            f"Slide: {slide}.  ",
            f"Machine: {_machine()}; device {options.device}.  ",
            f"torch {torch.__version__} in ours, {version(BASE, 'torch')} in the peers'.",
            "",
            _NOTE.format(repeats=options.repeats),
        ]
        parts += [section(title, rows) for title, rows in self._tables.items()]
        return "\n".join(parts)


def _machine() -> str:
    memory_gb = psutil.virtual_memory().total / 1e9
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, "
        f"load average {os.getloadavg()[0]:.1f} at the end"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
