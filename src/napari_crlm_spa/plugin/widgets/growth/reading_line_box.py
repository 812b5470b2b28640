"""Tools and patterns for lines along the growth front, and their lengths so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_crlm_spa.core.hgp.lines import PATTERN_TITLES, line_shares
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.growth.reading_drawing import (
    BY_CLICKS,
    CORNERS,
    FREEHAND,
    LOOK,
    SELECT,
    pattern_color,
)
from napari_crlm_spa.plugin.growth.reading_line_desk import LineDesk
from napari_crlm_spa.plugin.memory import recall, remember
from napari_crlm_spa.plugin.widgets.correct.buttons import color_button, even_button, push_button
from napari_crlm_spa.plugin.widgets.tables import ReadOnlyTable

TOOLS = {
    LOOK: ("Look", "Move and zoom the slide (hold Space to do so in between)"),
    FREEHAND: ("Draw", "Pull a line along the tumor's edge with the button held"),
    BY_CLICKS: ("Click", "Click along the tumor's edge; a double click or Esc ends"),
    SELECT: ("Select", "Click on lines to select them (Shift for several)"),
    CORNERS: ("Corners", "Move single points of a line"),
}
#: G as in Annotate; the queue's N goes to the next slide that is not read.
TOOL_KEYS = {FREEHAND: "L", BY_CLICKS: "G", SELECT: "S", CORNERS: "C"}
PATTERN_KEYS = {"D": "D", "R": "R", "R2": "2", "P": "P", "other": "O"}
SHORT = {"D": "Desmo", "R": "Repl", "R2": "Repl 2", "P": "Push", "other": "Other"}
HELP = (
    "Optional. D, R, 2, P, O on the slide choose the pattern of the next line, or of what is "
    "selected. Lines save themselves."
)
LINE_FILES = "Lines (*.ndpa *.geojson *.geojson.gz *.json);;All files (*)"
GEOJSON = "GeoJSON (*.geojson)"
FOLDER = "growth_lines_folder"


class LineBox(QWidget):
    """Lets a reader draw lines, through a desk."""

    use_wanted = Signal(object)  # shares by review column

    def __init__(self, desk: LineDesk) -> None:
        super().__init__()
        self._desk = desk
        self.tools = {
            mode: even_button(_keyed(text, TOOL_KEYS.get(mode, "")), tip, checkable=True)
            for mode, (text, tip) in TOOLS.items()
        }
        self.patterns = {
            name: even_button(f"{PATTERN_KEYS[name]} {SHORT[name]}", title, checkable=True)
            for name, title in PATTERN_TITLES.items()
        }
        self.undo_button = even_button("Undo", "Take the last line back (Z or Ctrl+Z)")
        self.redo_button = even_button("Redo", "Draw it again (Y or Ctrl+Shift+Z)")
        self.delete_button = even_button("Delete", "Delete what is selected (Del)")
        self.import_button = even_button("Import…", "Lines of NDP.view (.ndpa) or GeoJSON")
        self.export_button = even_button("Save as…", "Write a GeoJSON file that QuPath opens")
        self.table = ReadOnlyTable(["Pattern", "mm", "%"])
        self.use_button = push_button(
            "Use as my reading", "Put these percentages into the form above"
        )
        self.help = QLabel(HELP)
        self.help.setWordWrap(True)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        for buttons in (self.tools, self.patterns):
            group = QButtonGroup(self)
            for button in buttons.values():
                group.addButton(button)
        for name, button in self.patterns.items():
            color_button(button, pattern_color(name))
        self._lay_out()
        self._connect()
        self.show_desk()

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.reason)
        for buttons in (
            tuple(self.tools.values()),
            tuple(self.patterns.values()),
            (
                self.undo_button,
                self.redo_button,
                self.delete_button,
                self.import_button,
                self.export_button,
            ),
        ):
            layout.addLayout(_row(buttons))
        for widget in (self.help, self.table, self.use_button):
            layout.addWidget(widget)

    def _connect(self) -> None:
        desk = self._desk
        for mode, button in self.tools.items():
            button.clicked.connect(lambda _=False, mode=mode: desk.take_tool(mode))
        for name, button in self.patterns.items():
            button.clicked.connect(lambda _=False, name=name: desk.choose(name))
        self.undo_button.clicked.connect(lambda: desk.undo())
        self.redo_button.clicked.connect(lambda: desk.redo())
        self.delete_button.clicked.connect(lambda: desk.delete())
        self.import_button.clicked.connect(lambda: self.read_from(self.choose_file()))
        self.export_button.clicked.connect(lambda: self.save_to(self.choose_target()))
        self.use_button.clicked.connect(self._on_use)
        desk.changed.connect(self.show_desk)

    def let_go(self) -> None:
        """Listen no more."""
        self._desk.changed.disconnect(self.show_desk)

    # -- files ----------------------------------------------------------------------------

    def choose_file(self) -> str:
        """Ask for a file to read; empty if none was chosen."""
        start = str(recall().get(FOLDER, ""))
        return QFileDialog.getOpenFileName(self, "Import lines", start, LINE_FILES)[0]

    def choose_target(self) -> str:
        """Ask where to write; empty if nowhere."""
        start = str(Path(str(recall().get(FOLDER, ""))) / "lines.geojson")
        return QFileDialog.getSaveFileName(self, "Save the lines", start, GEOJSON)[0]

    def read_from(self, path: str) -> None:
        """Show the lines of a file beside those that are there."""
        if not path:
            return
        remember(**{FOLDER: str(Path(path).parent)})
        try:
            self._desk.read_from(Path(path))
        except CrlmSpaError as error:
            self._desk.problem.emit(str(error))

    def save_to(self, path: str) -> None:
        """Write the lines into a file."""
        if not path:
            return
        target = Path(path) if Path(path).suffix else Path(f"{path}.geojson")
        try:
            count = self._desk.write_to(target)
        except CrlmSpaError as error:
            self._desk.problem.emit(str(error))
            return
        self._desk.told.emit(f"{count:,} lines were written to {target.name}; QuPath opens it.")

    # -- showing --------------------------------------------------------------------------

    def _on_use(self) -> None:
        if any(self._desk.lengths_um.values()):
            self.use_wanted.emit(line_shares(self._desk.lines))

    def show_desk(self) -> None:
        """Show what is drawn, and what may be done."""
        desk, drawing = self._desk, self._desk.drawing
        self.reason.setText(desk.reason)
        self.reason.setVisible(bool(desk.reason))
        can_draw, selected = not desk.reason, bool(drawing is not None and drawing.selected)
        for button in (*self.tools.values(), *self.patterns.values(), self.import_button):
            button.setEnabled(can_draw)
        if desk.tool in self.tools:
            self.tools[desk.tool].setChecked(True)
        self.patterns[desk.pattern].setChecked(True)
        self.undo_button.setEnabled(drawing is not None and drawing.can_undo)
        self.redo_button.setEnabled(drawing is not None and drawing.can_redo)
        self.delete_button.setEnabled(selected)
        lengths = desk.lengths_um
        total = sum(lengths.values())
        self.export_button.setEnabled(total > 0)
        self.use_button.setVisible(total > 0)
        self.help.setVisible(can_draw)
        self.table.setRowCount(0)
        drawn = [name for name, length in lengths.items() if length > 0]
        for row, name in enumerate(drawn):
            self.table.put(row, 0, PATTERN_TITLES[name], color=pattern_color(name))
            self.table.put(row, 1, f"{lengths[name] / 1000:.2f}")
            self.table.put(row, 2, f"{100 * lengths[name] / total:.1f}")
        self.table.fit()


def _keyed(text: str, key: str) -> str:
    return f"{text} {key}" if key else text


def _row(buttons: Sequence[QWidget]) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(3)
    for button in buttons:
        row.addWidget(button)
    return row
