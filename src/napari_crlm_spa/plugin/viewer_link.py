"""Keeps the viewer's layers and the session in step, both ways.

Slides that appear in or vanish from the viewer enter or leave the session; maps and results of
the session become layers. All of it happens in the main thread.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from qtpy.QtCore import QObject, QTimer

from napari_crlm_spa.plugin import layers
from napari_crlm_spa.plugin.layers import METADATA_KEY, LayerData, kind_of
from napari_crlm_spa.plugin.readers import read_slide
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_look import camera_of, dress_viewer, fit_view, show_color_bar

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

OUTLINE_MS = 40


def add_layer(viewer: ViewerModel, layer_data: LayerData) -> Layer:
    """Add a layer that `plugin.layers` or the reader described."""
    from napari.layers import Layer

    data, kwargs, kind = layer_data
    return viewer.add_layer(Layer.create(data, kwargs, kind))


def open_slide_in(viewer: ViewerModel, path: str | Path) -> Layer:
    """Open a slide with our own reader, whichever reader napari would choose.

    Raises
    ------
    SlideError
        If it cannot be opened; the sentence says why.
    """
    layer = add_layer(viewer, read_slide(Path(path)))
    dress_viewer(viewer)
    fit_view(viewer, layer)
    return layer


class ViewerLink(QObject):
    """Connects one viewer with one session until `detach` is called."""

    def __init__(self, viewer: ViewerModel, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session = session
        self._changed: OpenSlide | None = None
        self._put_away: WeakSet[Layer] = WeakSet()
        self._refresh = Throttle(self._refresh_map, self)
        self._fit_outline = Throttle(self._fit_outlines, self, every_ms=OUTLINE_MS)
        # Not while the viewer is still busy with removing a slide.
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._remove_orphans)
        # Not before napari has made room for a new layer's controls.
        self._fit_view = QTimer(self, singleShot=True, interval=0)
        self._fit_view.timeout.connect(self._show_all_of_slide)
        self._shown: OpenSlide | None = None
        camera_of(viewer).events.zoom.connect(self._on_zoom)
        viewer.layers.events.inserted.connect(self._on_inserted)
        viewer.layers.events.removed.connect(self._on_removed)
        session.current_changed.connect(self._on_current_changed)
        session.map_started.connect(self._on_map_started)
        session.map_changed.connect(self._on_map_changed)
        session.analysis_changed.connect(self._on_analysis_changed)
        for layer in viewer.layers:
            self._take_in(layer)
        self._fit_view.stop()

    def detach(self) -> None:
        """Stop listening."""
        self._refresh.stop()
        self._fit_outline.stop()
        self._later.stop()
        self._fit_view.stop()
        camera_of(self._viewer).events.zoom.disconnect(self._on_zoom)
        self._viewer.layers.events.inserted.disconnect(self._on_inserted)
        self._viewer.layers.events.removed.disconnect(self._on_removed)
        self._session.current_changed.disconnect(self._on_current_changed)
        self._session.map_started.disconnect(self._on_map_started)
        self._session.map_changed.disconnect(self._on_map_changed)
        self._session.analysis_changed.disconnect(self._on_analysis_changed)

    def layers_of(self, slide_id: str, kind: str | None = None) -> list[Layer]:
        """Return our layers of a slide, all or those of one kind."""
        found = []
        for layer in self._viewer.layers:
            its_kind = kind_of(layer.metadata, slide_id)
            if its_kind is not None and kind in (None, its_kind):
                found.append(layer)
        return found

    # -- viewer to session ----------------------------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        self._take_in(event.value)

    def _take_in(self, layer: Layer) -> None:
        if kind_of(layer.metadata) == "slide":
            ours = layer.metadata[METADATA_KEY]
            self._session.add_slide(ours["slide_id"], ours["info"])
            dress_viewer(self._viewer)

    def _on_removed(self, event: Any) -> None:
        if kind_of(event.value.metadata) == "slide":
            slide_id = event.value.metadata[METADATA_KEY]["slide_id"]
            if not self.layers_of(slide_id, "slide"):
                self._session.remove_slide(slide_id)
                self._later.start()

    def _on_zoom(self, _event: Any) -> None:
        self._fit_outline.poke()

    def _fit_outlines(self) -> None:
        """Keep the tumor's outline as wide on the screen as it was."""
        zoom = camera_of(self._viewer).zoom
        for layer in self._viewer.layers:
            if kind_of(layer.metadata) == "tumor_region":
                layer.edge_width = layers.outline_width(layer.scale[0], zoom)

    # -- session to viewer ----------------------------------------------------------------

    def _on_current_changed(self, slide: OpenSlide | None) -> None:
        """Show the layers of this slide only, at the pixel size that the session knows."""
        if slide is None:
            return
        self._look_at(slide)
        if slide is not self._shown:
            self._shown = slide
            self._activate(slide)
            self._fit_view.start()
        placing = layers.slide_transform(slide.info)
        moved = [
            layer
            for layer in self.layers_of(slide.id, "slide")
            if tuple(layer.scale) != placing["scale"]
        ]
        for layer in moved:
            layer.scale, layer.translate = placing["scale"], placing["translate"]
            layer.units = placing["units"]
            # A panel that is opened anew asks the layer.
            layer.metadata[METADATA_KEY]["info"] = slide.info
        if moved:
            self._remove_results(slide)
            self._fit_view.start()

    def _activate(self, slide: OpenSlide) -> None:
        """Select the map, whose opacity a reader wants to change next, or the slide."""
        for kind in ("tissue_map", "slide"):
            for layer in self.layers_of(slide.id, kind):
                self._viewer.layers.selection.active = layer
                return

    def _show_all_of_slide(self) -> None:
        slide = self._session.current
        for layer in [] if slide is None else self.layers_of(slide.id, "slide"):
            fit_view(self._viewer, layer)

    def _look_at(self, slide: OpenSlide) -> None:
        """Put the layers of other slides away and bring back those of this one.

        All slides begin at the same corner, so they would cover each other.
        """
        for layer in self._viewer.layers:
            if kind_of(layer.metadata, slide.id) is not None:
                layer.visible = layer.visible or layer in self._put_away
                self._put_away.discard(layer)
            elif kind_of(layer.metadata) is not None and layer.visible:
                layer.visible = False
                self._put_away.add(layer)

    def _remove_results(self, slide: OpenSlide) -> None:
        for layer in self.layers_of(slide.id):
            if kind_of(layer.metadata) != "slide":
                self._viewer.layers.remove(layer)

    def _remove_orphans(self) -> None:
        """Remove the maps of slides that are gone; they are on disk and come back with a run."""
        for layer in list(self._viewer.layers):
            ours = layer.metadata.get(METADATA_KEY)
            if ours is not None and ours["slide_id"] not in self._session.slides:
                self._viewer.layers.remove(layer)

    def _on_map_started(self, slide: OpenSlide) -> None:
        assert slide.tissue_map is not None
        self._remove_results(slide)
        map_layer = layers.tissue_map_layer(slide.tissue_map, slide.id, slide.stem)
        add_layer(self._viewer, map_layer).editable = False

    def _on_map_changed(self, slide: OpenSlide) -> None:
        self._changed = slide
        self._refresh.poke()

    def _refresh_map(self) -> None:
        assert self._changed is not None
        for layer in self.layers_of(self._changed.id, "tissue_map"):
            layer.refresh(extent=False)

    def _on_analysis_changed(self, slide: OpenSlide) -> None:
        self._refresh.stop()
        self._on_map_started(slide)
        assert slide.analysis is not None
        for layer_data in layers.analysis_layers(slide.analysis, slide.id, slide.stem):
            layer = add_layer(self._viewer, layer_data)
            if kind_of(layer.metadata) in layers.WITH_COLOR_BAR:
                show_color_bar(layer)
        self._fit_outlines()
        self._activate(slide)
