"""Brings a tile into view, with what lies around it, and frames it. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.plugin import layers
from napari_crlm_spa.plugin.map_layers import MapLayers
from napari_crlm_spa.plugin.session import FlyTarget, Session
from napari_crlm_spa.plugin.viewer_look import camera_of, canvas_size, remove_layers

if TYPE_CHECKING:
    from napari.components import ViewerModel

#: Tiles that are seen on each side of the target, so that a reader knows where it lies.
TILES_AROUND = 8
#: A tile of the paper; for targets on a slide without a map.
TILE_UM = 112.0


class Flight:
    """Moves a viewer's camera to targets; the last one stays framed until the slide changes."""

    def __init__(self, viewer: ViewerModel, session: Session, maps: MapLayers) -> None:
        self._viewer = viewer
        self._session = session
        self._maps = maps

    def go(self, target: FlyTarget) -> None:
        """Look at a target; layers and selection stay as they are."""
        slide = self._session.slides.get(target.slide_id)
        if slide is None:
            return
        stride = TILE_UM if slide.tissue_map is None else slide.tissue_map.stride_um
        height, width = canvas_size(self._viewer)
        around = 2 * TILES_AROUND * stride
        camera = camera_of(self._viewer)
        camera.zoom = min(
            width / (target.size_um[0] + around), height / (target.size_um[1] + around)
        )
        camera.center = (0.0, target.center_um[1], target.center_um[0])
        if slide.tissue_map is not None:
            self._frame(target, slide.tissue_map)

    def land(self, slide_id: str) -> None:
        """Take the frame away."""
        remove_layers(self._viewer, self._maps.of(slide_id, "target"))

    def _frame(self, target: FlyTarget, tissue_map: TissueMap) -> None:
        stride = tissue_map.stride_um
        size = (target.size_um[1] / stride, target.size_um[0] / stride)
        first = (
            (target.center_um[1] - tissue_map.origin_um[1]) / stride - size[0] / 2,
            (target.center_um[0] - tissue_map.origin_um[0]) / stride - size[1] / 2,
        )
        found = self._maps.of(target.slide_id, "target")
        if found:
            found[0].data = layers.frame_segments(first, size)
            found[0].visible = True
        else:
            self._maps.add(layers.frame_layer(first, size, tissue_map, target.slide_id))
        self._maps.fit_lines()
