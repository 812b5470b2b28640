"""Writing an evaluation's folder: page, record, predictions, a table and a picture of each part."""

from __future__ import annotations

from pathlib import Path

from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement
from napari_crlm_spa.core.classifier.predictions import write_predictions
from napari_crlm_spa.core.files import write_bytes, write_text
from napari_crlm_spa.core.report.evaluation import figures, tables
from napari_crlm_spa.core.report.evaluation.gallery import find_tile, tile_jpeg
from napari_crlm_spa.core.report.evaluation.page import render_page
from napari_crlm_spa.core.report.evaluation.record import as_json
from napari_crlm_spa.core.report.evaluation.subject import EvaluationSubject

EVALUATION_HTML = "evaluation.html"
EVALUATION_JSON = "evaluation.json"
PREDICTIONS_CSV = "predictions.csv"
WORST_PNG = "worst_tiles.png"


def write_evaluation_report(folder: Path, judgement: Judgement, subject: EvaluationSubject) -> Path:
    """Write everything that is known of an evaluation into a folder.

    ``evaluation.html`` needs nothing but itself; ``predictions.csv`` has a row a tile,
    ``evaluation.json`` all figures, and each picture (PNG) its table (CSV). Each file is
    replaced when the new one is complete; the page comes last.

    Parameters
    ----------
    folder
        Is created.
    judgement
        The figures.
    subject
        Whose they are.

    Returns
    -------
    Path
        The page.

    Raises
    ------
    StoreError
        If a file cannot be written.
    """
    write_predictions(folder / PREDICTIONS_CSV, judgement.predictions, judgement.temperature)
    write_text(folder / EVALUATION_JSON, as_json(judgement, subject))
    for name, rows in tables.TABLES.items():
        write_text(folder / name, tables.as_csv(rows(judgement)))
    drawn = {name: figures.as_png(draw(judgement)) for name, draw in figures.PICTURES.items()}
    pictures = _worst_pictures(judgement, subject)
    if pictures:
        drawn[WORST_PNG] = figures.as_png(
            figures.draw_worst(judgement, pictures), figures.GALLERY_DPI
        )
    for name, data in drawn.items():
        write_bytes(folder / name, data)
    page = folder / EVALUATION_HTML
    write_text(page, render_page(judgement, subject, drawn, pictures))
    return page


def _worst_pictures(judgement: Judgement, subject: EvaluationSubject) -> dict[str, bytes]:
    pictures = {}
    for i in judgement.worst:
        path = judgement.predictions.paths[i]
        found = find_tile(path, subject.folders)
        data = tile_jpeg(found) if found else None
        if data:
            pictures[path] = data
    return pictures
