"""The comparison as Markdown: medians and ranges, ratios to ours, stages of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from measure import Run

_HEAD = (
    "program",
    "tiles",
    "CPU s / 1000 tiles",
    "CPU s / further 1000",
    "tiles/s",
    "peak MB",
    "start-up CPU s",
    "with start-up, CPU s / 1000",
    "CPU, ours = 1",
    "tiles/s, ours = 1",
    "classes as ours",
)


@dataclass
class Row:
    """One program; either `runs` or a `problem`.

    `small` are runs on a small part of the slide: what the whole slide costs beyond them is the
    price of a tile without that of a slide.
    """

    name: str
    ours: bool
    runs: list[Run] = field(default_factory=list)
    small: list[Run] = field(default_factory=list)
    problem: str = ""


def section(title: str, rows: Sequence[Row]) -> str:
    """Return a heading, the table and, where it can be said, how far the best peer is behind.

    The first row that worked of ours is the measure of all others.
    """
    measured = [row for row in rows if row.runs]
    own = next((row for row in measured if row.ours), None)
    lines = [f"### {title}", "", _line(_HEAD), _line(["---"] * len(_HEAD))]
    lines += [_line(_cells(row, own)) for row in rows]
    peers = [row for row in measured if not row.ours]
    lines.append("")
    for row in measured:
        if row.ours:
            lines.append(_stages(row))
            if peers:
                lines.append(_verdict(row, peers))
    return "\n".join(lines) + "\n"


def _cells(row: Row, own: Row | None) -> list[str]:
    if not row.runs:
        return [row.name, f"not measured: {_plain(row.problem)}", *[""] * (len(_HEAD) - 2)]
    cells = [
        row.name,
        f"{row.runs[0].tiles}",
        _spread(row, lambda run: run.work_cpu_s_per_1000),
        _further(row),
        _spread(row, lambda run: run.tiles_per_s),
        f"{max(run.peak_mb for run in row.runs):.0f}",
        f"{_middle(row, lambda run: run.setup_cpu_s):.1f}",
        f"{_middle(row, lambda run: run.cpu_s_per_1000):.1f}",
    ]
    if own is None:
        return [*cells, "", "", ""]
    return [
        *cells,
        f"{_work(row) / _work(own):.2f}",
        f"{_speed(row) / _speed(own):.2f}",
        f"{_overlap(row.runs[0].classes, own.runs[0].classes):.0%}",
    ]


def _verdict(own: Row, peers: Sequence[Row]) -> str:
    thrifty, quick = min(peers, key=_work), max(peers, key=_speed)
    return (
        f"- {own.name}: {_work(thrifty) / _work(own):.1f} times less CPU than the thriftiest peer "
        f"({thrifty.name}), {_speed(own) / _speed(quick):.1f} times the tiles/s of the quickest "
        f"({quick.name})."
    )


def _stages(own: Row) -> str:
    seconds = own.runs[0].stages
    parts = [
        f"{name} {_middle(own, lambda run, name=name: run.stages.get(name, 0.0)):.1f}"
        for name in seconds
    ]
    return f"- {own.name}, seconds of wall clock: {', '.join(parts)}."


def _further(row: Row) -> str:
    if not row.small:
        return ""
    tiles = row.runs[0].tiles - row.small[0].tiles
    cpu_s = _middle(row, _work_cpu_s) - median(map(_work_cpu_s, row.small))
    return f"{1000 * cpu_s / tiles:.2f}" if tiles > 0 else ""


def _work_cpu_s(run: Run) -> float:
    return run.cpu_s - run.setup_cpu_s


def _work(row: Row) -> float:
    return _middle(row, lambda run: run.work_cpu_s_per_1000)


def _speed(row: Row) -> float:
    return _middle(row, lambda run: run.tiles_per_s)


def _middle(row: Row, value: Callable[[Run], float]) -> float:
    return median(value(run) for run in row.runs)


def _spread(row: Row, value: Callable[[Run], float]) -> str:
    values = [value(run) for run in row.runs]
    return f"{median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def _overlap(some: dict[str, int], others: dict[str, int]) -> float:
    """Return the common share of two histograms, each scaled to 1."""
    mine, yours = sum(some.values()), sum(others.values())
    return sum(
        min(some.get(code, 0) / mine, others.get(code, 0) / yours) for code in {*some, *others}
    )


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
