"""The numbers of a figure's legend, of the tiles whose centers lie in the region."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.report.figure.maps import CodeMap, FigureMap
from napari_crlm_spa.core.tissue_map import TissueMap

#: x, y, width, height in micrometers from the slide's top-left corner.
RegionUm = tuple[float, float, float, float]
_CLASSES, _STATISTICS = ("name", "title", "color", "tiles", "mm2", "share"), ("statistic", "value")
#: First lines of the tables beside figures.
HEADINGS = frozenset({",".join(_CLASSES), ",".join(_STATISTICS)})


@dataclass(frozen=True, slots=True)
class LegendRow:
    """A line of the legend; without tiles the share is None."""

    name: str
    title: str
    color: str
    tiles: int
    mm2: float
    share: float | None


def tiles_in(tissue_map: TissueMap, region_um: RegionUm) -> NDArray[np.bool_]:
    """Mark the tiles whose centers lie in a region, shape (rows, cols)."""
    left, top, width, height = region_um
    stride, (rows, cols) = tissue_map.stride_um, tissue_map.shape
    x = tissue_map.origin_um[0] + (np.arange(cols) + 0.5) * stride
    y = tissue_map.origin_um[1] + (np.arange(rows) + 0.5) * stride
    across, along = (x >= left) & (x < left + width), (y >= top) & (y < top + height)
    inside: NDArray[np.bool_] = along[:, None] & across[None, :]
    return inside


def legend_rows(shown: CodeMap, tissue_map: TissueMap, region_um: RegionUm) -> list[LegendRow]:
    """Count each entry of a class-like map in the region."""
    codes = shown.codes[tiles_in(tissue_map, region_um)]
    counts = np.bincount(codes, minlength=256)
    total = int(sum(counts[entry.code] for entry in shown.entries if entry.counted))
    return [
        LegendRow(
            entry.name,
            entry.title,
            entry.color,
            int(counts[entry.code]),
            tissue_map.area_mm2(int(counts[entry.code])),
            int(counts[entry.code]) / total if entry.counted and total else None,
        )
        for entry in shown.entries
    ]


def numbers_csv(shown: FigureMap, tissue_map: TissueMap, region_um: RegionUm) -> str:
    """Return the legend's numbers as a table: a row a class, or a row a statistic."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if isinstance(shown, CodeMap):
        writer.writerow(_CLASSES)
        for row in legend_rows(shown, tissue_map, region_um):
            share = "" if row.share is None else round(row.share, 6)
            cells = [row.name, row.title, row.color, row.tiles, round(row.mm2, 6), share]
            writer.writerow(cells)
        return text.getvalue()
    values = shown.values[tiles_in(tissue_map, region_um)].astype(np.float64)
    known = values[~np.isnan(values)]
    writer.writerow(_STATISTICS)
    writer.writerow(["tiles", len(known)])
    names = ("lowest", "lower quartile", "median", "upper quartile", "highest")
    if len(known):
        quartiles = np.quantile(known, (0, 0.25, 0.5, 0.75, 1))
        writer.writerows((name, f"{x:.6g}") for name, x in zip(names, quartiles, strict=True))
        writer.writerow(["mean", f"{known.mean():.6g}"])
    return text.getvalue()
