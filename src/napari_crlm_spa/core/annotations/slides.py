"""What is said of a slide's tiles, and what follows for each of them."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from napari_crlm_spa.core.annotations.areas import Areas
from napari_crlm_spa.core.annotations.joined_plan import join_plans, kept_out
from napari_crlm_spa.core.annotations.options import ExportOptions
from napari_crlm_spa.core.annotations.tile_plan import (
    LabeledPlan,
    PlannedTile,
    ReviewedMap,
    check_same_grid,
    plan_labeled_tiles,
    tiles_from_review,
)
from napari_crlm_spa.core.files import is_device
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import AnnotationError

#: Bytes; the corner and the suffix of a tile follow, and 255 are allowed.
_LONGEST = 100


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SlideToExport:
    """A slide, and what is said of its tiles.

    Parameters
    ----------
    path
        Slide file, or folder of a DICOM slide.
    areas
        Drawn areas, of one or several annotators.
    reviews
        Maps in which readers corrected or accepted tiles.
    patient
        Slides of one patient are never divided; empty if nobody knows.
    mpp
        The user's pixel size in µm, or None.
    predicted
        The classifier's map, for the column ``predicted_class``; else the first of `reviews`.
    model_name, model_sha256
        Of that classifier.
    """

    path: Path
    areas: Areas = field(default_factory=Areas)
    reviews: tuple[ReviewedMap, ...] = ()
    patient: str = ""
    mpp: float | None = None
    predicted: TissueMap | None = None
    model_name: str = ""
    model_sha256: str = ""


def joined_slides(slides: Iterable[SlideToExport]) -> list[SlideToExport]:
    """Join entries of the same file.

    Raises
    ------
    AnnotationError
        If they name different patients.
    """
    found: dict[Path, SlideToExport] = {}
    for slide in slides:
        key = slide.path.resolve()
        first = found.get(key)
        if first is None:
            found[key] = slide
            continue
        patients = {p for p in (first.patient.strip(), slide.patient.strip()) if p}
        if len(patients) > 1:
            raise AnnotationError(
                f"{slide.path.name} is listed for the patients {' and '.join(sorted(patients))}. "
                "A slide is of one patient."
            )
        found[key] = dataclasses.replace(
            first,
            areas=Areas(
                (*first.areas.areas, *slide.areas.areas), (*first.areas.notes, *slide.areas.notes)
            ),
            reviews=(*first.reviews, *slide.reviews),
            patient=next(iter(patients), ""),
            mpp=first.mpp or slide.mpp,
            predicted=first.predicted or slide.predicted,
            model_name=first.model_name or slide.model_name,
            model_sha256=first.model_sha256 or slide.model_sha256,
        )
    return list(found.values())


def plan_slide(
    slide: SlideToExport, info: SlideInfo, options: ExportOptions | None = None
) -> LabeledPlan:
    """Plan the labeled tiles of a slide from everything that is said of it.

    A panel shows its counts before an export; blank tiles are found only while reading.

    Raises
    ------
    AnnotationError
        If all areas lie beside the slide, or a map has other tiles.
    """
    options = options or ExportOptions()
    plans = [tiles_from_review(each, info, options) for each in slide.reviews]
    if slide.areas.areas or not plans:
        plans.insert(0, plan_labeled_tiles(slide.areas, info, options))
    if slide.predicted is not None:
        check_same_grid(slide.predicted, plans[0].grid, info)
    out = kept_out(slide.reviews, slide.areas.areas, info, options)
    return join_plans(plans, options, out)


def no_tiles_message(
    info: SlideInfo, plan: LabeledPlan, left_out: Mapping[str, int] | None = None
) -> str:
    """Say why not one tile of a slide comes out, and what helps."""
    reasons = Counter(plan.left_out)
    reasons.update(left_out or {})
    if not reasons:
        return (
            f"No tile of {info.path.name} is labeled: no area with a class touches a tile, and no "
            "tile was corrected or accepted. Draw areas, or correct the map, first."
        )
    why = told_reasons(reasons)
    return (
        f"No tile of {info.path.name} can be exported ({why}). Draw larger areas, or lower the "
        "purity."
    )


def told_reasons(left_out: Mapping[str, int]) -> str:
    """Say how many tiles were left out for each reason."""
    return "; ".join(f"{reason} ({count})" for reason, count in sorted(left_out.items()))


def predicted_class(slide: SlideToExport, row: int, col: int) -> str:
    """Return the class that the classifier gave a tile; corrections leave its scores alone."""
    source = slide.predicted or next((each.tissue_map for each in slide.reviews), None)
    if source is None or not source.probabilities[row, col].any():
        return ""
    return source.scheme.names[int(source.probabilities[row, col].argmax())]


def corner_xy0(plan: LabeledPlan, tile: PlannedTile, info: SlideInfo) -> tuple[int, int]:
    """Return a tile's top-left corner in level-0 pixels, rounded."""
    size = info.known_pixel_size()
    x_um, y_um = plan.grid.corner_um(tile.row, tile.col)
    return round(x_um / size.x_um), round(y_um / size.y_um)


def tile_path(
    class_name: str, slide: str, corner_xy0: tuple[int, int], options: ExportOptions
) -> str:
    """Return where a tile lies in the folder of an export, with slashes on every system."""
    x0, y0 = corner_xy0
    return f"{safe_name(class_name)}/{slide}_x{x0}_y{y0}.{options.image}"


def safe_name(name: str) -> str:
    """Return a name that every system takes for a folder, or for the beginning of a file.

    A name that is too long is cut, and the beginning of its hash follows.
    """
    kept = "".join("_" if char in '<>:"/\\|?*' or ord(char) < 32 else char for char in name)
    kept = kept.strip(" .") or "_"
    if is_device(kept):
        kept = f"_{kept}"
    if len(kept.encode(errors="replace")) > _LONGEST:
        start = kept.encode(errors="replace")[:_LONGEST].decode(errors="ignore").rstrip(" .")
        kept = f"{start}-{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:8]}"
    return kept
