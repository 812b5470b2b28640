"""Opening slides in napari: the reader and the sample. No Qt; napari only to dress its canvas."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from napari_crlm_spa.core.slide import is_slide_name, open_slide
from napari_crlm_spa.core.slide.formats import SLIDE_FORMATS
from napari_crlm_spa.core.slide.pyramid import SlidePyramid
from napari_crlm_spa.errors import SlideError
from napari_crlm_spa.plugin.layers import METADATA_KEY, LayerData, slide_layer
from napari_crlm_spa.plugin.memory import cache_folder
from napari_crlm_spa.plugin.viewer_look import dress_viewer_in_front, warn, watch

Reader = Callable[[str | list[str]], list[LayerData]]


def get_reader(path: str | list[str]) -> Reader | None:
    """Tell napari whether this plugin opens `path` (npe2 reader command).

    Plain PNG and JPEG pictures are left to napari when they are dropped on the window; the
    panel's Open button takes them as slides.
    """
    first = Path(path if isinstance(path, str) else path[0])
    if first.is_dir():
        return read_slides if any(first.glob("*.dcm")) else None
    return read_slides if is_slide_name(first) and not _is_picture(first) else None


def _is_picture(path: Path) -> bool:
    pictures = next(kind for kind in SLIDE_FORMATS if "pillow" in kind.decoders)
    return path.suffix.lower() in pictures.suffixes


def read_slides(path: str | list[str]) -> list[LayerData]:
    """Open slides lazily, each as one multiscale layer.

    Raises
    ------
    SlideError
        If one cannot be opened; the sentence says why.
    """
    paths = [path] if isinstance(path, str) else path
    opened = [read_slide(Path(each)) for each in paths]
    dress_viewer_in_front()
    for _, kwargs, _ in opened:
        info = kwargs["metadata"][METADATA_KEY]["info"]
        if info.pixel_size is None:
            warn(
                f"{info.path.name} does not say how large a pixel is, so it is shown in pixels. "
                "Enter the pixel size in the CRLM-SPA panel."
            )
    return opened


def read_slide(path: Path) -> LayerData:
    """Open one slide as layer data; pixels are read when they are looked at."""
    slide = open_slide(path)
    try:
        return slide_layer(SlidePyramid(slide).levels, slide.info)
    except SlideError:
        slide.close()
        raise


def open_sample() -> list[LayerData]:
    """Draw the sample slide, unless it was drawn before, and open it (npe2 sample command)."""
    return read_slides(str(sample_slide()))


def sample_slide() -> Path:
    """Return the sample slide in the user's cache folder; it is drawn on first use."""
    from napari_crlm_spa.core.sample import SAMPLE_NAME, write_sample_slide

    path = cache_folder() / SAMPLE_NAME
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        watch(write_sample_slide(path))
    return path
