"""What we set ourselves, and what was reached: side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from contenders import REFERENCE_PEER, RESNET, TINY
from table import Peers, Row, line, peers_of

_HEAD = ("goal", "asked", "reached in CPU", "reached in tiles/s", "by", "reached")


@dataclass(frozen=True)
class Goal:
    """How many times less CPU time than a peer ours may take, and how many times the speed."""

    name: str
    network: str
    precisions: tuple[str, ...]
    stains: tuple[str, ...]
    named_peer: float | None
    best_peer: float


_BOTH = ("macenko", "none")
#: From the plan of this project; full fidelity: at least 99.5 % of the classes as in 32 bits.
GOALS = (
    Goal("around the network, with Macenko", TINY, ("fp32",), ("macenko",), None, 15),
    Goal("whole job, full fidelity", RESNET, ("fp32", "bf16"), _BOTH, 4, 2),
    Goal("whole job, 8 bits", RESNET, ("int8",), _BOTH, 8, 4.5),
)


def goals_table(network: str, rows_of: dict[str, Sequence[Row]]) -> str:
    """Return the goals of a network beside what was reached.

    Parameters
    ----------
    network
        Which goals.
    rows_of
        The rows by stain, ``"macenko"`` and ``"none"``.
    """
    lines = []
    for goal in GOALS:
        if goal.network != network:
            continue
        for stain in goal.stains:
            rows = rows_of.get(stain, ())
            peers = peers_of(rows)
            own = [each for each in rows if each.runs and _used(each) in goal.precisions]
            if peers and own:
                lines += _lines(goal, stain, own, peers)
    if not lines:
        return ""
    head = [line(_HEAD), line(["---"] * len(_HEAD))]
    return "\n".join(["#### Goals and what was reached", "", *head, *lines, ""])


def _lines(goal: Goal, stain: str, own: Sequence[Row], peers: Peers) -> list[str]:
    best = min(own, key=lambda row: row.cpu_s_per_1000)
    words = goal.name if stain in goal.name.lower() else f"{goal.name}, {_STAINS[stain]}"
    against = [(goal.best_peer, "the best peer", peers.thriftiest, peers.quickest)]
    if goal.named_peer is not None and peers.named is not None:
        against.insert(0, (goal.named_peer, REFERENCE_PEER, peers.named, peers.named))
    found = []
    for times, whom, thrifty, quick in against:
        cpu = thrifty.cpu_s_per_1000 / best.cpu_s_per_1000
        speed = best.tiles_per_s / quick.tiles_per_s
        told = "yes" if min(cpu, speed) >= times else "no"
        if told == "no" and max(cpu, speed) >= times:
            told = "in CPU" if cpu >= times else "in tiles/s"
        cells = (f"{words}, {whom}", f"{times:g} x", f"{cpu:.1f} x", f"{speed:.1f} x")
        found.append(line([*cells, best.title, told]))
    return found


_STAINS = {"macenko": "with Macenko", "none": "without"}


def _used(row: Row) -> str:
    """Name the number format that ours computed in; none for a peer."""
    return str(row.runs[0].used.get("precision", row.precision)) if row.ours else ""
