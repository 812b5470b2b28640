"""Tools and classes for drawing, and what is drawn so far."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from pathlib import Path

from qtpy.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QGridLayout,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
)

from napari_crlm_spa.core.annotations import Area, Areas, read_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.slide import SlideInfo
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.annotating.desk import AnnotationDesk
from napari_crlm_spa.plugin.annotating.drawing import (
    CORNERS,
    LASSO,
    LOOK,
    OTHER_COLOR,
    POLYGON,
    RECTANGLE,
    SELECT,
)
from napari_crlm_spa.plugin.annotating.keys import CLASS_KEYS, TOOL_KEYS
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import Session
from napari_crlm_spa.plugin.tables import short_title
from napari_crlm_spa.plugin.widgets.correct.buttons import color_button, even_button, push_button
from napari_crlm_spa.plugin.widgets.job_bar import JobBar
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

TOOLS = {
    LOOK: ("Look", "Move and zoom the slide (hold Space to do so in between)"),
    LASSO: ("Lasso", "Draw freehand around an area with the button held"),
    POLYGON: ("Polygon", "Click on the corners; a double click or Esc ends"),
    RECTANGLE: ("Box", "Pull a rectangle up with the button held"),
    SELECT: ("Select", "Click on areas to select them (Shift for several), move or scale them"),
    CORNERS: ("Corners", "Move single corners of an outline"),
}
HELP = (
    "On the slide: 1-7 choose the class of what you draw next, or of what is selected. Areas save"
    " themselves."
)
NONE_YET = "No areas yet."
GEOJSON = "GeoJSON (*.geojson *.json *.geojson.gz *.gz);;All files (*)"


def reading(path: Path, info: SlideInfo, reader: str) -> Generator[Progress, None, Areas]:
    """Read areas in a thread: large files take seconds."""
    yield Progress("Reading areas", 0, 0)
    return read_areas(path, info, CRLM7, annotator=reader)


class DrawBox(QGroupBox):
    """Lets a reader draw, through a desk."""

    def __init__(self, session: Session, desk: AnnotationDesk) -> None:
        super().__init__("Draw areas")
        self._session = session
        self._desk = desk
        self.start_button = push_button("Start drawing", "Add a layer for areas to this slide")
        self.tools = {
            mode: even_button(_keyed(text, TOOL_KEYS.get(mode, "")), tip, checkable=True)
            for mode, (text, tip) in TOOLS.items()
        }
        self.classes = {
            name: even_button(
                f"{CLASS_KEYS[name]} {short_title(CRLM7[name])}",
                f"Draw {CRLM7[name].title}; selected areas become it",
                checkable=True,
            )
            for name in CRLM7.names
        }
        self.delete_button = even_button("Delete", "Delete what is selected (Del)")
        self.undo_button = even_button("Undo", "Take the last step back (Z or Ctrl+Z)")
        self.redo_button = even_button("Redo", "Do it again (Y or Ctrl+Shift+Z)")
        self.import_button = even_button("Import…", "Read areas from a GeoJSON file, as of QuPath")
        self.export_button = even_button("Save as…", "Write a GeoJSON file that QuPath opens")
        self.table = ReadOnlyTable(["Tissue", "Areas", "mm²"])
        self.table.setToolTip("Where areas overlap, both are counted")
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.help = QLabel(HELP)
        self.help.setWordWrap(True)
        self.job = JobBar()
        self._reading = ""
        for buttons in (self.tools, self.classes):
            group = QButtonGroup(self)
            for button in buttons.values():
                group.addButton(button)
        self._lay_out()
        self._connect()
        self._color(session.view)
        self.show_desk()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.start_button)
        layout.addLayout(_row(*self.tools.values()))
        grid = QGridLayout()
        grid.setSpacing(3)
        for place, button in enumerate([*self.classes.values(), self.delete_button]):
            grid.addWidget(button, place // 4, place % 4)
        layout.addLayout(grid)
        layout.addLayout(
            _row(self.undo_button, self.redo_button, self.import_button, self.export_button)
        )
        for widget in (self.job, self.help, self.table, self.line):
            layout.addWidget(widget)

    def _connect(self) -> None:
        desk = self._desk
        self.start_button.clicked.connect(lambda: desk.take_tool(LASSO))
        for mode, button in self.tools.items():
            button.clicked.connect(lambda _=False, mode=mode: desk.take_tool(mode))
        for name, button in self.classes.items():
            button.clicked.connect(lambda _=False, name=name: desk.choose_class(name))
        self.delete_button.clicked.connect(lambda: desk.delete())
        self.undo_button.clicked.connect(lambda: desk.undo())
        self.redo_button.clicked.connect(lambda: desk.redo())
        self.import_button.clicked.connect(lambda: self.read_from(self.choose_file()))
        self.export_button.clicked.connect(lambda: self.save_to(self.choose_target()))
        self.job.done.connect(lambda found: desk.add(found, self._reading))
        self.job.failed.connect(lambda sentence, _details: desk.problem.emit(sentence))
        desk.changed.connect(self.show_desk)
        self._session.view_changed.connect(self._color)

    def let_go(self) -> None:
        """Listen no more."""
        self.job.drop()
        self._desk.changed.disconnect(self.show_desk)
        self._session.view_changed.disconnect(self._color)

    # -- files ----------------------------------------------------------------------------

    def choose_file(self) -> str:
        """Ask for a file to read; empty if none was chosen."""
        return QFileDialog.getOpenFileName(self, "Import areas", "", GEOJSON)[0]

    def choose_target(self) -> str:
        """Ask where to write; empty if nowhere."""
        slide = self._session.current
        name = "areas.geojson" if slide is None else f"{slide.stem}.geojson"
        return QFileDialog.getSaveFileName(self, "Save the areas", name, GEOJSON)[0]

    def read_from(self, path: str) -> None:
        """Show the areas of a file beside those that are there."""
        slide = self._session.current
        if path and slide is not None:
            self._reading = Path(path).name
            self.job.start(reading, Path(path), slide.info, self._session.reader)

    def save_to(self, path: str) -> None:
        """Write the areas into a file."""
        if not path:
            return
        target = Path(path) if Path(path).suffix else Path(f"{path}.geojson")
        try:
            count = self._desk.export(target)
        except CrlmSpaError as error:
            self._desk.problem.emit(str(error))
            return
        self._desk.told.emit(f"{count:,} areas were written to {target.name}; QuPath opens it.")

    # -- showing --------------------------------------------------------------------------

    def _color(self, view: MapView) -> None:
        scheme = CRLM7.in_palette(view.palette)
        for name, button in self.classes.items():
            color_button(button, scheme[name].color)
        self._show_table()

    def show_desk(self) -> None:
        """Show what is drawn, and what may be done."""
        desk = self._desk
        drawing = desk.drawing
        self.setEnabled(not desk.reason)
        self.start_button.setVisible(drawing is None)
        for button in (*self.tools.values(), *self.classes.values(), self.delete_button):
            button.setEnabled(drawing is not None)
        if desk.tool in self.tools:
            self.tools[desk.tool].setChecked(True)
        if drawing is not None:
            self.classes[drawing.class_name].setChecked(True)
        self.undo_button.setEnabled(drawing is not None and drawing.can_undo)
        self.redo_button.setEnabled(drawing is not None and drawing.can_redo)
        self.export_button.setEnabled(bool(desk.areas))
        self.help.setVisible(drawing is not None)
        self._show_table()

    def _show_table(self) -> None:
        slide, areas = self._session.current, self._desk.areas
        counts = Counter(area.class_name for area in areas)
        sizes = {} if slide is None else _sizes_mm2(areas, slide.info)
        scheme = CRLM7.in_palette(self._session.view.palette)
        names = [name for name in scheme.names if counts[name]]
        names += sorted(name for name in counts if name not in scheme.names)
        self.table.setRowCount(0)
        for row, name in enumerate(names):
            ours = name in scheme.names
            title = short_title(scheme[name]) if ours else name or "without a class"
            self.table.put(row, 0, title, color=scheme[name].color if ours else OTHER_COLOR)
            self.table.put(row, 1, f"{counts[name]:,}")
            self.table.put(row, 2, f"{sizes[name]:,.3f}" if sizes else "–")
        self.table.fit()
        drawing = self._desk.drawing
        lines = 0 if drawing is None else drawing.without_area
        text = NONE_YET if drawing is not None and not areas else ""
        if lines:
            text = f"{lines} lines or paths enclose nothing: they are not saved and label no tile."
        self.line.setText(text)
        self.line.setVisible(bool(text))


def _sizes_mm2(areas: Sequence[Area], info: SlideInfo) -> dict[str, float]:
    """Sum the areas of each class; none where nobody knows how large a pixel is."""
    sizes: dict[str, float] = {}
    for area in areas if info.pixel_size is not None else ():
        sizes[area.class_name] = sizes.get(area.class_name, 0.0) + area.area_mm2(info)
    return sizes


def _keyed(text: str, key: str) -> str:
    return f"{text} {key}" if key else text


def _row(*buttons: QPushButton) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(3)
    for button in buttons:
        row.addWidget(button)
    return row
