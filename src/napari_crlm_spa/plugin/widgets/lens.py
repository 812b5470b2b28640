"""The mixture lens: distances to the tumor, both components, a threshold to be dragged."""

from __future__ import annotations

from qtpy.QtWidgets import QWidget

from napari_crlm_spa.plugin.session import Session


class MixtureLens(QWidget):
    """Histogram of one tissue's distances with its mixture and its threshold."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
