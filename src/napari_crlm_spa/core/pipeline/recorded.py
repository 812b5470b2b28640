"""What an analysis was made with, taken up again from its record: slide, model, stain, tiles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_crlm_spa.core.classifier.card import ModelCard, list_models, load_card, model_folder
from napari_crlm_spa.core.slide import Slide, open_slide
from napari_crlm_spa.core.stain import StainMatrix, StainNormalizer, StainOptions
from napari_crlm_spa.core.tiles import TilingOptions
from napari_crlm_spa.errors import CrlmSpaError, DamagedAnalysis, ModelNotFound, ReviewError

#: How a run's record calls a pixel size that was entered by hand: by the command line, the panel.
_BY_HAND = ("user", "entered by hand")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the tiles of an analysis were read and stained.

    Parameters
    ----------
    tiling, stain
        Its options.
    matrix
        The slide's stain, if one was estimated.
    """

    tiling: TilingOptions
    stain: StainOptions
    matrix: StainMatrix | None

    @classmethod
    def of(cls, run: Mapping[str, Any], folder: Path) -> Recipe:
        """Read it from the record of a run (``run.json``).

        Raises
        ------
        DamagedAnalysis
            If the record doesn't say it.
        """
        try:
            options, matrix = run["options"], run.get("stain")
            return cls(
                TilingOptions(**options["tiling"]),
                StainOptions(**options["stain"]),
                None if matrix is None else StainMatrix.from_dict(matrix),
            )
        except (KeyError, TypeError, AttributeError, CrlmSpaError) as error:
            raise DamagedAnalysis(
                f"The record of the run in {folder} does not say how its tiles were read "
                f"({error}). Analyze the slide again."
            ) from error

    def normalizer(self) -> StainNormalizer:
        """Return what stains a tile as then."""
        return StainNormalizer(self.stain, self.matrix)


def open_recorded_slide(run: Mapping[str, Any], folder: Path, slide: Path | None = None) -> Slide:
    """Open the slide that was analyzed.

    Parameters
    ----------
    run
        The record of the run (``run.json``).
    folder
        The analysis, to be named in messages.
    slide
        The file, if it is no longer where it was analyzed.

    Raises
    ------
    ReviewError
        If it is absent, or another one than was analyzed.
    SlideError
        If it cannot be opened.
    """
    recorded: Mapping[str, Any] = run.get("slide") or {}
    path = _slide_path(slide, recorded)
    # Records of earlier versions name no decoder.
    decoder = (run.get("options") or {}).get("decoder", "auto")
    opened = open_slide(path, mpp=_entered_mpp(recorded), decoder=decoder)
    known = recorded.get("fingerprint")
    if known is not None and known != opened.info.fingerprint:
        opened.close()
        raise ReviewError(
            f"{path.name} is not the slide that was analyzed into {folder}: its content "
            "differs. Name the right file, or analyze this one."
        )
    return opened


def recorded_model(
    run: Mapping[str, Any], folder: Path, model: str | None = None
) -> tuple[ModelCard, Path]:
    """Find the very model that made an analysis: card and folder.

    Parameters
    ----------
    run
        The record of the run.
    folder
        The analysis, to be named in messages.
    model
        Name or folder of the model, if it is no longer where it was.

    Raises
    ------
    ModelNotFound
        If it isn't there, or has other weights by now.
    """
    recorded: Mapping[str, Any] = run.get("model") or {}
    for place in _places(recorded, model):
        try:
            card = load_card(model_folder(place))
        except CrlmSpaError:
            continue
        known = recorded.get("temperature")
        if card.sha256 == recorded.get("sha256") and known in (None, card.temperature):
            return card, model_folder(place)
    name = f"{recorded.get('name', 'unknown')} {recorded.get('version', '')}".strip()
    raise ModelNotFound(
        f"{folder.name} was analyzed with the model {name}, which is not at "
        f"{model or recorded.get('folder', 'any known place')} any more. Say where it is with "
        "--model, or analyze the slide again."
    )


def _places(recorded: Mapping[str, Any], model: str | None) -> Iterator[str]:
    if model is not None:
        yield model
        return
    if recorded.get("folder"):
        yield str(recorded["folder"])
    yield from list_models()


def _slide_path(slide: Path | None, recorded: Mapping[str, Any]) -> Path:
    if slide is None and not recorded.get("path"):
        raise ReviewError(
            "The record of the run does not name the slide. Say where it is with --slide."
        )
    path = Path(recorded["path"]) if slide is None else slide
    if not path.exists():
        raise ReviewError(
            f"The slide {path} is not there. If it was moved, say where it is with --slide (or "
            "open it from there in the viewer)."
        )
    return path


def _entered_mpp(recorded: Mapping[str, Any]) -> float | None:
    if recorded.get("pixel_size_source") not in _BY_HAND:
        return None
    x_um, y_um = recorded["pixel_size_um"]
    return float((x_um * y_um) ** 0.5)
