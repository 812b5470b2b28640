"""Drawing areas, exporting tiles, retraining."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QWidget

from napari_crlm_spa.plugin.session import Session

if TYPE_CHECKING:
    from napari.components import ViewerModel


class AnnotateTab(QWidget):
    """Drawing areas, exporting tiles, retraining."""

    def __init__(self, session: Session, viewer: ViewerModel) -> None:
        super().__init__()
        self._session = session
        self._viewer = viewer

    def let_go(self) -> None:
        """Stop what goes on and leave the viewer alone."""
