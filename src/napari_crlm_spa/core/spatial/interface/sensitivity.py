"""What each limit does to the result: every number halved and doubled, every switch turned."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.spatial.interface.clean import cleaning_used
from napari_crlm_spa.core.spatial.interface.interface import Interface
from napari_crlm_spa.core.spatial.interface.measure import measure_interface
from napari_crlm_spa.core.spatial.interface.options import InterfaceOptions
from napari_crlm_spa.core.tissue_map import TissueMap

if TYPE_CHECKING:
    import pandas as pd

#: What concerns the calls only, not the percentages.
_ONLY_CALLS = {"tolerant_pct", "min_assessable", "min_interface_mm", "interaction_denominator"}
_ONLY_FOR = {
    "despeckle_passes": "despeckle",
    "despeckle_neighbors": "despeckle",
    "smoothing_tiles": "smooth",
}
_COLUMNS = ("pct_D", "pct_N", "pct_O", "interface_mm", "assessable_fraction", "rim_median_um")


def sensitivity(
    tissue_map: TissueMap, options: InterfaceOptions | None = None
) -> Generator[Progress, None, pd.DataFrame]:
    """Measure the interface again under each limit halved and doubled.

    Parameters
    ----------
    tissue_map
        The classes on the grid.
    options
        What is varied, one at a time, within each option's range.

    Yields
    ------
    Progress
        Measurements done.

    Returns
    -------
    DataFrame
        The options as they are, then one row a change: parameter, change, value, percentages,
        ``change_pct_D`` in points, and the calls by rule.

    Raises
    ------
    ModelError
        If the class scheme has no tumor class.
    """
    import pandas as pd

    options = options or InterfaceOptions()
    changes = [("as it is", "", None), *_changes(tissue_map, options)]
    rows: list[dict[str, Any]] = []
    for name, change, value in changes:
        yield Progress("Measuring the interface under other limits", len(rows), len(changes))
        changed = options if value is None else dataclasses.replace(options, **{name: value})
        found = measure_interface(tissue_map, changed)
        rows.append({"parameter": name, "change": change, "value": value} | _numbers(found))
    table = pd.DataFrame(rows)
    table.insert(4, "change_pct_D", table["pct_D"] - table["pct_D"].iloc[0])
    return table


def _changes(tissue_map: TissueMap, options: InterfaceOptions) -> Iterator[tuple[str, str, Any]]:
    used = cleaning_used(tissue_map, options)
    for field in dataclasses.fields(options):
        value = getattr(options, field.name)
        if field.name in _ONLY_CALLS or _ONLY_FOR.get(field.name, used) != used:
            continue
        if field.name == "cleaning":
            yield from (
                (field.name, "other", other) for other in _ways(tissue_map) if other != used
            )
        elif isinstance(value, bool):
            yield field.name, "other", not value
        else:
            for change, factor in (("halved", 0.5), ("doubled", 2.0)):
                changed = min(max(value * factor, field.metadata["min"]), field.metadata["max"])
                changed = round(changed) if isinstance(value, int) else changed
                if changed != value:
                    yield field.name, change, changed


def _numbers(found: Interface) -> dict[str, Any]:
    numbers = {name: getattr(found.summary, name) for name in _COLUMNS}
    return numbers | {f"call_{rule}": call.call for rule, call in found.calls.items()}


def _ways(tissue_map: TissueMap) -> tuple[str, ...]:
    """Ways of cleaning that a map allows."""
    smooth = ("smooth",) if tissue_map.probabilities.any() else ()
    return ("despeckle", *smooth, "none")
