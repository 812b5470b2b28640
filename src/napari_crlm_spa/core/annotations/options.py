"""What becomes a labeled tile, how it is written, and who is held back."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.errors import AnnotationError

#: The training keeps at least a fifth of the tiles (our assumption).
MOST_HELD_BACK = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions(Options):
    """Which tiles are exported, and as what.

    Tiles are those of the slide's grid, side by side, so they never overlap. Size, resolution
    and the blank rule are the paper's; everything else here is our assumption.
    """

    tile_px: int = option(
        224, "Side of a tile", min=32, max=1024, unit="px", advanced=True, label="Tile side"
    )
    mpp: float = option(
        0.5,
        "Resolution of the tiles (20x = 0.5)",
        min=0.1,
        max=4.0,
        unit="µm/px",
        advanced=True,
        label="Tile resolution",
    )
    min_purity: float = option(
        0.9,
        "A tile needs so large a share of its area inside areas of one class, and at most the "
        "rest in areas of another",
        min=0.5,
        max=1.0,
        label="Purity",
    )
    max_per_class: int = option(
        0,
        "At most so many tiles of a class from a slide, drawn by chance; 0 takes all",
        min=0,
        max=1_000_000,
        unit="tiles",
        label="Most per class",
    )
    blank: str = option(
        "background",
        "Tiles that the paper's blank rule removes before the classifier sees them: keep those "
        "labeled as background, drop all, or keep all",
        choices=("background", "drop", "keep"),
        label="Blank tiles",
    )
    image: str = option(
        "png",
        "Image format; png keeps every pixel as the classifier sees it",
        choices=("png", "jpg"),
        label="Image format",
    )
    jpeg_quality: int = option(
        95, "Quality of jpg images", min=50, max=100, advanced=True, label="JPEG quality"
    )
    seed: int = option(
        7, "Of the draw where a class has too many tiles", min=0, advanced=True, label="Seed"
    )
    readers: int = option(
        0,
        "Threads that read the slide; 0 is one per processor",
        min=0,
        max=64,
        advanced=True,
        label="Reader threads",
    )

    @property
    def tiling(self) -> TilingOptions:
        """The grid and the blank rule of the pipeline."""
        return TilingOptions(tile_px=self.tile_px, mpp=self.mpp)

    @property
    def reader_threads(self) -> int:
        """Number of reader threads, at least 1, as in the pipeline."""
        return ClassifyOptions(readers=self.readers).reader_threads


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitOptions(Options):
    """How patients are divided. Tiles of one patient always stay together."""

    validation: float = option(
        0.2, "Share of the tiles held back for validation", min=0.0, max=0.8, label="Validation"
    )
    test: float = option(
        0.0, "Share of the tiles held back for a last test", min=0.0, max=0.8, label="Test"
    )
    split_seed: int = option(
        7, "The same seed divides the same patients alike", min=0, advanced=True, label="Split seed"
    )
    resplit: bool = option(
        False,
        "Divide all patients anew; otherwise those that are in the folder stay where they are",
        advanced=True,
        label="Divide anew",
    )

    def __post_init__(self) -> None:
        Options.__post_init__(self)
        if self.validation + self.test > MOST_HELD_BACK + 1e-9:
            raise AnnotationError(
                f"Validation ({self.validation:g}) and test ({self.test:g}) leave too little to "
                f"learn from: together they may hold back {MOST_HELD_BACK:g} at most."
            )
