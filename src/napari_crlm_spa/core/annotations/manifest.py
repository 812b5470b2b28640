"""The table beside exported tiles: ``manifest.csv``, which ``crlm-spa train`` reads."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.errors import AnnotationError

#: As the training spells it (core/classifier/training/data.py).
MANIFEST = "manifest.csv"
COLUMNS = (
    "path", "class", "slide", "patient", "split", "split_kind", "x0", "y0", "mpp_slide",
    "row", "col", "x_um", "y_um", "tile_px", "mpp", "purity", "source", "annotator", "when",
    "predicted_class", "model", "model_sha256", "slide_fingerprint", "tile_sha256",
    "package_version",
)  # fmt: skip
#: Without these a manifest is not of this export.
_OURS = {"path", "class", "slide", "split", "slide_fingerprint", "tile_px", "mpp"}
_IMAGES = ("*/*.png", "*/*.jpg", "*/*.jpeg", "*/*.tif", "*/*.tiff", "*/*.bmp")

Row = dict[str, str]


def read_manifest(folder: Path) -> list[Row]:
    """Read the rows of an earlier export; none where there was no export yet.

    Raises
    ------
    AnnotationError
        If the folder holds a table or tiles that this export did not write.
    """
    path = folder / MANIFEST
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = file.readline()
            file.seek(0)
            # Excel writes semicolons where the comma is the decimal sign.
            reader = csv.DictReader(file, delimiter=";" if "," not in header else ",")
            missing = _OURS - set(reader.fieldnames or ())
            rows = [{k: v or "" for k, v in row.items() if k is not None} for row in reader]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise AnnotationError(
            f"{path} cannot be read as a CSV table: {error}. Mend it, or choose another folder."
        ) from error
    if missing:
        raise AnnotationError(
            f"{folder} holds labeled tiles of another origin ({MANIFEST} has no column "
            f"{sorted(missing)[0]}). Choose another folder; crlm-spa train takes several."
        )
    outside = [row["path"] for row in rows if not is_inside(row["path"])]
    if outside:
        raise AnnotationError(
            f"{path}: {outside[0]!r} is no path below the folder. Mend the row or remove it."
        )
    return rows


def is_inside(path: str) -> bool:
    """Tell whether a path, as written in a manifest, lies below its folder."""
    parts = Path(path).parts
    return len(parts) > 1 and not Path(path).is_absolute() and ".." not in parts


def write_manifest(folder: Path, rows: Sequence[Row]) -> None:
    """Write the rows, in the order of their paths, replacing the table at once.

    Columns that somebody added stay, behind ours.
    """
    added = dict.fromkeys(key for row in rows for key in row if key not in COLUMNS)
    table = io.StringIO()
    writer = csv.DictWriter(table, (*COLUMNS, *added), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: row["path"]))
    write_text(folder / MANIFEST, table.getvalue())


def refuse_strangers(folder: Path, known: Iterable[str]) -> None:
    """Refuse a folder with images that no export wrote: they would pass for labeled tiles.

    Parameters
    ----------
    folder
        Where tiles are to be written.
    known
        Paths, from the folder, of tiles that this export wrote or began to write.

    Raises
    ------
    AnnotationError
        The sentence names one of them.
    """
    ours = set(known)
    for pattern in _IMAGES:
        for path in folder.glob(pattern):
            inside = path.relative_to(folder).as_posix()
            if inside not in ours and not path.name.startswith("."):
                raise AnnotationError(
                    f"{folder} holds images that are not of this export ({inside}). Choose "
                    "another folder; crlm-spa train takes several."
                )
