"""Where lines along the growth front are drawn: one layer a reading, and saving by itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_crlm_spa.core.hgp.line_files import PixelFrame, read_line_file, write_line_geojson
from napari_crlm_spa.core.hgp.lines import PatternLine, line_lengths_um
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.growth.reading_drawing import KIND, LOOK, LineDrawing, lines_layer
from napari_crlm_spa.plugin.growth.reading_line_file import LineFile
from napari_crlm_spa.plugin.layers import kind_of, line_width
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_look import add_layer, camera_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

READ_MS, SAVE_MS, WIDTH_MS = 60, 1000, 150
LINE_SCREEN_PX = 4.0
#: Lines are drawn anew where they would be so many times too thin or too wide.
WIDTH_STEP = 1.3
NO_READING = "Begin a reading: then lines can be drawn on its slide."
NO_PIXEL_SIZE = (
    "Nobody knows how large a pixel of this slide is, so lines have no length. Enter it under "
    "Slide and analysis > Pixel size."
)


class LineDesk(QObject):
    """Draws lines on the slide that is read, and keeps them in the reader's file.

    Parameters
    ----------
    viewer, session
        Where, and on what.
    parent
        Ends the timers with itself.
    """

    changed = Signal()  # the lines, the tool or the pattern
    told = Signal(str)
    problem = Signal(str)

    def __init__(self, viewer: ViewerModel, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self.drawing: LineDrawing | None = None
        self.slide: OpenSlide | None = None
        self._file: LineFile | None = None
        self._name = self._rater = ""
        self._read = Throttle(self._take, self, every_ms=READ_MS)
        self._save = Throttle(self.save, self, every_ms=SAVE_MS)
        self._fit_lines = Throttle(self._set_line_width, self, every_ms=WIDTH_MS)
        # Not while the viewer is busy with its list of layers.
        self._raise = QTimer(self, singleShot=True, interval=0)
        self._raise.timeout.connect(self._to_top)
        self._dirty = self._taking = False
        self._width = 0.0
        self._pattern = "D"
        self._ears: list[tuple[Any, Any]] = [
            (camera_of(viewer).events.zoom, self._on_zoom),
            (viewer.layers.events.inserted, self._on_inserted),
            (viewer.layers.events.removed, self._on_removed),
            (viewer.layers.selection.events.active, self._on_active),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)

    # -- what is there --------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Why nothing can be drawn; empty if it can."""
        if self.slide is None:
            return NO_READING
        return NO_PIXEL_SIZE if self.slide.info.pixel_size is None else ""

    @property
    def lines(self) -> tuple[PatternLine, ...]:
        """The lines of the reading."""
        return () if self.drawing is None else self.drawing.lines

    @property
    def lengths_um(self) -> dict[str, float]:
        """Drawn length by pattern."""
        return line_lengths_um(self.lines)

    @property
    def pattern(self) -> str:
        """The pattern of what is drawn next."""
        return self._pattern

    @property
    def tool(self) -> str:
        """The mode of the layer, if the mouse is its."""
        if self.drawing is None or not self._is_active:
            return LOOK
        return str(self.drawing.layer.mode)

    @property
    def _is_active(self) -> bool:
        # Not `is`: napari gives a plugin proxies of its layers, a new one each time.
        active = self._viewer.layers.selection.active
        return self.drawing is not None and bool(active == self.drawing.layer)

    # -- what is done ---------------------------------------------------------------------

    def open(self, slide: OpenSlide, folder: Path, rater: str, name: str) -> None:
        """Show the lines of a reading.

        Parameters
        ----------
        slide
            Open.
        folder
            Of the reading.
        rater
            Who draws.
        name
            Of the slide, as the reader may know it.
        """
        self.close()
        self.slide, self._name, self._rater = slide, name, rater
        if slide.info.pixel_size is None:
            self.changed.emit()
            return
        self._file = LineFile(folder, PixelFrame.of(slide.info), rater)
        found, told = self._file.read()
        if told:
            self.told.emit(told)
        if found:
            self._make()
            assert self.drawing is not None
            self.drawing.show(found)
            self._set_line_width()
        self.changed.emit()

    def close(self) -> None:
        """Save, and take the layer away: another reading must not show it."""
        self.flush()
        drawing = self.drawing
        self._forget()
        self.slide = self._file = None
        if drawing is not None and drawing.layer in self._viewer.layers:
            self._viewer.layers.remove(drawing.layer)
        self.changed.emit()

    def take_tool(self, mode: str) -> None:
        """Let the mouse draw, select or move the slide."""
        if self.reason:
            self.told.emit(self.reason)
            return
        if self.drawing is None:
            if mode == LOOK:
                return
            self._make()
        assert self.drawing is not None
        # Napari puts the tool down in a layer that appears.
        self.drawing.layer.visible = True
        # A line under way ends; the mode before the layer, so that others put their tools down.
        self.drawing.layer.mode = mode
        self._taking = True
        # On the way from one layer to another none is active for a moment.
        self._viewer.layers.selection.active = self.drawing.layer
        self._taking = False
        self._take()
        if self.drawing is not None:
            self.drawing.prepare()
        self.changed.emit()

    def choose(self, pattern: str) -> None:
        """Draw this pattern from now on, and make the selected lines it."""
        self._pattern = pattern
        if self.drawing is not None:
            self._take()
            self.drawing.choose(pattern)
        self.changed.emit()

    def undo(self) -> None:
        """Take the last step back."""
        if self.drawing is not None and not self.drawing.undo():
            self.told.emit("There is no line to undo.")

    def redo(self) -> None:
        """Do the step again that was undone last."""
        if self.drawing is not None and not self.drawing.redo():
            self.told.emit("There is no undone line.")

    def delete(self) -> None:
        """Remove the selected lines."""
        if self.drawing is not None and not self.drawing.delete_selected():
            self.told.emit("Choose Select and click on the lines to delete.")

    def read_from(self, path: Path) -> None:
        """Show the lines of a file beside those that are there.

        Raises
        ------
        CrlmSpaError
            If the file can't be read.
        """
        if self.reason or self.slide is None:
            self.told.emit(self.reason)
            return
        found = read_line_file(path, self.slide.info)
        if found.lines:
            if self.drawing is None:
                self._make()
            assert self.drawing is not None
            self.drawing.add(found.lines)
            self._set_line_width(force=True)
        said = f"{len(found.lines):,} lines were read from {path.name}."
        self.told.emit(" ".join([said, *found.notes]))

    def write_to(self, path: Path) -> int:
        """Write the lines for QuPath; return how many.

        Raises
        ------
        CrlmSpaError
            If the file can't be written.
        """
        self._take()
        if self.slide is None:
            return 0
        return write_line_geojson(
            path, self.lines, PixelFrame.of(self.slide.info), rater=self._rater
        )

    def save(self) -> None:
        """Write what is not saved yet."""
        self._save.stop()
        if not self._dirty or self._file is None:
            return
        try:
            told = self._file.write(self.lines)
        except CrlmSpaError as error:
            self.problem.emit(f"The lines are not saved: {error}")
            return
        self._dirty = False
        if told:
            self.told.emit(told)

    def flush(self) -> None:
        """Read the layer and save at once."""
        self._take()
        self.save()

    def put_down(self) -> None:
        """Give the mouse back to the view."""
        if self.drawing is not None and str(self.drawing.layer.mode) != LOOK:
            self.drawing.layer.mode = LOOK
            self._take()
            self.changed.emit()

    def let_go(self) -> None:
        """Save, take the layer away, listen no more."""
        self.close()
        for timer in (self._read, self._save, self._fit_lines, self._raise):
            timer.stop()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()

    # -- inside ---------------------------------------------------------------------------

    def _make(self) -> None:
        """Make the layer of the reading."""
        slide = self.slide
        assert slide is not None and slide.info.pixel_size is not None
        active = self._viewer.layers.selection.active
        layer = add_layer(self._viewer, lines_layer(slide.info, slide.id, self._name))
        if active is not None:
            self._viewer.layers.selection.active = active
        size = slide.info.pixel_size
        self.drawing = LineDrawing(layer, (size.x_um, size.y_um))
        self.drawing.choose(self._pattern)
        self._set_line_width(force=True)
        layer.events.data.connect(self._on_data)
        layer.events.features.connect(self._on_data)
        layer.events.mode.connect(self._on_mode)
        self.drawing.changed.connect(self._on_lines)

    def _forget(self) -> None:
        if self.drawing is not None:
            layer = self.drawing.layer
            layer.events.data.disconnect(self._on_data)
            layer.events.features.disconnect(self._on_data)
            layer.events.mode.disconnect(self._on_mode)
            self.drawing.changed.disconnect(self._on_lines)
        for timer in (self._read, self._save):
            timer.stop()
        self.drawing = None
        self._dirty = False

    def _take(self) -> None:
        self._read.stop()
        if self.drawing is not None:
            self.drawing.take()

    def _set_line_width(self, *, force: bool = False) -> None:
        """Keep the lines as wide on the screen as they were."""
        if self.drawing is None:
            return
        layer = self.drawing.layer
        width = line_width(layer.scale[0], camera_of(self._viewer).zoom, LINE_SCREEN_PX)
        fits = self._width and 1 / WIDTH_STEP < width / self._width < WIDTH_STEP
        if force or not fits:
            self._width = width
            self.drawing.set_line_width(width)

    def _to_top(self) -> None:
        """Keep the lines above the maps."""
        layers = self._viewer.layers
        if self.drawing is not None and self.drawing.layer in layers:
            at = layers.index(self.drawing.layer)
            if at < len(layers) - 1:
                layers.move(at, len(layers))

    # -- what is heard --------------------------------------------------------------------

    def _on_zoom(self, _event: Any) -> None:
        self._fit_lines.poke()

    def _on_inserted(self, event: Any) -> None:
        if self.drawing is not None and kind_of(event.value.metadata) not in (None, KIND):
            self._raise.start()

    def _on_removed(self, event: Any) -> None:
        """Begin with an empty layer once the old one was removed by hand."""
        if self.drawing is not None and event.value == self.drawing.layer:
            self.flush()
            self._forget()
            self.changed.emit()

    def _on_active(self, _event: Any = None) -> None:
        # Who chose another layer has put this tool down.
        if self.drawing is not None and not self._is_active and not self._taking:
            self.put_down()
        self.changed.emit()

    def _on_data(self, event: Any) -> None:
        if self.drawing is not None:
            self.drawing.note_event(event)
            self._read.poke()

    def _on_mode(self, _event: Any) -> None:
        self.changed.emit()

    def _on_lines(self) -> None:
        self._dirty = True
        self._save.poke()
        self.changed.emit()
