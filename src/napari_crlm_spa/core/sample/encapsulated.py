"""A drawn metastasis with a capsule on a part of its border: the share is known.

One roundish nodule in liver. Along a sector a band of stroma lies between tumor and liver, along
the rest they touch. So a measurement of the interface can be held against the truth, from pixels
to percent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from napari_crlm_spa.core.options import Options, option
from napari_crlm_spa.core.sample.layout import Blob, Layout
from napari_crlm_spa.core.sample.window import Floats

#: Radii at which the border is looked for, and directions.
_STEP_UM, _DIRECTIONS = 2.0, 720
#: Where the middle of the capsule lies, in radians from the right, clockwise.
_MIDDLE = 0.7
#: Liver around the nodule, at least.
_LIVER_UM = 600.0
#: Sides are whole tiles, so that no tile at the edge is half white.
_TILE_UM = 112.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CapsuleOptions(Options):
    """How large the drawn nodule is, and how much of it has a capsule."""

    encapsulated: float = option(0.5, "Share of the border with a capsule", min=0.0, max=1.0)
    thickness_um: float = option(320.0, "Thickness of the capsule", min=0.0, max=1000.0, unit="µm")
    radius_um: float = option(850.0, "Radius of the nodule", min=300.0, max=10_000.0, unit="µm")
    uneven_um: float = option(
        60.0, "How far the border of the nodule wanders", min=0.0, max=300.0, unit="µm"
    )


def encapsulated_layout(options: CapsuleOptions | None = None) -> Layout:
    """Lay out a slide that is liver with one nodule; draw it with `write_sample_slide`."""
    options = options or CapsuleOptions()
    side = _side_um(options)
    nodule = _nodule(options)

    def capsule(x: Floats, y: Floats) -> Floats:
        shell = nodule.distance_um(x, y) - np.float32(options.thickness_um)
        return np.maximum(shell, _beside_sector(x - side / 2, y - side / 2, options.encapsulated))

    return Layout(side, side, (("STR", capsule), ("TUM", nodule.distance_um)))


def encapsulated_pct(options: CapsuleOptions | None = None) -> float:
    """Share of the nodule's border that has a capsule, by length along it, in percent.

    It isn't quite the share of directions, since the border wanders.
    """
    options = options or CapsuleOptions()
    nodule = _nodule(options)
    angles = (np.arange(_DIRECTIONS) + 0.5) * (2 * np.pi / _DIRECTIONS)
    radii = np.arange(0.4 * options.radius_um, 1.6 * options.radius_um + 100, _STEP_UM)
    x = nodule.x_um + np.cos(angles)[:, None] * radii
    y = nodule.y_um + np.sin(angles)[:, None] * radii
    outside = nodule.distance_um(x.astype(np.float32), y.astype(np.float32)) >= 0
    border = radii[outside.argmax(axis=1)]
    points = np.column_stack([border * np.cos(angles), border * np.sin(angles)])
    lengths = np.hypot(*np.diff(points, axis=0, append=points[:1]).T)
    covered = _beside_sector(points[:, 0], points[:, 1], options.encapsulated) < 0
    return float(100 * lengths[covered].sum() / lengths.sum())


def _nodule(options: CapsuleOptions) -> Blob:
    center, radius = _side_um(options) / 2, options.radius_um
    return Blob(center, center, radius, radius, options.uneven_um)


def _side_um(options: CapsuleOptions) -> float:
    least = 2 * (options.radius_um + _LIVER_UM)
    return float(np.ceil(least / _TILE_UM) * _TILE_UM)


def _beside_sector(right_um: Floats, down_um: Floats, share: float) -> Floats:
    """Distance to a sector about the center that holds `share` of all directions, roughly."""
    turned = np.arctan2(down_um, right_um) - _MIDDLE
    off = np.abs((turned + np.pi) % (2 * np.pi) - np.pi)
    distance: Floats = (off - np.pi * share) * np.hypot(right_um, down_um)
    return distance.astype(np.float32)
