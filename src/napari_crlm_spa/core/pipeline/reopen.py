"""A finished analysis from its folder: no network, no pixels, the same numbers.

Tumor regions, features and risk are computed again from the stored classes with the options and
thresholds of the run, which is quicker than storing them and cannot disagree with the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from napari_crlm_spa.core.pipeline.options import Analysis
from napari_crlm_spa.core.risk import RiskModel, assess_risk, load_risk_model
from napari_crlm_spa.core.sentinel import SentinelOptions, watch_slide
from napari_crlm_spa.core.slide import SlideInfo, open_slide
from napari_crlm_spa.core.spatial import (
    MixtureModel,
    SpatialOptions,
    TumorRegionOptions,
    ZoneOptions,
    load_mixture_model,
    spatial_features,
)
from napari_crlm_spa.core.store import AnalysisFolder, load_analysis
from napari_crlm_spa.errors import CrlmSpaError, DamagedAnalysis, FeatureError


def reopen(
    slide: SlideInfo | str | Path, out_dir: str | Path, risk_model: RiskModel | None = None
) -> Analysis | None:
    """Return the finished analysis of a slide.

    Parameters
    ----------
    slide
        What an opened slide says of itself; or the slide's file, which is then opened for a
        moment to see whether it is still the one that was analyzed.
    out_dir
        The folder with the results of all slides.
    risk_model
        By which the risk is assessed; the default one if None.

    Returns
    -------
    Analysis or None
        None if there is no finished analysis of this very slide. It may have been made with a
        pixel size that was entered by hand: ``run["slide"]["pixel_size_um"]`` tells.

    Raises
    ------
    DamagedAnalysis
        If there is one, but damaged.
    SlideError
        If a file was given that cannot be opened.
    """
    if isinstance(slide, SlideInfo):
        info = slide
    else:
        with open_slide(Path(slide)) as opened:
            info = opened.info
    folder = AnalysisFolder.for_slide(Path(out_dir), info.path, info.fingerprint)
    run = folder.read_run()
    if run is None or run.get("slide", {}).get("fingerprint") != info.fingerprint:
        return None
    return reopen_folder(folder.path, risk_model)


def reopen_folder(folder: str | Path, risk_model: RiskModel | None = None) -> Analysis:
    """Return the finished analysis in a folder; the slide itself is not needed.

    Parameters
    ----------
    folder
        The slide's folder, e.g. ``results/slide-01``.
    risk_model
        By which the risk is assessed; the default one if None.

    Raises
    ------
    DamagedAnalysis
        If the folder holds no finished analysis or a damaged one.
    """
    place = Path(folder)
    stored = load_analysis(place)
    options, sentinel, mixture = _choices(place, stored.run)
    features = spatial_features(stored.tissue_map, options, mixture)
    model = risk_model or load_risk_model()
    risk = None if features.refusal else assess_risk(features, model)
    watched = watch_slide(stored.tissue_map, sentinel)
    return Analysis(place, stored.tissue_map, features, risk, watched, stored.run, reused=True)


def _choices(
    folder: Path, run: Mapping[str, Any]
) -> tuple[SpatialOptions, SentinelOptions, MixtureModel | None]:
    """Return the options and thresholds that the run was made with."""
    try:
        recorded = run["options"]
        spatial = dict(recorded["spatial"])
        spatial["regions"] = TumorRegionOptions(**spatial.get("regions", {}))
        spatial["zones"] = ZoneOptions(**spatial.get("zones", {}))
        sentinel = SentinelOptions(**recorded.get("sentinel", {}))
        return SpatialOptions(**spatial), sentinel, _thresholds(folder, recorded)
    except DamagedAnalysis:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, CrlmSpaError) as error:
        raise DamagedAnalysis(
            f"The record of the run in {folder} does not say how its features were computed "
            f"({error}). Analyze the slide again; its tiles are not classified anew."
        ) from error


def _thresholds(folder: Path, recorded: Mapping[str, Any]) -> MixtureModel | None:
    if "mixture_model" in recorded:
        model = recorded["mixture_model"]
        try:
            return None if model is None else MixtureModel.model_validate(model)
        except ValidationError as error:
            raise ValueError("its distance thresholds are damaged") from error
    # Records of earlier versions name the file only.
    path = recorded.get("mixture")
    try:
        return None if path is None else load_mixture_model(path)
    except FeatureError as error:
        raise DamagedAnalysis(
            f"The zones in {folder} were split by thresholds of a file that cannot be read any "
            f"more. {error} Analyze the slide again; its tiles are not classified anew."
        ) from error
