"""Slides by what people call them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from napari_crlm_spa.core.cohort.table.analyses import AnalyzedSlide
from napari_crlm_spa.core.slide import stem


class SlideIndex:
    """Finds slides by what people call them: path, file name, folder, name without suffix."""

    def __init__(self, slides: Sequence[AnalyzedSlide]) -> None:
        self._slides = slides
        self._files: dict[str, list[int]] = {}
        self._names: dict[str, list[int]] = {}
        for at, slide in enumerate(slides):
            self._files.setdefault(slide.slide.casefold(), []).append(at)
            for name in {stem(Path(slide.slide)).casefold(), slide.folder.name.casefold()}:
                self._names.setdefault(name, []).append(at)

    def find(self, name: str) -> list[int]:
        """Return the positions that a name may mean; usable ones only, if there are any."""
        parts = _parts(name)
        if not parts:
            return []
        last = parts[-1]
        bare = stem(Path(last))
        found = list(
            dict.fromkeys(
                self._files.get(last) or self._names.get(last) or self._names.get(bare) or []
            )
        )
        if len(parts) > 1:
            # A folder that was moved since leaves the name to go by.
            found = [at for at in found if self._lies_at(at, parts)] or found
        usable = [at for at in found if not self._slides[at].problem and not self._slides[at].copy]
        return usable or found

    def _lies_at(self, at: int, parts: tuple[str, ...]) -> bool:
        slide = self._slides[at]
        return any(
            _parts(path)[-len(parts) :] == parts for path in (slide.slide_path, str(slide.folder))
        )


def _parts(path: str) -> tuple[str, ...]:
    return tuple(part.casefold() for part in re.split(r"[\\/]+", path) if part)
