"""Corrected results on disk, beside the prediction's and never over them."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import numpy as np

from napari_crlm_spa.core.classes import NOT_CLASSIFIED
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.review.reader_names import reader_folder
from napari_crlm_spa.core.review.review import Review
from napari_crlm_spa.core.store import features_csv, to_json
from napari_crlm_spa.core.store.names import CORRECTED_TILES_CSV, FEATURES_CSV, RISK_JSON
from napari_crlm_spa.core.tiles import TileState

TILE_COLUMNS = ("row", "col", "x_um", "y_um", "predicted", "corrected", "state")


def write_corrected(review: Review) -> Path:
    """Write the corrected features, risk and tiles below ``readers/<reader>/``.

    ``features.csv`` has the columns of the prediction's, ``risk.json`` adds a part ``review``,
    ``corrected_tiles.csv`` lists the tiles that the reader changed or confirmed with the
    top-left corner of each in the slide's frame.

    Returns
    -------
    Path
        The reader's folder.

    Raises
    ------
    FolderNotWritable, DiskFull
        If a file cannot be written; the others are whole.
    """
    analysis = review.analysis
    folder = reader_folder(analysis.folder, review.reader)
    slide = Path(str(analysis.run.get("slide", {}).get("path", analysis.folder.name)))
    table = features_csv(slide, review.features, analysis.sentinel)
    write_text(folder / FEATURES_CSV, table)
    write_text(folder / RISK_JSON, to_json(_risk(review)) + "\n")
    write_text(folder / CORRECTED_TILES_CSV, corrected_tiles_csv(review))
    return folder


def _risk(review: Review) -> dict[str, Any]:
    risk, predicted = review.risk, review.predicted_risk
    plain = {"group": None, "reason": review.features.refusal} if risk is None else risk.as_dict()
    return {
        **plain,
        "strangeness": review.analysis.sentinel.as_dict(),
        "review": {
            "reader": review.reader,
            "corrected_tiles": int(np.count_nonzero(review.corrected)),
            "touched_tiles": int(np.count_nonzero(review.touched)),
            "predicted_score": None if predicted is None else predicted.score,
            "predicted_group": None if predicted is None else predicted.group,
            "group_flipped": review.group_flipped,
            "thresholds_changed": review.mixture != review.analysis.features.mixture,
            "mixture": review.mixture.model_dump(mode="json"),
        },
    }


def corrected_tiles_csv(review: Review) -> str:
    """List the tiles that the reader corrected, confirmed or set aside; "" is no class."""
    now, predicted = review.tissue_map, review.predicted
    names = ["", *now.scheme.names]
    x_um, y_um = now.origin_um
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TILE_COLUMNS)
    for row, col in np.argwhere(review.corrected | review.touched).tolist():
        writer.writerow(
            [
                row,
                col,
                x_um + col * now.stride_um,
                y_um + row * now.stride_um,
                names[predicted.classes[row, col]],
                names[now.classes[row, col]] if now.classes[row, col] != NOT_CLASSIFIED else "",
                TileState(now.state[row, col]).name.lower(),
            ]
        )
    return text.getvalue()
