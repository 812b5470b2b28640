"""The comparison with one network in words: what was run on what, the tables, the goals."""

from __future__ import annotations

import argparse
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil
import torch
from contenders import RESNET, TINY
from goals import goals_table
from table import Row, section
from venvs import BASE, version

_TITLES = {TINY: "A tiny network: the work around it", RESNET: "ResNet-50: the whole job"}
_STAINS = {"macenko": "With Macenko", "none": "Without stain normalization"}
_NOTE = """\
CPU seconds, tiles/s and their ratios leave out the start-up (imports, loading of the network),
which has a column of its own. Runs of each, in turns: {repeats}; median (range). The peers
estimate the stain in every tile, as `--stain per_tile` does. Each program finds the tissue in its
own way, so the numbers of tiles differ. Ours also computes and writes tissue map, spatial
features, risk and report. *Classes as ours*: common share of the histograms of classes. WSInfer
has no Macenko.
"""
_TINY_NOTE = """\
More than one thread would only wait for each other with so small a network. *Further 1000*: what
the slide costs beyond a small part of it, that is without the price of a slide, such as a report.
"""
_RESNET_NOTE = """\
The peers get a part of the slide, {crop} px wide, since the whole would take them hours; what
they spend grows with the tiles. Ours gets the same part in 32 bits. Its quick formats get the
whole slide (*whole slide*), since they are calibrated and checked once a slide on up to 132 tiles,
which is counted here.
"""


def text_of(
    network: str,
    rows_of: Mapping[str, Sequence[Row]],
    slide: str,
    threads: int,
    options: argparse.Namespace,
) -> str:
    """Return what there is to say of one network, as Markdown."""
    note = _TINY_NOTE if network == TINY else ""
    if network == RESNET and options.crop_px:
        note = _RESNET_NOTE.format(crop=options.crop_px)
    weights = "trained weights" if network == RESNET and options.model else "random weights"
    parts = [
        f"### {_TITLES[network]}",
        "",
        f"Slide: {slide}; {weights}, the same for all.  ",
        f"Machine: {_machine()}.  ",
        f"Device {options.device}; torch has {threads} thread(s) in every program.  ",
        f"torch {torch.__version__} in ours, {version(BASE, 'torch')} in the peers'.",
        "",
        _NOTE.format(repeats=options.repeats) + note,
        goals_table(network, rows_of),
    ]
    return "\n".join(parts + [section(_STAINS[stain], rows) for stain, rows in rows_of.items()])


def _machine() -> str:
    memory_gb = psutil.virtual_memory().total / 1e9
    return (
        f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB, {platform.system()}, "
        f"load average {os.getloadavg()[0]:.1f} at the end, {datetime.now(UTC):%Y-%m-%d}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
