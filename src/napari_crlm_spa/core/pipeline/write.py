"""Writing what an analysis found."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.geojson import write_tiles_geojson
from napari_crlm_spa.core.pipeline.job import Job
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk import RiskAssessment, RiskModel
from napari_crlm_spa.core.sentinel import Sentinel
from napari_crlm_spa.core.spatial import MixtureModel, SpatialFeatures
from napari_crlm_spa.core.store import (
    FEATURES_CSV,
    REPORT_HTML,
    RISK_JSON,
    TILES_GEOJSON,
    TISSUE_MAP_PNG,
    features_csv,
    identity_of,
    to_json,
)
from napari_crlm_spa.core.tissue_map import TissueMap

#: Longer side of the slide's picture in the report.
THUMBNAIL_PX = 1600
_FILES = (FEATURES_CSV, RISK_JSON, TISSUE_MAP_PNG, REPORT_HTML)


@dataclass(frozen=True, slots=True)
class Results:
    """What is to be written, and what it was computed with."""

    tissue_map: TissueMap
    features: SpatialFeatures
    risk: RiskAssessment | None
    sentinel: Sentinel
    risk_model: RiskModel
    mixture: MixtureModel | None


def write_results(job: Job, results: Results, run: dict[str, Any]) -> Iterator[Progress]:
    """Write what is not yet written; ``run.json`` comes last."""
    identity = identity_of(
        {
            "spatial": job.options.spatial.as_dict(),
            "mixture": results.mixture.model_dump() if results.mixture else None,
            "risk": results.risk_model.model_dump(),
            "sentinel": job.options.sentinel.as_dict(),
            "version": version("napari-crlm-spa"),
        }
    )
    folder, options = job.folder, job.options
    if options.geojson and not folder.file(TILES_GEOJSON).exists():
        yield Progress("Writing tiles for QuPath", 0, 1)
        write_tiles_geojson(folder.file(TILES_GEOJSON), results.tissue_map, job.slide.info)
        yield Progress("Writing tiles for QuPath", 1, 1)
    if run.get("results_identity") == identity and all(folder.file(n).exists() for n in _FILES):
        return
    yield Progress("Writing results", 0, 1)
    with job.clock.time("writing"):
        if run.pop("results_identity", None):
            # A run that ends halfway must not leave a record that vouches for the new files.
            folder.write_run(run)
        folder.write_map(
            results.tissue_map,
            {
                "run": run["identity"],
                "slide": run["slide"],
                "model": run["model"],
                "mpp": job.slide.info.known_pixel_size().mpp,
            },
            results.features,
        )
        table = features_csv(job.slide.info.path, results.features, results.sentinel)
        write_text(folder.file(FEATURES_CSV), table)
        write_text(folder.file(RISK_JSON), risk_json(results))
        run["options"]["spatial"] = options.spatial.as_dict()
        run["options"]["sentinel"] = options.sentinel.as_dict()
        run["options"]["risk_model"] = results.risk_model.name
        run["options"]["mixture"] = options.mixture
        # The file may change or go; the thresholds themselves are what a reader needs.
        run["options"]["mixture_model"] = results.mixture.model_dump() if results.mixture else None
        run["results_identity"] = identity
        run["strangeness"] = results.sentinel.as_dict()
        run["seconds"] = {**run.get("seconds", {}), **job.clock.seconds}  # the report tells them
        # Draws with matplotlib, which is slow to load.
        from napari_crlm_spa.core.report import SlideReport, write_report, write_tissue_map_png

        thumbnail = job.slide.thumbnail(THUMBNAIL_PX)
        report = SlideReport(
            info=job.slide.info,
            tissue_map=results.tissue_map,
            thumbnail=thumbnail,
            features=results.features,
            risk=results.risk,
            sentinel=results.sentinel,
            card=job.card,
            run=run,
        )
        write_tissue_map_png(folder.file(TISSUE_MAP_PNG), report)
        write_report(folder.file(REPORT_HTML), report)
    run["seconds"] = {**run.get("seconds", {}), **job.clock.seconds}
    folder.write_run(run)
    yield Progress("Writing results", 1, 1)


def risk_json(results: Results) -> str:
    """Return the assessment, or why this slide gets none."""
    watched = {"strangeness": results.sentinel.as_dict()}
    if results.risk is None:
        return to_json({"group": None, "reason": results.features.refusal, **watched})
    return to_json({**results.risk.as_dict(), **watched})
