"""The map over the current slide: builds, refreshes and removes its layers in the viewer. No Qt.

There is one Labels layer for class-like maps, one Image layer for heat maps (made when the first
one is chosen) and the tumor's outline. Choosing another map changes what a layer holds, not the
layers; what a user removes by hand comes back when a map is chosen again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.plugin import layers
from napari_crlm_spa.plugin.layers import METADATA_KEY, CodeMap, HeatMap, LayerData, Scale, kind_of
from napari_crlm_spa.plugin.layers.source import MapSource, source_of
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.viewer_look import add_layer, camera_of, remove_layers, show_color_bar

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

#: Kinds of layers that are made from a slide's results, from below to above.
RESULTS = ("tissue_map", "heat_map", "tumor_region", "target")
MAPS = ("tissue_map", "heat_map")
#: Our lines, and how wide they are on the screen.
LINE_SCREEN_PX = {
    "tumor_region": layers.OUTLINE_SCREEN_PX,
    "target": layers.FRAME_SCREEN_PX,
}


class MapLayers:
    """The layers of the maps of one viewer.

    Parameters
    ----------
    viewer, session
        Where they are shown, and what they show.
    """

    def __init__(self, viewer: ViewerModel, session: Session) -> None:
        self._viewer = viewer
        self._session = session
        self._view: MapView = session.view
        self._outlined: NDArray[np.bool_] | None = None
        self._colors: dict[int | None, str] = {}
        self._scale: Scale | None = None
        self._before_blink: dict[Layer, bool] = {}
        self._setting = False

    def of(self, slide_id: str, kind: str | None = None) -> list[Layer]:
        """Return our layers of a slide, all or those of one kind."""
        found = []
        for layer in self._viewer.layers:
            its_kind = kind_of(layer.metadata, slide_id)
            if its_kind is not None and kind in (None, its_kind):
                found.append(layer)
        return found

    # -- what is called -------------------------------------------------------------------

    def show(self, slide: OpenSlide) -> None:
        """Show the maps of a slide anew, also those that were removed by hand."""
        self.remove(slide.id)
        self._put(slide, bring_back=True)
        self.activate(slide)

    def refresh(self, slide: OpenSlide) -> None:
        """Follow the slide's tiles; what was removed by hand stays away."""
        self._put(slide, bring_back=False)

    def remove(self, slide_id: str) -> None:
        """Remove the maps of a slide."""
        found = self.of(slide_id)
        remove_layers(self._viewer, (each for each in found if kind_of(each.metadata) in RESULTS))

    def activate(self, slide: OpenSlide) -> None:
        """Select the map, whose controls a reader wants to see next, or the slide."""
        shown = "heat_map" if self._session.view.kind.is_heat else "tissue_map"
        for kind in (shown, "tissue_map", "slide"):
            for layer in self.of(slide.id, kind):
                self._viewer.layers.selection.active = layer
                return

    def look(self, view: MapView) -> None:
        """Show the current slide's map as the session's view says."""
        before, self._view = self._view, view
        slide = self._session.current
        if slide is None or self._session.blinded or source_of(slide) is None:
            return
        if view.blink != before.blink:
            self._blink(slide, view.blink)
        map_keys = ("kind", "tissue", "hidden", "min_probability", "palette")
        chosen = (view.kind, view.tissue) != (before.kind, before.tissue) or view == before
        if chosen or any(getattr(view, key) != getattr(before, key) for key in map_keys):
            self._put(slide, bring_back=chosen)
        if chosen:
            self._follow_active(slide)
        if view.outline != before.outline:
            self._put_outline(slide, bring_back=view.outline)
        self._set_opacity(slide)

    def fit_lines(self) -> None:
        """Keep our lines as wide on the screen as they were."""
        zoom = camera_of(self._viewer).zoom
        for layer in self._viewer.layers:
            width_px = LINE_SCREEN_PX.get(kind_of(layer.metadata) or "")
            if width_px is not None:
                layer.edge_width = layers.line_width(layer.scale[0], zoom, width_px)

    def add(self, layer_data: LayerData) -> Layer:
        """Add a layer of results in its place, below what is drawn by hand; select nothing."""
        active = self._viewer.layers.selection.active
        layer = add_layer(self._viewer, layer_data)
        layer.editable = False
        place = self._place_of(layer)
        if place < len(self._viewer.layers) - 1:
            self._viewer.layers.move(len(self._viewer.layers) - 1, place)
        if active is not None:
            self._viewer.layers.selection.active = active
        return layer

    # -- inside ---------------------------------------------------------------------------

    def _place_of(self, layer: Layer) -> int:
        """Return the index right above the layers that belong under it."""
        ours = layer.metadata[METADATA_KEY]
        above = RESULTS[RESULTS.index(ours["kind"]) :]
        below = 0
        for index, other in enumerate(self._viewer.layers):
            its_kind = kind_of(other.metadata, ours["slide_id"])
            if its_kind in ("slide", *RESULTS) and its_kind not in above:
                below = index + 1
        return len(self._viewer.layers) - 1 if ours["kind"] == "target" else below

    def _put(self, slide: OpenSlide, *, bring_back: bool) -> None:
        source = source_of(slide)
        if source is None or slide is not self._session.current or self._session.blinded:
            return
        shown = source.shown(self._session.view)
        self._put_codes(source, shown if isinstance(shown, CodeMap) else None, bring_back)
        self._put_heat(source, shown if isinstance(shown, HeatMap) else None, bring_back)
        self._put_outline(slide, bring_back=bring_back)
        self._set_opacity(slide)

    def _put_codes(self, source: MapSource, shown: CodeMap | None, bring_back: bool) -> None:
        slide = source.slide
        found = self.of(slide.id, "tissue_map")
        if not found and bring_back:
            first = shown or source.shown(MapView())
            assert isinstance(first, CodeMap)
            described = layers.code_layer(first, source.tissue_map, slide.id, slide.stem)
            found = [self._watched(self.add(described))]
            self._colors = first.colors
            self._set_visible(found[0], shown is not None)
            return
        for layer in found:
            if shown is not None:
                self._fill_codes(layer, shown, slide)
            if bring_back or shown is None:
                self._set_visible(layer, shown is not None)

    def _fill_codes(self, layer: Any, shown: CodeMap, slide: OpenSlide) -> None:
        name = layers.layer_name(shown.title, slide.stem)
        if layer.name != name:
            layer.name, layer.features = name, shown.features
        if layer.data is not shown.codes:
            layer.data = shown.codes
            # napari lets new data be painted on.
            layer.editable = False
        elif shown.colors == self._colors:
            layer.refresh(extent=False)
        if shown.colors != self._colors:
            # This refreshes the layer as well.
            layer.colormap = shown.colors
            self._colors = shown.colors

    def _put_heat(self, source: MapSource, shown: HeatMap | None, bring_back: bool) -> None:
        slide = source.slide
        found = self.of(slide.id, "heat_map")
        if shown is None:
            for layer in found:
                self._set_visible(layer, False)
            return
        if not found and bring_back:
            described = layers.heat_layer(shown, source.tissue_map, slide.id, slide.stem)
            layer = self._watched(self.add(described))
            self._scale = shown.scale
            show_color_bar(layer)
            self._set_visible(layer, True)
            return
        for layer in found:
            self._fill_heat(layer, shown, slide)
            if bring_back:
                self._set_visible(layer, True)

    def _fill_heat(self, layer: Any, shown: HeatMap, slide: OpenSlide) -> None:
        name = layers.layer_name(shown.title, slide.stem)
        if layer.name != name:
            layer.name = name
        if shown.scale != self._scale:
            layer.colormap = layers.napari_colormap(shown.scale)
            layer.contrast_limits_range = shown.scale.limits
            layer.contrast_limits = shown.scale.limits
            self._scale = shown.scale
        layer.data = shown.values

    def _put_outline(self, slide: OpenSlide, *, bring_back: bool) -> None:
        features, wanted = slide.features, self._session.view.outline
        found = self.of(slide.id, "tumor_region")
        if features is None or slide.tissue_map is None:
            return
        mask = features.regions.mask
        if not found and bring_back and wanted:
            described = layers.outline_layer(mask, slide.tissue_map, slide.id, slide.stem)
            found = [self.add(described)]
            self._outlined = mask
            self.fit_lines()
        for layer in found:
            if self._outlined is None or not np.array_equal(mask, self._outlined):
                layer.data = layers.border_segments(mask)
                self._outlined = mask
            if bring_back or not wanted:
                self._set_visible(layer, wanted)

    def _follow_active(self, slide: OpenSlide) -> None:
        """Select the other map if one of the maps was selected; a tool's layer stays so."""
        active = self._viewer.layers.selection.active
        if active is None or kind_of(active.metadata, slide.id) in MAPS:
            self.activate(slide)

    def _set_visible(self, layer: Layer, wanted: bool) -> None:
        if self._session.view.blink:
            self._before_blink[layer] = wanted
            wanted = False
        if layer.visible != wanted:
            layer.visible = wanted

    def _blink(self, slide: OpenSlide, blink: bool) -> None:
        """Hide our maps; show again what was shown, if it is still there."""
        if blink:
            for layer in self.of(slide.id):
                if kind_of(layer.metadata) in RESULTS:
                    self._before_blink[layer] = layer.visible
                    layer.visible = False
            return
        before, self._before_blink = self._before_blink, {}
        for layer, visible in before.items():
            if visible and layer in self._viewer.layers:
                layer.visible = True

    def _set_opacity(self, slide: OpenSlide) -> None:
        view, self._setting = self._session.view, True
        for kind, opacity in (("tissue_map", view.opacity), ("heat_map", view.heat_opacity)):
            for layer in self.of(slide.id, kind):
                if layer.opacity != opacity:
                    layer.opacity = opacity
        self._setting = False

    def _watched(self, layer: Layer) -> Layer:
        """Take over the opacity that a user sets with napari's own slider."""

        def on_opacity(_event: Any) -> None:
            if not self._setting:
                name = "opacity" if kind_of(layer.metadata) == "tissue_map" else "heat_opacity"
                self._session.set_view(**{name: float(layer.opacity)})

        layer.events.opacity.connect(on_opacity)
        return layer
