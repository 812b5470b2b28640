"""What a reader changed, for the report: plain counts and the risk before and after."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.risk import RiskAssessment
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

#: Where a tile goes that is counted nowhere any more.
NOWHERE = "set aside"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewSummary:
    """A reader's corrections in numbers.

    Parameters
    ----------
    reader
        Who reviewed.
    moves
        (from, to, tiles): class names, most tiles first; `NOWHERE` for tiles set aside.
    accepted
        Tiles whose class was confirmed.
    score_before, score_after
        The risk score; None where it is not known.
    group_before, group_after
        The risk group; None where there is none.
    when
        Date and time of the last correction, ISO 8601; empty if not known.
    thresholds_changed
        Whether the distance thresholds are other ones than those of the analysis.
    """

    reader: str
    moves: tuple[tuple[str, str, int], ...]
    accepted: int
    score_before: float | None = None
    score_after: float | None = None
    group_before: str | None = None
    group_after: str | None = None
    when: str = ""
    thresholds_changed: bool = False

    @property
    def corrected(self) -> int:
        """Tiles with another class than predicted."""
        return sum(tiles for _, after, tiles in self.moves if after != NOWHERE)

    @property
    def set_aside(self) -> int:
        """Tiles that are counted nowhere any more."""
        return sum(tiles for _, after, tiles in self.moves if after == NOWHERE)

    @property
    def flipped(self) -> bool:
        """Whether the corrections moved the slide into another risk group."""
        return self.group_before != self.group_after

    @classmethod
    def of(
        cls,
        predicted: TissueMap,
        corrected: TissueMap,
        reader: str,
        before: RiskAssessment | None = None,
        after: RiskAssessment | None = None,
        *,
        when: str = "",
        thresholds_changed: bool = False,
    ) -> ReviewSummary:
        """Count the differences of two maps of one slide, and take over both risks."""
        names = (NOWHERE, *predicted.scheme.names)
        changed = predicted.classes != corrected.classes
        pairs = np.stack([predicted.classes[changed], corrected.classes[changed]], axis=1)
        found, counts = np.unique(pairs, axis=0, return_counts=True)
        moves = [
            (names[old], names[new], count)
            for (old, new), count in zip(found.tolist(), counts.tolist(), strict=True)
        ]
        return cls(
            reader=reader,
            moves=tuple(sorted(moves, key=lambda move: (-move[2], move))),
            accepted=int(np.count_nonzero(corrected.state == TileState.ACCEPTED)),
            score_before=None if before is None else before.score,
            score_after=None if after is None else after.score,
            group_before=None if before is None else before.group,
            group_after=None if after is None else after.group,
            when=when,
            thresholds_changed=thresholds_changed,
        )
