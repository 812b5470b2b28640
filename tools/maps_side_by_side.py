"""Tissue maps of one slide by several models, beside the slide, as a picture.

    python tools/maps_side_by_side.py SLIDE OUT.jpg BEFORE=RESULT_FOLDER AFTER=RESULT_FOLDER

The words before the equals sign stand above the maps.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch

import napari_crlm_spa as spa
from napari_crlm_spa.core.report.rasters import class_raster

_PANEL_IN, _DPI = 4.2, 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("slide", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("maps", nargs="+", help="TITLE=RESULT_FOLDER")
    arguments = parser.parse_args()
    titled = [text.partition("=")[::2] for text in arguments.maps]
    stored = {title: spa.load_analysis(Path(folder)) for title, folder in titled}
    run = next(iter(stored.values())).run
    with spa.open_slide(arguments.slide, mpp=run["slide"]["pixel_size_um"][0]) as slide:
        picture = slide.thumbnail(1200)
        width_um = slide.info.width_px * run["slide"]["pixel_size_um"][0]
        height_um = slide.info.height_px * run["slide"]["pixel_size_um"][1]
    panels = 1 + len(stored)
    height_in = min(6.0, _PANEL_IN * height_um / width_um)
    figure = Figure(figsize=(_PANEL_IN * panels, height_in + 0.75), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, panels, sharex=True, sharey=True)
    axes[0].imshow(picture, extent=(0, width_um, height_um, 0))
    axes[0].set_title(arguments.slide.name, fontsize=9, loc="left")
    for axis, (title, analysis) in zip(axes[1:], stored.items(), strict=True):
        shown = analysis.tissue_map
        left, top = shown.origin_um
        right = left + shown.shape[1] * shown.stride_um
        bottom = top + shown.shape[0] * shown.stride_um
        axis.imshow(class_raster(shown), extent=(left, right, bottom, top), interpolation="nearest")
        axis.set_title(title, fontsize=9, loc="left")
    axes[0].set_xlim(0, width_um)
    axes[0].set_ylim(height_um, 0)
    for axis in axes:
        axis.set_xticks([])
        axis.set_yticks([])
    scheme = next(iter(stored.values())).tissue_map.scheme
    colors = [Patch(color=tissue.color, label=tissue.name) for tissue in scheme.classes]
    figure.legend(handles=colors, loc="lower center", ncols=len(colors), fontsize=8, frameon=False)
    figure.subplots_adjust(0.01, 0.3 / (height_in + 0.75), 0.99, 1 - 0.3 / (height_in + 0.75), 0.03)
    figure.savefig(arguments.out, dpi=_DPI, pil_kwargs={"quality": 82})


if __name__ == "__main__":
    main()
