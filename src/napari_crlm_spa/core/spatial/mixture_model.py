"""The file that keeps distance thresholds, so that a new slide is split without a refit."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.errors import FeatureError

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class TissueThresholds(BaseModel):
    """The mixture of one tissue.

    ``near_*``: the largest distance that is infiltrating. ``far_*``: the largest that is not
    distal (equal to ``near_*`` with two components). None where no mixture could be fitted; then
    `reason` says why.
    """

    model_config = STRICT

    n: int = Field(ge=0, description="tiles that entered the fit")
    near_tiles: float | None = None
    far_tiles: float | None = None
    near_um: float | None = None
    far_um: float | None = None
    model: Literal["E", "V"] | None = None
    means_tiles: list[float] = []
    sds_tiles: list[float] = []
    proportions: list[float] = []
    loglik: float | None = None
    bic: float | None = None
    bic_one_component: float | None = None
    note: str = ""
    reason: str = ""


class FittedSlide(BaseModel):
    """A slide that entered a fit, with its tiles per tissue."""

    model_config = STRICT

    name: str
    tiles: dict[str, int] = {}


class MixtureModel(BaseModel):
    """Distance thresholds of all tissues, and how they came about."""

    model_config = STRICT

    schema_version: Literal[1] = 1
    components: int = Field(ge=2, le=3)
    variances: str = "auto"
    inside: Literal["infiltrating", "fitted", "signed"] = "infiltrating"
    regions: dict[str, Any] = {}
    stride_um: float = Field(gt=0)
    fraction: float = Field(default=1.0, gt=0, le=1)
    seed: int | None = None
    tissues: dict[str, TissueThresholds]
    slides: list[FittedSlide] = []
    source: str = ""

    def limits(self, tissue: str, stride_um: float) -> tuple[float, float]:
        """(near, far) of a tissue in tiles of a side of `stride_um`; NaN if not known."""
        found = self.tissues.get(tissue)
        if found is None or found.near_tiles is None or found.far_tiles is None:
            return float("nan"), float("nan")
        scale = self.stride_um / stride_um
        return found.near_tiles * scale, found.far_tiles * scale

    @property
    def pooled(self) -> bool:
        """Whether several slides entered the fit."""
        return len(self.slides) > 1


def save_mixture_model(model: MixtureModel, path: Path | str) -> None:
    """Write the thresholds as JSON.

    Raises
    ------
    FolderNotWritable, DiskFull
        If the file can't be written.
    """
    write_text(Path(path), model.model_dump_json(indent=2) + "\n")


def load_mixture_model(path: Path | str) -> MixtureModel:
    """Read thresholds that `save_mixture_model` wrote.

    Raises
    ------
    FeatureError
        If the file can't be read, isn't JSON, or isn't such a file.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FeatureError(
            f"The distance thresholds {path} cannot be read: {error}. "
            "Give a mixture model file, or none to fit the slide itself."
        ) from error
    try:
        return MixtureModel.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        raise FeatureError(
            f"{path.name} is no mixture model: {where}: {first['msg']}. "
            "Save one with save_mixture_model, or give none to fit the slide itself."
        ) from error
