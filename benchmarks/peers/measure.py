"""Run a program and measure it with all its children: CPU seconds, wall clock, peak memory."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from peer import RESULT

_SAMPLE_S = 0.25
_REASON_CHARS = 220


class RunFailedError(Exception):
    """A program did not do its work; the text says why."""


@dataclass(frozen=True)
class Run:
    """One run of a program; `used`: what ours computed in."""

    tiles: int
    classes: dict[str, int]
    cpu_s: float
    wall_s: float
    setup_cpu_s: float
    setup_wall_s: float
    peak_mb: float
    stages: dict[str, float]
    used: dict[str, str]

    @property
    def work_cpu_s_per_1000(self) -> float:
        """CPU seconds per 1000 tiles without imports and loading of the network."""
        return 1000 * (self.cpu_s - self.setup_cpu_s) / self.tiles

    @property
    def cpu_s_per_1000(self) -> float:
        """CPU seconds of the whole process per 1000 tiles."""
        return 1000 * self.cpu_s / self.tiles

    @property
    def tiles_per_s(self) -> float:
        """Tiles per second of the wall clock, without imports and loading of the network."""
        return self.tiles / (self.wall_s - self.setup_wall_s)


def run(
    command: Sequence[object], environment: Mapping[str, str], log: Path, timeout_s: float
) -> Run:
    """Run a peer's script to its end.

    Raises
    ------
    RunFailedError
        If it fails, says no result, or takes longer than `timeout_s`.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    began = time.perf_counter()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdout=file,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **environment, "PEER_STARTED": repr(time.time())},
            start_new_session=True,
        )
        memory = _Memory(process.pid)
        alarm = threading.Timer(timeout_s, _end, [process.pid])
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            _end(process.pid)
            raise
        finally:
            expired = alarm.finished.is_set()
            alarm.cancel()
            peak_mb = memory.stop()
    wall_s = time.perf_counter() - began
    said = log.read_text("utf-8", errors="replace")
    if expired:
        raise RunFailedError(f"did not end within {timeout_s / 60:.0f} minutes")
    result = _result(said)
    if status or result is None or not result["tiles"]:
        raise RunFailedError(_reason(said) or f"ended with status {status} (see {log.name})")
    return Run(
        tiles=result["tiles"],
        classes=result["classes"],
        cpu_s=usage.ru_utime + usage.ru_stime,
        wall_s=wall_s,
        setup_cpu_s=result["setup"]["cpu_s"],
        setup_wall_s=result["setup"]["wall_s"],
        peak_mb=peak_mb,
        stages=result.get("stages", {}),
        used=result.get("used", {}),
    )


class _Memory:
    """Samples what a process and its children hold; shared pages are shared out on Linux."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak = pid, 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def stop(self) -> float:
        """Return the peak in megabytes."""
        self._stopped.set()
        self._thread.join()
        return self._peak / 1e6

    def _sample(self) -> None:
        while not self._stopped.wait(_SAMPLE_S):
            try:
                root = psutil.Process(self._pid)
                children = root.children(recursive=True)
                # What is shared is counted out only where it must be: that takes CPU time itself.
                held = sum(map(_held, [root, *children])) if children else root.memory_info().rss
            except psutil.Error:
                continue
            self._peak = max(self._peak, held)


def _held(process: psutil.Process) -> int:
    try:
        memory = process.memory_full_info()
    except psutil.Error:
        return 0
    return int(getattr(memory, "pss", 0) or memory.rss)


def _end(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def _result(said: str) -> dict[str, Any] | None:
    lines = [line for line in said.splitlines() if line.startswith(RESULT)]
    return json.loads(lines[-1].removeprefix(RESULT)) if lines else None


def _reason(said: str) -> str:
    lines = [line.strip(" │╭╰─╮╯") for line in said.splitlines()]
    lines = [line for line in lines if line]
    return lines[-1][:_REASON_CHARS] if lines else ""
