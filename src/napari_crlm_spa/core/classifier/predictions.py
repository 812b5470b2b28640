"""What a classifier said of labeled tiles: the table that evaluation and cross-validation share."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.errors import EvaluationError, TableError

#: Columns of the table before those of the classes, ``probability_<class>``, ``logit_<class>``.
COLUMNS = ("path", "slide", "class", "predicted", "confidence", "probability", "loss")


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Logits of labeled tiles.

    Parameters
    ----------
    class_names
        In the order of the columns of `logits`.
    paths
        File of each tile, relative to the folder of tiles, with forward slashes.
    slides
        Slide of each tile.
    labels
        Shape (n,): true class as an index into `class_names`.
    logits
        Shape (n, k), before any temperature.

    Raises
    ------
    EvaluationError
        If the shapes differ, a label is no class, or a logit is not a number.
    """

    class_names: tuple[str, ...]
    paths: tuple[str, ...]
    slides: tuple[str, ...]
    labels: NDArray[np.int64]
    logits: NDArray[np.float32]

    def __post_init__(self) -> None:
        n, k = len(self.labels), len(self.class_names)
        if self.logits.shape != (n, k) or len(self.paths) != n or len(self.slides) != n:
            raise EvaluationError(
                f"The predictions do not fit together: {n} labels, {len(self.paths)} paths, "
                f"{len(self.slides)} slides, {k} classes, logits of shape {self.logits.shape}."
            )
        if n and (self.labels.min() < 0 or self.labels.max() >= k):
            raise EvaluationError(f"A label lies outside the {k} classes of the predictions.")
        bad = np.flatnonzero(~np.isfinite(self.logits).all(axis=1))
        if len(bad):
            raise EvaluationError(
                f"The model answers {len(bad)} of {n} tiles with something that is no number, "
                f"{self.paths[bad[0]]} first. Its weights are damaged or its training diverged; "
                "train it again."
            )

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def predicted(self) -> NDArray[np.int64]:
        """Index of the most probable class, shape (n,); no temperature changes it."""
        highest: NDArray[np.int64] = self.logits.argmax(axis=1).astype(np.int64)
        return highest

    def probabilities(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """Softmax of the logits over `temperature`, shape (n, k)."""
        shares: NDArray[np.float64] = softmax(self.logits.astype(np.float64) / temperature, axis=1)
        return shares

    def losses(self, temperature: float = 1.0) -> NDArray[np.float64]:
        """Negative log-probability of the true class in nats, shape (n,)."""
        logs = log_softmax(self.logits.astype(np.float64) / temperature, axis=1)
        losses: NDArray[np.float64] = -logs[np.arange(len(self)), self.labels]
        return losses

    def subset(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Predictions:
        """Return some of the tiles, by mask or by index."""
        at = np.arange(len(self))[chosen]
        return Predictions(
            self.class_names,
            tuple(self.paths[i] for i in at),
            tuple(self.slides[i] for i in at),
            self.labels[at],
            self.logits[at],
        )


def join_predictions(parts: Sequence[Predictions]) -> Predictions:
    """Put the predictions of several folds below each other.

    Folds with temperatures of their own are joined after ``logits / temperature``.

    Raises
    ------
    EvaluationError
        If there are none, or their classes differ.
    """
    names = {part.class_names for part in parts}
    if len(names) != 1:
        raise EvaluationError(
            "There are no predictions to join."
            if not names
            else "Predictions of models with different classes cannot be joined."
        )
    return Predictions(
        names.pop(),
        tuple(path for part in parts for path in part.paths),
        tuple(slide for part in parts for slide in part.slides),
        np.concatenate([part.labels for part in parts]),
        np.concatenate([part.logits for part in parts]),
    )


def relative_paths(paths: Sequence[Path], folders: Sequence[Path]) -> tuple[str, ...]:
    """Name tiles without telling where their folders lie.

    With several folders each path starts with the folder's name of `folder_names`.
    """
    names = folder_names(folders)
    return tuple(_relative(path, names) for path in paths)


def folder_names(folders: Sequence[Path]) -> dict[str, Path]:
    """Name folders apart: by their own names, ``tiles (2)`` for a second one called tiles."""
    names: dict[str, Path] = {}
    for folder in folders:
        own = folder.absolute().name
        alike = sum(known.absolute().name == own for known in names.values())
        names[f"{own} ({alike + 1})" if alike else own] = folder
    return names


def _relative(path: Path, names: Mapping[str, Path]) -> str:
    for name, folder in names.items():
        if path.is_relative_to(folder):
            inside = path.relative_to(folder)
            return (inside if len(names) == 1 else name / inside).as_posix()
    return path.as_posix()


def write_predictions(path: Path, predictions: Predictions, temperature: float = 1.0) -> None:
    """Write the table as CSV, one row a tile.

    `confidence` is the probability of the predicted class, `probability` that of the true one;
    both and `loss` are at `temperature`, the logits are before it.
    """
    names = predictions.class_names
    shares, losses = predictions.probabilities(temperature), predictions.losses(temperature)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [*COLUMNS, *(f"probability_{name}" for name in names), *(f"logit_{name}" for name in names)]
    )
    for i, (label, predicted) in enumerate(
        zip(predictions.labels, predictions.predicted, strict=True)
    ):
        numbers = [shares[i, predicted], shares[i, label], losses[i], *shares[i]]
        writer.writerow(
            [
                predictions.paths[i],
                predictions.slides[i],
                names[label],
                names[predicted],
                *(f"{value:.6f}" for value in numbers),
                # Nine digits give a 32-bit float back unchanged.
                *(f"{value:.9g}" for value in predictions.logits[i]),
            ]
        )
    write_text(path, text.getvalue())


def read_predictions(path: Path) -> Predictions:
    """Read a table that `write_predictions` wrote; the classes are those of its logits.

    Raises
    ------
    TableError
        If the file cannot be read, columns are missing, or a value makes no sense.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file)
            columns = list(reader.fieldnames or ())
            rows = list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path} cannot be read as a table of predictions: {error}.") from error
    names = tuple(name.removeprefix("logit_") for name in columns if name.startswith("logit_"))
    missing = [name for name in ("path", "slide", "class") if name not in columns]
    if missing or not names:
        raise TableError(
            f"{path} is no table of predictions: it has no column "
            f"{', '.join(missing) or 'logit_<class>'}. Take predictions.csv of an evaluation."
        )
    return Predictions(
        names,
        tuple(row["path"] for row in rows),
        tuple(row["slide"] for row in rows),
        np.array([_label(path, line, row, names) for line, row in enumerate(rows, 2)], np.int64),
        np.array(
            [_logits(path, line, row, names) for line, row in enumerate(rows, 2)], np.float32
        ).reshape(len(rows), len(names)),
    )


def _label(path: Path, line: int, row: Mapping[str, str], names: tuple[str, ...]) -> int:
    try:
        return names.index(row["class"])
    except ValueError:
        raise TableError(
            f"{path}, line {line}: the class {row['class']!r} is none of {', '.join(names)}."
        ) from None


def _logits(path: Path, line: int, row: Mapping[str, str], names: tuple[str, ...]) -> list[float]:
    try:
        logits = [float(row[f"logit_{name}"]) for name in names]
        if not np.isfinite(logits).all():
            raise ValueError
    except (TypeError, ValueError):
        raise TableError(
            f"{path}, line {line}: the logits must be numbers. Write the table anew with "
            "crlm-spa evaluate."
        ) from None
    return logits
