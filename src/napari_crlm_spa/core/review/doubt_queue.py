"""In which order to look at tiles: where the classifier is unsure and the risk depends on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.review.alternatives import open_to_doubt, second_classes
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ReviewError

UNCERTAINTIES = ("entropy", "confidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class DoubtQueueOptions(Options):
    """Which tiles come up for review."""

    max_tiles: int = option(
        200, "Tiles in the queue", min=1, max=1_000_000, unit="tiles", label="Longest queue"
    )
    uncertainty: str = option(
        "entropy",
        "entropy of all probabilities, or 1 less the likeliest class's",
        choices=UNCERTAINTIES,
        label="Doubt measured by",
        advanced=True,
    )
    apart_tiles: int = option(
        1,
        "Tiles this near to one that is in the queue already stay out; 0 keeps all",
        min=0,
        max=100,
        unit="tiles",
        label="Leave out neighbors up to",
    )


def doubt_queue(
    tissue_map: TissueMap,
    contribution: NDArray[np.floating] | None,
    options: DoubtQueueOptions | None = None,
) -> pd.DataFrame:
    """Order the tiles by uncertainty x absolute contribution to the risk, largest first.

    Tiles that a reader has accepted, corrected or set aside are left out. The order is our
    proposal for where a minute of review is spent best; it is not a list of errors.

    Parameters
    ----------
    tissue_map
        The map as it is.
    contribution
        Shape (rows, cols): `TileEffects.push`. None (a slide without a risk): the order follows
        the uncertainty alone.
    options
        Length, measure of uncertainty, neighbors.

    Returns
    -------
    DataFrame
        ``row, col, class, second_class, probability, second_probability, entropy, uncertainty,
        contribution, product``; the entropy is relative to its maximum (0 to 1). Tiles whose
        product is 0 do not come up.

    Raises
    ------
    ReviewError
        If the contributions are of another grid.
    """
    options = options or DoubtQueueOptions()
    if contribution is not None and contribution.shape != tissue_map.shape:
        raise ReviewError(
            f"The contributions are for {contribution.shape} tiles, the map has "
            f"{tissue_map.shape}. Compute them again for this map."
        )
    entropy = tissue_map.entropy().astype(np.float64)
    confidence = tissue_map.confidence().astype(np.float64)
    uncertainty = entropy if options.uncertainty == "entropy" else 1 - confidence
    weight = np.ones(tissue_map.shape) if contribution is None else np.abs(contribution)
    product = np.where(open_to_doubt(tissue_map), uncertainty * weight, 0.0)
    product = np.nan_to_num(product)
    chosen = _in_order(product, options)
    rows, cols = np.divmod(chosen, tissue_map.shape[1])
    tiles = np.zeros(tissue_map.shape, np.bool_)
    tiles[rows, cols] = True
    table = second_classes(tissue_map, tiles).as_frame()
    # `second_classes` goes in reading order.
    table = table.iloc[np.argsort(np.argsort(chosen))].reset_index(drop=True)
    table["entropy"] = entropy[rows, cols]
    table["uncertainty"] = uncertainty[rows, cols]
    table["contribution"] = np.nan if contribution is None else contribution[rows, cols]
    table["product"] = product[rows, cols]
    return table


def _in_order(product: NDArray[np.float64], options: DoubtQueueOptions) -> NDArray[np.int64]:
    """Flat positions by falling product, neighbors of earlier ones left out."""
    flat = product.ravel()
    positive = np.flatnonzero(flat > 0)
    order = positive[np.argsort(-flat[positive], kind="stable")]
    reach = options.apart_tiles
    if reach == 0:
        return order[: options.max_tiles].astype(np.int64)
    n_cols = product.shape[1]
    taken = np.zeros(product.shape, np.bool_)
    chosen: list[int] = []
    for at in order:
        row, col = divmod(int(at), n_cols)
        if taken[row, col]:
            continue
        taken[max(row - reach, 0) : row + reach + 1, max(col - reach, 0) : col + reach + 1] = True
        chosen.append(int(at))
        if len(chosen) == options.max_tiles:
            break
    return np.array(chosen, np.int64)
