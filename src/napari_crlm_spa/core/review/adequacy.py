"""Whether there is enough tissue: the risk of random parts of the slide, against their size.

Parts of growing area are cut out at random and scored on their own under the slide's thresholds
and cut-offs. Where scores and groups of parts settle well before the whole slide, more tissue of
the same kind would hardly have changed them.

Assumed: that the slide's parts are to the slide what the slide is to the tumor, which a slide
chosen by eye need not be. Parts of one slide overlap, so the spread shrinks to 0 towards the whole
slide whatever the truth; read the small parts, not the end of the curve.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.interval import scored
from napari_crlm_spa.core.risk import RiskModel
from napari_crlm_spa.core.spatial import FEATURES, SpatialFeatures, spatial_features
from napari_crlm_spa.core.spatial.interaction import BACKGROUND
from napari_crlm_spa.core.spatial.regions import TumorRegionOptions
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ReviewError

STAGE = "Scoring parts of the slide"
SHAPES = ("square", "patch")
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class AdequacyOptions(Options):
    """Which parts of the slide are scored."""

    shape: str = option(
        "square",
        "square: windows; patch: connected tissue grown from a random tile",
        choices=SHAPES,
        label="Shape of the parts",
    )
    steps: int = option(6, "Sizes between the smallest part and the slide", min=1, max=50)
    smallest_share: float = option(
        0.05, "Share of the tissue in the smallest parts", min=0.001, max=0.9, label="Smallest part"
    )
    repeats: int = option(30, "Parts of each size", min=2, max=10_000, label="Parts of each size")
    seed: int = option(0, "Seed of the parts", min=0, max=2**32 - 1, advanced=True)

    @property
    def shares(self) -> tuple[float, ...]:
        """Shares of the tissue, growing by a constant factor, the whole slide left out."""
        found = np.geomspace(self.smallest_share, 1.0, self.steps + 1)[:-1]
        return tuple(float(share) for share in found)


@dataclass(frozen=True, slots=True, eq=False)
class Adequacy:
    """The risk of parts of a slide.

    Parameters
    ----------
    parts
        One row per part: ``share`` (asked for), ``repeat, tissue_tiles, area_mm2, tumor_tiles,
        score, group, refused`` and the SOFs. The last row is the whole slide.
    own_score, own_group
        Of the whole slide; None if unknown.
    options
        How parts were chosen.
    """

    parts: pd.DataFrame
    own_score: float | None
    own_group: str | None
    options: AdequacyOptions

    def summary(self) -> pd.DataFrame:
        """Return one row per size: area, parts, those without a risk, mean and sd, own group.

        ``own_group_share`` is of the parts with a group, ``own_group_share_of_all`` of all:
        parts with too little tumor count there as not in the slide's group.
        """
        rows = []
        for share, parts in self.parts.groupby("share", sort=True):
            grouped = parts["group"].notna()
            own = int((parts["group"] == self.own_group).sum()) if self.own_group else 0
            known = self.own_group is not None
            row: dict[str, Any] = {
                "share": share,
                "area_mm2": parts["area_mm2"].mean(),
                "parts": len(parts),
                "no_risk": int(parts["refused"].sum()),
                "own_group_share": own / grouped.sum() if known and grouped.any() else float("nan"),
                "own_group_share_of_all": own / len(parts) if known else float("nan"),
            }
            for name in ("score", *FEATURES):
                row[f"{name}_mean"] = parts[name].mean()
                row[f"{name}_sd"] = parts[name].std(ddof=1) if len(parts) > 1 else float("nan")
            rows.append(row)
        return pd.DataFrame(rows)

    def as_frame(self) -> pd.DataFrame:
        """Return the parts."""
        return self.parts


def sampling_adequacy(
    tissue_map: TissueMap,
    features: SpatialFeatures,
    model: RiskModel,
    options: AdequacyOptions | None = None,
) -> Generator[Progress, None, Adequacy]:
    """Score random parts of a slide.

    A part that would get no risk (too little tumor) stays in the table as such. Closing the
    generator cancels. The same seed gives the same parts.

    Parameters
    ----------
    tissue_map
        The map as it is.
    features
        Its SOFs: their options and thresholds are used.
    model
        The risk model; without cut-offs the SOFs are compared, the score is unknown.

    Yields
    ------
    Progress
        In parts.

    Raises
    ------
    ReviewError
        If there is no tissue.
    """
    options = options or AdequacyOptions()
    tissue = tissue_tiles(features)
    if not tissue.any():
        raise ReviewError("The map has no tissue, so no part of it can be scored.")
    rng = np.random.default_rng(options.seed)
    total = len(options.shares) * options.repeats
    rows: list[dict[str, Any]] = []
    cut = square_window if options.shape == "square" else grown_patch
    yield Progress(STAGE, 0, total, "parts")
    for share in options.shares:
        wanted = max(1, round(share * int(tissue.sum())))
        for repeat in range(1, options.repeats + 1):
            part = cut(tissue, wanted, rng)
            found = spatial_features(
                part_of(tissue_map, part, features.options.regions),
                features.options,
                features.mixture,
            )
            rows.append(_row(share, repeat, found, model))
            yield Progress(STAGE, len(rows), total, "parts")
    rows.append(_row(1.0, 1, features, model))
    own = rows[-1]
    return Adequacy(
        parts=pd.DataFrame(rows),
        own_score=None if np.isnan(own["score"]) else own["score"],
        own_group=own["group"],
        options=options,
    )


def tissue_tiles(features: SpatialFeatures) -> Flags:
    """Tiles that count in the denominator of the ratios, shape (rows, cols)."""
    tissue_map = features.tissue_map
    tissue: Flags = np.not_equal(tissue_map.classes, NOT_CLASSIFIED)
    if BACKGROUND in tissue_map.scheme.names and not features.options.count_background:
        tissue &= ~tissue_map.mask(BACKGROUND)
    return tissue


def square_window(tissue: Flags, wanted: int, rng: np.random.Generator) -> Flags:
    """Cut out the smallest square around a random tissue tile that holds `wanted` of them.

    At the border of the grid the square is shifted inward; where it would be larger than the grid,
    it is cut.
    """
    rows, cols = np.nonzero(tissue)
    at = int(rng.integers(len(rows)))
    center = int(rows[at]), int(cols[at])
    sums = np.pad(tissue.cumsum(0).cumsum(1), ((1, 0), (1, 0)))

    def window(side: int) -> tuple[slice, slice]:
        spans = []
        for middle, length in zip(center, tissue.shape, strict=True):
            first = min(max(middle - side // 2, 0), max(length - side, 0))
            spans.append(slice(first, min(first + side, length)))
        return spans[0], spans[1]

    def held(side: int) -> int:
        r, c = window(side)
        corners = sums[r.stop, c.stop] - sums[r.start, c.stop]
        return int(corners - sums[r.stop, c.start] + sums[r.start, c.start])

    low, high = 1, max(tissue.shape)
    while low < high:
        middle = (low + high) // 2
        if held(middle) >= wanted:
            high = middle
        else:
            low = middle + 1
    part = np.zeros(tissue.shape, np.bool_)
    part[window(low)] = True
    return part


def grown_patch(tissue: Flags, wanted: int, rng: np.random.Generator) -> Flags:
    """Grow connected tissue from a random tile, ring by ring, until it has `wanted` tiles.

    Where a piece of tissue is too small, growth goes on from a random tile of another.
    """
    n_cols = tissue.shape[1] + 2
    open_tiles = np.pad(tissue, 1).ravel()
    part = np.zeros(open_tiles.size, np.bool_)
    steps = np.array([-n_cols - 1, -n_cols, -n_cols + 1, -1, 1, n_cols - 1, n_cols, n_cols + 1])
    ring = np.empty(0, np.int64)
    n_left = min(wanted, int(tissue.sum()))
    while n_left:
        if not len(ring):
            ring = rng.choice(np.flatnonzero(open_tiles), 1)
        ring = rng.permutation(ring)[:n_left]
        part[ring] = True
        open_tiles[ring] = False
        n_left -= len(ring)
        around = np.unique((ring[:, None] + steps).ravel())
        ring = around[open_tiles[around]]
    return part.reshape(tissue.shape[0] + 2, n_cols)[1:-1, 1:-1]


def part_of(tissue_map: TissueMap, part: Flags, regions: TumorRegionOptions) -> TissueMap:
    """Return the map with nothing outside a part, cropped to it.

    The margin is as wide as the boxes reach, so the features are those of the uncropped grid.
    """
    margin = regions.dilate_tiles // 2 + regions.erode_tiles // 2 + 1
    rows, cols = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    top, left = max(int(rows[0]) - margin, 0), max(int(cols[0]) - margin, 0)
    box = np.s_[top : int(rows[-1]) + margin + 1, left : int(cols[-1]) + margin + 1]
    stride = tissue_map.stride_um
    x_um, y_um = tissue_map.origin_um
    return replace(
        tissue_map,
        classes=np.where(part[box], tissue_map.classes[box], np.uint8(NOT_CLASSIFIED)),
        probabilities=tissue_map.probabilities[box],
        strangeness=tissue_map.strangeness[box],
        state=tissue_map.state[box],
        edge=tissue_map.edge[box],
        origin_um=(x_um + left * stride, y_um + top * stride),
    )


def _row(share: float, repeat: int, features: SpatialFeatures, model: RiskModel) -> dict[str, Any]:
    tiles = features.tissue_tiles
    return {
        "share": share,
        "repeat": repeat,
        "tissue_tiles": tiles,
        "area_mm2": features.tissue_map.area_mm2(tiles),
        "tumor_tiles": features.counts["TUM"],
        **scored(features, model),
    }
