"""Where a hand meets napari: the mouse, the cursor, the map's layer. Public names only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from napari_crlm_spa.plugin.layers import kind_of
from napari_crlm_spa.plugin.session import OpenSlide
from napari_crlm_spa.plugin.tools.shapes import Position
from napari_crlm_spa.plugin.viewer_look import camera_of

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Labels

LEFT_BUTTON = 1
PAN_ZOOM = "pan_zoom"
MAP_KIND = "tissue_map"


class Mouse(Protocol):
    """Who wants to hear of the mouse; positions are in tiles of the current map."""

    @property
    def cursor(self) -> tuple[str, float]:
        """Napari's cursor style, and its size in tiles."""

    def press(self, position: Position) -> None:
        """Take note that the left button went down."""

    def move(self, position: Position) -> None:
        """Take note that the mouse was moved with the button down."""

    def end(self) -> None:
        """Take note that the button was let go."""

    def drop(self) -> None:
        """Leave the mouse to somebody else."""


class Canvas:
    """One viewer's canvas, which the mouse either moves or works on."""

    def __init__(self, viewer: ViewerModel, mouse: Mouse) -> None:
        self._viewer = viewer
        self._mouse = mouse
        self._slide: OpenSlide | None = None
        self._held = False
        self._double_click: list[Callable[..., Any]] = []

    def map_layer(self, slide: OpenSlide | None) -> Labels | None:
        """Return the layer that shows a slide's tissue map."""
        if slide is None:
            return None
        for layer in self._viewer.layers:
            if kind_of(layer.metadata, slide.id) == MAP_KIND:
                return layer
        return None

    def refresh(self, slide: OpenSlide) -> None:
        """Show what has been written into the map's layer."""
        layer = self.map_layer(slide)
        if layer is not None:
            layer.refresh(extent=False, thumbnail=False, highlight=False)

    def view(self, slide: OpenSlide | None) -> tuple[Position, Position] | None:
        """Return the corners of what the window shows of a map, in tiles; None if unknown.

        They are rounded inwards, to tiles whose center is seen.
        """
        layer = self.map_layer(slide)
        if layer is None:
            return None
        low, high = [], []
        for first, last, n in zip(*layer.corner_pixels, layer.data.shape, strict=True):
            # napari rounds outwards, and cuts at the grid's border.
            low.append(float(first if first == 0 else first + 1))
            high.append(float(last + 1 if last == n - 1 else last))
        return (low[0], low[1]), (high[0], high[1])

    # -- holding the mouse ----------------------------------------------------------------

    def hold(self, slide: OpenSlide | None, wanted: bool) -> None:
        """Let the left button work on a slide's map, or move the view again."""
        if wanted and slide is not None:
            self._slide = slide
            self._take_mouse()
        elif self._held:
            self._give_mouse_back()

    def _take_mouse(self) -> None:
        layer = self.map_layer(self._slide)
        if layer is not None:
            self._viewer.layers.selection.active = layer
        if not self._held:
            self._held = True
            self._viewer.mouse_drag_callbacks.append(self._on_drag)
            # Two quick strokes are no wish to zoom in.
            self._double_click = list(self._viewer.mouse_double_click_callbacks)
            self._viewer.mouse_double_click_callbacks.clear()
            camera_of(self._viewer).events.mouse_pan.connect(self._keep)
            self._viewer.cursor.events.style.connect(self._keep)
            self._viewer.layers.selection.events.active.connect(self._on_active)
        self._keep()
        self.show_cursor()

    def _give_mouse_back(self) -> None:
        self._held = False
        self._viewer.layers.selection.events.active.disconnect(self._on_active)
        self._viewer.cursor.events.style.disconnect(self._keep)
        camera_of(self._viewer).events.mouse_pan.disconnect(self._keep)
        self._viewer.mouse_double_click_callbacks[:0] = self._double_click
        self._double_click = []
        self._viewer.mouse_drag_callbacks.remove(self._on_drag)
        active = self._viewer.layers.selection.active
        camera_of(self._viewer).mouse_pan = True if active is None else active.mouse_pan
        self._viewer.cursor.style = "standard" if active is None else active.cursor

    def show_cursor(self) -> None:
        """Show the tool's cursor, as large as it is on the slide."""
        if not self._held or self._slide is None or self._slide.tissue_map is None:
            return
        style, tiles = self._mouse.cursor
        self._viewer.cursor.scaled = True
        self._viewer.cursor.size = tiles * self._slide.tissue_map.stride_um
        self._viewer.cursor.style = style

    def _keep(self, _event: Any = None) -> None:
        """Napari gives the mouse and the cursor to each layer that becomes active; not now."""
        if not self._held:
            return
        camera = camera_of(self._viewer)
        if camera.mouse_pan:
            camera.mouse_pan = False
        style, _ = self._mouse.cursor
        if str(self._viewer.cursor.style) != style:
            self._viewer.cursor.style = style

    def _on_active(self, _event: Any = None) -> None:
        """Who begins to draw in another layer has taken another tool."""
        active = self._viewer.layers.selection.active
        if active is not None and str(active.mode) != PAN_ZOOM:
            self._mouse.drop()

    def _on_drag(self, _viewer: ViewerModel, event: Any) -> Iterator[None]:
        layer = self.map_layer(self._slide)
        # Napari zooms into a box with Alt.
        if event.button != LEFT_BUTTON or "Alt" in event.modifiers or layer is None:
            return
        self._mouse.press(_tiles(layer, event))
        yield
        while event.type == "mouse_move":
            self._mouse.move(_tiles(layer, event))
            yield
        self._mouse.end()


def _tiles(layer: Labels, event: Any) -> Position:
    """Position of the mouse in tiles from the grid's corner; napari counts from a center."""
    row, col = layer.world_to_data(event.position)[-2:]
    return float(row) + 0.5, float(col) + 0.5
