"""The hand over the canvas: which tool it holds, and what the tool does to the current slide."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from psygnal import Signal

from napari_crlm_spa.core.review import Action, Review
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tools.canvas import Canvas
from napari_crlm_spa.plugin.tools.deed import Deed
from napari_crlm_spa.plugin.tools.fill import FillRule, filled_of
from napari_crlm_spa.plugin.tools.shapes import (
    NOTHING,
    Patch,
    Position,
    brushed,
    in_rectangle,
    lassoed,
    tile_at,
)
from napari_crlm_spa.plugin.tools.stroke import Stroke

if TYPE_CHECKING:
    from napari.components import ViewerModel

SMALLEST_BRUSH, LARGEST_BRUSH = 1, 31
#: Of a lasso's corners, in tiles: closer ones change nothing.
LASSO_STEP = 0.25

NO_SLIDE = "Open a slide and run the analysis: then its tiles can be corrected."
NO_REVIEW = "Run the analysis: then the tiles can be corrected."
RUNNING = "The map is being made. Its tiles can be corrected when the run has ended."
NO_MAP = "The tissue map is not among the layers; run the analysis again to see it."
NOTHING_THERE = "No tile there would change (glass, hidden tissues and equal tiles stay)."
NO_UNDO = "There is no step to undo."
NO_REDO = "There is no undone step."


class Tool(StrEnum):
    """What the left mouse button does on the canvas; the value is the button's text."""

    LOOK = "Look"
    BRUSH = "Brush"
    LASSO = "Lasso"
    FILL = "Fill"


CURSORS = {
    Tool.LOOK: "standard",
    Tool.BRUSH: "circle",
    Tool.LASSO: "crosshair",
    Tool.FILL: "pointing",
}


class Hand:
    """Holds one tool, and corrects the current slide's tiles with it.

    Parameters
    ----------
    viewer
        On whose canvas.
    session
        Its slides, and how their maps are looked at.
    """

    changed = Signal()  # tool, deed, brush or fill are others, or may be used (no longer)
    told = Signal(str)  # a sentence for the reader; empty: forget the last one

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._session = session
        self.canvas = Canvas(viewer, self)
        self.tool = Tool.LOOK
        self.deed = Deed(Action.CORRECT, "TUM")
        self.brush_tiles = 5
        self.fill_rule = FillRule()
        self._painted_with = Tool.BRUSH
        self._stroke: Stroke | None = None
        self._way: list[Position] = []
        session.current_changed.connect(self._put_down)
        session.map_started.connect(self._put_down)
        session.analysis_changed.connect(self._put_down)
        session.run_changed.connect(self._put_down)
        session.view_changed.connect(self._on_view)

    # -- what may be done -----------------------------------------------------------------

    @property
    def review(self) -> Review | None:
        """The review of the current slide, if its tiles can be corrected now."""
        slide = self._session.current
        return slide.review if slide is not None and not self.reason else None

    @property
    def reason(self) -> str:
        """Why no tile can be corrected now; empty if they can."""
        slide, run = self._session.current, self._session.run
        if slide is None:
            return NO_SLIDE
        if run is not None and run.slide_id == slide.id:
            return RUNNING
        return NO_REVIEW if slide.review is None else ""

    # -- choosing -------------------------------------------------------------------------

    def take(self, tool: Tool) -> None:
        """Take a tool; a stroke under way with another one is dropped."""
        self.cancel()
        if tool is not Tool.LOOK and self.reason:
            self.told.emit(self.reason)
            tool = Tool.LOOK
        if tool is not Tool.LOOK:
            # Who paints must see what he paints.
            self._session.set_view(kind=MapKind.TISSUE, blink=False)
            if self.canvas.map_layer(self._session.current) is None:
                # It was removed by hand; the view once more brings it back.
                self._session.view_changed.emit(self._session.view)
            self._show_class()
            self._painted_with = tool
        self.tool = tool
        self.canvas.hold(self._session.current, tool is not Tool.LOOK)
        self.changed.emit()

    def choose(self, deed: Deed) -> None:
        """Say what happens to the tiles; who only looked takes the tool that he had last."""
        self.cancel()
        self.deed = deed
        if self.tool is Tool.LOOK:
            self.take(self._painted_with)
            return
        self._show_class()
        self.changed.emit()

    def choose_class(self, name: str) -> None:
        """Give tiles this class from now on."""
        self.choose(Deed(Action.CORRECT, name))

    def set_brush(self, tiles: int) -> None:
        """Take a brush of another diameter."""
        self.brush_tiles = min(max(tiles, SMALLEST_BRUSH), LARGEST_BRUSH)
        self.canvas.show_cursor()
        self.changed.emit()

    def set_fill(self, rule: FillRule) -> None:
        """Fill in another way."""
        self.fill_rule = rule
        self.changed.emit()

    # -- the review -----------------------------------------------------------------------

    def undo(self) -> None:
        """Take the last step back."""
        self._step_along(back=True)

    def redo(self) -> None:
        """Do the step again that was undone last."""
        self._step_along(back=False)

    def accept_view(self) -> None:
        """Confirm all tiles in view as they are."""
        view = self.canvas.view(self._session.current)
        self.apply(Deed(Action.ACCEPT), self._visible(view))

    def apply(self, deed: Deed, patch: Patch) -> None:
        """Do something to tiles, in one step."""
        self.cancel()
        if self._begin(deed):
            assert self._stroke is not None
            self._stroke.add(patch)
            self.end()

    def let_go(self) -> None:
        """Drop the tool and listen no more."""
        self.take(Tool.LOOK)
        for signal in (
            self._session.current_changed,
            self._session.map_started,
            self._session.analysis_changed,
            self._session.run_changed,
        ):
            signal.disconnect(self._put_down)
        self._session.view_changed.disconnect(self._on_view)

    # -- the mouse ------------------------------------------------------------------------

    @property
    def cursor(self) -> tuple[str, float]:
        """Napari's cursor for the tool, and its size in tiles."""
        return CURSORS[self.tool], float(self.brush_tiles)

    def drop(self) -> None:
        """Put the tool down: the mouse is wanted elsewhere."""
        self.take(Tool.LOOK)

    def press(self, position: Position) -> None:
        """Begin a stroke at a position in tiles."""
        self.cancel()
        if self.tool is Tool.LOOK or not self._begin(self.deed):
            return
        assert self._stroke is not None
        self._way = [position]
        if self.tool is Tool.BRUSH:
            self._stroke.add(brushed(position, position, self.brush_tiles, self._shape))
        elif self.tool is Tool.FILL:
            self._stroke.add(self._filled(position))

    def move(self, position: Position) -> None:
        """Go on to another position."""
        if self._stroke is None or self.tool is Tool.FILL:
            return
        last = self._way[-1]
        if self.tool is Tool.BRUSH:
            self._way = [position]
            self._stroke.add(brushed(last, position, self.brush_tiles, self._shape))
        elif max(abs(position[0] - last[0]), abs(position[1] - last[1])) >= LASSO_STEP:
            self._way.append(position)
            self._stroke.replace(lassoed(self._way, self._shape))

    def end(self) -> None:
        """Let the button go: the stroke becomes a step of the review."""
        stroke, self._stroke = self._stroke, None
        slide = self._session.current
        if stroke is None or slide is None:
            return
        change = stroke.finish()
        self.told.emit(NOTHING_THERE if change is None else "")
        if change is not None:
            self._session.tell_review_changed(slide)

    def cancel(self) -> bool:
        """Drop the stroke under way; tells whether there was one."""
        stroke, self._stroke = self._stroke, None
        if stroke is not None:
            stroke.cancel()
        return stroke is not None

    # -- inside ---------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[int, int]:
        assert self._stroke is not None
        return self._stroke.review.tissue_map.shape

    def _begin(self, deed: Deed) -> bool:
        slide, review = self._session.current, self.review
        layer = self.canvas.map_layer(slide)
        if slide is None or review is None or layer is None:
            self.told.emit(self.reason or NO_MAP)
            return False
        hidden = self._session.view.hidden
        self._stroke = Stroke(review, deed, layer.data, hidden, lambda: self.canvas.refresh(slide))
        return True

    def _filled(self, position: Position) -> Patch:
        assert self._stroke is not None
        tile = tile_at(position, self._shape)
        if tile is None:
            return NOTHING
        return filled_of(self._stroke.review, tile, self.fill_rule)

    def _visible(self, view: tuple[Position, Position] | None) -> Patch:
        review = self.review
        if view is None or review is None:
            return NOTHING
        return in_rectangle(*view, review.tissue_map.shape)

    def _step_along(self, *, back: bool) -> None:
        slide, review = self._session.current, self.review
        if self.cancel():
            return
        if slide is None or review is None:
            self.told.emit(self.reason)
            return
        change = review.undo() if back else review.redo()
        self.told.emit("" if change is not None else NO_UNDO if back else NO_REDO)
        if change is not None:
            self._session.tell_review_changed(slide)

    def _show_class(self) -> None:
        """Show the class again that is about to be painted."""
        hidden = self._session.view.hidden
        if self.deed.class_name in hidden:
            self._session.set_view(hidden=hidden - {self.deed.class_name})

    def _put_down(self, _what: object = None) -> None:
        """Look first: this is another slide, or another map."""
        self.take(Tool.LOOK)

    def _on_view(self, view: MapView) -> None:
        if self.tool is not Tool.LOOK and view.kind is not MapKind.TISSUE:
            self.take(Tool.LOOK)
