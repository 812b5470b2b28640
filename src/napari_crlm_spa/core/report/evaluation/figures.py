"""The pictures of an evaluation: drawn narrow, so that a phone shows them legibly."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from PIL import Image

from napari_crlm_spa.core.classes import SCHEMES, TissueClass
from napari_crlm_spa.core.classifier.evaluation.judgement import Judgement
from napari_crlm_spa.core.report.evaluation import tables
from napari_crlm_spa.core.report.evaluation.numbers import figure as number
from napari_crlm_spa.core.report.evaluation.numbers import span
from napari_crlm_spa.core.report.words import shortened

_DPI = 200
#: Enough for pictures of tiles, which fill much space.
GALLERY_DPI = 110
_WIDTH_IN = 4.8
_INK, _QUIET = "#202020", "#6a6a6a"
_DASHES = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1, 1, 1)))
#: White to blue, as on the page.
SHADES = LinearSegmentedColormap.from_list("shades", ["#ffffff", "#2a6fb0"])
#: Slides that the picture of slides shows; all are in the table.
_SLIDES_SHOWN = 40
#: Part of the ROC plot that is drawn enlarged.
_CORNER = 0.1


def draw_roc(judgement: Judgement) -> Figure:
    """ROC curve of each class against the rest, the corner enlarged, areas in the legend."""
    figure, axes = _figure(4.6 + 0.19 * len(judgement.classes))
    inset = axes.inset_axes((0.36, 0.12, 0.58, 0.58))
    for index, (each, curve) in enumerate(zip(judgement.classes, judgement.curves, strict=True)):
        if curve is None:
            axes.plot([], [], " ", label=f"{each.name}: no curve, {each.auc.reason}")
            continue
        between = span(each.auc, 4)
        label = f"{each.name}: AUC {number(each.auc.value, 4)}" + (
            f" ({between})" if between else f" (no interval: {each.auc.reason})"
        )
        color, dashes = class_color(each.name), _DASHES[index % len(_DASHES)]
        for place in (axes, inset):
            place.plot(
                curve.false_positive_rate,
                curve.true_positive_rate,
                linewidth=1.6,
                label=label if place is axes else None,
                color=color,
                linestyle=dashes,
            )
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=0.8, zorder=0)
    axes.set(xlabel="false positive rate", ylabel="true positive rate")
    axes.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
    inset.set(xlim=(0, _CORNER), ylim=(1 - _CORNER, 1.002))
    inset.tick_params(labelsize=8)
    axes.indicate_inset_zoom(inset, edgecolor="0.5")
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower left",
        frameon=False,
        fontsize=8.5,
        handlelength=3,
    )
    return figure


def draw_confusion(judgement: Judgement) -> Figure:
    """Confusion matrix: tiles, and percent of the true class."""
    names, shares = judgement.predictions.class_names, tables.row_shares(judgement)
    size = max(_WIDTH_IN, 0.62 * (len(names) + 1))
    figure, axes = _figure(size, size)
    axes.imshow(np.nan_to_num(shares), cmap=SHADES, vmin=0, vmax=1)
    for row, line in enumerate(judgement.evaluation.confusion.tolist()):
        for col, tiles in enumerate(line):
            if not tiles:
                continue
            color = "white" if shares[row, col] > 0.6 else _INK
            axes.text(col, row - 0.14, str(tiles), ha="center", va="center", color=color, size=9)
            text = f"{100 * shares[row, col]:.1f} %"
            axes.text(col, row + 0.22, text, ha="center", va="center", color=color, size=7)
    axes.set_xticks(range(len(names)), names)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="true")
    axes.set_xticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(len(names) + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="#d9dde2", linewidth=0.6)
    axes.tick_params(which="both", length=0)
    return figure


def draw_reliability(judgement: Judgement) -> Figure:
    """How often tiles are right against how sure the model is, before and after temperature."""
    figure = Figure(figsize=(_WIDTH_IN, 5.93), layout="constrained")
    FigureCanvasAgg(figure)
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3.2, 1))
    axes.plot([0, 1], [0, 1], color="0.8", linewidth=1, zorder=0)
    looks = (("#8a8a8a", "o"), ("#d62728", "s"), ("#1f6fb2", "^"))
    for each, (color, marker) in zip(judgement.calibrations, looks, strict=False):
        filled = [bin_ for bin_ in each.bins if bin_.tiles]
        axes.plot(
            [bin_.confidence for bin_ in filled],
            [bin_.accuracy for bin_ in filled],
            color=color,
            marker=marker,
            markersize=4.5,
            linewidth=1.2,
            label=f"{each.title}: T {each.temperature:.3g}, ECE {number(each.ece)}",
        )
        counts.step(
            [bin_.low for bin_ in each.bins] + [1.0],
            [bin_.tiles for bin_ in each.bins] + [each.bins[-1].tiles],
            where="post",
            color=color,
            linewidth=1.2,
        )
    axes.set(ylabel="share of tiles that are right", xlim=(0, 1.01), ylim=(0, 1.02))
    figure.legend(loc="outside upper left", frameon=False, fontsize=8.5)
    counts.set(xlabel="confidence (probability of the predicted class)", ylabel="tiles")
    counts.set_yscale("symlog", linthresh=1)
    counts.set_ylim(bottom=0)
    return figure


def draw_coverage(judgement: Judgement) -> Figure:
    """Accuracy against the share of tiles kept, the least sure left out first."""
    figure, axes = _figure(3.6)
    axes.plot(
        [100 * point.share for point in judgement.coverage],
        [100 * point.accuracy for point in judgement.coverage],
        color="#1f6fb2",
        linewidth=1.8,
    )
    axes.set(xlabel="% of tiles kept (the surest)", ylabel="% of these that are right")
    axes.set_xlim(0, 101)
    axes.grid(color="#e4e7eb", linewidth=0.7)
    return figure


def draw_slides(judgement: Judgement) -> Figure:
    """Recall of each class on each slide, with the number of tiles; the worst slides first."""
    names = judgement.predictions.class_names
    rows = tables.slide_rows(judgement)[1 : _SLIDES_SHOWN + 1]
    recalls = np.array([row[4::2] for row in rows], float)
    totals = [row[5::2] for row in rows]
    width = max(_WIDTH_IN, 2.2 + 0.5 * len(names))
    figure, axes = _figure(0.9 + 0.36 * len(rows), width)
    axes.imshow(recalls, cmap=SHADES, vmin=0, vmax=1, aspect="auto")
    for row, line in enumerate(recalls):
        for col, recall in enumerate(line):
            if recall == recall:
                color = "white" if recall > 0.6 else _INK
                axes.text(col, row - 0.15, number(recall, 2), ha="center", va="center",
                          color=color, size=8)  # fmt: skip
                axes.text(col, row + 0.25, f"of {totals[row][col]}", ha="center", va="center",
                          color=color, size=6)  # fmt: skip
    axes.set_xticks(range(len(names)), names)
    axes.xaxis.tick_top()
    axes.set_yticks(range(len(rows)), [shortened(row[0], 24) for row in rows], parse_math=False)
    axes.tick_params(length=0, labelsize=8)
    return figure


def draw_worst(judgement: Judgement, pictures: Mapping[str, bytes]) -> Figure:
    """Pictures of the worst tiles with true and predicted class."""
    rows = tables.worst_rows(judgement)[1:]
    cols = 4
    lines = max(1, -(-len(rows) // cols))
    figure = Figure(figsize=(_WIDTH_IN, 1.62 * lines), layout="constrained")
    FigureCanvasAgg(figure)
    for place, axes in enumerate(figure.subplots(lines, cols, squeeze=False).ravel()):
        axes.set_xticks([])
        axes.set_yticks([])
        if place >= len(rows):
            axes.axis("off")
            continue
        path, _, true, predicted, confidence, *_ = rows[place]
        if path in pictures:
            axes.imshow(np.asarray(Image.open(io.BytesIO(pictures[path]))))
        axes.set_title(f"{true}, called\n{predicted} ({confidence:.2f})", fontsize=7.5)
    return figure


#: File name of each picture that needs the judgement alone.
PICTURES: dict[str, Callable[[Judgement], Figure]] = {
    "roc.png": draw_roc,
    "confusion.png": draw_confusion,
    "reliability.png": draw_reliability,
    "coverage.png": draw_coverage,
    "slides.png": draw_slides,
}


def as_png(figure: Figure, dpi: int = _DPI) -> bytes:
    """Return the picture's bytes; the same figures give the same bytes."""
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The font may lack a letter of a slide's name; a box is drawn in its place.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure.savefig(stream, format="png", dpi=dpi, metadata={"Software": None})
    return stream.getvalue()


def class_color(name: str) -> str:
    """Color of a class, darkened where it could not be seen as a line on white."""
    tissue = _tissue(name)
    if tissue is None:
        return _QUIET
    red, green, blue = tissue.rgb
    light = (0.3 * red + 0.59 * green + 0.11 * blue) / 255
    factor = 0.65 if light > 0.75 else 1.0
    return "#" + "".join(f"{int(factor * part):02x}" for part in (red, green, blue))


def class_title(name: str) -> str:
    """Return a class in words, e.g. hepatocytes; its name where no scheme has it."""
    tissue = _tissue(name)
    return name if tissue is None else tissue.title.lower()


def _tissue(name: str) -> TissueClass | None:
    return next((scheme[name] for scheme in SCHEMES.values() if name in scheme.names), None)


def _figure(height: float, width: float = _WIDTH_IN) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots()
