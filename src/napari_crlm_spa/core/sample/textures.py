"""Which drawing belongs to which tissue, and tiles of one tissue."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from napari_crlm_spa.core.sample.acellular import debris, glass, mucus, stroma
from napari_crlm_spa.core.sample.cellular import hepatocytes, lymphocytes, tumor
from napari_crlm_spa.core.sample.dyes import Dyes
from napari_crlm_spa.core.sample.style import Amounts, Style
from napari_crlm_spa.core.sample.window import Window
from napari_crlm_spa.errors import CrlmSpaError

#: Class name -> amounts of dye on a window.
TEXTURES: dict[str, Callable[[Window, Style], Amounts]] = {
    "BACK": glass,
    "DEB": debris,
    "HEP": hepatocytes,
    "LYM": lymphocytes,
    "MUC": mucus,
    "STR": stroma,
    "TUM": tumor,
}


def draw_tile(
    class_name: str,
    rng: np.random.Generator,
    size_px: int = 224,
    mpp: float = 0.5,
    *,
    dyes: Dyes | None = None,
    style: Style | None = None,
) -> NDArray[np.uint8]:
    """Draw a tile of one tissue.

    Parameters
    ----------
    class_name
        One of the seven classes of CRLM-SPA.
    rng
        Chooses the place, and the stain and style where these are not given.
    size_px, mpp
        Size and resolution of the tile.
    dyes, style
        Stain and patient; drawn at random if None.

    Returns
    -------
    ndarray of uint8, shape (size_px, size_px, 3)

    Raises
    ------
    CrlmSpaError
        If no drawing exists for the class.
    """
    if class_name not in TEXTURES:
        raise CrlmSpaError(
            f"There is no drawing of {class_name!r}; there are drawings of {', '.join(TEXTURES)}."
        )
    dyes = dyes or Dyes.random(rng)
    style = style or Style.random(rng)
    x_um, y_um = rng.uniform(0, 20_000, 2)
    seed = int(rng.integers(1 << 30))
    window = Window(float(x_um), float(y_um), size_px, size_px, mpp, seed)
    hematoxylin, eosin = TEXTURES[class_name](window, style)
    return dyes.develop(hematoxylin, eosin, seed)
