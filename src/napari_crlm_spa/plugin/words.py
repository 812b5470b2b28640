"""Numbers and states as words for the panel. No Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.plugin.session import RunStatus

if TYPE_CHECKING:
    from napari_crlm_spa.core.pipeline import Analysis


def duration(seconds: float) -> str:
    """Say how long something takes, as coarsely as one would say it."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    if seconds < 3600:
        return f"{round(seconds / 60)} min"
    hours, rest = divmod(round(seconds / 60), 60)
    return f"{hours} h {rest} min"


def status_line(status: RunStatus) -> str:
    """Say what is going on, how fast, and how long it will still take."""
    parts = [status.stage]
    if status.per_second is not None and status.unit:
        digits = 1 if status.per_second < 10 else 0
        parts.append(f"{status.per_second:,.{digits}f} {status.unit}/s")
    if status.left_s is not None and status.done < status.total:
        parts.append(f"about {duration(status.left_s)} left")
    return " · ".join(parts)


def progress_text(status: RunStatus) -> str:
    """Say how much is done."""
    if not status.total:
        return ""
    percent = 100 * status.done / status.total
    return f"{status.done:,} of {status.total:,} {status.unit} ({percent:.0f} %)".replace("  ", " ")


def done_line(analysis: Analysis) -> str:
    """Say that an analysis has ended, where its results are, and what to be careful about."""
    reused = " The tissue map is that of an earlier run with the same choices."
    parts = [f"Done.{reused if analysis.reused else ''} The results are in {analysis.folder}."]
    return "\n".join([*parts, *analysis.run.get("notes", ())])


def slide_line(info: SlideInfo) -> str:
    """Say how large a slide is."""
    pixels = f"{info.width_px:,} × {info.height_px:,} px"
    if info.pixel_size is None:
        return pixels
    size = info.pixel_size
    width_mm, height_mm = info.width_px * size.x_um / 1000, info.height_px * size.y_um / 1000
    return f"{width_mm:.1f} × {height_mm:.1f} mm · {pixels}"


def pixel_size_line(info: SlideInfo) -> str:
    """Say how large a pixel is and who says so."""
    if info.pixel_size is None:
        return "Pixel size unknown: enter it (20x scan: 0.5, 40x: 0.25)"
    return f"Pixel size {info.pixel_size.mpp:.4g} µm/px ({info.pixel_size.source})"


def pixel_size_reason(info: SlideInfo) -> str:
    """Say all that is known about the pixel size, for a tooltip."""
    return "\n".join(part for part in (pixel_size_line(info), info.pixel_size_note) if part)


def setup_line(info: SlideInfo, model: str, device: str) -> str:
    """Say in one line what is analyzed with what."""
    if info.pixel_size is None:
        size = "pixel size unknown"
    else:
        size = f"{info.pixel_size.mpp:.3g} µm/px"
        width_mm = info.width_px * info.pixel_size.x_um / 1000
        height_mm = info.height_px * info.pixel_size.y_um / 1000
        size = f"{width_mm:.1f} × {height_mm:.1f} mm · {size}"
    return f"{info.path.name} · {size} · model {model} on {device}"
