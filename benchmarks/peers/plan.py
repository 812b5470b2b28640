"""What will be run in which order, and how long that takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from contenders import Contender
from table import Row


@dataclass(frozen=True)
class Turn:
    """One run of one program; `small`: on the small part that tells the price of further tiles."""

    network: str
    stain: str
    contender: Contender
    row: Row
    slide: Path
    model: Path
    small: bool
    number: int

    @property
    def key(self) -> str:
        """Name the turn without its number: every repeat takes about as long."""
        part = ", small part" if self.small else ""
        return f"{self.network}, {self.stain}, {self.contender.name}{part}, {self.slide.stem}"

    @property
    def label(self) -> str:
        """Name the turn."""
        return f"{self.key}, run {self.number}"


class Durations:
    """How long each kind of turn took, this time or the last time.

    Parameters
    ----------
    file
        Keeps the seconds for the next time.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._seconds: dict[str, float] = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            self._seconds = {}

    def note(self, turn: Turn, seconds: float) -> None:
        """Keep what a turn took."""
        self._seconds[turn.key] = round(seconds, 1)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        self._file.write_text(json.dumps(self._seconds, indent=1), "utf-8")

    def left(self, turns: Sequence[Turn]) -> str:
        """Say how long the turns that are to come will take."""
        if not turns:
            return "all done"
        if not self._seconds:
            return f"{len(turns)} runs to go, how long is not known yet"
        # What has not run yet is taken to be like the others.
        usual = fmean(self._seconds.values())
        seconds = sum(self._seconds.get(turn.key, usual) for turn in turns)
        return f"{len(turns)} runs to go, about {seconds / 60:.0f} min"
