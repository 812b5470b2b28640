"""``features.csv``: one row of a slide, written and read."""

from __future__ import annotations

import csv
import io
from math import isnan
from pathlib import Path

from napari_crlm_spa.core.sentinel import Sentinel
from napari_crlm_spa.core.spatial import FEATURES, SpatialFeatures
from napari_crlm_spa.core.store.names import FEATURES_CSV
from napari_crlm_spa.errors import TableError, TooLittleTumor


def features_csv(slide: Path, features: SpatialFeatures, sentinel: Sentinel) -> str:
    """Return one row: the slide, the paper's 20 columns, then what they rest on.

    A feature that cannot be computed is an empty cell, never 0.
    """
    row: dict[str, str | int | float] = {"slide": slide.name}
    row.update({key: "" if isnan(value) else value for key, value in features.values.items()})
    row.update({f"tiles_{name}": count for name, count in features.counts.items()})
    row["tissue_tiles"] = features.tissue_tiles
    row["contiguous_tumor_tiles"] = features.regions.contiguous_tumor_tiles
    row["strange_share"] = "" if isnan(sentinel.share) else round(sentinel.share, 4)
    row["refusal"] = features.refusal or ""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow(row)
    return text.getvalue()


def read_features(result: str | Path) -> dict[str, float]:
    """Read the spatial features of an analyzed slide.

    Parameters
    ----------
    result
        The slide's folder, or its ``features.csv``.

    Returns
    -------
    dict
        The paper's 20 columns; NaN where a feature could not be computed.

    Raises
    ------
    TableError
        If the file is missing, or does not hold exactly one slide with these columns.
    TooLittleTumor
        If the slide was refused a risk.
    """
    path = Path(result)
    path = path / FEATURES_CSV if path.is_dir() else path
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(
            f"{path} cannot be read ({error}). Name the result folder of an analyzed slide."
        ) from error
    if len(rows) != 1:
        raise TableError(
            f"{path} holds {len(rows)} rows; a slide has one. For a whole cohort use "
            "crlm-spa risk fit-cutoffs."
        )
    if refusal := rows[0].get("refusal"):
        raise TooLittleTumor(refusal)
    try:
        return {column: float(rows[0][column] or "nan") for column in FEATURES}
    except (KeyError, ValueError) as error:
        raise TableError(
            f"{path} does not hold the paper's features ({error}). Analyze the slide again."
        ) from error
