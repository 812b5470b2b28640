"""One plan of labeled tiles out of what several people say of one slide."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from napari_crlm_spa.core.annotations.areas import Area
from napari_crlm_spa.core.annotations.class_names import is_excluding
from napari_crlm_spa.core.annotations.coverage import Coverage, together
from napari_crlm_spa.core.annotations.options import ExportOptions
from napari_crlm_spa.core.annotations.tile_plan import (
    ASIDE,
    DISAGREE,
    EXCLUDED,
    ROUNDING,
    TOO_MANY,
    LabeledPlan,
    PlannedTile,
    ReviewedMap,
)
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tiles import TileState, lay_grid


def kept_out(
    reviews: Iterable[ReviewedMap], areas: Iterable[Area], info: SlideInfo, options: ExportOptions
) -> dict[tuple[int, int], str]:
    """Find the tiles that somebody does not want to be used, whatever else is said of them.

    Returns
    -------
    dict
        By (row, col): `ASIDE`, or `EXCLUDED` by an area to ignore.
    """
    found: dict[tuple[int, int], str] = {}
    if ignoring := [area for area in areas if is_excluding(area.class_name)]:
        covered = Coverage((), info, lay_grid(info, options.tiling)).share_of(ignoring)
        places = np.argwhere(covered > 1 - options.min_purity + ROUNDING).tolist()
        found.update(((row, col), EXCLUDED) for row, col in places)
    for each in reviews:
        places = np.argwhere(each.tissue_map.state == TileState.SET_ASIDE).tolist()
        found.update(((row, col), ASIDE) for row, col in places)
    return found


def join_plans(
    plans: Sequence[LabeledPlan],
    options: ExportOptions,
    out: Mapping[tuple[int, int], str] | None = None,
) -> LabeledPlan:
    """Join what several sources say of one slide.

    A tile with different labels, or in `out`, is left out and counted. Where all agree, the
    first source counts, and everybody who said so is named. Then a class with too many tiles is
    thinned out by chance.

    Parameters
    ----------
    plans
        Of the same grid; one at least.
    options
        `max_per_class` and `seed`.
    out
        What `kept_out` returns.
    """
    found: dict[tuple[int, int], list[PlannedTile]] = {}
    left_out: Counter[str] = Counter()
    for plan in plans:
        left_out.update(plan.left_out)
        for tile in plan.tiles:
            found.setdefault((tile.row, tile.col), []).append(tile)
    tiles = []
    for place in sorted(found):
        said = found[place]
        if out and place in out:
            left_out[out[place]] += 1
        elif len({tile.class_name for tile in said}) > 1:
            left_out[DISAGREE] += 1
        else:
            tiles.append(_joined(said))
    kept = _thinned(tiles, options)
    left_out[TOO_MANY] += len(tiles) - len(kept)
    notes = tuple(dict.fromkeys(note for plan in plans for note in plan.notes))
    counted = {reason: count for reason, count in left_out.items() if count}
    return LabeledPlan(plans[0].grid, tuple(kept), counted, notes)


def _joined(said: Sequence[PlannedTile]) -> PlannedTile:
    if len(said) == 1:
        return said[0]
    return dataclasses.replace(
        said[0],
        annotator=together(tile.annotator for tile in said),
        when=max(tile.when for tile in said),
    )


def _thinned(tiles: list[PlannedTile], options: ExportOptions) -> list[PlannedTile]:
    if not options.max_per_class:
        return tiles
    rng = np.random.default_rng(options.seed)
    kept: list[PlannedTile] = []
    for name in sorted({tile.class_name for tile in tiles}):
        of_class = [tile for tile in tiles if tile.class_name == name]
        chosen = rng.permutation(len(of_class))[: options.max_per_class]
        kept.extend(of_class[int(i)] for i in chosen)
    return sorted(kept, key=lambda tile: (tile.row, tile.col))
