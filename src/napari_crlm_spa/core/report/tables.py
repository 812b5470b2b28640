"""The tables of the report page: features, regions, thresholds, risk, quality, provenance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from napari_crlm_spa.core.report import words
from napari_crlm_spa.core.report.contents import SlideReport
from napari_crlm_spa.core.report.record import file_name
from napari_crlm_spa.core.spatial import FEATURES, TISSUES, SpatialFeatures
from napari_crlm_spa.core.spatial.definitions import NOUNS
from napari_crlm_spa.core.tiles import TileState

#: As a reader goes through them, not as the paper's table lists them.
FAMILY_TITLES = {
    "overall": "Overall",
    "infiltrating": "Infiltrating: in or close to the tumor",
    "distal": "Distal: far from the tumor",
    "interaction": "Interaction: around the tumor tiles",
}
_OF_ALL = "of all tissue tiles"
_AROUND = {
    "tissue": "of the tissue in the 3x3 tiles around a tumor tile",
    "nine": "of the 3x3 tiles around a tumor tile",
    "non_tumor": "of the non-tumor tissue in the 3x3 tiles around a tumor tile",
}


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """One spatial feature as shown."""

    column: str
    title: str
    sentence: str
    formula: str
    source: int  # number in `feature_sources`, from 1
    value: str
    border: str  # the border-only form of an interaction, else empty


@dataclass(frozen=True, slots=True)
class FeatureFamily:
    """Features of one kind, which share a unit."""

    title: str
    unit: str
    rows: list[FeatureRow]


def feature_families(features: SpatialFeatures) -> list[FeatureFamily]:
    """List all features by family."""
    around = _AROUND[features.options.interaction_denominator]
    families = {
        name: FeatureFamily(title, f"% {around if name == 'interaction' else _OF_ALL}", [])
        for name, title in FAMILY_TITLES.items()
    }
    sources = feature_sources()
    for column, definition in FEATURES.items():
        interacts = definition.family == "interaction"
        border = features.border_interaction[definition.tissue] if interacts else None
        families[definition.family].rows.append(
            FeatureRow(
                column=column,
                title=definition.title,
                sentence=definition.sentence,
                formula=definition.formula,
                source=sources.index(definition.source) + 1,
                value=words.percent(features.values[column], 2),
                border=words.percent(border, 2) if interacts else "",
            )
        )
    return list(families.values())


def feature_sources() -> list[str]:
    """List where the definitions come from, each source once, in the order of the families."""
    families = list(FAMILY_TITLES)
    ordered = sorted(FEATURES.values(), key=lambda definition: families.index(definition.family))
    return list(dict.fromkeys(definition.source for definition in ordered))


def region_rows(features: SpatialFeatures) -> list[tuple[str, str, str, str]]:
    """List the tumor regions: number, tiles, of these tumor, area."""
    regions, area = features.regions, features.tissue_map.area_mm2
    return [
        (str(number), words.count(int(size)), words.count(int(tumor)), words.area(area(int(size))))
        for number, (size, tumor) in enumerate(
            zip(regions.sizes, regions.tumor_tiles, strict=True), start=1
        )
    ]


def threshold_rows(features: SpatialFeatures) -> list[tuple[str, str, str, str, str]]:
    """List the distance thresholds by tissue: infiltrating up to, distal from, tiles, remark."""
    rows = []
    scale = features.tissue_map.stride_um
    for tissue in TISSUES:
        near, far = features.mixture.limits(tissue, scale)
        fit = features.mixture.tissues.get(tissue)
        rows.append(
            (
                NOUNS[tissue],
                _micrometers(near * scale),
                _micrometers(far * scale),
                words.count(fit.n) if fit else words.MISSING,
                (fit.reason or fit.note) if fit else "not fitted",
            )
        )
    return rows


def _micrometers(value: float) -> str:
    return words.MISSING if value != value else f"{value:.0f}\u00a0µm"


def quality_rows(report: SlideReport) -> list[tuple[str, str, str]]:
    """List what happened to the tiles: what, how many, what it means."""
    counts: Mapping[str, Any] = report.run.get("tiles") or {}
    shown = report.tissue_map
    states = {name: int(counts.get(name, 0)) for name, _, _ in _QUALITY}
    if not counts or report.review is not None:
        states.update({s.name.lower(): int((shown.state == s).sum()) for s in TileState})
    if not counts:
        states["edge"] = int((shown.edge & (shown.classes > 0)).sum())
    return [(title, words.count(states[name]), meaning) for name, title, meaning in _QUALITY]


def mark_rows(report: SlideReport) -> list[tuple[str, str, str, str]]:
    """List the marks of quality: what, tiles, share of the classified tiles, meaning."""
    total = int((report.tissue_map.classes > 0).sum())
    return [
        (
            mark.title[:1].upper() + mark.title[1:],
            words.count(mark.tiles),
            words.percent(mark.tiles / total if total else None),
            mark.meaning,
        )
        for mark in report.marks or ()
    ]


_QUALITY = (
    ("classified", "Classified", "read and given a class"),
    ("edited", "Corrected by hand", "the class was changed by a reader"),
    ("accepted", "Confirmed", "the class was confirmed by a reader"),
    ("set_aside", "Set aside", "left out by a reader: counted nowhere"),
    ("blank", "Blank", "read and left out: mostly glass, the paper's rule"),
    ("glass", "Glass", "never read: no tissue at low magnification"),
    ("excluded", "Excluded", "outside the regions of interest"),
    ("unreadable", "Unreadable", "the file is damaged there"),
    ("pending", "Not classified yet", "the analysis was interrupted"),
    ("edge", "At the slide's edge", "classified, but partly filled up with white"),
    ("stain_fallback", "Stain fallback", "stained with the slide's matrix: their own failed"),
)


def provenance_rows(report: SlideReport) -> Iterator[tuple[str, str]]:
    """Yield what was analyzed with what, in the reader's words."""
    info, run = report.info, report.run
    size = info.known_pixel_size()
    yield "Slide", report.name
    yield "Kind of file", f"{info.vendor}, read by {info.decoder}"
    pixels = f"{words.count(info.width_px)} x {words.count(info.height_px)} px"
    width_mm, height_mm = info.width_px * size.x_um / 1000, info.height_px * size.y_um / 1000
    yield "Size", f"{pixels}, {width_mm:.1f} x {height_mm:.1f} mm"
    yield "Pixel size", f"{size.x_um:.6g} x {size.y_um:.6g} µm, from: {size.source}"
    yield "Color profile", "embedded (noted, not applied)" if info.icc_profile else "none"
    yield "Fingerprint of the slide", info.fingerprint
    if run.get("created"):
        yield "Classified", words.moment(str(run["created"]))
    if report.review is not None:
        last = f", last change {words.moment(report.review.when)}" if report.review.when else ""
        yield "Reviewed", f"by {report.review.reader}{last}"
    if report.card is not None:
        yield from _card_rows(report)
    elif model := run.get("model") or {}:
        yield "Classifier", f"{model.get('name')}, version {model.get('version')}"
        yield "Hash of the weights", str(model.get("sha256") or words.MISSING)
    if run.get("device"):
        yield "Device", str(run["device"])
    yield from _stain_rows(run)
    if seconds := run.get("seconds") or {}:
        parts = ", ".join(f"{step} {took:.3g} s" for step, took in seconds.items() if took >= 0.1)
        yield "Time taken", f"{sum(seconds.values()):.3g} s{f': {parts}' if parts else ''}"
    versions = run.get("versions") or {}
    if versions:
        yield "Versions", ", ".join(f"{name} {value}" for name, value in versions.items())
    if run.get("identity"):
        yield "Identity of the run", str(run["identity"])


def _card_rows(report: SlideReport) -> Iterator[tuple[str, str]]:
    card = report.card
    if card is None:
        return
    yield "Classifier", f"{card.name}, version {card.version} ({card.architecture.name})"
    yield "Intended use", card.intended_use
    if card.training_data.description:
        yield "Trained on", card.training_data.description
    if card.training_data.attribution:
        yield "Attribution", card.training_data.attribution
    reached = [
        f"{name.replace('_', ' ')} {words.number(value, 3)}"
        for name, value in card.metrics.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if reached:
        yield "Reached", ", ".join(reached)
    if card.known_limits:
        yield "Known limits", " ".join(card.known_limits)
    yield "Hash of the weights", card.sha256 or words.MISSING


def _stain_rows(run: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    stain = (run.get("options") or {}).get("stain") or {}
    if stain.get("method"):
        yield "Stain normalization", str(stain["method"]).replace("_", " ")


def option_rows(options: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield every recorded option by its dotted name."""
    for name, value in options.items():
        if isinstance(value, Mapping):
            yield from option_rows(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", words.MISSING if value is None else file_name(value)
