"""What a page is made of: sections with figures and tables; and a study seen by its tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.report.cohort.columns import COLUMNS, Column, ShownTable, shown_table

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from napari_crlm_spa.core.cohort.study.contents import Study


#: Models that a study may predict by without having fitted them (a validation).
_MODELS = {
    "final": "Final model",
    "multivariable": "Score and clinical factors",
    "score_crs": "Score and clinical risk score",
}


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A figure of the page.

    Parameters
    ----------
    name
        Stem of its file.
    draw
        Makes it.
    caption
        What it shows and how to read it.
    alt
        What it says, for those who can't see it.
    tables
        Tables that hold its numbers.
    folded
        Whether readers unfold it.
    """

    name: str
    draw: Callable[[], Figure]
    caption: str
    alt: str
    tables: tuple[str, ...]
    folded: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """A part of the page.

    Parameters
    ----------
    key, title
        Its anchor and heading.
    words
        Paragraphs before the figures.
    plots, tables
        Its figures and tables, in order.
    files
        Tables that are only linked, since they are long.
    risk
        Whether risks or groups are shown: then it says that they are for research only.
    """

    key: str
    title: str
    words: tuple[str, ...] = ()
    plots: tuple[Plot, ...] = ()
    tables: tuple[ShownTable, ...] = ()
    files: tuple[str, ...] = ()
    risk: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.words or self.plots or self.tables or self.files)


@dataclass(slots=True)
class Tables:
    """The tables of a study; remembers which were taken, so that none is forgotten.

    Parameters
    ----------
    study
        Whose they are.
    taken
        Names of those that a section shows or links.
    columns
        How they are shown, by name.
    """

    study: Study
    taken: set[str] = field(default_factory=set)
    columns: Mapping[str, tuple[Column, ...]] = field(default_factory=lambda: COLUMNS)

    def get(self, name: str, *columns: str) -> pd.DataFrame | None:
        """Return a table that has rows and these columns; None otherwise."""
        table = self.study.tables.get(name)
        if table is None or not len(table.frame) or not set(columns) <= set(table.frame.columns):
            return None
        return table.frame

    def shown(
        self, *names: str, where: Callable[[pd.DataFrame], Any] | None = None
    ) -> tuple[ShownTable, ...]:
        """Return tables for readers; those that are missing or empty are not among them.

        Parameters
        ----------
        where
            Which rows; all by default.
        """
        out = []
        for name in names:
            self.taken.add(name)
            frame = self.get(name)
            if frame is not None and where is not None:
                frame = frame[where(frame)]
            if frame is not None and len(frame):
                if name != "models" and "model" in frame:
                    frame = frame.assign(model=frame["model"].map(self.model))
                out.append(shown_table(self.study.tables[name], frame, self.columns))
        return tuple(out)

    def files(self, *names: str) -> tuple[str, ...]:
        """Return the names of those of these tables that are there."""
        self.taken.update(names)
        return tuple(name for name in names if self.get(name) is not None)

    def row(self, name: str, **where: Any) -> Mapping[str, Any]:
        """Return the first row of a table with these values; empty if there is none."""
        frame = self.get(name, *where)
        if frame is None:
            return {}
        for column, value in where.items():
            frame = frame[frame[column] == value]
        rows = frame.head(1).to_dict("records")
        return {str(k): v for k, v in rows[0].items()} if rows else {}

    def model(self, key: object) -> str:
        """Return what a model is called."""
        label = str(self.row("models", model=key).get("label") or "")
        return label or _MODELS.get(str(key), str(key))

    def model_titles(self) -> dict[str, str]:
        """Return what all models are called, by key."""
        frames = (
            self.get(name, "model") for name in ("models", "calibration", "decision", "brier")
        )
        keys = {str(key) for frame in frames if frame is not None for key in frame["model"]}
        return {key: self.model(key) for key in sorted(keys)}
