"""Writing the tile table as it is shown: its rows, in its order. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.plugin.tile_table import TileTable


def write_tile_csv(
    path: Path, table: TileTable, indices: NDArray[np.intp]
) -> Generator[Progress, None, Path]:
    """Write tiles as a CSV file (UTF-8); it appears when it is complete.

    Parameters
    ----------
    path
        The file.
    table
        The tiles.
    indices
        Which of them, in which order.

    Yields
    ------
    Progress
        In rows.

    Returns
    -------
    Path
        The file, through ``StopIteration.value``.

    Raises
    ------
    StoreError
        If it cannot be written.
    """
    total = len(indices)
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        for done, text in table.csv(indices):
            file.write(text)
            yield Progress("Writing the table", done, total, "rows")
    return path
