"""Nuclei and other small round things, stamped onto a picture all at once."""

from __future__ import annotations

import numpy as np

from napari_crlm_spa.core.sample.window import Floats, Window

_GROUP = 4000


def stamp(
    window: Window,
    x_um: Floats,
    y_um: Floats,
    long_um: Floats,
    short_um: Floats,
    angle: Floats,
    strength: Floats,
    hollow: float = 0.0,
    soft_um: float = 1.0,
) -> Floats:
    """Draw ellipses; where they overlap the stronger one is seen.

    Parameters
    ----------
    x_um, y_um
        Centers, shape (n,), in the frame of the plane.
    long_um, short_um, angle
        Half axes, and the direction of the long one in radians (x to the right, y down).
    strength
        Value inside, shape (n,).
    hollow
        How much paler the middle is than the rim (0-1), as in vesicular nuclei.
    soft_um
        Width of the blurred border.

    Returns
    -------
    ndarray of float32, shape (height, width); 0 where there is nothing
    """
    if not len(x_um):
        return np.zeros(window.shape, np.float32)
    reach = int(np.ceil((float(long_um.max()) + soft_um) / window.mpp)) + 1
    pad = 2 * reach + 1
    canvas = np.zeros((window.height_px + 2 * pad, window.width_px + 2 * pad), np.float32)
    col = (x_um - window.x_um) / window.mpp - 0.5 + pad
    row = (y_um - window.y_um) / window.mpp - 0.5 + pad
    inside = (col > reach) & (col < canvas.shape[1] - reach - 1)
    inside &= (row > reach) & (row < canvas.shape[0] - reach - 1)
    chosen = np.flatnonzero(inside)
    for start in range(0, len(chosen), _GROUP):
        some = chosen[start : start + _GROUP]
        _stamp_group(
            canvas,
            (col[some], row[some]),
            (long_um[some] / window.mpp, short_um[some] / window.mpp, angle[some]),
            strength[some],
            (reach, hollow, soft_um / window.mpp),
        )
    return canvas[pad:-pad, pad:-pad]


def _stamp_group(
    canvas: Floats,
    center: tuple[Floats, Floats],
    ellipse: tuple[Floats, Floats, Floats],
    strength: Floats,
    look: tuple[int, float, float],
) -> None:
    reach, hollow, soft = look
    offset = np.arange(-reach, reach + 1)
    cols = np.rint(center[0]).astype(np.int64)[:, None] + offset
    rows = np.rint(center[1]).astype(np.int64)[:, None] + offset
    right = (cols - center[0][:, None]).astype(np.float32)[:, None, :]
    down = (rows - center[1][:, None]).astype(np.float32)[:, :, None]
    long, short, angle = (part[:, None, None].astype(np.float32) for part in ellipse)
    along = (right * np.cos(angle) + down * np.sin(angle)) / long
    across = (down * np.cos(angle) - right * np.sin(angle)) / short
    radius2 = along * along + across * across
    cover = np.clip((1 - np.sqrt(radius2)) * (short / soft) + 0.5, 0, 1)
    if hollow:
        cover *= 1 - hollow * np.clip(1 - radius2, 0, 1)
    cover *= strength[:, None, None].astype(np.float32)
    index = rows[:, :, None] * canvas.shape[1] + cols[:, None, :]
    np.maximum.at(canvas.reshape(-1), index.ravel(), cover.ravel())
