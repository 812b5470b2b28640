"""How the viewer looks while slides are in it: white around them, a scale bar in micrometers.

The one place that knows what differs between napari's versions. No Qt, public names only;
napari itself is imported on use.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterable
from contextlib import nullcontext
from functools import cache
from threading import Thread
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.progress import Progress

if TYPE_CHECKING:
    from napari.components import Camera, ViewerModel
    from napari.layers import Image, Layer, Vectors

    from napari_crlm_spa.plugin.layers import LayerData

CANVAS_COLOR = "white"
#: (height, width) of the canvas where napari does not tell it.
USUAL_CANVAS_PX = (800, 800)
#: What the viewer's status bar says of our layers.
HELP = "B (hold) tissue without map · M next map · N, P next, previous slide"


def dress_viewer(viewer: ViewerModel) -> None:
    """White canvas, as on a light table, and a scale bar that stays readable on tissue."""
    canvas = getattr(viewer, "canvas", None)  # napari 0.9 and newer
    if canvas is not None:
        canvas.background_color_override = CANVAS_COLOR
    scale_bar = scale_bar_of(viewer)
    scale_bar.visible = True
    scale_bar.box = True


def scale_bar_of(viewer: ViewerModel) -> Any:
    """Return the viewer's scale bar."""
    canvas = getattr(viewer, "canvas", None)  # napari 0.9 and newer
    return viewer.scale_bar if canvas is None else canvas.overlays.scale_bar


def dress_viewer_in_front() -> None:
    """Dress the viewer that asked the reader for a slide, if a viewer did."""
    if "napari" not in sys.modules:
        return
    from napari import current_viewer

    viewer = current_viewer()
    if viewer is not None:
        dress_viewer(viewer)


def camera_of(viewer: ViewerModel) -> Camera:
    """Return the viewer's camera."""
    scene = getattr(viewer, "scene", None)  # napari 0.9 and newer
    return viewer.camera if scene is None else scene.camera


def canvas_size(viewer: ViewerModel) -> tuple[int, int]:
    """(height, width) of the canvas in screen pixels."""
    canvas = getattr(viewer, "canvas", None)  # napari 0.9 and newer
    height, width = USUAL_CANVAS_PX if canvas is None else canvas.size
    return int(height), int(width)


def add_layer(viewer: ViewerModel, layer_data: LayerData) -> Any:
    """Add a layer that `plugin.layers` or the reader described; return it."""
    from napari.layers import Layer

    data, kwargs, kind = layer_data
    if kind == "vectors":
        made: Layer = _quick_vectors()(data, **kwargs)
    else:
        made = Layer.create(data, kwargs, kind)
    added = viewer.add_layer(made)
    # Napari would tell of its own tools, by keys that do something else here.
    added.help = HELP
    viewer.help = HELP
    return added


def remove_layers(viewer: ViewerModel, layers: Iterable[Layer]) -> None:
    """Remove layers together.

    Napari collects garbage each time a layer goes, which with all libraries loaded takes a good
    part of a second; of a batch it does so once (napari 0.9 and newer).
    """
    going = list(layers)
    if not going:
        return
    with getattr(viewer.layers, "batched_update", nullcontext)():
        for layer in going:
            if layer in viewer.layers:  # it may have gone with another
                viewer.layers.remove(layer)


@cache
def _quick_vectors() -> type[Vectors]:
    """Return napari's Vectors without their small picture.

    Napari draws it tile by tile at every change, which takes longer than everything else that a
    correction does; and of an outline nothing is to be seen in it.
    """
    from napari.layers import Vectors as Base

    # Named as napari's own: it stores a layer by the name of its class.
    class Vectors(Base):  # type: ignore[misc,unused-ignore]
        def refresh(self, *args: Any, thumbnail: bool = True, **kwargs: Any) -> None:
            """Follow the data, without the small picture."""
            super().refresh(*args, thumbnail=False, **kwargs)

    return Vectors


def units_in_view(viewer: ViewerModel) -> tuple[Any, ...] | None:
    """Return the units that all layers share; None without layers, or where they differ."""
    units = viewer.layers.extent.units if len(viewer.layers) else None
    return None if units is None else tuple(units)[-2:]


def fit_view(viewer: ViewerModel, layer: Layer) -> None:
    """Show all of a layer, however large the hidden ones are."""
    try:
        viewer.reset_view(layers=[layer])
    except TypeError:  # napari before 0.9 fits all layers
        viewer.reset_view()


def show_color_bar(layer: Image) -> None:
    """Show the color bar of a heat map where napari has one (0.7 and newer)."""
    color_bar = getattr(layer, "colorbar", None)
    if color_bar is not None:
        color_bar.visible = True


@cache
def warm_up_colors() -> Thread:
    """Let napari prepare itself for coloring label maps, which takes seconds at the first time.

    With numba it compiles that code in each process anew: better while a slide is looked at than
    when its map is wanted. It happens once, in a thread that touches no layer.
    """

    def color_one_tile() -> None:
        import numpy as np
        from napari.utils import DirectLabelColormap

        clear = np.zeros(4, np.float32)
        DirectLabelColormap(color_dict={None: clear, 0: clear, 1: clear + 1}).map(
            np.ones((1, 1), np.uint8)
        )

    # Not a daemon: the program does not end in the middle of a compilation.
    thread = Thread(target=color_one_tile, name="crlm-spa-colors", daemon=False)
    thread.start()
    return thread


def watch(work: Iterable[Progress]) -> None:
    """Do slow work in the main thread, with napari's own progress bar if napari is there."""
    if "napari" not in sys.modules:
        for _ in work:
            pass
        return
    from napari.utils import progress

    with progress(total=0) as bar:
        for report in work:
            bar.total = report.total
            bar.set_description(report.stage)
            bar.update(report.done - bar.n)


def warn(sentence: str) -> None:
    """Tell the user something in passing."""
    if "napari" in sys.modules:
        from napari.utils.notifications import show_warning

        show_warning(sentence)
    else:
        warnings.warn(sentence, stacklevel=2)
