"""Which tiles of a slide are labeled, by drawn areas and by readers' corrections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from napari_crlm_spa.core.annotations.areas import Area, Areas
from napari_crlm_spa.core.annotations.class_names import is_excluding, is_label
from napari_crlm_spa.core.annotations.coverage import Coverage, scanned_part, together
from napari_crlm_spa.core.annotations.options import ExportOptions
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tiles import TileGrid, TileState, lay_grid
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import AnnotationError

#: Where a label comes from; of several for a tile the first named is recorded.
DRAWN, CORRECTED, ACCEPTED = "drawn area", "corrected", "accepted"
#: Why tiles that were touched by an area, or labeled, are left out.
IMPURE = "less of the tile is covered than the purity asks for"
MIXED = "another class covers too much of the tile"
OVERLAP = "areas of different classes overlap"
DISAGREE = "readers name different classes"
ASIDE = "a reader set the tile aside"
EXCLUDED = "an area to ignore covers too much of the tile"
TOO_MANY = "more tiles of a class than asked for"
BLANK = "blank by the paper's rule"
UNREADABLE = "the file is damaged there"
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class PlannedTile:
    """A tile with a label.

    Parameters
    ----------
    row, col
        On the slide's grid.
    class_name
        Its label.
    purity
        Share of its area inside areas of this class; 1 where a reader labeled the tile itself.
    source
        `DRAWN`, `CORRECTED` or `ACCEPTED`.
    annotator, when
        Who said so, and when at the latest (UTC, ISO 8601); several are joined by ``"; "``.
    """

    row: int
    col: int
    class_name: str
    purity: float
    source: str
    annotator: str = ""
    when: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPlan:
    """The labeled tiles of one slide, before a pixel is read.

    Parameters
    ----------
    grid
        Where tiles lie; it is that of the pipeline.
    tiles
        In reading order, each place once.
    left_out
        How many tiles were left out, by reason.
    notes
        In sentences for the user.
    """

    grid: TileGrid
    tiles: tuple[PlannedTile, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.tiles)

    def counts(self) -> dict[str, int]:
        """Tiles per class, in alphabetical order."""
        return dict(sorted(Counter(tile.class_name for tile in self.tiles).items()))


@dataclass(frozen=True, slots=True, eq=False)
class ReviewedMap:
    """A tissue map with a reader's decisions.

    Parameters
    ----------
    tissue_map
        Tiles in state EDITED or ACCEPTED are labeled; tiles SET_ASIDE are kept out, whatever
        area covers them; all others are the classifier's opinion.
    reader
        Who decided.
    when
        Date and time of the decisions (UTC, ISO 8601), of all or by (row, col).
    """

    tissue_map: TissueMap
    reader: str = ""
    when: str | Mapping[tuple[int, int], str] = ""

    def when_at(self, row: int, col: int) -> str:
        """Date and time of the decision on a tile."""
        return self.when if isinstance(self.when, str) else self.when.get((row, col), "")


def plan_labeled_tiles(
    areas: Areas | Iterable[Area], info: SlideInfo, options: ExportOptions | None = None
) -> LabeledPlan:
    """Find the tiles that drawn areas label.

    The tiles are those of the slide's grid. A tile gets the class whose areas cover at least
    `min_purity` of it, if no other class covers more than the rest (1 - `min_purity`); areas
    count up to the border of the scanned part. Areas named ``Ignore*`` or ``Exclude`` keep tiles
    out; other names that end in a star (QuPath's ``Region*``), and areas without a class, mean
    nothing.

    Parameters
    ----------
    areas
        In level-0 pixels.
    info
        The slide; its pixel size must be known.
    options
        Purity, size and resolution.

    Returns
    -------
    LabeledPlan

    Raises
    ------
    MissingPixelSize, ResolutionTooCoarse
        As when the slide is analyzed.
    AnnotationError
        If all areas lie beside the slide.
    """
    options = options or ExportOptions()
    listed = areas.areas if isinstance(areas, Areas) else tuple(areas)
    grid = lay_grid(info, options.tiling)
    labels = [area for area in listed if is_label(area.class_name)]
    _refuse_beside(listed, info)
    coverage = Coverage(labels, info, grid)
    if not coverage.names:
        return LabeledPlan(grid, notes=_unlabeled_notes(listed))
    allowed = 1 - options.min_purity + ROUNDING
    best, second = coverage.best_two()
    touched = best > 0
    reasons = np.full(best.shape, "", object)
    reasons[touched & (best < options.min_purity - ROUNDING)] = IMPURE
    mixed = touched & (second > allowed)
    reasons[mixed] = MIXED
    reasons[mixed & (best + second > 1 + ROUNDING)] = OVERLAP
    reasons[mixed & coverage.annotators_differ(allowed)] = DISAGREE
    ignored = coverage.share_of([each for each in listed if is_excluding(each.class_name)])
    reasons[touched & (ignored > allowed)] = EXCLUDED
    kept = np.argwhere(touched & (reasons == ""))
    told = Counter(str(reason) for reason in reasons[touched].tolist() if reason)
    tiles = tuple(
        PlannedTile(
            row,
            col,
            name,
            purity,
            DRAWN,
            together(area.annotator for area in drawn),
            max(area.when for area in drawn),
        )
        for (row, col), name, purity, drawn in zip(kept.tolist(), *coverage.of(kept), strict=True)
    )
    return LabeledPlan(grid, tiles, dict(told), _unlabeled_notes(listed))


def tiles_from_review(
    reviewed: ReviewedMap, info: SlideInfo, options: ExportOptions | None = None
) -> LabeledPlan:
    """Take the tiles that a reader corrected or accepted.

    Raises
    ------
    AnnotationError
        If the map's tiles are not those to be exported.
    """
    options = options or ExportOptions()
    grid = lay_grid(info, options.tiling)
    check_same_grid(reviewed.tissue_map, grid, info)
    states = {int(TileState.EDITED): CORRECTED, int(TileState.ACCEPTED): ACCEPTED}
    found = reviewed.tissue_map
    labeled = np.isin(found.state, list(states)) & (found.classes > 0)
    tiles = tuple(
        PlannedTile(
            int(row),
            int(col),
            found.scheme.names[int(found.classes[row, col]) - 1],
            1.0,
            states[int(found.state[row, col])],
            reviewed.reader,
            reviewed.when_at(int(row), int(col)),
        )
        for row, col in np.argwhere(labeled)
    )
    return LabeledPlan(grid, tiles)


def check_same_grid(tissue_map: TissueMap, grid: TileGrid, info: SlideInfo) -> None:
    """Refuse a map whose tiles are not those of a grid.

    Raises
    ------
    AnnotationError
        The sentence names both sizes.
    """
    same = (
        np.isclose(tissue_map.stride_um, grid.stride_um, rtol=1e-9)
        and np.allclose(tissue_map.origin_um, grid.origin_um)
        and tissue_map.shape == (grid.rows, grid.cols)
    )
    if not same:
        raise AnnotationError(
            f"The tissue map of {info.path.name} has {tissue_map.shape[0]} x "
            f"{tissue_map.shape[1]} tiles of {tissue_map.stride_um:g} µm; the export would have "
            f"{grid.rows} x {grid.cols} of {grid.stride_um:g} µm. Export with the tile size, "
            "resolution and pixel size that the slide was analyzed with."
        )


def _refuse_beside(areas: Sequence[Area], info: SlideInfo) -> None:
    scanned = scanned_part(info)
    if areas and not any(area.polygon_xy0.intersects(scanned) for area in areas):
        raise AnnotationError(
            f"All {len(areas)} areas lie beside {info.path.name}. They belong to another slide, "
            "or were drawn on a smaller copy: export them in full-resolution pixels."
        )


def _unlabeled_notes(areas: Sequence[Area]) -> tuple[str, ...]:
    without = sum(
        not is_label(area.class_name) and not is_excluding(area.class_name) for area in areas
    )
    if not without:
        return ()
    return (f"{without} of {len(areas)} areas have no class and label no tile.",)
