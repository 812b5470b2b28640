"""The questions whose answers are tiles: what would flip the group, and what to look at next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_crlm_spa.core.review.doubt_queue import DoubtQueueOptions
from napari_crlm_spa.core.review.fragility import Fragility, fragility
from napari_crlm_spa.core.review.fragility_search import FragilityOptions
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.spatial import SpatialFeatures
from napari_crlm_spa.plugin.doubt_results import Answer, Question
from napari_crlm_spa.plugin.doubt_work import no_flip_reason, queue_note, queue_of
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.thumbnails import Thumbnails
from napari_crlm_spa.plugin.widgets.doubt_box import DoubtBox, Work, text_label
from napari_crlm_spa.plugin.widgets.doubt_walk import TileWalk
from napari_crlm_spa.plugin.widgets.gallery import GalleryTile

if TYPE_CHECKING:
    from napari.components import ViewerModel

NOTHING_LEFT = "No tile is left that is in doubt and matters: all were settled, or none is unsure."


def gallery_tiles(table: pd.DataFrame) -> list[GalleryTile]:
    """Turn a table with both classes and their probabilities into tiles of a gallery."""
    columns = ("row", "col", "class", "second_class", "probability", "second_probability")
    return [
        GalleryTile(int(row), int(col), str(name), str(other), float(p), float(q))
        for row, col, name, other, p, q in zip(*(table[c] for c in columns), strict=True)
    ]


class TilesBox(DoubtBox):
    """A question that is answered by a sentence and tiles to walk through."""

    def __init__(self, session: Session, viewer: ViewerModel, thumbnails: Thumbnails) -> None:
        self._viewer, self._thumbnails = viewer, thumbnails
        self._shown: Answer | None = None
        super().__init__(session)

    def make_answer(self) -> QWidget:
        """Return the sentence and the tiles below."""
        answer = QWidget()
        self.sentence = text_label()
        self.walk = TileWalk(self.session, self._viewer, self._thumbnails)
        layout = QVBoxLayout(answer)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.sentence)
        layout.addWidget(self.walk)
        return answer

    def show_answer(self, slide: OpenSlide | None, answer: Answer | None) -> None:
        """Show the tiles; those that are shown already stay, with the place in them."""
        if answer is self._shown:
            return
        self._shown = answer
        table = None if answer is None else self.table(answer.result)
        self.walk.show_tiles(slide, [] if table is None else gallery_tiles(table))
        self.sentence.setText("" if answer is None else self.say(answer.result))
        self.sentence.setVisible(bool(self.sentence.text()))

    def say(self, result: Any) -> str:
        """Say the answer in a sentence."""
        raise NotImplementedError


class FlipBox(TilesBox):
    """The doubtful tiles that would put the slide into the other group."""

    question = Question.FLIP
    title = "What would flip it"
    meaning = (
        "A few doubtful tiles whose relabeling would put the slide in the other risk group: the "
        "fewer, the more the group hangs on them. None found is no proof that there are none. "
        "Look at each and correct what is wrong; there is no button that relabels them all, "
        "since that would be choosing the group."
    )
    ask = "Find tiles that would flip the group"
    options_class = FragilityOptions

    def work(self, features: SpatialFeatures, model: RiskModel, options: Any) -> Work:
        """Search the tiles."""
        return (yield from fragility(features, model, options))

    def problem(self, features: SpatialFeatures, model: RiskModel) -> str:
        """Without a group there is nothing to flip."""
        return no_flip_reason(features, model)

    def headline(self, result: Fragility) -> str:
        """Say how many."""
        n = len(result.tiles)
        return f"{n:,} tile{'s' * (n != 1)}" if result.found else "nothing found"

    def say(self, result: Fragility) -> str:
        """Say how many, of how many, and to which group."""
        return result.sentence


class QueueBox(TilesBox):
    """The tiles at which a minute of review is spent best."""

    question = Question.QUEUE
    title = "Look at these next"
    meaning = (
        "Tiles in the order of doubt x weight in the risk: where a minute of review is spent "
        "best. It is no list of errors; most of them may well be right."
    )
    ask = "Order the tiles"
    options_class = DoubtQueueOptions

    def work(self, features: SpatialFeatures, model: RiskModel, options: Any) -> Work:
        """Weigh all tiles and order them."""
        return (yield from queue_of(features, model, options))

    def remark(self, features: SpatialFeatures, model: RiskModel) -> str:
        """Say by what they are ordered without cut-offs or without a risk."""
        return queue_note(features, model)

    def headline(self, result: pd.DataFrame) -> str:
        """Say how many."""
        return f"{len(result):,} tiles"

    def table(self, result: pd.DataFrame) -> pd.DataFrame:
        """Return the tiles in order."""
        return result

    def say(self, result: pd.DataFrame) -> str:
        """Say if there are none."""
        return "" if len(result) else NOTHING_LEFT
