"""The comparison as Markdown: medians and ranges, ratios to the peers, stages of ours."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from statistics import median

from contenders import REFERENCE_PEER
from measure import Run

_HEAD = (
    "program",
    "tiles",
    "CPU s / 1000 tiles",
    "CPU s / further 1000",
    "tiles/s",
    "peak MB",
    "start-up CPU s",
    f"CPU: {REFERENCE_PEER} / this",
    "CPU: best peer / this",
    f"tiles/s: this / {REFERENCE_PEER}",
    "tiles/s: this / best peer",
    "classes as ours",
)


@dataclass
class Row:
    """One program; either `runs` or a `problem`.

    `small` are runs on a small part of the slide: what the whole slide costs beyond them is the
    price of a tile without that of a slide. `precision` is what was asked of ours.
    """

    name: str
    ours: bool
    precision: str = ""
    engine: str = ""
    runs: list[Run] = field(default_factory=list)
    small: list[Run] = field(default_factory=list)
    problem: str = ""

    @property
    def title(self) -> str:
        """The name, and what ours computed in where that is not what was asked."""
        used = self.runs[0].used if self.runs else {}
        asked = {"precision": self.precision, "engine": self.engine}
        other = [value for key, value in used.items() if asked.get(key) and value != asked[key]]
        return f"{self.name} (fell back to {', '.join(other)})" if other else self.name

    @property
    def cpu_s_per_1000(self) -> float:
        """CPU seconds per 1000 tiles without the start-up, the median."""
        return median(run.work_cpu_s_per_1000 for run in self.runs)

    @property
    def tiles_per_s(self) -> float:
        """Tiles per second of the wall clock without the start-up, the median."""
        return median(run.tiles_per_s for run in self.runs)

    @property
    def cpu_s_per_further_1000(self) -> float | None:
        """CPU seconds per 1000 tiles beyond the small part; None where that was not run."""
        tiles = self.runs[0].tiles - self.small[0].tiles if self.small else 0
        if tiles <= 0:
            return None
        spent = median(map(_work_cpu_s, self.runs)) - median(map(_work_cpu_s, self.small))
        return 1000 * spent / tiles


@dataclass(frozen=True)
class Peers:
    """What ours is measured against: the named peer, the thriftiest and the quickest."""

    named: Row | None
    thriftiest: Row
    quickest: Row


def peers_of(rows: Sequence[Row]) -> Peers | None:
    """Return the peers that worked; None if none did."""
    peers = [row for row in rows if row.runs and not row.ours]
    if not peers:
        return None
    named = next((row for row in peers if row.name.startswith(REFERENCE_PEER)), None)
    thriftiest = min(peers, key=lambda row: row.cpu_s_per_1000)
    return Peers(named, thriftiest, max(peers, key=lambda row: row.tiles_per_s))


def section(title: str, rows: Sequence[Row]) -> str:
    """Return a heading, the table, the best peers and the stages of ours."""
    own = next((row for row in rows if row.ours and row.runs), None)
    peers = peers_of(rows)
    lines = [f"#### {title}", "", line(_HEAD), line(["---"] * len(_HEAD))]
    lines += [line(_cells(row, own, peers)) for row in rows]
    lines.append("")
    if peers:
        lines.append(
            f"- Best peers: {peers.thriftiest.name} in CPU, {peers.quickest.name} in tiles/s."
        )
    lines += [_stages(row) for row in rows if row.ours and row.runs]
    return "\n".join(lines) + "\n"


def line(cells: Sequence[str]) -> str:
    """Return a line of a Markdown table."""
    return "| " + " | ".join(cells) + " |"


def _cells(row: Row, own: Row | None, peers: Peers | None) -> list[str]:
    if not row.runs:
        problem = _plain(row.problem)
        said = f"not measured: {problem}" if problem else "not run yet"
        return [row.name, said, *[""] * (len(_HEAD) - 2)]
    further = row.cpu_s_per_further_1000
    return [
        row.title,
        f"{row.runs[0].tiles}",
        _spread(row, lambda run: run.work_cpu_s_per_1000),
        "" if further is None else f"{further:.2f}",
        _spread(row, lambda run: run.tiles_per_s),
        f"{max(run.peak_mb for run in row.runs):.0f}",
        f"{median(run.setup_cpu_s for run in row.runs):.1f}",
        *_ratios(row, peers),
        f"{_overlap(row.runs[0].classes, own.runs[0].classes):.0%}" if own else "",
    ]


def _ratios(row: Row, peers: Peers | None) -> list[str]:
    if peers is None:
        return [""] * 4
    cpu_s, speed, named = row.cpu_s_per_1000, row.tiles_per_s, peers.named
    return [
        f"{named.cpu_s_per_1000 / cpu_s:.1f}" if named else "",
        f"{peers.thriftiest.cpu_s_per_1000 / cpu_s:.1f}",
        f"{speed / named.tiles_per_s:.1f}" if named else "",
        f"{speed / peers.quickest.tiles_per_s:.1f}",
    ]


def _stages(own: Row) -> str:
    parts = [
        f"{name} {median(run.stages.get(name, 0.0) for run in own.runs):.1f}"
        for name in own.runs[0].stages
    ]
    return f"- {own.title}, seconds of wall clock: {', '.join(parts)}."


def _work_cpu_s(run: Run) -> float:
    return run.cpu_s - run.setup_cpu_s


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
