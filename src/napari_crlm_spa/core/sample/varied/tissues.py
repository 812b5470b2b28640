"""The seven tissues, each in its forms; a second tissue, guests and damage come in by chance."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_crlm_spa.core.sample.style import Amounts, ramp
from napari_crlm_spa.core.sample.varied import matter
from napari_crlm_spa.core.sample.varied.liver import clear_liver, liver, liver_plates
from napari_crlm_spa.core.sample.varied.lymph import lymph_follicle, lymphoid
from napari_crlm_spa.core.sample.varied.remains import (
    fibrin_debris,
    ghosts,
    glass,
    granular_debris,
    mucus_pool,
    plain_debris,
    plain_mucus,
)
from napari_crlm_spa.core.sample.varied.rough import roughen
from napari_crlm_spa.core.sample.varied.stroma import (
    loose_stroma,
    muscle_across,
    stroma_cells,
    stroma_fibers,
)
from napari_crlm_spa.core.sample.varied.tumor import (
    tumor_glands,
    tumor_nests,
    tumor_sheet,
    tumor_spindle,
)
from napari_crlm_spa.core.sample.window import Window

Draw = Callable[[Window, np.random.Generator], Amounts]

#: How often a tile shows a second tissue or small guests beside its own (our assumption).
_MIXED_SHARE, _GUEST_SHARE = 0.3, 0.35
#: How often outlines are bent, dyes uneven and the tissue cracked; else as on the sample slide.
_ROUGH_SHARE = 0.92
#: The least share of a mixed tile that its own tissue covers.
_OWN_SHARE = 0.62


def varied_tissue(name: str, window: Window, rng: np.random.Generator) -> Amounts:
    """Draw a tissue in one of its forms.

    Parameters
    ----------
    name
        Class name of the scheme crlm7.
    window
        Where on the plane.
    rng
        Chooses the form and its look.

    Returns
    -------
    tuple of two float32 arrays
        Amounts of hematoxylin and eosin, each of the window's shape.
    """
    own = _draw(name, window, rng)
    if name == "BACK":
        return own
    if rng.random() < _MIXED_SHARE:
        own = _mixed(own, name, window, rng)
    own = _with_guests(own, name, window, rng)
    return roughen(own, window, rng) if rng.random() < _ROUGH_SHARE else own


def _draw(name: str, window: Window, rng: np.random.Generator) -> Amounts:
    forms = FORMS[name]
    draw = forms[int(rng.integers(len(forms)))]
    return draw(window, rng)


def _mixed(own: Amounts, name: str, window: Window, rng: np.random.Generator) -> Amounts:
    """Let another tissue, or glass, come in from somewhere."""
    others = _NEIGHBORS[name]
    other = _draw(others[int(rng.integers(len(others)))], window, rng)
    height = window.noise(rng.uniform(15.0, 80.0), 401)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        slope = (window.x - window.x.mean()) * np.cos(angle)
        slope = slope + (window.y - window.y.mean()) * np.sin(angle)
        height = slope / 30 + 0.4 * height
    limit = float(np.quantile(height, rng.uniform(_OWN_SHARE, 0.97)))
    soft = rng.uniform(0.02, 0.15)
    share = ramp(height, limit - soft, limit + soft)
    return (
        own[0] * (1 - share) + other[0] * share,
        own[1] * (1 - share) + other[1] * share,
    )


def _with_guests(own: Amounts, name: str, window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = own
    if name != "LYM" and rng.random() < _GUEST_SHARE:
        share = rng.uniform(0.01, 0.12)
        hematoxylin = np.maximum(hematoxylin, matter.round_cells(window, rng, 8.0, share))
    if name != "MUC" and rng.random() < _GUEST_SHARE:
        where = ramp(window.noise(rng.uniform(8.0, 25.0), 402), *sorted(rng.uniform(1.2, 2.4, 2)))
        cells = matter.red_cells(window, where, rng)
        hematoxylin = hematoxylin * (1 - 0.9 * ramp(cells, 0.2, 0.5))
        eosin = np.where(cells > 0.2, cells, eosin)
    return hematoxylin, eosin


#: Class name -> its forms, each drawn equally often; one that stands twice, twice as often.
FORMS: dict[str, tuple[Draw, ...]] = {
    "BACK": (glass,),
    "DEB": (granular_debris, ghosts, matter.pus, fibrin_debris, plain_debris),
    "HEP": (liver, liver, liver, clear_liver, liver_plates),
    "LYM": (lymphoid, lymphoid, lymph_follicle),
    "MUC": (mucus_pool, mucus_pool, mucus_pool, plain_mucus),
    "STR": (
        stroma_fibers,
        stroma_cells,
        stroma_cells,
        stroma_cells,
        loose_stroma,
        muscle_across,
    ),
    "TUM": (
        tumor_sheet,
        tumor_sheet,
        tumor_nests,
        tumor_glands,
        tumor_glands,
        tumor_spindle,
        tumor_spindle,
    ),
}

#: What may come into a tile of a tissue.
_NEIGHBORS: dict[str, tuple[str, ...]] = {
    "DEB": ("TUM", "STR", "BACK", "HEP"),
    "HEP": ("STR", "LYM", "BACK"),
    "LYM": ("STR", "HEP", "BACK", "TUM"),
    "MUC": ("TUM", "STR", "BACK"),
    "STR": ("TUM", "HEP", "LYM", "BACK", "MUC"),
    "TUM": ("STR", "BACK", "DEB", "MUC", "LYM"),
}
