"""What a training does: options, and the presets.

`modern` (default) and `paper` train a network; `retrain` its head alone on a few new tiles,
`finetune` all of a network that knows the classes already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.errors import TrainingError

if TYPE_CHECKING:
    from napari_crlm_spa.core.classifier.card import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions(Options):
    """How a classifier is trained. The defaults are the preset `modern`.

    No stain normalization by default: on slides that were held back, tiles as scanned were
    told better than normalized ones (docs/models/default.md), since the training varies the
    stain itself and normalization takes away differences between tissues.
    """

    name: str = option("crlm-tiles", "Name of the model on its card")
    scheme: str = option("crlm7", "Classes to tell apart", choices=("crlm7", "crc9"))
    merge: str = option(
        "TUM_SARCOMA=TUM",
        "Folders that count as another class, e.g. TUM_SARCOMA=TUM,MUS=STR",
        advanced=True,
    )
    init: str = option("", "Model folder whose weights are the start (transfer learning)")
    arch: str = option("resnet18", "Trunk", choices=("resnet18", "resnet34", "resnet50", "tiny"))
    hidden: int = option(
        512, "Width of the two fully connected layers", min=4, max=4096, advanced=True
    )
    dropout: float = option(0.3, "Dropout after each of them", min=0.0, max=0.95, advanced=True)
    tile_px: int = option(224, "Side of a tile", min=16, max=1024, unit="px", advanced=True)
    mpp: float = option(
        0.5, "Resolution of the tiles", min=0.1, max=4.0, unit="µm/px", advanced=True
    )
    input_px: int = option(
        112,
        "What the trunk sees; tiles are averaged down to it (112: 1 µm/px)",
        min=16,
        max=1024,
        unit="px",
        advanced=True,
    )
    stain: str = option(
        "none",
        "Stain normalization that the model expects",
        choices=("per_slide", "per_tile", "none"),
    )
    stain_mix: float = option(
        0.3,
        "Share of training tiles normalized another way, so that no method is a must",
        min=0.0,
        max=1.0,
        advanced=True,
    )
    train_part: str = option(
        "all",
        "What is trained: everything, the last block and the head (the paper), or the head alone",
        choices=("all", "last_block", "head"),
        advanced=True,
    )
    optimizer: str = option("adamw", "Optimizer", choices=("adamw", "sgd"), advanced=True)
    schedule: str = option(
        "cosine", "Course of the learning rate", choices=("cosine", "constant"), advanced=True
    )
    epochs: int = option(40, "Passes over the tiles", min=1, max=10_000)
    batch_size: int = option(64, "Tiles per step", min=2, max=4096, unit="tiles")
    learning_rate: float = option(1e-3, "Highest learning rate", min=1e-7, max=10.0)
    weight_decay: float = option(0.05, "Weight decay", min=0.0, max=1.0, advanced=True)
    warmup_epochs: float = option(2.0, "Epochs of linear warm-up", min=0.0, max=1e3, advanced=True)
    label_smoothing: float = option(0.05, "Label smoothing", min=0.0, max=0.5, advanced=True)
    ema: float = option(
        0.995, "Decay of the averaged weights; 0 is off", min=0.0, max=0.99999, advanced=True
    )
    balanced: bool = option(
        True, "Draw every class equally often, and the slides in it more evenly", advanced=True
    )
    drawn_share: float = option(
        0.4,
        "Share of the drawn tiles (split_kind drawn) among those of a class, if balanced",
        min=0.01,
        max=0.99,
        advanced=True,
    )
    slide_prior_floor: float = option(
        0.3,
        "How far the class may be guessed from the slide alone; 1 lets the network learn that",
        min=0.001,
        max=1.0,
        advanced=True,
    )
    augment: float = option(
        1.0,
        "Strength of the variation in color, scale, sharpness; 0: flips and turns only",
        min=0.0,
        max=2.0,
    )
    validation: float = option(
        0.2, "Share of the tiles held back, by slide; 0 is none", min=0.0, max=0.5
    )
    validation_slides: str = option(
        "", "Slides to hold back, comma-separated; empty chooses them", advanced=True
    )
    keep: str = option(
        "best",
        "Epoch to keep: the lowest validation cross-entropy, or the last",
        choices=("best", "last"),
        advanced=True,
    )
    patience: int = option(
        0, "Stop after so many epochs without a better one; 0 never", min=0, max=10_000
    )
    temperature: float = option(
        0.0,
        "Softmax temperature for the card; 0 fits it on the validation tiles",
        min=0.0,
        max=20.0,
        advanced=True,
    )
    device: str = option(
        "auto", "Where the network is trained", choices=("auto", "cuda", "mps", "cpu")
    )
    precision: str = option(
        "auto",
        "Number format; auto is bf16 where the hardware has it",
        choices=("auto", "fp32", "bf16"),
        advanced=True,
    )
    seed: int = option(0, "Seed of everything random", min=0, max=2**31 - 1)
    views: int = option(
        8, "With train_part head: how many variants of a tile are seen", min=1, max=1000,
        advanced=True,
    )  # fmt: skip
    rehearsal: float = option(
        0.5,
        "With train_part head: share of the loss that goes to tiles the old model knew",
        min=0.0,
        max=0.95,
        advanced=True,
    )
    spread: float = option(
        2.0,
        "With train_part head: how far rehearsed tiles are moved within their class",
        min=0.0,
        max=10.0,
        advanced=True,
    )
    margin: float = option(
        0.02,
        "Recall that a class may lose against the model of --init without a warning",
        min=0.0,
        max=1.0,
        advanced=True,
    )
    tensorboard: bool = option(
        False, "Write event files for TensorBoard, too (in the model folder)", advanced=True
    )
    description: str = option("", "What the tiles are, for the card", advanced=True)
    license: str = option("", "License of the tiles, for the card", advanced=True)
    attribution: str = option("", "Whom the tiles are owed to, for the card", advanced=True)


#: Options that count with train_part head only.
HEAD_ONLY = ("views", "rehearsal", "spread", "margin")

#: What a preset changes in the defaults.
PRESETS: dict[str, dict[str, Any]] = {
    "modern": {},
    # Qi et al. 2023, STAR Methods: ResNet-50, transfer learning, only the last block and the
    # head trainable, SGD 0.001, batch 32, the epoch of the lowest validation cross-entropy.
    # The number of epochs and the augmentation are not given; these are our assumptions.
    "paper": {
        "arch": "resnet50",
        "input_px": 224,
        "stain": "per_tile",
        "stain_mix": 0.0,
        "train_part": "last_block",
        "optimizer": "sgd",
        "schedule": "constant",
        "batch_size": 32,
        "learning_rate": 1e-3,
        "weight_decay": 0.0,
        "warmup_epochs": 0.0,
        "label_smoothing": 0.0,
        "ema": 0.0,
        "balanced": False,
        "slide_prior_floor": 1.0,
        "augment": 0.0,
        "dropout": 0.5,
    },
    # Both start from a model of the same classes; the numbers are measured (docs/train.md).
    "retrain": {
        "train_part": "head",
        "stain_mix": 0.0,
        "epochs": 30,
        "learning_rate": 3e-4,
        "weight_decay": 0.0,
        "warmup_epochs": 0.0,
        "label_smoothing": 0.0,
        "ema": 0.0,
    },
    "finetune": {"epochs": 15, "learning_rate": 3e-5, "warmup_epochs": 1.0},
}


def preset(name: str, /, **changes: Any) -> TrainingOptions:
    """Return the options of a preset with some of them changed.

    Raises
    ------
    TrainingError
        If there is no such preset, or if one other than `modern` is asked for without weights to
        start from.
    ModelError
        If `retrain` or `finetune` cannot read the model that they start from.
    """
    if name not in PRESETS:
        raise TrainingError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    given = {**PRESETS[name], **changes}
    if name in ("retrain", "finetune"):
        card = _start_card(name, changes.get("init", ""))
        given = {"name": _retrained_name(card.name), **fixed_by(card), **given}
    options = TrainingOptions(**given)
    if name == "paper" and not options.init:
        raise TrainingError(
            "The preset paper trains the last block and the head of a trained network only. "
            "Say with --init which model to start from (the paper: a 9-class colorectal one, "
            "trained with --scheme crc9)."
        )
    return options


def fixed_by(card: ModelCard) -> dict[str, Any]:
    """Return the options that a trunk leaves no choice in."""
    return {
        "scheme": card.scheme_name,
        "arch": card.architecture.name,
        "hidden": card.architecture.hidden,
        "dropout": card.architecture.dropout,
        "tile_px": card.tile_px,
        "mpp": card.mpp,
        "input_px": card.input_px,
        "stain": card.stain.method,
    }


def _start_card(name: str, init: str) -> ModelCard:
    from napari_crlm_spa.core.classifier.card import load_card, model_folder

    if not init:
        raise TrainingError(f"The preset {name} starts from a model: say with --init from which.")
    return load_card(model_folder(init))


def _retrained_name(name: str) -> str:
    return name if name.endswith("-retrained") else f"{name}-retrained"


def parse_merge(text: str) -> dict[str, str]:
    """Read ``"A=B,C=D"`` as a mapping of folder names to class names."""
    pairs: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        source, equals, target = part.partition("=")
        if not (equals and source.strip() and target.strip()):
            raise TrainingError(
                f"{part!r} in merge is not FOLDER=CLASS; write for example MUS=STR,TUM_SARCOMA=TUM."
            )
        pairs[source.strip()] = target.strip()
    return pairs
