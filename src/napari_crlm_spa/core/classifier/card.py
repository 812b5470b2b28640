"""The card of a model: what the network is, what it saw, what it reached, what it is not for.

A model is a folder with ``card.json`` (this schema) and ``weights.safetensors``.
"""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)

from napari_crlm_spa.core.classes import SCHEMES, ClassScheme, scheme_by_name
from napari_crlm_spa.core.files import is_file, write_text
from napari_crlm_spa.errors import InvalidModelCard, ModelNotFound

CARD_NAME = "card.json"
WEIGHTS_NAME = "weights.safetensors"
#: The card's own schema; a newer one is refused with a sentence.
CARD_FORMAT = 1

ArchitectureName = Literal["resnet18", "resnet34", "resnet50", "tiny"]
StainMethod = Literal["per_slide", "per_tile", "none"]
#: Means and standard deviations of ImageNet, the customary scaling of ResNet inputs.
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

Rgb = tuple[FiniteFloat, FiniteFloat, FiniteFloat]
PositiveRgb = tuple[PositiveFloat, PositiveFloat, PositiveFloat]


class _Part(BaseModel):
    """Base of the card's parts: unknown fields are mistakes, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Architecture(_Part):
    """The network: a trunk, then two fully connected layers, each followed by dropout."""

    name: ArchitectureName = "resnet18"
    hidden: Annotated[int, Field(ge=4, le=4096)] = 512
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.3


class StainTarget(_Part):
    """How tiles are normalized before the network sees them."""

    method: StainMethod = "per_slide"
    reference: str = "macenko2009"


class Normalization(_Part):
    """Channel means and standard deviations, on the scale 0-1."""

    mean: Rgb = IMAGENET_MEAN
    std: PositiveRgb = IMAGENET_STD


class TrainingData(_Part):
    """What the network was trained on."""

    description: str = ""
    slides: dict[str, dict[str, int]] = Field(default_factory=dict)
    counts: dict[str, int] = Field(default_factory=dict)
    validation: dict[str, int] = Field(default_factory=dict)
    split: str = ""
    license: str = ""
    attribution: str = ""


class CalibrationRecord(_Part):
    """Which tiles the temperature was fitted on; empty where the training fitted it."""

    data: str = ""
    split: str = ""
    tiles: int = 0
    counts: dict[str, int] = Field(default_factory=dict)
    slides: dict[str, int] = Field(default_factory=dict)
    tiles_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    temperature: PositiveFloat = 1.0
    temperature_before: PositiveFloat = 1.0
    cross_entropy_before: FiniteFloat = 0.0
    cross_entropy_after: FiniteFloat = 0.0


class ModelCard(_Part):
    """Everything that must be known to use a model, and to doubt it.

    Parameters
    ----------
    scheme_name, classes
        Name of the `ClassScheme` and its class names, in the order of the network's outputs.
    mpp, tile_px
        Resolution (micrometers per pixel) and side of the tiles that are handed to the network.
    input_px
        What the convolutions see: tiles of 224 px with ``input_px`` 112 are averaged 2 x 2
        inside the network.
    temperature
        Divides the logits before the softmax.
    calibration
        Where the temperature comes from if not from the training's validation tiles.
    sha256
        Hash of ``weights.safetensors``.
    reference_sha256
        Hash of ``reference.safetensors`` (`reference_set`); empty where there is none.
    """

    format: int = CARD_FORMAT
    name: Annotated[str, Field(min_length=1)]
    version: str = "1"
    scheme_name: str
    classes: tuple[str, ...]
    mpp: PositiveFloat = 0.5
    tile_px: PositiveInt = 224
    input_px: PositiveInt = 224
    architecture: Architecture = Architecture()
    stain: StainTarget = StainTarget()
    normalization: Normalization = Normalization()
    temperature: PositiveFloat = 1.0
    calibration: CalibrationRecord = CalibrationRecord()
    training_data: TrainingData = TrainingData()
    training_recipe: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    reference_sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""
    intended_use: str = "Research use only; not a clinical model."
    known_limits: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _check(self) -> ModelCard:
        if self.format > CARD_FORMAT:
            raise ValueError(
                f"it is written in card format {self.format}, this version reads {CARD_FORMAT}"
            )
        known = SCHEMES.get(self.scheme_name)
        if known is None:
            raise ValueError(
                f"the class scheme {self.scheme_name!r} is unknown; known are {', '.join(SCHEMES)}"
            )
        if self.classes != known.names:
            raise ValueError(
                f"the classes are {', '.join(self.classes)}, but the scheme {self.scheme_name} "
                f"has {', '.join(known.names)}"
            )
        if self.tile_px % self.input_px:
            raise ValueError(
                f"tile_px {self.tile_px} is no whole multiple of input_px {self.input_px}"
            )
        return self

    @property
    def calibrated_on(self) -> CalibrationRecord | None:
        """Where the temperature comes from; None where it is the training's own."""
        record = self.calibration
        return record if record.tiles and record.temperature == self.temperature else None

    @property
    def scheme(self) -> ClassScheme:
        """The scheme of the network's outputs."""
        return scheme_by_name(self.scheme_name)


def load_card(folder: Path) -> ModelCard:
    """Read and check the card of a model folder.

    Raises
    ------
    InvalidModelCard
        If it is missing, not JSON, or breaks the schema; the sentence says where.
    """
    path = folder / CARD_NAME
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidModelCard(
            f"{path} cannot be read ({_reason(error)}). "
            f"A model is a folder with {CARD_NAME} and {WEIGHTS_NAME}."
        ) from error
    try:
        return ModelCard.model_validate_json(text)
    except ValidationError as error:
        raise InvalidModelCard(
            f"{path} is not a valid model card: {first_problem(error)}. "
            "Train the model again, or mend the card by hand."
        ) from error


def save_card(folder: Path, card: ModelCard) -> None:
    """Write a card into a model folder, atomically."""
    write_text(folder / CARD_NAME, card.model_dump_json(indent=2) + "\n")


def model_folder(model: str | Path = "default") -> Path:
    """Find a model by name (inside the package) or by path.

    Parameters
    ----------
    model
        A name such as ``"default"``, or the path of a model folder or of its card.

    Raises
    ------
    ModelNotFound
        If there is neither; the sentence lists the names that exist.
    """
    path = Path(os.path.expanduser(model))  # noqa: PTH111 - pathlib's raises for an unknown user
    if path.name == CARD_NAME:
        path = path.parent
    if is_file(path / CARD_NAME):
        return path
    if path == Path(path.name) and is_file(_shipped() / path.name / CARD_NAME):
        return _shipped() / path.name
    raise ModelNotFound(
        f"There is no model {str(model)!r}. Pass the folder that holds {CARD_NAME} and "
        f"{WEIGHTS_NAME}, or one of the models that come with the package: "
        f"{', '.join(list_models()) or 'none'}."
    )


def list_models() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(sorted(card.parent.name for card in _shipped().glob(f"*/{CARD_NAME}")))


def is_shipped(folder: Path) -> bool:
    """Tell whether a model folder lies inside the package."""
    return folder.resolve().is_relative_to(_shipped().resolve())


def _shipped() -> Path:
    return Path(str(files("napari_crlm_spa.core") / "data" / "models"))


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is not UTF-8 text"


def first_problem(error: ValidationError) -> str:
    """Say in words what is wrong with a card."""
    problem = error.errors()[0]
    where = ".".join(str(part) for part in problem["loc"])
    text = problem["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
