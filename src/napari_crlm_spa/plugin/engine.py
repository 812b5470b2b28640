"""The one door from the plugin to the pipeline.

The pipeline pulls in scientific libraries and, once a network is needed, torch; so nothing of
it is imported before a panel is opened, and torch not before Run.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.risk import list_presets, load_risk_model
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.errors import DeviceError, InvalidRiskModel

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Ahead, Analysis, AnalysisOptions
    from napari_crlm_spa.core.pipeline.front_band import FrontSource
    from napari_crlm_spa.core.pipeline.front_plan import FrontBandOptions
    from napari_crlm_spa.core.risk import RiskModel
    from napari_crlm_spa.core.spatial.interface import InterfaceOptions
    from napari_crlm_spa.core.store.front_file import FrontBand

DEFAULT_MODEL = "default"
#: "A dynamic link library initialization routine failed": what Windows says when torch is
#: loaded after Qt has brought older runtime libraries (pytorch/pytorch#166628).
WINDOWS_DLL_INIT_FAILED = 1114


def options_class() -> type[AnalysisOptions]:
    """Return the options of an analysis."""
    from napari_crlm_spa.core.pipeline import AnalysisOptions

    return AnalysisOptions


def model_names() -> tuple[str, ...]:
    """Names of the classifiers that come with the package, the default first."""
    from napari_crlm_spa.core.classifier.card import list_models

    names = list_models()
    return tuple(sorted(names, key=lambda name: name != DEFAULT_MODEL)) or (DEFAULT_MODEL,)


def default_risk_model() -> str:
    """Name of the risk model that is used if the user says nothing."""
    return options_class()().risk_model


def risk_models() -> dict[str, str]:
    """Titles of the risk models that come with the package, by name."""
    return {name: risk_model_title(name) for name in list_presets()}


def risk_model_title(name: str) -> str:
    """Title of a risk model, or its file's name if it cannot be read."""
    try:
        return load_risk_model(name).title or Path(name).stem
    except InvalidRiskModel:
        return Path(name).stem


def make_ahead() -> Ahead:
    """Return what `get_ready` and `analyze` share, so that the second begins sooner."""
    from napari_crlm_spa.core.pipeline import Ahead

    return Ahead()


def get_ready(
    slide_path: Path, options: AnalysisOptions, ahead: Ahead
) -> Generator[Progress, None, None]:
    """Load torch and the model and find a slide's tissue before `analyze` is asked for.

    Raises
    ------
    DeviceError
        If Windows refuses to load torch after Qt.
    """
    yield Progress("Loading PyTorch", 0, 1)
    load_torch()
    yield Progress("Loading PyTorch", 1, 1)
    yield from ahead.get_ready(slide_path, options)


def analyze(
    slide_path: Path, out_dir: Path, options: AnalysisOptions, ahead: Ahead | None = None
) -> Generator[Progress, None, Analysis]:
    """Run `analyze_slide`; the import happens in the thread that runs this.

    Raises
    ------
    DeviceError
        If Windows refuses to load torch after Qt.
    """
    load_torch()
    from napari_crlm_spa.core.pipeline import analyze_slide

    return (yield from analyze_slide(slide_path, out_dir, options, ahead))


def look_closely(
    source: FrontSource, options: FrontBandOptions, interface: InterfaceOptions
) -> Generator[Progress, None, FrontBand]:
    """Run `classify_front_band` as `analyze` runs the analysis.

    Raises
    ------
    DeviceError
        If Windows refuses to load torch after Qt.
    """
    load_torch()
    from napari_crlm_spa.core.pipeline.front_band import classify_front_band

    return (yield from classify_front_band(source, options, interface))


def load_torch() -> None:
    """Load torch, in the thread that needs it.

    Raises
    ------
    DeviceError
        If Windows refuses to load torch after Qt.
    """
    try:
        with _triton_hidden():
            import napari_crlm_spa.core.classifier.runtime  # noqa: F401 - torch
    except OSError as error:
        if getattr(error, "winerror", None) != WINDOWS_DLL_INIT_FAILED:
            raise
        raise DeviceError(
            "Windows could not load PyTorch, because napari's windows were opened before it. "
            "Close napari and start it with: python -m napari_crlm_spa.plugin"
        ) from error


@contextmanager
def _triton_hidden() -> Iterator[None]:
    """Load torch without triton, its compiler, which we do not use.

    On Linux triton brings an LLVM of its own. Loaded after the canvas, it meets the LLVM of the
    graphics driver (Mesa) under the same names, and the whole viewer crashes.
    """
    if "torch" in sys.modules or "triton" in sys.modules:
        yield
        return
    # None tells `import` that there is no such module.
    sys.modules["triton"] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules["triton"]


def reopen(info: SlideInfo, out_dir: Path, risk_model: RiskModel) -> Analysis | None:
    """Return the finished analysis of a slide without the network, or None if there is none.

    Raises
    ------
    CrlmSpaError
        If it is damaged.
    """
    from napari_crlm_spa.core.pipeline import reopen as reopen_analysis

    return reopen_analysis(info, out_dir, risk_model)
