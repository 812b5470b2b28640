"""What a user may choose about an analysis, and what comes of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.risk import DEFAULT_PRESET, RiskAssessment
from napari_crlm_spa.core.sentinel import Sentinel, SentinelOptions
from napari_crlm_spa.core.slide import DECODER_CHOICES
from napari_crlm_spa.core.spatial import SpatialFeatures, SpatialOptions
from napari_crlm_spa.core.stain import StainOptions
from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import ModelError


def _section(options_class: type[Options], label: str) -> Any:
    """Declare options within the options; a form gives them a heading."""
    return field(default_factory=options_class, metadata={"label": label})


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisOptions:
    """Everything that a user may choose about an analysis.

    Parameters
    ----------
    mpp
        Pixel size of the slide in micrometers per pixel; None asks the file.
    decoder
        Which library reads the slide, see `open_slide`; the pixels are the same.
    model
        Name or folder of the classifier.
    regions
        GeoJSON file with regions of interest and exclusions, or None for the whole slide.
    risk_model
        Name of a preset or file of a risk model.
    mixture
        File with pooled mixture thresholds; None fits the slide itself.
    fresh
        Start anew even if a finished or begun run could be used.
    geojson
        Also write every tile for QuPath.
    """

    mpp: float | None = None
    decoder: str = option(
        "auto",
        "Library that reads the slide; auto takes the quickest that can",
        choices=DECODER_CHOICES,
        advanced=True,
    )
    model: str = "default"
    regions: Path | None = option(  # noqa: RUF009
        None,
        "GeoJSON file with regions of interest and exclusions; none takes the whole slide",
        label="Regions file",
    )
    risk_model: str = DEFAULT_PRESET
    mixture: Path | None = option(  # noqa: RUF009
        None,
        "File with pooled distance thresholds (crlm-spa mixture); none fits them to the slide",
        label="Thresholds file",
    )
    fresh: bool = option(
        False, "Start anew even if a finished or begun run could be used", label="Start anew"
    )
    geojson: bool = option(False, "Also write every tile for QuPath", label="Tiles for QuPath")
    tiling: TilingOptions = _section(TilingOptions, "Tiles")  # noqa: RUF009
    stain: StainOptions = _section(StainOptions, "Stain")  # noqa: RUF009
    classify: ClassifyOptions = _section(ClassifyOptions, "Network")  # noqa: RUF009
    spatial: SpatialOptions = _section(SpatialOptions, "Spatial features")  # noqa: RUF009
    sentinel: SentinelOptions = _section(SentinelOptions, "Warnings")  # noqa: RUF009


@dataclass(frozen=True, slots=True)
class Analysis:
    """The result for one slide.

    Parameters
    ----------
    folder
        Where everything was written.
    tissue_map
        The classes.
    features
        The spatial organization features.
    risk
        The risk; None for a slide that is refused one (`features.refusal` says why).
    sentinel
        How much of the slide looks unlike the training slides.
    run
        The record of the run (``run.json``).
    reused
        Whether the classes come from an earlier run of the same identity.
    """

    folder: Path
    tissue_map: TissueMap
    features: SpatialFeatures
    risk: RiskAssessment | None
    sentinel: Sentinel
    run: dict[str, Any]
    reused: bool


def settle(options: AnalysisOptions, card: ModelCard) -> AnalysisOptions:
    """Fill in what the model decides: tile size, resolution, stain; refuse what contradicts it."""
    if card.scheme_name != CRLM7.name:
        raise ModelError(
            f"The model {card.name} tells apart {', '.join(card.classes)}; the spatial features "
            f"need {', '.join(CRLM7.names)}. Choose a model of the scheme {CRLM7.name}."
        )
    wanted, default = options.tiling, TilingOptions()
    asked = (wanted.tile_px, wanted.mpp) != (default.tile_px, default.mpp)
    if asked and (wanted.tile_px, wanted.mpp) != (card.tile_px, card.mpp):
        raise ModelError(
            f"The model {card.name} was trained on tiles of {card.tile_px} px at {card.mpp} µm/px, "
            f"not {wanted.tile_px} px at {wanted.mpp} µm/px. Leave the tile size and resolution "
            "to the model."
        )
    tiling = dataclasses.replace(wanted, tile_px=card.tile_px, mpp=card.mpp)
    stain = options.stain
    if stain.method == "auto":
        stain = dataclasses.replace(stain, method=card.stain.method)
    return dataclasses.replace(options, tiling=tiling, stain=stain)
