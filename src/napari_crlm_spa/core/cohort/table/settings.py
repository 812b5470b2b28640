"""Slides of one cohort that were analyzed in different ways."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from napari_crlm_spa.core.cohort.table.analyses import SETTINGS, AnalyzedSlide
from napari_crlm_spa.core.cohort.table.rows import Notebook

#: Slides named in one sentence; slides.csv names them all.
NAMED = 5


def note_settings(slides: Sequence[AnalyzedSlide], notebook: Notebook) -> None:
    """Note slides whose classifier, options or version differ from the others'."""
    for name in SETTINGS:
        variants: dict[str, list[AnalyzedSlide]] = {}
        for slide in slides:
            key = json.dumps(slide.settings.get(name), sort_keys=True, default=str)
            variants.setdefault(key, []).append(slide)
        if len(variants) < 2:
            continue
        usual, *others = sorted(variants.values(), key=len, reverse=True)
        for group in others:
            here, there = group[0].settings.get(name), usual[0].settings.get(name)
            notebook.note(
                "warning",
                f"{name_slides(group)} analyzed with another {name} than the other "
                f"{len(usual)}: {_difference(here, there)}.",
                "Analyze all slides of a cohort alike, or their features can't be compared.",
                column=name,
            )


def note_strange(slides: Sequence[AnalyzedSlide], notebook: Notebook) -> None:
    """Note slides whose tiles look unlike those that the classifier was trained on."""
    strange = [slide for slide in slides if slide.strange]
    if strange:
        verb = "looks" if len(strange) == 1 else "look"
        notebook.note(
            "warning",
            f"{name_slides(strange, verb='')} {verb} unlike what the classifier was trained on.",
            "Look at their maps before you trust their features.",
        )


def note_uncorrected(slides: Sequence[AnalyzedSlide], reader: str, notebook: Notebook) -> None:
    """Note slides that the reader has not corrected."""
    without = [slide for slide in slides if not slide.reader]
    if without:
        notebook.note(
            "warning",
            f"{name_slides(without)} not corrected by {reader}; their features are the predicted.",
            "Correct them, or leave them out with --uncorrected exclude.",
        )


def name_slides(slides: Sequence[AnalyzedSlide], verb: str = "was were") -> str:
    """Name a few slides and count them: ``3 slides (a.svs, b.svs, c.svs) were``."""
    names = ", ".join(slide.slide for slide in slides[:NAMED])
    more = f" and {len(slides) - NAMED} more" if len(slides) > NAMED else ""
    count = f"{len(slides)} slide{'' if len(slides) == 1 else 's'} ({names}{more})"
    forms = verb.split()
    return f"{count} {forms[0 if len(slides) == 1 else -1]}" if forms else count


def _difference(here: Any, there: Any) -> str:
    """Say what differs between two settings, field by field."""
    if isinstance(here, dict) and isinstance(there, dict):
        told = [
            part
            for key in sorted({*here, *there})
            if (part := _field(key, here.get(key), there.get(key)))
        ]
        return "; ".join(told)
    return f"{_short(here)} instead of {_short(there)}"


def _field(key: str, here: Any, there: Any) -> str:
    if here == there:
        return ""
    if isinstance(here, dict) and isinstance(there, dict):
        return _difference(here, there)
    return f"{key} {_short(here)} instead of {_short(there)}"


def _short(value: Any) -> str:
    text = "not recorded" if value is None else str(value)
    hexadecimal = len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
    return text[:8] if hexadecimal else text
