"""One name for each slide, whatever its readers called it, and one patient and lesion with it.

One reader's list has ``slide-07.svs``, another's drawn lines ``slide-07``: the same slide.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_crlm_spa.core.cohort.columns import PATIENT, SLIDE
from napari_crlm_spa.core.cohort.table.rows import Notebook
from napari_crlm_spa.core.hgp.columns import LESION, RATER, ROUND
from napari_crlm_spa.core.hgp.reviews import Reviews
from napari_crlm_spa.core.slide import stem

if TYPE_CHECKING:
    import pandas as pd


def slide_key(name: str) -> str:
    """Return what slides are recognized by: the name without suffix, whatever the case."""
    return stem(Path(name)).casefold()


def commonest(texts: pd.Series[Any]) -> str:
    """Return the commonest text that is not empty, the first of several; "" without one."""
    filled = [str(text) for text in texts if text]
    return max(dict.fromkeys(filled), key=filled.count) if filled else ""


def with_one_name(reviews: Reviews) -> Reviews:
    """Call each slide as in its first row, and give all its rows patient and lesion if one has it.

    Readings that become the same by that (slide, lesion, reader, round) are left out after the
    first, and a problem says so; another says where readers name different patients.
    """
    frame = reviews.frame.copy()
    notebook = Notebook("all reviews")
    # A review without a patient has the slide's name there.
    frame[PATIENT] = np.where(frame[PATIENT] == frame[SLIDE], "", frame[PATIENT])
    frame["_key"] = [slide_key(name) for name in frame[SLIDE]]
    for _, group in frame.groupby("_key", sort=False):
        slide, patient = group[SLIDE].iloc[0], commonest(group[PATIENT])
        _note_other_patients(notebook, slide, patient, group)
        frame.loc[group.index, SLIDE] = slide
        frame.loc[group.index, PATIENT] = patient or slide
        lesions = {lesion for lesion in group[LESION] if lesion}
        if len(lesions) == 1:
            frame.loc[group.index, LESION] = lesions.pop()
    again = frame.duplicated([SLIDE, LESION, RATER, ROUND])
    for row in frame[again].to_dict("records"):
        notebook.note(
            "error",
            f"{row[RATER]} reviewed this slide twice in the same round, under two names.",
            "Number repeated readings in the column round, or remove one; the first is used.",
            patient=str(row[PATIENT]),
            column=SLIDE,
            value=str(row[SLIDE]),
        )
    kept = frame[~again].drop(columns="_key").reset_index(drop=True)
    return Reviews(kept, (*reviews.problems, *notebook.problems))


def _note_other_patients(notebook: Notebook, slide: str, patient: str, rows: pd.DataFrame) -> None:
    told = list(dict.fromkeys(name for name in rows[PATIENT] if name))
    if len(told) > 1:
        notebook.note(
            "warning",
            f"Readings of one slide name different patients: {', '.join(told)}.",
            f"Correct them; {patient} is used.",
            patient=patient,
            column=SLIDE,
            value=slide,
        )
