"""All programs on the same slide with the same weights, in turns, and the tables so far."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import same_weights
from contenders import RESNET, TINY, Contender, contenders
from describe import text_of
from document import around_markers, put_between_markers
from measure import Run, RunFailedError, run
from plan import Durations, Turn
from table import Row
from venvs import CannotBuildError, Environments

from napari_crlm_spa.core.slide import open_slide

_HERE = Path(__file__).parent


class Comparison:
    """Runs everything; what is known so far is always in the file that was asked for.

    Parameters
    ----------
    options
        The flags.
    environments
        Where the peers' interpreters come from.
    say
        Is told what happens.
    """

    def __init__(
        self, options: argparse.Namespace, environments: Environments, say: Callable[[str], None]
    ) -> None:
        self._options = options
        self._environments = environments
        self._say = say
        self._cache: Path = options.cache.resolve()
        self._cache.mkdir(parents=True, exist_ok=True)
        with open_slide(options.slide, mpp=options.mpp) as slide:
            info = slide.info
            self._mpp = info.known_pixel_size().mpp
            self._slide_id = info.fingerprint[:12]
            self._size = f"{info.width_px} x {info.height_px} px at {self._mpp:.3g} µm/px"
        #: By network, by stain.
        self._rows: dict[str, dict[str, list[Row]]] = {}

    def compare(self) -> str:
        """Run all; return the Markdown."""
        if self._options.docs:
            for network in self._options.networks:
                around_markers(self._options.docs, _marker(network))
        turns = [turn for network in self._options.networks for turn in self._turns(network)]
        durations = Durations(self._cache / "durations.json")
        self._say(durations.left(turns))
        for number, turn in enumerate(turns, 1):
            if turn.row.problem:
                continue
            began = time.perf_counter()
            try:
                done = self._run(turn)
            except (CannotBuildError, RunFailedError) as error:
                turn.row.problem = str(error)
                turn.row.runs.clear()
                turn.row.small.clear()
                self._say(f"{turn.label}: {error}")
            else:
                (turn.row.small if turn.small else turn.row.runs).append(done)
                durations.note(turn, time.perf_counter() - began)
                to_go = [each for each in turns[number:] if not each.row.problem]
                self._say(
                    f"{turn.label}: {done.work_cpu_s_per_1000:.2f} CPU s / 1000 tiles, "
                    f"{done.tiles_per_s:.1f} tiles/s, {done.peak_mb:.0f} MB; "
                    f"{durations.left(to_go)}"
                )
            self._keep(turn.network)
        return "\n".join(map(self._text, self._options.networks))

    def _turns(self, network: str) -> list[Turn]:
        options = self._options
        slide, model = self._given(network)
        small = self._crop(options.small_px) if network == TINY and options.small_px else None
        rows_of = self._rows[network] = {}
        turns = []
        for stain in options.stains:
            wanted = [
                contender
                for contender in contenders(network, stain == "macenko", options.precisions)
                if contender.ours or not options.only or contender.environment in options.only
            ]
            rows_of[stain] = [
                Row(each.name, each.ours, each.precision, each.engine, problem=each.lacks)
                for each in wanted
            ]
            turns += [
                Turn(network, stain, contender, row, part, model, part is small, number)
                for number in range(1, options.repeats + 1)
                for contender, row in zip(wanted, rows_of[stain], strict=True)
                for part in (options.slide if contender.whole else slide, small)
                if part is not None and not row.problem
            ]
        return turns

    def _given(self, network: str) -> tuple[Path, Path]:
        whole, trained = self._options.slide, self._options.model
        crop_px = self._options.crop_px if network == RESNET else 0
        part = self._crop(crop_px) if crop_px else whole
        models = self._cache / "models"
        if network == RESNET and trained:
            return part, same_weights.trained_model(models, trained, whole, self._mpp)
        folder = models / f"{self._slide_id}-{network}"
        return part, same_weights.random_model(folder, network, whole, self._mpp)

    def _crop(self, side_px: int) -> Path:
        target = self._cache / "slides" / f"{self._slide_id}-{side_px}.tif"
        return same_weights.crop(self._options.slide, target, side_px, self._mpp)

    def _run(self, turn: Turn) -> Run:
        options = self._options
        scratch = tempfile.mkdtemp(dir=self._cache, prefix="run-")
        contender = turn.contender
        command = [self._python(contender), _HERE / f"run_{contender.script}.py"]
        command += ["--model", turn.model, *["--macenko"] * (turn.stain == "macenko")]
        command += ["--slide", turn.slide, "--out", scratch, "--mpp", self._mpp]
        command += ["--device", options.device, "--workers", options.workers, *contender.flags]
        log = self._cache / "logs" / f"{re.sub(r'[^a-zA-Z0-9.]+', '-', turn.label)}.log"
        try:
            return run(command, self._variables(turn.network), log, 60 * options.timeout_min)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _python(self, contender: Contender) -> str:
        if contender.environment:
            return str(self._environments.interpreter(contender.environment))
        return sys.executable

    def _variables(self, network: str) -> dict[str, str]:
        variables = {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1", "COLUMNS": "200"}
        variables["OMP_NUM_THREADS"] = str(self._threads(network))
        if self._options.device == "cpu":
            variables["CUDA_VISIBLE_DEVICES"] = ""
        return variables

    def _threads(self, network: str) -> int:
        return self._options.threads or (1 if network == TINY else os.cpu_count() or 1)

    def _keep(self, network: str) -> None:
        raw = {
            name: {stain: [dataclasses.asdict(row) for row in rows] for stain, rows in of.items()}
            for name, of in self._rows.items()
        }
        (self._cache / "peers.json").write_text(json.dumps(raw, indent=1), "utf-8")
        if self._options.docs:
            put_between_markers(self._options.docs, _marker(network), self._text(network))
        if self._options.out:
            self._options.out.parent.mkdir(parents=True, exist_ok=True)
            texts = map(self._text, self._rows)
            self._options.out.write_text("\n".join(texts), "utf-8")

    def _text(self, network: str) -> str:
        slide = f"{self._options.slide.name}, {self._size}"
        return text_of(network, self._rows[network], slide, self._threads(network), self._options)


def _marker(network: str) -> str:
    return f"peers {network}"
