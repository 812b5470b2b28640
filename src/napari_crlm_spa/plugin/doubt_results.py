"""What was found about the doubt in a slide's risk, and whether it is still of the map. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from weakref import WeakKeyDictionary

from psygnal import Signal

from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.plugin.session import OpenSlide, Session


class Question(StrEnum):
    """What can be asked."""

    FLIP = "flip"
    QUEUE = "queue"
    INTERVAL = "interval"
    ADEQUACY = "adequacy"


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A result, and of what.

    Parameters
    ----------
    result
        What the core returned.
    features, model
        The state of the review that was asked about. Features are replaced by every step of a
        review, so they tell the state.
    """

    result: Any
    features: SpatialFeatures
    model: RiskModel

    def is_of(self, slide: OpenSlide, model: RiskModel) -> bool:
        """Whether a slide's review and the risk model are still those."""
        return slide.features is self.features and model == self.model


class DoubtResults:
    """The answers for the open slides of a session; those of a new map begin anew."""

    changed = Signal(object)  # OpenSlide

    def __init__(self) -> None:
        self._kept: dict[tuple[str, Question], Answer] = {}

    def get(self, slide: OpenSlide | None, question: Question) -> Answer | None:
        """Return the latest answer for a slide; None if it was not asked."""
        return None if slide is None else self._kept.get((slide.id, question))

    def put(self, slide: OpenSlide, question: Question, answer: Answer) -> None:
        """Keep an answer."""
        self._kept[slide.id, question] = answer
        self.changed.emit(slide)

    def drop(self, slide: OpenSlide) -> None:
        """Forget what is known of a slide: it has another map, or another reader."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] != slide.id}
        self.changed.emit(slide)

    def keep_only(self, slide_ids: set[str]) -> None:
        """Forget slides that are closed."""
        self._kept = {key: kept for key, kept in self._kept.items() if key[0] in slide_ids}


_OF_SESSION: WeakKeyDictionary[Session, DoubtResults] = WeakKeyDictionary()


def results_of(session: Session) -> DoubtResults:
    """Return the answers of a session, the same for every panel."""
    if session not in _OF_SESSION:
        results = DoubtResults()
        session.analysis_changed.connect(results.drop)
        session.map_started.connect(results.drop)
        _OF_SESSION[session] = results
    return _OF_SESSION[session]
