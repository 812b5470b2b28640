"""Risk models are data: features, where they are split, coefficients, threshold, source."""

from __future__ import annotations

import difflib
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from napari_crlm_spa.core.files import is_file, write_text
from napari_crlm_spa.core.spatial.definitions import FEATURES
from napari_crlm_spa.errors import InvalidRiskModel

STRICT = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
PRESETS = "core/data/risk_models"
#: Stands beside every score and group that this software shows.
RESEARCH_USE_ONLY = (
    "For research use only. Not a medical device: "
    "do not use for diagnosis, prognosis or treatment of a patient."
)

#: The equation that the paper prints (Eq. 1). The published p values belong to `repo_2022`.
DEFAULT_PRESET = "paper_eq1"


class RiskFeature(BaseModel):
    """One term of a score: coefficient x (1 if the feature lies on the far side of its cut-off).

    `direction` says which values become 1: ``">"`` those above the cut-off (as R's
    ``surv_categorize`` does), ``">="`` those at or above it.
    """

    model_config = STRICT

    column: str
    coefficient: float
    cutoff: float | None = None
    direction: Literal[">", ">="] = ">"
    cutoff_source: str = ""

    @field_validator("column")
    @classmethod
    def _known(cls, column: str) -> str:
        if column not in FEATURES:
            near = difflib.get_close_matches(column, FEATURES, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise ValueError(f"there is no spatial feature {column!r}{hint}")
        return column

    def split(self, value: float) -> int | None:
        """Return 1 or 0, or None without a cut-off."""
        if self.cutoff is None:
            return None
        return int(value > self.cutoff if self.direction == ">" else value >= self.cutoff)


class RiskModel(BaseModel):
    """A linear score of dichotomized features, and the threshold between low and high risk."""

    model_config = STRICT

    schema_version: Literal[1] = 1
    name: str = Field(min_length=1)
    title: str = ""
    features: tuple[RiskFeature, ...] = Field(min_length=1)
    threshold: float
    comparison: Literal[">=", ">"] = Field(
        default=">=", description="high risk if score (comparison) threshold"
    )
    centering: Literal["none"] = "none"
    source: str = ""
    notes: tuple[str, ...] = ()

    @field_validator("features")
    @classmethod
    def _once(cls, features: tuple[RiskFeature, ...]) -> tuple[RiskFeature, ...]:
        columns = [feature.column for feature in features]
        twice = sorted({column for column in columns if columns.count(column) > 1})
        if twice:
            raise ValueError(f"{twice[0]} stands twice among the features")
        return features

    @property
    def missing_cutoffs(self) -> tuple[str, ...]:
        """Columns that the model does not say where to split."""
        return tuple(f.column for f in self.features if f.cutoff is None)

    def is_high(self, score: float) -> bool:
        """Whether a score means high risk."""
        return score >= self.threshold if self.comparison == ">=" else score > self.threshold


def list_presets() -> tuple[str, ...]:
    """Names of the risk models that come with the package."""
    folder = resources.files("napari_crlm_spa").joinpath(PRESETS)
    return tuple(sorted(f.name[:-5] for f in folder.iterdir() if f.name.endswith(".json")))


def load_risk_model(name_or_path: str | Path = DEFAULT_PRESET) -> RiskModel:
    """Load a preset by name, or a model from a JSON file.

    Raises
    ------
    InvalidRiskModel
        If there is no such preset or file, or it breaks the schema; the message names the field.
    """
    name = str(name_or_path)
    if name in list_presets():
        preset = resources.files("napari_crlm_spa").joinpath(PRESETS, f"{name}.json")
        return _parse(preset.read_text(encoding="utf-8"), name)
    path = Path(name_or_path)
    if not is_file(path):
        raise InvalidRiskModel(
            f"There is no risk model {name!r}: neither a file nor one of the presets "
            f"{', '.join(list_presets())}."
        )
    try:
        return _parse(path.read_text(encoding="utf-8"), path.name)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRiskModel(
            f"The risk model {path} cannot be read: {error}. Choose a readable JSON file."
        ) from error


def save_risk_model(model: RiskModel, path: Path | str) -> None:
    """Write a risk model as JSON.

    Raises
    ------
    FolderNotWritable, DiskFull
        If the file can't be written.
    """
    write_text(Path(path), model.model_dump_json(indent=2) + "\n")


def _parse(text: str, name: str) -> RiskModel:
    try:
        return RiskModel.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        raise InvalidRiskModel(
            f"{name} is no risk model: {where}: {first['msg']}{more}. "
            "docs/methods/risk.md shows what such a file looks like."
        ) from error
