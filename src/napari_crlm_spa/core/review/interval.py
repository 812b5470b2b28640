"""How far the score could lie off because tiles are labeled wrongly: a block bootstrap of labels.

In every draw each tile gets a class drawn from its calibrated probabilities, and features and
score are computed anew under the same thresholds and cut-offs. Neighbors err together (the same
stain, blur or gland), so all tiles of a square block share one random number: its value decides
for each tile whether the likeliest class stands, or the second, and so on. Every tile's own
chances are exactly its probabilities; how tiles hang together is our assumption, set by the size
of the block. Where the blocks begin is drawn anew each time.

Not covered: probabilities that are off on this slide (another scanner, another stain), tumor that
is not on the slide (see `adequacy`), thresholds and cut-offs, and whether the risk model holds.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.alternatives import open_to_doubt
from napari_crlm_spa.core.risk import RiskModel, assess_risk
from napari_crlm_spa.core.spatial import FEATURES, SpatialFeatures, spatial_features
from napari_crlm_spa.core.tissue_map import TissueMap

STAGE = "Drawing labels"


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalOptions(Options):
    """How labels are drawn."""

    draws: int = option(200, "Maps that are drawn", min=10, max=100_000, label="Draws")
    block_um: float = option(
        560.0,
        "Side of the blocks in which tiles err together. Our assumption: a cause of errors "
        "(a fold, a pale spot, a gland) reaches about half a millimeter; larger is more cautious",
        min=1,
        max=1_000_000,
        unit="µm",
        label="Tiles err together within",
    )
    level: float = option(0.95, "Share of the draws within the interval", min=0.5, max=0.999)
    seed: int = option(0, "Seed of the draws", min=0, max=2**32 - 1, advanced=True)


@dataclass(frozen=True, slots=True, eq=False)
class ScoreInterval:
    """What the drawn maps give.

    Parameters
    ----------
    draws
        One row per draw: ``draw, score, group, refused`` and the SOFs.
    own
        The slide as it is: score (NaN if unknown) and SOFs.
    own_group
        Its risk group, or None.
    fixed_tiles, free_tiles
        Tiles that a reader has settled, and those that were drawn.
    block_tiles
        Side of a block in tiles.
    options
        How it was done.
    """

    draws: pd.DataFrame
    own: dict[str, float]
    own_group: str | None
    fixed_tiles: int
    free_tiles: int
    block_tiles: int
    options: IntervalOptions

    @property
    def share_high(self) -> float | None:
        """Share of the draws with a risk group that are high; None without any."""
        known = self.draws["group"].dropna()
        return float((known == "high").mean()) if len(known) else None

    @property
    def no_risk(self) -> int:
        """Draws that are refused a risk, which the score's interval leaves out."""
        return int(self.draws["refused"].sum())

    def summary(self) -> pd.DataFrame:
        """Return one row for the score and each SOF: own value, mean, sd, low, high, draws.

        ``low`` and ``high`` are percentiles of the draws. They need not enclose ``own``: that is
        of the likeliest class everywhere, and rare classes are likelier than they win.
        """
        tail = (1 - self.options.level) / 2
        rows = []
        for quantity, own in self.own.items():
            values = self.draws[quantity].dropna()
            known = len(values) > 0
            rows.append(
                {
                    "quantity": quantity,
                    "own": own,
                    "mean": values.mean(),
                    "sd": values.std(ddof=1) if len(values) > 1 else float("nan"),
                    "low": values.quantile(tail) if known else float("nan"),
                    "high": values.quantile(1 - tail) if known else float("nan"),
                    "draws": len(values),
                }
            )
        return pd.DataFrame(rows)

    def as_frame(self) -> pd.DataFrame:
        """Return the draws."""
        return self.draws


def score_interval(
    tissue_map: TissueMap,
    features: SpatialFeatures,
    model: RiskModel,
    options: IntervalOptions | None = None,
) -> Generator[Progress, None, ScoreInterval]:
    """Draw maps from the probabilities and compute score and SOFs of each.

    Closing the generator cancels. The same seed gives the same draws.

    Parameters
    ----------
    tissue_map
        The map as it is; tiles that a reader corrected or accepted keep their class.
    features
        Its SOFs: their options and thresholds are used.
    model
        The risk model; without cut-offs the SOFs get intervals, the score has none.

    Yields
    ------
    Progress
        In draws.
    """
    options = options or IntervalOptions()
    rng = np.random.default_rng(options.seed)
    labels = LabelDraw(tissue_map, max(1, round(options.block_um / tissue_map.stride_um)))
    rows = []
    yield Progress(STAGE, 0, options.draws, "draws")
    for n_done in range(1, options.draws + 1):
        drawn = replace(tissue_map, classes=labels.draw(rng))
        found = spatial_features(drawn, features.options, features.mixture)
        rows.append({"draw": n_done, **scored(found, model)})
        yield Progress(STAGE, n_done, options.draws, "draws")
    own = scored(features, model)
    return ScoreInterval(
        draws=pd.DataFrame(rows),
        own={name: own[name] for name in ("score", *FEATURES)},
        own_group=own["group"],
        fixed_tiles=int(np.count_nonzero(tissue_map.classes)) - labels.n_free,
        free_tiles=labels.n_free,
        block_tiles=labels.block_tiles,
        options=options,
    )


def scored(features: SpatialFeatures, model: RiskModel) -> dict[str, Any]:
    """Score (NaN if unknown), group (None), whether it is refused a risk, and the SOFs."""
    risk = None if features.refusal else assess_risk(features, model)
    known = risk is not None and risk.score is not None
    return {
        "score": risk.score if known and risk is not None else float("nan"),
        "group": None if risk is None else risk.group,
        "refused": features.refusal is not None,
        **features.values,
    }


class LabelDraw:
    """Draws class maps from a map's probabilities.

    Parameters
    ----------
    tissue_map
        The map; only tiles that are open to doubt are drawn.
    block_tiles
        Side of the blocks that share a random number.
    """

    def __init__(self, tissue_map: TissueMap, block_tiles: int) -> None:
        self._classes = tissue_map.classes.copy()
        self.block_tiles = block_tiles
        self._rows, self._cols = np.nonzero(open_to_doubt(tissue_map))
        p = tissue_map.probabilities[self._rows, self._cols].astype(np.float32)
        order = np.argsort(-p, axis=1, kind="stable").astype(np.uint8)
        ends = np.cumsum(np.take_along_axis(p, order.astype(np.intp), axis=1), axis=1)
        # float16 probabilities do not quite sum to 1.
        self._ends = ends[:, :-1] / ends[:, -1:]
        self._codes = order + np.uint8(1)

    @property
    def n_free(self) -> int:
        """Tiles that are drawn."""
        return len(self._rows)

    def draw(self, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Draw a map of class codes, shape (rows, cols)."""
        side, shape = self.block_tiles, self._classes.shape
        down, right = rng.integers(0, side, 2)
        chances = rng.random((shape[0] // side + 2, shape[1] // side + 2), np.float32)
        chance = chances[(self._rows + down) // side, (self._cols + right) // side]
        rank = (chance[:, None] >= self._ends).sum(axis=1)
        drawn = self._classes.copy()
        drawn[self._rows, self._cols] = self._codes[np.arange(self.n_free), rank]
        return drawn
