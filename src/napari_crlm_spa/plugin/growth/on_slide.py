"""The interface over the current slide: its layers in the viewer. No Qt.

The lines are shown while they are wanted and go with the slide. They cannot be edited: what they
show follows the tissue map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from psygnal import Signal

from napari_crlm_spa.core.spatial.interface import Interface
from napari_crlm_spa.plugin.growth import lines
from napari_crlm_spa.plugin.growth.keeper import Measured
from napari_crlm_spa.plugin.layers import LayerData, kind_of
from napari_crlm_spa.plugin.map_layers import RESULTS
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.viewer_look import add_layer, camera_of, remove_layers

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Not wanted where there is a great deal of them at once: lines as wide as half the screen.
LEAST_ZOOM = 1e-6
Point = tuple[float, float]


class InterfaceLayers:
    """Shows an interface in one viewer until `let_go` is called.

    Parameters
    ----------
    viewer, session
        Where it is shown, and which slide is looked at.
    """

    opacity_changed = Signal(float)  # by napari's own slider

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._measured: Measured | None = None
        self._wanted = {lines.LINE_KIND: True, lines.WHISKER_KIND: True}
        self._opacity = 1.0
        self._blink = False
        self._setting = False
        session.view_changed.connect(self._on_view)

    def let_go(self) -> None:
        """Take the lines away and hear no more."""
        self._session.view_changed.disconnect(self._on_view)
        self.show(None)

    def of(self, kind: str) -> list[Layer]:
        """Return our layers of a kind."""
        return [each for each in self._viewer.layers if kind_of(each.metadata) == kind]

    def show(self, measured: Measured | None) -> None:
        """Show another interface; None takes it away."""
        before, self._measured = self._measured, measured
        same_slide = before is not None and measured is not None and before.slide is measured.slide
        for kind in lines.KINDS:
            if measured is None or not same_slide or not self._wanted.get(kind, True):
                self._remove(kind)
        if measured is None:
            return
        for kind in (lines.WHISKER_KIND, lines.LINE_KIND):
            if self._wanted[kind]:
                self._put(kind, measured)
        self.fit()

    def want(self, *, line: bool | None = None, whiskers: bool | None = None) -> None:
        """Show or hide the line and the whiskers."""
        for kind, wanted in ((lines.LINE_KIND, line), (lines.WHISKER_KIND, whiskers)):
            if wanted is not None:
                self._wanted[kind] = wanted
        self.show(self._measured)

    def set_opacity(self, opacity: float) -> None:
        """Show the lines stronger or fainter, 0-1."""
        self._opacity = opacity
        self._setting = True
        for kind in (lines.LINE_KIND, lines.WHISKER_KIND):
            for layer in self.of(kind):
                layer.opacity = opacity
        self._setting = False

    def point_at(self, place: tuple[Point, Point] | None) -> None:
        """Mark a place with a line across the interface, from inside to outside, each (x, y)."""
        found = self.of(lines.PLACE_KIND)
        if place is None or self._measured is None:
            # Hidden and not removed: with a layer that goes napari collects garbage, which takes
            # a good part of a second.
            for layer in found:
                layer.visible = False
        elif found:
            found[0].data = lines.place_segments(*place)
            found[0].visible = True
        else:
            self._add(lines.place_layer(*place, self._measured.slide.id))
            self.fit()

    # -- inside ---------------------------------------------------------------------------

    def _put(self, kind: str, measured: Measured) -> None:
        slide, interface = measured.slide, measured.interface
        found = self.of(kind)
        if found:
            self._fill(found[0], kind, interface)
            return
        make = lines.line_layer if kind == lines.LINE_KIND else lines.whisker_layer
        described = make(interface, slide.id, slide.stem)
        if len(described[0]):
            layer = self._add(described)
            layer.opacity = self._opacity
            layer.visible = not self._blink
            layer.events.opacity.connect(self._on_opacity)

    def _fill(self, layer: Any, kind: str, interface: Interface) -> None:
        if kind == lines.WHISKER_KIND:
            layer.data = lines.whisker_segments(interface)
        else:
            segments, colors = lines.line_segments(interface)
            layer.data = segments
            if len(colors):
                layer.edge_color = colors
        layer.editable = False

    def _remove(self, kind: str) -> None:
        remove_layers(self._viewer, self.of(kind))

    def _add(self, described: LayerData) -> Layer:
        """Add a layer above the maps and below what is drawn by hand; select nothing."""
        active = self._viewer.layers.selection.active
        layer = add_layer(self._viewer, described)
        layer.editable = False
        self._viewer.layers.move(len(self._viewer.layers) - 1, self._place_of(layer))
        if active is not None and active in self._viewer.layers:
            self._viewer.layers.selection.active = active
        return layer

    def _place_of(self, layer: Layer) -> int:
        below = 0
        for index, other in enumerate(self._viewer.layers):
            if other is not layer and kind_of(other.metadata) in ("slide", *RESULTS, *lines.KINDS):
                below = index + 1
        return min(below, len(self._viewer.layers) - 1)

    def fit(self) -> None:
        """Keep the lines as wide on the screen as they were."""
        zoom = max(camera_of(self._viewer).zoom, LEAST_ZOOM)
        for kind in lines.KINDS:
            for layer in self.of(kind):
                width_um = lines.line_width_um(zoom, kind)
                if abs(layer.edge_width - width_um) > 0.01 * width_um:
                    layer.edge_width = width_um

    def _on_view(self, view: Any) -> None:
        if view.blink != self._blink:
            self._blink = view.blink
            for kind in (lines.LINE_KIND, lines.WHISKER_KIND):
                for layer in self.of(kind):
                    layer.visible = not self._blink

    def _on_opacity(self, event: Any) -> None:
        if not self._setting:
            self._opacity = float(event.source.opacity)
            self.opacity_changed.emit(self._opacity)
