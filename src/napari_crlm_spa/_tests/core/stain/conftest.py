"""Tiles painted with two known stains."""

import numpy as np

from napari_crlm_spa.core.stain import REFERENCE

#: Another laboratory's hematoxylin and eosin. Its eosin absorbs some red: pixels that absorb
#: less than beta in any channel are left out by the method, in every port of it.
OTHER_HE = np.array([[0.70, 0.28], [0.66, 0.92], [0.25, 0.27]])
OTHER_HE = OTHER_HE / np.linalg.norm(OTHER_HE, axis=0)


def stained_tile(seed=0, he=REFERENCE.he, strength=1.0, size=96, glass=0.1):
    """Beer-Lambert picture; half of the pixels are almost pure in either stain."""
    rng = np.random.default_rng(seed)
    mixed = rng.beta(0.3, 0.3, (size, size))
    amount = rng.uniform(0.6, 1.6, (size, size)) * strength
    amount[: int(glass * size)] = 0
    density = (np.stack([mixed, 1 - mixed], -1) * amount[..., None]) @ he.T
    return np.clip(np.rint(240 * np.exp(-density) - 1), 0, 255).astype(np.uint8)


def angle_deg(first, second):
    cosine = first @ second / np.linalg.norm(first) / np.linalg.norm(second)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))
