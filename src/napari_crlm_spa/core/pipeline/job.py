"""What the steps of one run share, and what is recorded about it."""

from __future__ import annotations

import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classifier.card import ModelCard
from napari_crlm_spa.core.memory import give_back_memory
from napari_crlm_spa.core.pipeline.options import AnalysisOptions
from napari_crlm_spa.core.slide import Slide
from napari_crlm_spa.core.store import FORMAT_VERSION, AnalysisFolder, identity_of
from napari_crlm_spa.core.tiles import RegionsOfInterest, TileGrid


class Clock:
    """Seconds per step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def time(self, step: str) -> Iterator[None]:
        """Add the time that the block takes to `step`."""
        start = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[step] = round(self.seconds.get(step, 0.0) + spent, 3)


@dataclass(frozen=True, slots=True)
class Job:
    """What the steps of one run share."""

    slide: Slide
    card: ModelCard
    model_dir: Path
    options: AnalysisOptions
    regions: RegionsOfInterest | None
    grid: TileGrid
    folder: AnalysisFolder
    clock: Clock

    def identity(self) -> str:
        """Hash of all that determines a tile's class."""
        size = self.slide.info.known_pixel_size()
        # A model without a reference set keeps the identity of earlier versions.
        reference = self.card.reference_sha256
        # fp32 and bf16 give the same classes; 8 bits may not, and are what was asked for or not.
        int8 = self.options.classify.precision == "int8"
        return identity_of(
            {
                **({"reference": reference} if reference else {}),
                **({"precision": "int8"} if int8 else {}),
                "format": FORMAT_VERSION,
                "slide": self.slide.info.fingerprint,
                "pixel_size_um": (size.x_um, size.y_um),
                "model": self.card.sha256,
                "temperature": self.card.temperature,
                "input_px": self.card.input_px,
                "normalization": self.card.normalization.model_dump(),
                "tiling": self.options.tiling.as_dict(),
                "stain": self.options.stain.as_dict(),
                "regions": self.regions.fingerprint if self.regions else None,
            }
        )

    def forget_pixels(self) -> None:
        """Give the memory of decoded pixels back: what is read next lies elsewhere."""
        self.slide.forget_pixels()
        give_back_memory()

    def slide_record(self) -> dict[str, Any]:
        """Return what is kept about the slide."""
        info = self.slide.info
        size = info.known_pixel_size()
        return {
            "path": info.path.absolute(),
            "fingerprint": info.fingerprint,
            "vendor": info.vendor,
            "decoder": info.decoder,
            "size_px": (info.width_px, info.height_px),
            "pixel_size_um": (size.x_um, size.y_um),
            "pixel_size_source": size.source,
            "icc_profile": info.icc_profile,
        }


def why_afresh(earlier: dict[str, Any] | None, job: Job) -> str:
    """Say in words why no earlier result is used."""
    if earlier is None:
        return "there was no earlier result"
    if job.options.fresh:
        return "it was asked for"
    slide, model, card = earlier.get("slide", {}), earlier.get("model", {}), job.card
    same_weights = model.get("sha256") == card.sha256
    reference, temperature = model.get("reference_sha256", ""), model.get("temperature")
    asked = earlier.get("options", {}).get("classify", {}).get("precision")
    wanted = job.options.classify.precision
    reasons = {
        "the slide changed": slide.get("fingerprint") != job.slide.info.fingerprint,
        "the model changed": not same_weights,
        "the model's reference set changed": same_weights and reference != card.reference_sha256,
        # Records of earlier versions hold no temperature.
        "the model's temperature changed": same_weights
        and temperature not in (None, card.temperature),
        "the precision changed": asked != wanted and "int8" in (asked, wanted),
    }
    told = [reason for reason, true in reasons.items() if true]
    return " and ".join(told) or "the options changed"


def begin_record(job: Job, identity: str, why: str) -> dict[str, Any]:
    """Return what is known before the first tile is classified."""
    return {
        "identity": identity,
        "started_afresh_because": why,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "slide": job.slide_record(),
        "model": {
            "name": job.card.name,
            "version": job.card.version,
            "sha256": job.card.sha256,
            "reference_sha256": job.card.reference_sha256,
            "temperature": job.card.temperature,
            "folder": job.model_dir,
        },
        "options": {
            "mpp": job.options.mpp,
            "decoder": job.options.decoder,
            "regions": job.options.regions,
            "tiling": job.options.tiling.as_dict(),
            "stain": job.options.stain.as_dict(),
            "classify": job.options.classify.as_dict(),
        },
        "versions": {
            **{name: version(name) for name in ("napari-crlm-spa", "torch", "numpy")},
            "python": platform.python_version(),
            "system": platform.platform(),
        },
    }
