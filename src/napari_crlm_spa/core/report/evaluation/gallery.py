"""Small pictures of tiles."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from napari_crlm_spa.core.classifier.predictions import folder_names

#: Side of a tile's picture on the page; tiles are 224 px, a phone shows two in a row.
PICTURE_PX = 224


def find_tile(path: str, folders: Sequence[Path]) -> Path | None:
    """Find a tile by its path as `relative_paths` named it; None where it is not there."""
    if len(folders) == 1:
        found = folders[0] / path
    else:
        name, _, inside = path.partition("/")
        folder = folder_names(folders).get(name)
        if folder is None:
            return None
        found = folder / inside
    return found if found.is_file() else None


def tile_jpeg(path: Path) -> bytes | None:
    """Return a tile as a small JPEG; None where it cannot be decoded."""
    try:
        with Image.open(path) as image:
            picture = image.convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError):
        return None
    picture.thumbnail((PICTURE_PX, PICTURE_PX))
    stream = io.BytesIO()
    picture.save(stream, "JPEG", quality=82)
    return stream.getvalue()


def data_uri(data: bytes, kind: str) -> str:
    """Return bytes as an address that a page can hold."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode('ascii')}"
