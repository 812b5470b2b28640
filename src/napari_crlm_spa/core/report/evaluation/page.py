"""The evaluation as one HTML page that needs nothing but itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.metadata import version
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from napari_crlm_spa.core.classifier.evaluation.calibration import Calibration
from napari_crlm_spa.core.classifier.evaluation.figures import ClassFigures
from napari_crlm_spa.core.classifier.evaluation.intervals import Estimate
from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement
from napari_crlm_spa.core.report import words
from napari_crlm_spa.core.report.evaluation import tables
from napari_crlm_spa.core.report.evaluation.figures import class_color, class_title
from napari_crlm_spa.core.report.evaluation.gallery import data_uri
from napari_crlm_spa.core.report.evaluation.numbers import figure, span
from napari_crlm_spa.core.report.evaluation.subject import EvaluationSubject, SubjectTable

_TEMPLATES = "core/data/templates"
_PAGE = "evaluation.html"
#: Slides that the page lists, the worst first; slides.csv has all.
SLIDES_SHOWN = 60
#: Mean confidence this close to the accuracy is called fair (our assumption).
_FAIR_GAP = 0.01
#: Shares of tiles kept that the page lists.
_KEPT = (1.0, 0.95, 0.9, 0.8, 0.7, 0.5)


@dataclass(frozen=True, slots=True)
class Cell:
    """A shaded cell: its text, what stands small below it, and how dark it is (0-1)."""

    text: str
    below: str = ""
    shade: float = 0.0
    wrong: bool = False


def render_page(
    judgement: Judgement,
    subject: EvaluationSubject,
    drawn: Mapping[str, bytes],
    pictures: Mapping[str, bytes],
) -> str:
    """Return the page; every text in it is escaped.

    Parameters
    ----------
    drawn
        The pictures by file name, as PNG.
    pictures
        Tiles of the gallery by path, as JPEG.
    """
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters.update(
        count=words.count, breakable=words.breakable, figure=figure, span=span
    )
    return environment.from_string(_text(_PAGE)).render(
        judgement=judgement,
        subject=subject,
        style=Markup(_text("report.css") + _text("evaluation.css")),
        software=version("napari-crlm-spa"),
        notes=[*subject.notes, *judgement.notes],
        names=judgement.predictions.class_names,
        tiles=len(judgement.predictions),
        slide_count=len(judgement.evaluation.by_slide),
        color=class_color,
        title=class_title,
        lowest=_lowest(judgement),
        confusion=list(_confusion(judgement)),
        slides=list(_slides(judgement))[:SLIDES_SHOWN],
        kept=list(_kept(judgement)),
        worst=_worst(judgement, pictures),
        pictures={name: data_uri(data, "png") for name, data in drawn.items()},
        ece=_as_used(judgement).ece,
        sureness=_sureness(judgement),
        own_tables=[(table, _picture(table)) for table in subject.tables],
    )


def _lowest(judgement: Judgement) -> dict[str, ClassFigures]:
    """Find the class of the lowest recall and the one of the lowest AUC, if there are any."""
    lowest = {}
    for name in ("recall", "auc"):
        known = [each for each in judgement.classes if _value(each, name) == _value(each, name)]
        if known:
            lowest[name] = min(known, key=lambda each: _value(each, name))
    return lowest


def _value(each: ClassFigures, name: str) -> float:
    estimate: Estimate = getattr(each, name)
    return estimate.value


def _as_used(judgement: Judgement) -> Calibration:
    return next(c for c in judgement.calibrations if c.temperature == judgement.temperature)


def _sureness(judgement: Judgement) -> str:
    """Say whether the model promises more than it holds."""
    confidence = judgement.predictions.probabilities(judgement.temperature).max(axis=1).mean()
    gap = float(confidence) - judgement.accuracy.value
    if abs(gap) < _FAIR_GAP:
        return "as sure as it is right"
    return f"{'surer' if gap > 0 else 'less sure'} than it is right, by {abs(gap):.3f}"


def _confusion(judgement: Judgement) -> Iterator[tuple[str, int, list[Cell]]]:
    shares = tables.row_shares(judgement)
    names = judgement.predictions.class_names
    for row, (name, line) in enumerate(
        zip(names, judgement.evaluation.confusion.tolist(), strict=True)
    ):
        cells = [
            Cell(words.count(n), _percent(share), float(share), row != col) if n else Cell("")
            for col, (n, share) in enumerate(zip(line, shares[row], strict=True))
        ]
        yield name, sum(line), cells


def _percent(share: float) -> str:
    return words.percent(share, 0 if share == 1 else 1)


def _slides(judgement: Judgement) -> Iterator[tuple[str, int, float, list[Cell]]]:
    for row in tables.slide_rows(judgement)[1:]:
        recalls, totals = row[4::2], row[5::2]
        cells = [
            Cell(figure(recall, 2), f"of {words.count(total)}", recall) if total else Cell("")
            for recall, total in zip(recalls, totals, strict=True)
        ]
        yield row[0], row[1], row[3], cells


def _kept(judgement: Judgement) -> Iterator[tuple[str, str, str, str]]:
    for share in _KEPT:
        point = next(p for p in judgement.coverage if p.share >= share - 1e-9)
        yield (
            words.percent(point.share),
            words.count(point.tiles),
            figure(point.confidence),
            words.percent(point.accuracy),
        )


def _worst(judgement: Judgement, pictures: Mapping[str, bytes]) -> list[dict[str, Any]]:
    head, *rows = tables.worst_rows(judgement)
    worst = [dict(zip(head, row, strict=True)) for row in rows]
    for each in worst:
        data = pictures.get(each["path"])
        each["uri"] = data_uri(data, "jpeg") if data else ""
    return worst


def _picture(table: SubjectTable) -> str:
    return data_uri(table.picture.read_bytes(), "png") if table.picture else ""


def _text(name: str) -> str:
    folder = resources.files("napari_crlm_spa").joinpath(_TEMPLATES)
    return folder.joinpath(name).read_text("utf-8")
