"""Report, Save and Folder: what leaves the viewer, as the slide stands now."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import QUrl
from qtpy.QtGui import QDesktopServices
from qtpy.QtWidgets import QFileDialog, QHBoxLayout, QMenu, QToolButton, QWidget

from napari_crlm_spa.core.store import REPORT_HTML
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.saving import (
    FILES,
    Product,
    RegionUm,
    save_product,
    subject_of,
    write_report_of,
)
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.message import Message

REPORT_TIP = "Open the report in the browser; with your corrections, if there are any"


class FilesBar(QWidget):
    """Three buttons, usable once the current slide has a result.

    Parameters
    ----------
    session
        Whose current slide is saved.
    message
        Where it says what was written, or why not.
    """

    def __init__(self, session: Session, message: Message) -> None:
        super().__init__()
        self._session = session
        self._message = message
        self._region_in_view: Callable[[], RegionUm | None] = lambda: None
        #: For the panel to place: there is no room beside the buttons.
        self.job = JobBar()
        self.report_button = _button("Report", REPORT_TIP)
        self.save_button = _button("Save ▾", "Save a figure or the tiles, as they stand now")
        # The style's own arrow is drawn over the word.
        self.save_button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self.save_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.save_button.setMenu(self._menu())
        self.folder_button = _button("Folder", "Open the folder with all results")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for button in (self.report_button, self.save_button, self.folder_button):
            layout.addWidget(button)
        self.report_button.clicked.connect(self.show_report)
        self.folder_button.clicked.connect(self._on_folder)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(message.show_problem)
        session.current_changed.connect(self._update)
        session.map_started.connect(self._update)
        session.analysis_changed.connect(self._update)
        self._update()

    def _menu(self) -> QMenu:
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        for product in Product:
            action = menu.addAction(product.value)
            action.setData(product.name)
            action.setEnabled(not product.missing)
            action.setToolTip(product.missing)
            action.triggered.connect(lambda _checked=False, which=product: self._on_save(which))
        return menu

    def ask_region(self, region_in_view: Callable[[], RegionUm | None]) -> None:
        """Let `region_in_view` tell which part of the slide the window shows."""
        self._region_in_view = region_in_view

    def _update(self, _slide: OpenSlide | None = None) -> None:
        slide = self._session.current
        self.setEnabled(slide is not None and slide.analysis is not None)

    # -- doing ----------------------------------------------------------------------------

    def show_report(self) -> None:
        """Open the report of the slide as it stands."""
        slide = self._session.current
        subject = None if slide is None else subject_of(slide, self._session.view)
        if subject is None:
            return
        if subject.is_corrected:
            self._message.clear()
            self.job.start(write_report_of, subject)
        else:
            show_file(subject.analysis.folder / REPORT_HTML)

    def _on_save(self, product: Product) -> None:
        slide = self._session.current
        path = "" if slide is None else self.choose_file(product, slide)
        if path:
            self.save_to(product, Path(path))

    def choose_file(self, product: Product, slide: OpenSlide) -> str:
        """Ask where to save; empty if the user thinks better of it."""
        ending, patterns = FILES[product]
        folder = Path(str(recall().get("save_folder", "")))
        name = str(folder / f"{slide.stem}-{ending}")
        path, _ = QFileDialog.getSaveFileName(self, product.value, name, patterns)
        if path:
            remember(save_folder=str(Path(path).parent))
        return str(path)

    def save_to(self, product: Product, path: Path) -> None:
        """Write a product of the current slide."""
        slide = self._session.current
        subject = None if slide is None else subject_of(slide, self._session.view)
        if subject is None:
            return
        region_um = self._region_in_view() if product is Product.FIGURE_IN_VIEW else None
        self._message.clear()
        self.job.start(save_product, product, path, subject, region_um)

    def _on_done(self, written: Path | tuple[Path, ...]) -> None:
        if isinstance(written, Path):
            show_file(written)
        else:
            self._message.tell("Saved " + " and ".join(str(path) for path in written) + ".")

    def _on_folder(self) -> None:
        slide = self._session.current
        if slide is not None and slide.analysis is not None:
            show_file(slide.analysis.folder)


def show_file(path: Path) -> None:
    """Open a file or folder with the program that the system has for it."""
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    return button
