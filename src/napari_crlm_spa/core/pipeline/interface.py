"""Measuring the interface of an analyzed slide and keeping what was found beside its results."""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.pipeline.front_band import FrontSource, classify_front_band
from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions
from napari_crlm_spa.core.pipeline.recorded import open_recorded_slide
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.spatial.interface import (
    Interface,
    InterfaceOptions,
    detection_words,
    measure_interface,
    sensitivity,
)
from napari_crlm_spa.core.store.interface_files import write_interface
from napari_crlm_spa.core.store.names import INTERFACE_SENSITIVITY_CSV
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import CrlmSpaError, NoInterface

#: How a record names the map that was measured.
COARSE, FRONT = "analysis", "front band"


@dataclass(frozen=True, slots=True, eq=False)
class MeasuredInterface:
    """An interface and what it was measured on.

    Parameters
    ----------
    interface
        Contours, numbers, calls.
    record
        What ``interface.json`` says of the map: which one, its stride, identities, versions.
    notes
        What else a reader should know, in sentences.
    """

    interface: Interface
    record: Mapping[str, Any]
    notes: tuple[str, ...]

    def row(self) -> dict[str, Any]:
        """Return the row of ``hgp measure``'s table; NaN becomes None."""
        found, record = self.interface, self.record
        numbers = found.summary.as_dict()
        del numbers["lesion"]
        worst = found.worst
        return {
            "slide": record["slide"],
            "reader": record["reader"],
            "map": record["map"],
            "stride_um": found.stride_um,
            **numbers,
            "n_lesions": len(found.lesions),
            "worst_lesion_pct_D": None if worst is None else worst.pct_D,
            **{f"call_{rule}": call.call or "" for rule, call in found.calls.items()},
            "refusal": " ".join(found.refusals),
        }


def measure_analysis(
    source: FrontSource,
    interface_options: InterfaceOptions | None = None,
    front: FrontBandOptions | None = None,
    classify: ClassifyOptions | None = None,
    *,
    slides_of_patient: int | None = None,
    pretreated: bool | None = None,
    vary: bool = False,
) -> Generator[Progress, None, MeasuredInterface]:
    """Measure the interface of an analyzed slide and write ``interface.json`` and its tables.

    Parameters
    ----------
    source
        The analysis.
    interface_options
        Every limit of the measurement.
    front
        Stride and width of the band that is looked at closely first; None measures the map as it
        is. A slide without an interface is measured as it is in either case.
    classify
        Where the network runs.
    slides_of_patient, pretreated
        What is known of the patient; see `measure_interface`.
    vary
        Also measure under each limit halved and doubled, and write ``interface_sensitivity.csv``;
        else that of an earlier measurement is removed.

    Yields
    ------
    Progress
        Those of `classify_front_band` and of `sensitivity`.

    Returns
    -------
    MeasuredInterface
        Through ``StopIteration.value``.

    Raises
    ------
    CrlmSpaError
        As `classify_front_band`.
    """
    tissue_map, band_record, notes = source.tissue_map, None, []
    if front is not None:
        try:
            band = yield from classify_front_band(source, front, interface_options, classify)
        except NoInterface as problem:
            notes.append(str(problem))
        else:
            tissue_map, band_record = band.tissue_map, dict(band.record)
            notes.append(field_of_view_words(float(band_record["tile_um"])))
    yield Progress("Measuring the interface", 0, 1)
    found = measure_interface(
        tissue_map,
        interface_options,
        slides_of_patient=slides_of_patient,
        pretreated=pretreated,
    )
    if band_record is not None:
        found = with_coarse_interaction(found, source.tissue_map, interface_options)
    record = _record(source, found, band_record)
    info, problem_words = _slide_info(source)
    notes += problem_words
    write_interface(source.place, found, {**record, "map_notes": notes}, info)
    varied = source.place / INTERFACE_SENSITIVITY_CSV
    varied.unlink(missing_ok=True)
    if vary:
        table = yield from sensitivity(tissue_map, interface_options)
        write_text(varied, table.round(4).to_csv(index=False, lineterminator="\n"))
    yield Progress("Measuring the interface", 1, 1)
    return MeasuredInterface(found, record, (*found.notes, *notes))


def with_coarse_interaction(
    fine: Interface, coarse_map: TissueMap, options: InterfaceOptions | None = None
) -> Interface:
    """Take both interaction scores from the coarse map: they depend on the size of neighbors."""
    coarse = measure_interface(coarse_map, options).summary
    summary = dataclasses.replace(
        fine.summary,
        interaction_paper=coarse.interaction_paper,
        interaction_border=coarse.interaction_border,
    )
    return dataclasses.replace(fine, summary=summary)


def field_of_view_words(tile_um: float) -> str:
    """Say what no stride can show, since a tile sees more than its step."""
    return (
        f"Whatever the stride, a tile sees {tile_um:g} µm and is named after most of it: a capsule "
        f"thinner than about half of that ({tile_um / 2:g} µm) is not seen at any stride."
    )


def _record(
    source: FrontSource, found: Interface, band: Mapping[str, Any] | None
) -> dict[str, Any]:
    slide = str((source.run.get("slide") or {}).get("path") or "")
    return {
        "slide": slide.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1] or source.folder.name,
        "reader": source.reader,
        "map": COARSE if band is None else FRONT,
        "run": source.run.get("identity"),
        "front_band": band,
        "detection_limit": detection_words(found.stride_um),
        "version": version("napari-crlm-spa"),
    }


def _slide_info(source: FrontSource) -> tuple[SlideInfo | None, list[str]]:
    """Say what the slide is, if it is there: lines for QuPath need its pixels and corner."""
    try:
        with open_recorded_slide(source.run, source.folder, source.slide) as slide:
            return slide.info, []
    except CrlmSpaError as problem:
        return None, [f"No lines for QuPath were written: {problem}"]
