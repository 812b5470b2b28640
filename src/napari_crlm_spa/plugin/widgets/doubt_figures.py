"""The questions whose answers are figures: how far the score could lie off, is there enough."""

from __future__ import annotations

from typing import Any

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QComboBox, QVBoxLayout, QWidget

from napari_crlm_spa.core.review.adequacy import Adequacy, AdequacyOptions, sampling_adequacy
from napari_crlm_spa.core.review.interval import IntervalOptions, ScoreInterval, score_interval
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.spatial import FEATURES, SpatialFeatures
from napari_crlm_spa.plugin.doubt_results import Answer, Question
from napari_crlm_spa.plugin.doubt_work import (
    SCORE,
    adequacy_line,
    cut_of,
    interval_line,
    no_score_note,
    quantities,
    share_line,
)
from napari_crlm_spa.plugin.plots import DrawsFigure, Figure, PartsFigure
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.doubt_box import DoubtBox, Work, text_label

#: Not a quantity of a part: how many parts are in the slide's group.
GROUP = "group"
TITLES = {SCORE: "Score", GROUP: "Parts in the slide's group"}


class FigureBox(DoubtBox):
    """A question that is answered by a figure of one quantity at a time, and sentences."""

    def __init__(self, session: Session) -> None:
        self._shown: Answer | None = None
        super().__init__(session)
        self.quantity.currentIndexChanged.connect(self._draw)

    def make_answer(self) -> QWidget:
        """Return the chooser, the figure, and the sentences below."""
        answer = QWidget()
        self.quantity = QComboBox()
        self.figure = Figure()
        self.sentence = text_label()
        layout = QVBoxLayout(answer)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for widget in (self.quantity, self.figure, self.sentence):
            layout.addWidget(widget)
        return answer

    def remark(self, features: SpatialFeatures, model: RiskModel) -> str:
        """Say why there is no score."""
        return no_score_note(features, model)

    def show_answer(self, _slide: OpenSlide | None, answer: Answer | None) -> None:
        """Draw the answer; the quantity that was looked at stays chosen."""
        if answer is self._shown:
            return
        self._shown = answer
        with QSignalBlocker(self.quantity):
            before = self.quantity.currentData()
            self.quantity.clear()
            for name in () if answer is None else self.shown_quantities(answer):
                title = FEATURES[name].title if name in FEATURES else TITLES[name]
                self.quantity.addItem(title, name)
            self.quantity.setCurrentIndex(max(0, self.quantity.findData(before)))
        self._draw()

    def shown_quantities(self, answer: Answer) -> tuple[str, ...]:
        """Name what can be drawn."""
        raise NotImplementedError

    def draw(self, answer: Answer, quantity: str) -> DrawsFigure | PartsFigure:
        """Return the figure of one quantity."""
        raise NotImplementedError

    def say(self, answer: Answer, quantity: str) -> str:
        """Say the answer in sentences."""
        raise NotImplementedError

    def _draw(self) -> None:
        answer, quantity = self._shown, self.quantity.currentData()
        if answer is None or quantity is None:
            self.figure.show_content(None)
            self.sentence.setText("")
            return
        self.figure.show_content(self.draw(answer, quantity))
        self.sentence.setText(self.say(answer, quantity))


class IntervalBox(FigureBox):
    """How far the score could lie off because tiles are labeled wrongly."""

    question = Question.INTERVAL
    title = "How far the score could lie off"
    meaning = (
        "Maps are drawn from the classifier's probabilities, neighbors together, and scored. Not "
        "covered: probabilities that are off on this slide, tumor that is not on it, the "
        "cut-offs, and whether the risk model holds."
    )
    ask = "Draw maps"
    options_class = IntervalOptions

    def work(self, features: SpatialFeatures, model: RiskModel, options: Any) -> Work:
        """Draw and score."""
        return (yield from score_interval(features.tissue_map, features, model, options))

    def headline(self, result: ScoreInterval) -> str:
        """Say the share of the high group."""
        high = result.share_high
        return "" if high is None else f"{high:.0%} of the draws high"

    def shown_quantities(self, answer: Answer) -> tuple[str, ...]:
        """Name the score if any draw has one, and the model's features."""
        known = bool(answer.result.draws["score"].notna().any())
        return quantities(known, answer.model)

    def draw(self, answer: Answer, quantity: str) -> DrawsFigure:
        """Draw how often each value came."""
        found: ScoreInterval = answer.result
        row = found.summary().set_index("quantity").loc[quantity]
        terms = {feature.column: feature for feature in answer.model.features}
        sign = ">=" if quantity != SCORE else answer.model.comparison
        if quantity in terms:
            sign = terms[quantity].direction
        return DrawsFigure(
            name="score" if quantity == SCORE else FEATURES[quantity].title,
            values=found.draws[quantity].dropna().to_numpy(np.float64),
            own=_known(row["own"]),
            cut=cut_of(quantity, answer.model),
            low=_known(row["low"]),
            high=_known(row["high"]),
            cut_is_high=sign == ">=",
            by_group=quantity == SCORE,
        )

    def say(self, answer: Answer, quantity: str) -> str:
        """Say the interval, and the share of the high group."""
        found: ScoreInterval = answer.result
        colors = " Blue: low group, orange: high; dashed: where they part." * (quantity == SCORE)
        return f"{interval_line(found, quantity)} {share_line(found)}{colors}"


class AdequacyBox(FigureBox):
    """Whether there is enough tissue."""

    question = Question.ADEQUACY
    title = "Is there enough tissue"
    meaning = (
        "Random parts of the slide, scored on their own. If they settle well before the whole "
        "slide, more tissue of the same kind would hardly have changed it. It says nothing of "
        "tumor that is not on the slide; and since parts overlap, their spread goes to 0 at the "
        "right whatever the truth: read the left."
    )
    ask = "Score parts of the slide"
    options_class = AdequacyOptions

    def work(self, features: SpatialFeatures, model: RiskModel, options: Any) -> Work:
        """Cut out parts and score them."""
        return (yield from sampling_adequacy(features.tissue_map, features, model, options))

    def headline(self, result: Adequacy) -> str:
        """Say how many of the smallest parts agree."""
        if result.own_group is None:
            return ""
        small = result.summary().iloc[0]
        if small["no_risk"] == small["parts"]:
            return "the smallest parts get no risk"
        return f"{small['own_group_share_of_all']:.0%} of the smallest parts agree"

    def shown_quantities(self, answer: Answer) -> tuple[str, ...]:
        """Name the group if there is one, the score, and the model's features."""
        found: Adequacy = answer.result
        group = () if found.own_group is None else (GROUP,)
        return group + quantities(found.own_score is not None, answer.model)

    def draw(self, answer: Answer, quantity: str) -> PartsFigure:
        """Draw a quantity against the area of the parts."""
        found: Adequacy = answer.result
        table = found.summary()
        area = table["area_mm2"].to_numpy(np.float64)
        if quantity == GROUP:
            share = table["own_group_share_of_all"].to_numpy(np.float64)
            return PartsFigure(
                "parts in the slide's group", area, share, area, share, as_share=True
            )
        parts = found.parts[found.parts[quantity].notna()]
        own = found.own_score if quantity == SCORE else float(found.parts[quantity].iloc[-1])
        return PartsFigure(
            name="score" if quantity == SCORE else FEATURES[quantity].title,
            area_mm2=parts["area_mm2"].to_numpy(np.float64),
            values=parts[quantity].to_numpy(np.float64),
            mean_area_mm2=area,
            mean=table[f"{quantity}_mean"].to_numpy(np.float64),
            spread=table[f"{quantity}_sd"].to_numpy(np.float64),
            own=_known(own),
            cut=cut_of(quantity, answer.model),
        )

    def say(self, answer: Answer, quantity: str) -> str:
        """Say what the smallest parts give, and what the lines are."""
        lines = "" if quantity == GROUP else " Line: mean, band: ± 1 sd; level line: this slide"
        cut = cut_of(quantity, answer.model) if quantity != GROUP else None
        dashed = ", dashed: the cut-off." if cut is not None else "." * bool(lines)
        return f"{adequacy_line(answer.result)}{lines}{dashed}"


def _known(value: Any) -> float | None:
    return None if value is None or np.isnan(value) else float(value)
