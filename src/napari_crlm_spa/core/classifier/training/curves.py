"""Pictures of the course of a training, and of all folds of a cross-validation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.files import atomic_path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_crlm_spa.core.classifier.training.history import EpochRecord

_TRAINING, _VALIDATION, _QUIET = "#8a8f98", "#1f5fa8", "#5b616b"
_DPI = 130


def plot_history(path: Path, history: Sequence[EpochRecord]) -> None:
    """Draw loss, accuracy, learning rate and time of a training as PNG."""
    _save(history_figure(history), path)


def plot_folds(path: Path, histories: Mapping[str, Sequence[EpochRecord]]) -> None:
    """Draw the folds' losses and accuracies over each other as PNG."""
    _save(folds_figure(histories), path)


def history_figure(history: Sequence[EpochRecord]) -> Figure:
    """Return the figure of a training; the epoch of the lowest validation loss is marked."""
    figure = _figure(9.5, 5.0)
    grid = figure.add_gridspec(2, 2, height_ratios=(3.2, 1.0))
    loss, accuracy = (figure.add_subplot(grid[0, column]) for column in (0, 1))
    rate, time = (figure.add_subplot(grid[1, column]) for column in (0, 1))
    epochs = [record.epoch for record in history]
    _lines(loss, epochs, [r.train_loss for r in history], [r.validation_loss for r in history])
    balanced = [100 * r.validation_balanced_accuracy for r in history]
    _lines(accuracy, epochs, [100 * r.train_accuracy for r in history], balanced)
    rate.plot(epochs, [r.learning_rate for r in history], color=_QUIET, marker=_marker(history))
    time.bar(epochs, [r.seconds for r in history], color="#c9ced6", width=0.8)
    _title(loss, "Loss: cross-entropy (nats per tile), lower is better")
    _title(accuracy, "Tiles told right (%); validation: mean over classes")
    _title(rate, "Learning rate at the end of the epoch")
    _title(time, f"Seconds per epoch, {_duration(sum(r.seconds for r in history))} in all")
    accuracy.set_ylim(top=100.5)
    rate.set_ylim(bottom=0)
    rate.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    for axes in (loss, accuracy, rate, time):
        _finish(axes, len(history))
    for axes in (rate, time):
        axes.set_xlabel("epoch", fontsize=9)
    best = _best(history)
    if best is not None:
        lowest, then = best.validation_loss, 100 * best.validation_balanced_accuracy
        _mark(loss, best.epoch, lowest, f"best: {lowest:.3g} in epoch {best.epoch}", 0.97)
        _mark(accuracy, best.epoch, then, f"{then:.1f} % in epoch {best.epoch}", 0.03)
    handles, labels = loss.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return figure


def folds_figure(histories: Mapping[str, Sequence[EpochRecord]]) -> Figure:
    """Return the figure of a cross-validation, a line a fold.

    The validation is the one inside each fold; where there is none, the training alone is shown.
    """
    from matplotlib import colormaps

    figure = _figure(9.5, 4.0)
    loss, accuracy = figure.subplots(1, 2)
    colors = colormaps["viridis"]
    inner = any(_best(history) is not None for history in histories.values())
    for index, (name, history) in enumerate(histories.items()):
        color = colors(0.92 * index / max(1, len(histories) - 1))
        (_judged_fold if inner else _trained_fold)(loss, accuracy, name, history, color)
    _title(loss, "Loss: cross-entropy (nats per tile)")
    _title(accuracy, "Tiles told right (%)" + (", mean over classes" if inner else ", training"))
    longest = max((len(history) for history in histories.values()), default=1)
    for axes in (loss, accuracy):
        _finish(axes, longest)
        axes.set_xlabel("epoch")
    accuracy.set_ylim(top=100.5)
    handles, labels = accuracy.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", frameon=False, fontsize=9)
    caption = (
        "Solid: tiles held back inside the fold; dotted: training; dots: lowest loss. "
        "The fold's own held-out tiles are not looked at here."
        if inner
        else "Training (varied tiles); nothing was held back inside the folds."
    )
    figure.suptitle(caption, fontsize=8.5, color=_QUIET, x=0.01, ha="left")
    return figure


def _trained_fold(
    loss: Axes, accuracy: Axes, name: str, history: Sequence[EpochRecord], color: Any
) -> None:
    epochs = [record.epoch for record in history]
    loss.plot(epochs, [r.train_loss for r in history], color=color)
    accuracy.plot(epochs, [100 * r.train_accuracy for r in history], color=color, label=name)


def _judged_fold(
    loss: Axes, accuracy: Axes, name: str, history: Sequence[EpochRecord], color: Any
) -> None:
    epochs = [record.epoch for record in history]
    balanced = [100 * r.validation_balanced_accuracy for r in history]
    loss.plot(epochs, [r.train_loss for r in history], ":", color=color, linewidth=1.0, alpha=0.5)
    loss.plot(epochs, [r.validation_loss for r in history], color=color)
    accuracy.plot(epochs, balanced, color=color, label=name)
    best = _best(history)
    if best is not None:
        at_best = 100 * best.validation_balanced_accuracy
        loss.plot(best.epoch, best.validation_loss, "o", color=color, markersize=5)
        accuracy.plot(best.epoch, at_best, "o", color=color, markersize=5)


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _lines(
    axes: Axes,
    epochs: Sequence[int],
    training: Sequence[float],
    validation: Sequence[float],
) -> None:
    marker = "o" if len(epochs) == 1 else ""
    axes.plot(epochs, training, color=_TRAINING, marker=marker, label="training (varied tiles)")
    if any(math.isfinite(value) for value in validation):
        axes.plot(
            epochs, validation, color=_VALIDATION, linewidth=2, marker=marker, label="validation"
        )


def _mark(axes: Axes, epoch: int, value: float, text: str, height: float) -> None:
    """Mark the best epoch: a thin line, a dot, and words where the curves are not."""
    axes.axvline(epoch, color=_VALIDATION, linewidth=0.8, linestyle=(0, (4, 3)), alpha=0.6)
    axes.plot(epoch, value, "o", color=_VALIDATION, markersize=6, zorder=5)
    low, high = axes.get_xlim()
    left = epoch > (low + high) / 2
    axes.annotate(
        text,
        (epoch, height),
        xycoords=("data", "axes fraction"),
        xytext=(-5 if left else 5, 0),
        textcoords="offset points",
        ha="right" if left else "left",
        va="top" if height > 0.5 else "bottom",
        color=_VALIDATION,
        fontsize=9,
    )


def _title(axes: Axes, text: str) -> None:
    axes.set_title(text, fontsize=9.5, loc="left", color="#22262c")


def _finish(axes: Axes, epochs: int) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b6bbc3")
    axes.grid(axis="y", color="#e6e8ec", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8.5, color="#b6bbc3")
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    axes.set_xlim(0.5, epochs + 0.5)


def _best(history: Sequence[EpochRecord]) -> EpochRecord | None:
    judged = [r for r in history if r.best and math.isfinite(r.validation_loss)]
    return judged[-1] if judged else None


def _marker(history: Sequence[EpochRecord]) -> str:
    return "o" if len(history) == 1 else ""


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _save(figure: Figure, path: Path) -> None:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=_DPI, format="png")
