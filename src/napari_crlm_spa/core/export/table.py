"""A table with one row a tile: CSV or Parquet, written block by block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from napari_crlm_spa.core.files import atomic_path
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial import Zone
from napari_crlm_spa.core.tile_table import TileBlock, TileSource
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import StoreError

TABLE_SUFFIXES = (".csv", ".csv.gz", ".parquet")
#: Digits after the point in a CSV: of shares and of micrometers.
_SHARE_DIGITS, _UM_DIGITS = 5, 3
_Write = Callable[[pd.DataFrame], None]


def tile_frame(block: TileBlock, source: TileSource) -> pd.DataFrame:
    """Return some tiles as a table.

    Returns
    -------
    DataFrame
        ``row``, ``col`` on the grid; ``x_um``, ``y_um`` of the tile's center from the slide's
        top-left corner; ``class`` now (empty: counted nowhere) and ``predicted`` by the
        classifier; ``state``; ``reader`` where one has touched the tile; ``p_<class>``;
        ``confidence``, ``entropy``, ``strangeness``; with spatial features ``zone``,
        ``distance_um`` and ``interaction_<tissue>``; ``mark_<name>`` for marks of quality.
        What is not known is missing.
    """
    names = source.tissue_map.scheme.names
    columns: dict[str, Any] = {
        "row": block.rows.astype(np.int32),
        "col": block.cols.astype(np.int32),
        "x_um": block.x_um,
        "y_um": block.y_um,
        "class": _words(block.codes.astype(int) - 1, names),
        "predicted": _words(block.predicted.astype(int) - 1, names),
        "state": _words(block.states, [s.name.lower().replace("_", " ") for s in TileState]),
    }
    if source.reader:
        touched = source.touched(block)
        columns["reader"] = _words(np.where(touched, 0, -1), [source.reader])
    for index, name in enumerate(names):
        columns[f"p_{name}"] = block.probabilities[:, index]
    for name in ("confidence", "entropy", "strangeness"):
        columns[name] = getattr(block, name)
    if block.zone is not None and block.distance_um is not None:
        zones = [zone.name.lower() for zone in Zone if zone is not Zone.NONE]
        columns["zone"] = _words(block.zone.astype(int) - 1, zones)
        finite = np.isfinite(block.distance_um)
        columns["distance_um"] = np.where(finite, block.distance_um, np.nan)
    columns |= {f"interaction_{name}": share for name, share in block.interaction.items()}
    columns |= {f"mark_{name}": mark for name, mark in block.marks.items()}
    return pd.DataFrame(columns)


def export_tile_table(path: Path, source: TileSource) -> Generator[Progress, None, int]:
    """Write every tile as a row of `tile_frame`.

    Parameters
    ----------
    path
        Ends in one of `TABLE_SUFFIXES`; it is replaced when the new file is complete. Parquet
        needs pyarrow (``pip install "napari-crlm-spa[parquet]"``).
    source
        The tiles.

    Returns
    -------
    int
        Number of tiles written.

    Raises
    ------
    StoreError
        If the suffix is unknown, pyarrow is missing, or the file cannot be written.
    """
    stage, total, done = "Writing the tile table", len(source), 0
    yield Progress(stage, 0, total, "tiles")
    opened = _parquet if path.suffix == ".parquet" else _csv
    if not path.name.endswith(TABLE_SUFFIXES):
        raise StoreError(
            f"{path.name} does not say what kind of table to write. End its name in "
            f"{', '.join(TABLE_SUFFIXES)}."
        )
    with opened(path) as write:
        # Readers of tables want a heading, also over nothing.
        for block in source.blocks() if total else (source.no_tiles(),):
            write(tile_frame(block, source))
            done += len(block)
            yield Progress(stage, done, total, "tiles")
    return total


def _words(index: NDArray[Any], words: Any) -> pd.Categorical:
    """Return words by index; -1 is missing."""
    # Plain objects: pandas 3 would make an array of its own that HDF5 writers refuse.
    categories = pd.Index(list(words), dtype=object)
    return pd.Categorical.from_codes(np.asarray(index, int), categories=categories)


@contextmanager
def _csv(path: Path) -> Iterator[_Write]:
    with atomic_path(path) as temporary:
        first = True

        def write(frame: pd.DataFrame) -> None:
            nonlocal first
            rounded = {
                name: column.astype(np.float64).round(
                    _UM_DIGITS if str(name).endswith("_um") else _SHARE_DIGITS
                )
                for name, column in frame.items()
                if column.dtype.kind == "f"
            }
            frame.assign(**{str(name): column for name, column in rounded.items()}).to_csv(
                temporary,
                mode="w" if first else "a",
                header=first,
                index=False,
                compression="gzip" if path.suffix == ".gz" else None,
                lineterminator="\n",
            )
            first = False

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[_Write]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise StoreError(
            f"{path.name}: Parquet needs the package pyarrow. Install it with "
            'pip install "napari-crlm-spa[parquet]", or write a .csv.gz.'
        ) from None
    with atomic_path(path) as temporary:
        writer: Any = None
        try:

            def write(frame: pd.DataFrame) -> None:
                nonlocal writer
                table = pyarrow.Table.from_pandas(frame, preserve_index=False)
                if writer is None:
                    writer = pyarrow.parquet.ParquetWriter(temporary, table.schema)
                writer.write_table(table)

            yield write
        finally:
            if writer is not None:
                writer.close()
