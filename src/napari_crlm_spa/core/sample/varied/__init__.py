"""Tissues drawn in many ways: to train on what the labeled slides do not show.

The sample slide has one drawing of each tissue. Tiles to train with come from `varied_tissue`,
which draws every tissue in several forms (glands, sheets and spindle cells for tumor; pus,
ghosts and fibrin for debris ...) with random sizes, densities and amounts of dye.
"""

from napari_crlm_spa.core.sample.varied.tissues import FORMS, varied_tissue

__all__ = ["FORMS", "varied_tissue"]
