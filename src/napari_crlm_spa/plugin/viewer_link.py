"""Keeps the viewer's layers and the session in step, both ways.

Slides that appear in or vanish from the viewer enter or leave the session; maps and results of
the session become layers. All of it happens in the main thread.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, WeakSet

from qtpy.QtCore import QObject, QTimer

from napari_crlm_spa.plugin import layers
from napari_crlm_spa.plugin.fly import Flight
from napari_crlm_spa.plugin.layers import METADATA_KEY, kind_of
from napari_crlm_spa.plugin.layers.source import source_of
from napari_crlm_spa.plugin.map_keys import MapKeys
from napari_crlm_spa.plugin.map_layers import MapLayers
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.pointer import Pointer
from napari_crlm_spa.plugin.readers import read_slide
from napari_crlm_spa.plugin.session import FlyTarget, OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_look import (
    add_layer,
    camera_of,
    dress_viewer,
    fit_view,
    remove_layers,
    units_in_view,
    warm_up_colors,
)

if TYPE_CHECKING:
    from napari.components import ViewerModel
    from napari.layers import Layer

    from napari_crlm_spa.plugin.effects_keeper import EffectsKeeper

LINES_MS = 40


def open_slide_in(viewer: ViewerModel, path: str | Path) -> Layer:
    """Open a slide with our own reader, whichever reader napari would choose.

    Raises
    ------
    SlideError
        If it cannot be opened; the sentence says why.
    """
    data, kwargs, kind = read_slide(Path(path))
    # Its own units come when it is looked at, for all layers at once.
    kwargs = {**kwargs, "units": units_in_view(viewer) or kwargs["units"]}
    layer = add_layer(viewer, (data, kwargs, kind))
    dress_viewer(viewer)
    fit_view(viewer, layer)
    return layer


class ViewerLink(QObject):
    """Connects one viewer with one session until `detach` is called."""

    def __init__(self, viewer: ViewerModel, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session = session
        self.maps = MapLayers(viewer, session)
        self._flight = Flight(viewer, session, self.maps)
        self._pointer = Pointer(viewer, session, self)
        self._keys = MapKeys(viewer, session)
        self._put_away: WeakSet[Layer] = WeakSet()
        self._own_units: WeakKeyDictionary[Layer, Any] = WeakKeyDictionary()
        self._refresh = Throttle(self._refresh_map, self, at_once=True)
        self._fit_lines = Throttle(self.maps.fit_lines, self, every_ms=LINES_MS)
        # Not while the viewer is still busy with removing a slide.
        self._later = QTimer(self, singleShot=True, interval=0)
        self._later.timeout.connect(self._remove_orphans)
        # Not before napari has made room for a new layer's controls.
        self._fit_view = QTimer(self, singleShot=True, interval=0)
        self._fit_view.timeout.connect(self._show_all_of_slide)
        self._shown: OpenSlide | None = None
        self._effects: EffectsKeeper | None = None
        self._ears: list[tuple[Any, Callable[..., None]]] = [
            (camera_of(viewer).events.zoom, self._on_zoom),
            (viewer.layers.events.inserted, self._on_inserted),
            (viewer.layers.events.removed, self._on_removed),
            (session.current_changed, self._on_current_changed),
            (session.map_started, self._on_map_started),
            (session.map_changed, self._on_map_changed),
            (session.analysis_changed, self._on_analysis_changed),
            (session.review_changed, self._on_review_changed),
            (session.quality_changed, self._on_quality_changed),
            (session.risk_model_changed, self._on_risk_model_changed),
            (session.view_changed, self._on_view_changed),
            (session.fly_wanted, self._on_fly_wanted),
            (session.blinded_changed, self._on_blinded),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)
        for layer in viewer.layers:
            self._take_in(layer)
        self._fit_view.stop()

    def detach(self) -> None:
        """Stop listening."""
        for timer in (self._refresh, self._fit_lines, self._later, self._fit_view):
            timer.stop()
        self._pointer.let_go()
        self._keys.let_go()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()
        for layer in list(self._own_units):
            self._give_units_back(layer)

    def use_effects(self, keeper: EffectsKeeper) -> None:
        """Take from there what each tile does to the risk, for the map of it."""
        self._effects = keeper
        keeper.changed.connect(self._on_effects_changed)
        self._ears.append((keeper.changed, self._on_effects_changed))

    # -- viewer to session ----------------------------------------------------------------

    def _on_inserted(self, event: Any) -> None:
        self._take_in(event.value)

    def _take_in(self, layer: Layer) -> None:
        if kind_of(layer.metadata) == "slide":
            ours = layer.metadata[METADATA_KEY]
            self._session.add_slide(ours["slide_id"], ours["info"])
            dress_viewer(self._viewer)
            warm_up_colors()

    def _on_removed(self, event: Any) -> None:
        if kind_of(event.value.metadata) == "slide":
            slide_id = event.value.metadata[METADATA_KEY]["slide_id"]
            if not self.maps.of(slide_id, "slide"):
                self._session.remove_slide(slide_id)
                self._later.start()

    def _on_zoom(self, _event: Any) -> None:
        self._fit_lines.poke()

    # -- session to viewer ----------------------------------------------------------------

    def _on_current_changed(self, slide: OpenSlide | None) -> None:
        """Show the layers of this slide only, at the pixel size that the session knows."""
        if slide is None:
            return
        self._look_at(slide)
        if slide is not self._shown:
            self._shown = slide
            if slide.tissue_map is not None:
                self.maps.show(slide)
            self.maps.activate(slide)
            self._fit_view.start()
        placing = layers.slide_transform(slide.info)
        moved = [
            layer
            for layer in self.maps.of(slide.id, "slide")
            if tuple(layer.scale) != placing["scale"]
        ]
        for layer in moved:
            layer.scale, layer.translate = placing["scale"], placing["translate"]
            layer.units = placing["units"]
            # A panel that is opened anew asks the layer.
            layer.metadata[METADATA_KEY]["info"] = slide.info
        if moved:
            self.maps.remove(slide.id)
            self.maps.activate(slide)
            self._fit_view.start()

    def _show_all_of_slide(self) -> None:
        slide = self._session.current
        for layer in [] if slide is None else self.maps.of(slide.id, "slide"):
            fit_view(self._viewer, layer)

    def _look_at(self, slide: OpenSlide) -> None:
        """Put the layers of other slides away and bring back those of this one.

        All slides begin at the same corner, so they would cover each other. Maps that can be
        made again are removed.
        """
        # First of all: with every layer that comes or goes napari compares them.
        self._agree_on_units(slide)
        for other in self._session.slides.values():
            if other is not slide and other.tissue_map is not None:
                self.maps.remove(other.id)
        for layer in self._viewer.layers:
            if kind_of(layer.metadata, slide.id) is not None:
                layer.visible = layer.visible or layer in self._put_away
                self._put_away.discard(layer)
            elif kind_of(layer.metadata) is not None and layer.visible:
                layer.visible = False
                self._put_away.add(layer)

    def _agree_on_units(self, slide: OpenSlide) -> None:
        """Lend the layers of other slides the units of this one.

        With a slide in pixels among others in micrometers napari shows a warning and a scale bar
        without a unit, even if one of them is hidden.
        """
        units = layers.slide_transform(slide.info)["units"]
        for layer in self._viewer.layers:
            kind = kind_of(layer.metadata)
            if kind is None:
                continue
            if kind_of(layer.metadata, slide.id) is None:
                self._own_units.setdefault(layer, layer.units)
                layer.units = units
            elif kind == "slide":
                self._own_units.pop(layer, None)
                layer.units = units
            else:
                self._give_units_back(layer)

    def _give_units_back(self, layer: Layer) -> None:
        if layer in self._own_units:
            layer.units = self._own_units.pop(layer)

    def _remove_orphans(self) -> None:
        """Remove the maps of slides that are gone; they are on disk and come back with a run."""
        gone = []
        for layer in self._viewer.layers:
            ours = layer.metadata.get(METADATA_KEY)
            if ours is not None and ours["slide_id"] not in self._session.slides:
                gone.append(layer)
        remove_layers(self._viewer, gone)

    def _on_map_started(self, slide: OpenSlide) -> None:
        """Show an empty map; that of a slide in the background waits until it is looked at."""
        self.maps.remove(slide.id)
        if slide is self._session.current:
            self.maps.show(slide)

    def _on_map_changed(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._refresh.poke()

    def _refresh_map(self) -> None:
        if self._session.current is not None:
            self.maps.refresh(self._session.current)

    def _on_analysis_changed(self, slide: OpenSlide) -> None:
        self._refresh.stop()
        self._on_map_started(slide)

    def _on_review_changed(self, slide: OpenSlide) -> None:
        if slide is not self._session.current:
            return
        source = source_of(slide)
        if source is not None and self._effects is not None and not self._effects.wanted:
            # Nobody brings them up to date.
            source.set_effects(None)
        self.maps.refresh(slide)

    def _on_blinded(self, blinded: bool) -> None:
        """Remove the maps, so that no list of layers tells of them, or bring them back."""
        slide = self._session.current
        if slide is not None and slide.tissue_map is not None and not blinded:
            self.maps.show(slide)
        for each in self._session.slides.values() if blinded else ():
            self.maps.remove(each.id)
        if slide is not None and blinded:
            self.maps.activate(slide)

    def _on_view_changed(self, view: MapView) -> None:
        if view.kind is MapKind.CONTRIBUTION and self._effects is not None:
            self._effects.wanted = True
        self.maps.look(view)

    def _on_quality_changed(self, slide: OpenSlide) -> None:
        if slide is self._session.current and self._session.view.kind is MapKind.QUALITY:
            self.maps.look(self._session.view)

    def _on_risk_model_changed(self, _model: object) -> None:
        if self._session.view.kind is MapKind.CONTRIBUTION:
            self._session.view_changed.emit(self._session.view)

    def _on_effects_changed(self, slide: OpenSlide) -> None:
        """Take the effects in; the map that waited for them appears."""
        source = source_of(slide) if slide is self._session.current else None
        if source is None or self._effects is None:
            return
        waited = bool(source.problem(self._session.view))
        source.set_effects(self._effects.effects_of(slide))
        if self._session.view.kind is not MapKind.CONTRIBUTION:
            return
        if waited or source.problem(self._session.view):
            self._session.view_changed.emit(self._session.view)
        else:
            self.maps.refresh(slide)

    def _on_fly_wanted(self, target: FlyTarget) -> None:
        # The whole of a slide that was just opened is not what is wanted.
        self._fit_view.stop()
        self._flight.go(target)
