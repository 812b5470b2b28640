"""Numbers of an interface in words, for the dock. No Qt."""

from __future__ import annotations

import math

from napari_crlm_spa.core.pipeline.interface import field_of_view_words
from napari_crlm_spa.core.spatial.interface import Interface, InterfaceSummary
from napari_crlm_spa.core.store.front_file import FrontBand
from napari_crlm_spa.plugin.session import OpenSlide, Run

NO_WORKSPACE = "Open the workspace (Plugins ▸ CRLM-SPA) and a slide in it."


def state_words(slide: OpenSlide | None, run: Run | None) -> str:
    """Say why nothing is measured, and the way out; empty if something can be."""
    if slide is None:
        return "No slide is open. Choose one in the CRLM-SPA tab, or in the list of slides."
    if slide.review is not None:
        return ""
    if run is not None and run.slide_id == slide.id:
        return f"{slide.stem} is being analyzed. Its interface is measured when that has ended."
    return (
        f"{slide.stem} has no tissue map yet. Go to the CRLM-SPA tab and press Run; the "
        "interface is measured on its map."
    )


def length_line(summary: InterfaceSummary) -> str:
    """Say how much of the interface was judged."""
    if not summary.interface_mm:
        return ""
    return (
        f"{summary.assessable_mm:.1f} mm of {summary.interface_mm:.1f} mm outline can be judged "
        f"({summary.assessable_fraction:.0%})"
    )


def closer_line(front: FrontBand | None) -> str:
    """Say how closely was looked; empty for the tissue map."""
    if front is None:
        return ""
    record = front.record
    n_tiles = sum(int(count) for count in record["tiles"].values())
    tile_um = float(record["tile_um"])
    return (
        f"Measured closely: {n_tiles:,} overlapping tiles of {tile_um:g} µm along "
        f"{record['interface_mm']:.1f} mm, one every {record['stride_um']:g} µm. "
        f"{field_of_view_words(tile_um)}"
    )


def number_rows(interface: Interface) -> list[tuple[str, str, str]]:
    """Return (name, value, explanation) of what is measured beside the percentages."""
    s = interface.summary
    thick = " · ".join(
        f"≥ {limit} µm {_pct(value)}"
        for limit, value in ((100, s.pct_rim_100um), (200, s.pct_rim_200um), (300, s.pct_rim_300um))
    )
    return [
        (
            "Rim thickness",
            f"median {_um(s.rim_median_um)} (10–90 %: {_um(s.rim_p10_um)} – {_um(s.rim_p90_um)})"
            if math.isfinite(s.rim_median_um)
            else "no rim",
            "Along the stretches with a rim. It only describes: no threshold has evidence.",
        ),
        ("Rim at least", thick, "Share of what can be judged. No threshold has evidence."),
        (
            "Rim is",
            f"stroma {_pct(s.pct_D_stroma)} · lymphocytes {_pct(s.pct_D_lymphocytes)}",
            (
                "D by what most of the rim is, in percent of what can be judged. Counting "
                "lymphocytes as rim is a heuristic of ours."
            ),
        ),
        (
            "Contact",
            f"{s.n_runs_N} {'stretch' if s.n_runs_N == 1 else 'stretches'}, the longest "
            f"{s.longest_N_um / 1000:.2f} mm · {_number(s.contact_mm_per_mm2)} mm per mm² of tumor"
            if s.n_runs_N
            else "none",
            "Where tumor and liver touch.",
        ),
        (
            "Interaction, all tumor",
            _number(s.interaction_paper),
            (
                "Mean share of liver around every tumor tile, as in the paper. It sinks as a "
                "lesion grows, whatever its growth pattern."
            ),
        ),
        (
            "Interaction, at the border",
            _number(s.interaction_border),
            (
                "The same over tumor tiles that border on other tissue only: it doesn't depend on "
                "the size of the lesion."
            ),
        ),
    ]


def lesion_rows(interface: Interface) -> list[tuple[str, ...]]:
    """Return a row of texts for each lesion."""
    worst = interface.worst
    rows: list[tuple[str, ...]] = []
    for lesion in interface.lesions:
        mark = " ◂" if worst is not None and worst.lesion == lesion.lesion else ""
        rows.append(
            (
                f"{lesion.lesion}{mark}",
                _pct(lesion.pct_D),
                _pct(lesion.pct_N),
                _pct(lesion.pct_O),
                f"{lesion.assessable_mm:.1f}",
                _um(lesion.rim_median_um),
                f"{lesion.tumor_mm2:.1f}",
            )
        )
    return rows


def short_reason(reason: str) -> str:
    """Return what a rule asks for, without the percentage that stands above all rules."""
    return reason.rpartition("; ")[2]


LESION_HEADS = ("Lesion", "D", "N", "O", "mm judged", "rim", "tumor mm²")


def _pct(value: float) -> str:
    return f"{value:.1f} %" if math.isfinite(value) else "–"


def _um(value: float) -> str:
    return f"{value:.0f} µm" if math.isfinite(value) else "–"


def _number(value: float) -> str:
    return f"{value:.3f}" if math.isfinite(value) else "–"
