"""Correcting tiles: tools and their keys, the live risk, the log, the readers."""

from napari_crlm_spa.plugin.widgets.correct.tab import CorrectTab

__all__ = ["CorrectTab"]
