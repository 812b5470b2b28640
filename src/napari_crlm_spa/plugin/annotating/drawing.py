"""The drawn areas of one slide, shown as a Shapes layer that people may change. No Qt.

The layer's coordinates are level-0 pixels counted from the corner of the slide's first pixel;
its scale makes micrometers of them. What the layer holds is read after every change (`take`);
an area whose outline did not change stays the very area that it was, with every digit, hole and
property of its file.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from psygnal import Signal

from napari_crlm_spa.core.annotations import Area
from napari_crlm_spa.core.classes import CRLM7, ClassScheme
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.plugin.annotating.outlines import outline_of, polygon_of, slanted
from napari_crlm_spa.plugin.layers import UNITS_PIXEL, UNITS_UM, LayerData, metadata_of

if TYPE_CHECKING:
    from napari.layers import Shapes

#: What the layer is called in the metadata by which our layers are known.
KIND = "annotations"
CLASS, ID = "class", "id"
FACE_OPACITY = 0.3
OTHER_COLOR = "#808080"
#: More shapes than this make napari slow (ten thousand take ten seconds to appear).
MANY = 500
STEPS = 100
LOOK, SELECT, CORNERS = "pan_zoom", "select", "direct"
POLYGON, LASSO, RECTANGLE = "add_polygon", "add_polygon_lasso", "add_rectangle"


def annotations_layer(info: SlideInfo, slide_id: str, name: str) -> LayerData:
    """Describe an empty layer for areas of a slide."""
    kwargs: dict[str, Any] = {
        "name": f"{name}: annotations",
        "ndim": 2,
        "features": pd.DataFrame({CLASS: pd.Series(dtype=object), ID: pd.Series(dtype=object)}),
        "feature_defaults": {CLASS: "", ID: ""},
        "opacity": 0.9,
        "metadata": metadata_of(KIND, slide_id),
        **corner_placing(info),
    }
    return None, kwargs, "shapes"


def corner_placing(info: SlideInfo) -> dict[str, Any]:
    """Place drawings whose coordinates are level-0 pixels from the slide's corner."""
    if info.pixel_size is None:
        return {"scale": (1.0, 1.0), "translate": (0.0, 0.0), "units": UNITS_PIXEL}
    size = info.pixel_size
    return {"scale": (size.y_um, size.x_um), "translate": (0.0, 0.0), "units": UNITS_UM}


class Drawing:
    """Reads and changes the annotations layer of one slide.

    Parameters
    ----------
    layer
        Made from `annotations_layer`; what it holds already is taken in.
    annotator
        Who draws from now on.

    Attributes
    ----------
    areas
        What the layer held when it was read last, in its order.
    without_area
        How many shapes are lines or paths, which label nothing.
    """

    changed = Signal()  # the areas are others

    def __init__(self, layer: Shapes, annotator: str) -> None:
        self.layer = layer
        self.annotator = annotator
        self.areas: tuple[Area, ...] = ()
        self.without_area = 0
        self._scheme: ClassScheme = CRLM7
        self._known: dict[str, tuple[Area, NDArray[np.float64]]] = {}
        self._past: list[tuple[Area, ...]] = []
        self._future: list[tuple[Area, ...]] = []
        self._class = CRLM7.names[-1]
        self._half_drawn = False
        self._setting = False

    # -- what is there --------------------------------------------------------------------

    @property
    def class_name(self) -> str:
        """The class of what is drawn next."""
        return self._class

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
        """Shapes that are selected, if the tool in hand selects."""
        selecting = str(self.layer.mode) in (SELECT, CORNERS)
        return set(self.layer.selected_data) if selecting else set()

    def note_event(self, event: Any) -> None:
        """Keep in mind whether a shape is being drawn; napari tells the beginning and the end."""
        action = str(getattr(event, "action", "")).rpartition(".")[2].lower()
        if action == "adding":
            self._half_drawn = True
        elif action in ("added", "removed"):
            self._half_drawn = False

    def take(self) -> bool:
        """Read the layer; tells whether its areas are others than before."""
        if self._setting:
            return False
        areas = self._read()
        if len(areas) == len(self.areas) and all(
            a is b for a, b in zip(areas, self.areas, strict=True)
        ):
            return False
        self._past = [*self._past[-STEPS + 1 :], self.areas]
        self._future = []
        self.areas = areas
        self.changed.emit()
        return True

    # -- what is done ---------------------------------------------------------------------

    def show(self, areas: Sequence[Area]) -> None:
        """Show other areas, as they are in a file; there is nothing to undo then."""
        self._put(tuple(areas))
        self._past, self._future = [], []
        self.changed.emit()

    def add(self, areas: Sequence[Area]) -> int:
        """Show more areas, in one step; one with the id of an area that is there replaces it.

        Returns
        -------
        int
            How many were replaced.
        """
        self.finish()
        ids = {area.id for area in areas}
        kept = tuple(area for area in self.areas if area.id not in ids)
        replaced = len(self.areas) - len(kept)
        self._step_to((*kept, *areas))
        return replaced

    def undo(self) -> bool:
        """Take the last step back; tells whether there was one."""
        self.finish()
        if not self._past:
            return False
        areas = self._past.pop()
        self._future.append(self.areas)
        self._put(areas)
        self.changed.emit()
        return True

    def redo(self) -> bool:
        """Do the step again that was undone last; tells whether there was one."""
        self.finish()
        if not self._future:
            return False
        areas = self._future.pop()
        self._past.append(self.areas)
        self._put(areas)
        self.changed.emit()
        return True

    def choose_class(self, name: str) -> bool:
        """Draw this class from now on; selected shapes become it. Tells whether there were any."""
        self._class = name
        selected = sorted(self.selected)
        if selected:
            table = self.layer.features.copy()
            table.loc[table.index[selected], CLASS] = name
            self.layer.features = table
            self._color()
            self.take()
        self.prepare()
        return bool(selected)

    def delete_selected(self) -> bool:
        """Remove the selected shapes; tells whether there were any."""
        if not self.selected:
            return False
        self.layer.remove_selected()
        self.take()
        return True

    def finish(self) -> None:
        """End the shape under way: a tool that is changed completes or drops it."""
        mode = str(self.layer.mode)
        if mode != LOOK:
            self.layer.mode = LOOK
            self.layer.mode = mode
        self._half_drawn = False
        self.take()

    def use_scheme(self, scheme: ClassScheme) -> None:
        """Show the classes in other colors."""
        self._scheme = scheme
        self._color()
        self.prepare()

    def set_line_width(self, width_px: float) -> None:
        """Draw all outlines this wide, in level-0 pixels."""
        if self.layer.nshapes:
            self.layer.edge_width = [width_px] * self.layer.nshapes
        with_nothing_selected(
            self.layer, lambda: setattr(self.layer, "current_edge_width", width_px)
        )

    def prepare(self) -> None:
        """Let the next shape have the chosen class and its color."""
        color = self._color_of(self._class)

        def choose() -> None:
            self.layer.current_edge_color = color
            self.layer.current_face_color = [*_rgb(color), FACE_OPACITY]

        if str(self.layer.mode).startswith("add_"):
            # napari would give the next shape the color of the one just drawn, which it selects.
            self.layer.selected_data = set()
        with_nothing_selected(self.layer, choose)
        # Last: older versions of napari take the class over from what is selected again.
        self.layer.feature_defaults = {CLASS: self._class, ID: ""}

    # -- inside ---------------------------------------------------------------------------

    def _step_to(self, areas: tuple[Area, ...]) -> None:
        self._past = [*self._past[-STEPS + 1 :], self.areas]
        self._future = []
        self._put(areas)
        self.changed.emit()

    def _put(self, areas: tuple[Area, ...]) -> None:
        """Let the layer hold exactly these areas."""
        layer, mode = self.layer, str(self.layer.mode)
        self._setting = True
        try:
            layer.mode = LOOK
            layer.selected_data = set()
            layer.data = []
            if areas:
                _fill(layer, [outline_of(area.polygon_xy0) for area in areas])
            layer.features = pd.DataFrame(
                {CLASS: [a.class_name for a in areas], ID: [a.id for a in areas]}, dtype=object
            )
            self._color()
            self.prepare()
            layer.mode = mode
        finally:
            self._setting = False
        # As the layer keeps them: older versions of napari round.
        self._known = {
            area.id: (area, np.array(data)) for area, data in zip(areas, layer.data, strict=True)
        }
        self.areas = areas
        self.without_area = 0

    def _read(self) -> tuple[Area, ...]:
        layer = self.layer
        outlines, types = list(layer.data), list(layer.shape_type)
        if self._half_drawn:
            outlines, types = outlines[:-1], types[:-1]
        table, ids = layer.features, self._ids()
        known: dict[str, tuple[Area, NDArray[np.float64]]] = {}
        without_area = 0
        for outline, kind, name, area_id in zip(
            outlines, types, table[CLASS].tolist(), ids, strict=False
        ):
            area = self._area(np.asarray(outline), str(kind), str(name or ""), area_id)
            if area is None:
                without_area += 1
            else:
                known[area_id] = (area, np.array(outline))
        self._known = known
        self.without_area = without_area
        return tuple(area for area, _ in known.values())

    def _ids(self) -> list[str]:
        """Return every shape's id; new and copied shapes get one of their own."""
        table = self.layer.features
        ids, taken, fresh = [], set(), False
        for found in table[ID].tolist():
            name = str(found or "")
            if not name or name in taken:
                name, fresh = _new_id(), True
            taken.add(name)
            ids.append(name)
        if fresh:
            table = table.copy()
            table[ID] = pd.Series(ids, index=table.index, dtype=object)
            self.layer.features = table
        return ids

    def _area(
        self, outline: NDArray[np.float64], kind: str, class_name: str, area_id: str
    ) -> Area | None:
        known = self._known.get(area_id)
        before = None if known is None else known[0]
        if known is not None and before is not None and np.array_equal(known[1], outline):
            if before.class_name == class_name:
                return before
            return dataclasses.replace(before, class_name=class_name, when=_now())
        polygon = polygon_of(outline, kind)
        if polygon is None:
            return None
        if before is not None:
            return dataclasses.replace(
                before, polygon_xy0=polygon, class_name=class_name, when=_now()
            )
        return Area(polygon, class_name, self.annotator, _now(), id=area_id)

    def _color(self) -> None:
        if not self.layer.nshapes:
            return
        colors = np.array([_rgb(self._color_of(str(n))) for n in self.layer.features[CLASS]])
        alpha = np.ones((len(colors), 1))
        self.layer.edge_color = np.hstack([colors, alpha])
        self.layer.face_color = np.hstack([colors, alpha * FACE_OPACITY])

    def _color_of(self, name: str) -> str:
        return self._scheme[name].color if name in self._scheme.names else OTHER_COLOR


def _fill(layer: Shapes, outlines: list[NDArray[np.float64]]) -> None:
    """Add outlines to a layer, slightly slanted where this napari cannot fill them."""
    width = float(layer.current_edge_width)
    try:
        layer.add(outlines, shape_type="polygon", edge_width=width)
    except (AssertionError, LookupError, RuntimeError, TypeError, ValueError):
        slanting = [slanted(outline) for outline in outlines]
        layer.add(slanting, shape_type="polygon", edge_width=width)


def with_nothing_selected(layer: Shapes, action: Any) -> None:
    """Change what the next shape is like; napari would change the selected ones along."""
    selected = set(layer.selected_data)
    if selected:
        layer.selected_data = set()
    action()
    if selected:
        layer.selected_data = selected


def _rgb(color: str) -> tuple[float, float, float]:
    red, green, blue = (int(color[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue


def _new_id() -> str:
    return str(uuid.uuid4())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
