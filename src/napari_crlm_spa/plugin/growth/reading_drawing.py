"""Lines along the growth front of one slide, as a Shapes layer that a reader draws on. No Qt.

The layer's coordinates are level-0 pixels from the slide's corner, as those of drawn areas. What it
holds is read after every change (`take`); a line that nobody touched stays as its file had it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psygnal import Signal

from napari_crlm_spa.core.hgp.line_files import PATTERN_RGB
from napari_crlm_spa.core.hgp.lines import PATTERN_TITLES, PatternLine
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.plugin.annotating.drawing import corner_placing, with_nothing_selected
from napari_crlm_spa.plugin.layers import LayerData, metadata_of

if TYPE_CHECKING:
    from napari.layers import Shapes

#: What the layer is called in the metadata by which our layers are known.
KIND = "growth_drawn"
PATTERN = "pattern"
TITLE = "Growth pattern"
STEPS = 100
LOOK, SELECT, CORNERS = "pan_zoom", "select", "direct"
FREEHAND, BY_CLICKS = "add_path", "add_polyline"
#: Colors on the slide, 0-255: the pink of pushing in files is not seen on H&E.
SHOWN_RGB = {**PATTERN_RGB, "P": (0, 158, 115)}
#: Shapes whose last corner is joined to the first.
_CLOSED = frozenset({"polygon", "rectangle"})
_LINES = frozenset({"path", "line", *_CLOSED})


def pattern_color(pattern: str) -> str:
    """Return a pattern's color as ``#rrggbb``."""
    return "#{:02x}{:02x}{:02x}".format(*SHOWN_RGB.get(pattern, SHOWN_RGB["other"]))


def lines_layer(info: SlideInfo, slide_id: str, name: str) -> LayerData:
    """Describe an empty layer for lines along the growth front."""
    kwargs: dict[str, Any] = {
        "name": f"{name}: {TITLE.lower()}",
        "ndim": 2,
        "features": pd.DataFrame({PATTERN: pd.Series(dtype=object)}),
        "feature_defaults": {PATTERN: "D"},
        "opacity": 1.0,
        "metadata": metadata_of(KIND, slide_id),
        **corner_placing(info),
    }
    return None, kwargs, "shapes"


class LineDrawing:
    """Reads and changes the lines of one slide.

    Parameters
    ----------
    layer
        Made from `lines_layer`.
    pixel_um
        (width, height) of a level-0 pixel.
    """

    changed = Signal()

    def __init__(self, layer: Shapes, pixel_um: tuple[float, float]) -> None:
        self.layer = layer
        self.lines: tuple[PatternLine, ...] = ()
        self._pixel = np.array(pixel_um)
        self._pattern = "D"
        self._known: dict[tuple[str, str, bytes], PatternLine] = {}
        self._past: list[tuple[PatternLine, ...]] = []
        self._future: list[tuple[PatternLine, ...]] = []
        self._half_drawn = False
        self._setting = False

    # -- what is there --------------------------------------------------------------------

    @property
    def pattern(self) -> str:
        """The pattern of what is drawn next."""
        return self._pattern

    @property
    def can_undo(self) -> bool:
        """Whether there is a step to take back."""
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step to do again."""
        return bool(self._future)

    @property
    def selected(self) -> set[int]:
        """Lines that are selected, if the tool in hand selects."""
        selecting = str(self.layer.mode) in (SELECT, CORNERS)
        return set(self.layer.selected_data) if selecting else set()

    def note_event(self, event: Any) -> None:
        """Keep in mind whether a line is being drawn; napari tells the beginning and the end."""
        action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
        if action == "adding":
            self._half_drawn = True
        elif action in ("added", "removed"):
            self._half_drawn = False

    def take(self) -> bool:
        """Read the layer; tells whether its lines are others than before."""
        if self._setting:
            return False
        lines = self._read()
        if len(lines) == len(self.lines) and all(
            a is b for a, b in zip(lines, self.lines, strict=True)
        ):
            return False
        self._remember()
        self.lines = lines
        self.changed.emit()
        return True

    # -- what is done ---------------------------------------------------------------------

    def show(self, lines: Sequence[PatternLine]) -> None:
        """Show the lines of a file; there is nothing to undo then."""
        self._put(tuple(lines))
        self._past, self._future = [], []
        self.changed.emit()

    def add(self, lines: Sequence[PatternLine]) -> None:
        """Show more lines, in one step."""
        self.finish()
        self._remember()
        self._put((*self.lines, *lines))
        self.changed.emit()

    def undo(self) -> bool:
        """Take the last step back; tells whether there was one."""
        return self._go(self._past, self._future)

    def redo(self) -> bool:
        """Do the step again that was undone last; tells whether there was one."""
        return self._go(self._future, self._past)

    def choose(self, pattern: str) -> None:
        """Draw this pattern from now on; selected lines become it."""
        self._pattern = pattern
        selected = sorted(self.selected)
        if selected:
            table = self.layer.features.copy()
            table.loc[table.index[selected], PATTERN] = pattern
            self.layer.features = table
            self._color()
            self.take()
        self.prepare()

    def delete_selected(self) -> bool:
        """Remove the selected lines; tells whether there were any."""
        if not self.selected:
            return False
        self.layer.remove_selected()
        self.take()
        return True

    def finish(self) -> None:
        """End the line under way: a tool that is changed completes or drops it."""
        mode = str(self.layer.mode)
        if mode != LOOK:
            self.layer.mode = LOOK
            self.layer.mode = mode
        self._half_drawn = False
        self.take()

    def set_line_width(self, width_px: float) -> None:
        """Draw all lines this wide, in level-0 pixels."""
        if self.layer.nshapes:
            self.layer.edge_width = [width_px] * self.layer.nshapes
        with_nothing_selected(
            self.layer, lambda: setattr(self.layer, "current_edge_width", width_px)
        )

    def prepare(self) -> None:
        """Let the next line have the chosen pattern and its color."""
        color = pattern_color(self._pattern)

        def choose() -> None:
            self.layer.current_edge_color = color
            self.layer.current_face_color = [0, 0, 0, 0]

        if str(self.layer.mode).startswith("add_"):
            # napari would give the next line the color of the one just drawn, which it selects.
            self.layer.selected_data = set()
        with_nothing_selected(self.layer, choose)
        self.layer.feature_defaults = {PATTERN: self._pattern}

    # -- inside ---------------------------------------------------------------------------

    def _remember(self) -> None:
        self._past = [*self._past[-STEPS + 1 :], self.lines]
        self._future = []

    def _go(self, source: list[tuple[PatternLine, ...]], target: list[Any]) -> bool:
        self.finish()
        if not source:
            return False
        lines = source.pop()
        target.append(self.lines)
        self._put(lines)
        self.changed.emit()
        return True

    def _put(self, lines: tuple[PatternLine, ...]) -> None:
        """Let the layer hold exactly these lines."""
        layer, mode = self.layer, str(self.layer.mode)
        self._setting = True
        try:
            layer.mode = LOOK
            layer.selected_data = set()
            layer.data = []
            if lines:
                width = float(layer.current_edge_width)
                layer.add(
                    [self._outline(line) for line in lines], shape_type="path", edge_width=width
                )
            layer.features = pd.DataFrame({PATTERN: [line.pattern for line in lines]}, dtype=object)
            self._color()
            self.prepare()
            layer.mode = mode
        finally:
            self._setting = False
        # As the layer keeps them: it may round.
        self._known = {
            _key(line.pattern, "path", data): line
            for line, data in zip(lines, layer.data, strict=True)
        }
        self.lines = lines

    def _outline(self, line: PatternLine) -> NDArray[np.float64]:
        points = line.vertices_um
        if line.closed:
            points = np.concatenate([points, points[:1]])
        outline: NDArray[np.float64] = (points / self._pixel)[:, ::-1]
        return outline

    def _read(self) -> tuple[PatternLine, ...]:
        layer = self.layer
        outlines, kinds = list(layer.data), list(layer.shape_type)
        if self._half_drawn:
            outlines, kinds = outlines[:-1], kinds[:-1]
        known: dict[tuple[str, str, bytes], PatternLine] = {}
        lines = []
        for outline, kind, name in zip(
            outlines, kinds, layer.features[PATTERN].tolist(), strict=False
        ):
            pattern = str(name) if str(name) in PATTERN_TITLES else self._pattern
            key = _key(pattern, str(kind), outline)
            line = self._known.get(key) or self._line(np.asarray(outline), str(kind), pattern)
            if line is not None:
                known[key] = line
                lines.append(line)
        self._known = known
        return tuple(lines)

    def _line(self, outline: NDArray[np.float64], kind: str, pattern: str) -> PatternLine | None:
        if kind not in _LINES:
            return None
        points = np.array(outline, np.float64)[:, ::-1] * self._pixel
        line = PatternLine(pattern, points, closed=kind in _CLOSED)
        return line if line.length_um > 0 else None

    def _color(self) -> None:
        if not self.layer.nshapes:
            return
        names = [str(name) for name in self.layer.features[PATTERN]]
        rgb = np.array([SHOWN_RGB.get(name, SHOWN_RGB["other"]) for name in names]) / 255
        self.layer.edge_color = np.hstack([rgb, np.ones((len(rgb), 1))])
        self.layer.face_color = np.zeros((len(rgb), 4))


def _key(pattern: str, kind: str, outline: Any) -> tuple[str, str, bytes]:
    return pattern, kind, np.ascontiguousarray(outline, np.float64).tobytes()
