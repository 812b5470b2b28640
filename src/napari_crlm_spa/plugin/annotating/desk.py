"""Where areas are drawn: one layer a slide, the tool in hand, and saving by itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_crlm_spa.core.annotations import Area, Areas, write_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.review.reader_names import display_name
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.annotating.drawing import (
    KIND,
    LOOK,
    MANY,
    Drawing,
    annotations_layer,
    corner_placing,
)
from napari_crlm_spa.plugin.annotating.files import AnnotationFile
from napari_crlm_spa.plugin.layers import kind_of, line_width
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_look import add_layer, camera_of

if TYPE_CHECKING:
    from napari.components import ViewerModel

READ_MS, SAVE_MS, WIDTH_MS = 60, 1000, 150
LINE_SCREEN_PX = 2.0
#: Lines are drawn anew where they would be so many times too thin or too wide.
WIDTH_STEP = 1.3
NO_SLIDE = "Open a slide: then areas can be drawn on it."
MANY_TOLD = (
    "{n:,} areas: above some {many} napari draws slowly. Export and import work all the same."
)


class AnnotationDesk(QObject):
    """Draws on the current slide, and keeps what is drawn in the reader's file.

    Parameters
    ----------
    viewer, session
        Where, and on what.
    parent
        Ends the timers with itself.
    """

    changed = Signal()  # the drawing, its areas, its tool or its class
    told = Signal(str)
    problem = Signal(str)

    def __init__(self, viewer: ViewerModel, session: Session, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._session = session
        self.drawing: Drawing | None = None
        self._slide: OpenSlide | None = None
        self._file: AnnotationFile | None = None
        self._read = Throttle(self._take, self, every_ms=READ_MS)
        self._save = Throttle(self.save, self, every_ms=SAVE_MS)
        self._fit_lines = Throttle(self._set_line_width, self, every_ms=WIDTH_MS)
        # Not while the viewer is busy with its list of layers.
        self._raise = QTimer(self, singleShot=True, interval=0)
        self._raise.timeout.connect(self._to_top)
        self._dirty = self._taking = False
        self._width_um = 0.0
        self._ears: list[tuple[Any, Any]] = [
            (camera_of(viewer).events.zoom, self._on_zoom),
            (viewer.layers.events.inserted, self._on_inserted),
            (viewer.layers.events.removed, self._on_removed),
            (viewer.layers.selection.events.active, self._on_active),
            (session.current_changed, self._on_current),
            (session.analysis_changed, self._on_analysis),
            (session.reader_changed, self._on_reader),
            (session.view_changed, self._on_view),
        ]
        for signal, slot in self._ears:
            signal.connect(slot)
        self._on_current(session.current)

    # -- what is there --------------------------------------------------------------------

    @property
    def reason(self) -> str:
        """Why nothing can be drawn; empty if it can."""
        return NO_SLIDE if self._session.current is None else ""

    @property
    def areas(self) -> tuple[Area, ...]:
        """The areas of the current slide."""
        return () if self.drawing is None else self.drawing.areas

    def areas_of(self, slide: OpenSlide) -> tuple[Area, ...]:
        """Return the areas of an open slide, also of one that is not looked at now."""
        if slide is self._slide and self.drawing is not None:
            self._take()
            return self.areas
        try:
            return tuple(AnnotationFile(slide, self._session.reader).read())
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return ()

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

    def start(self) -> Drawing | None:
        """Make the layer of the current slide, unless it is there; None without a slide."""
        if self._session.current is None:
            self.told.emit(NO_SLIDE)
        elif self.drawing is None:
            self._open(self._session.current, always=True)
        return self.drawing

    def take_tool(self, mode: str) -> None:
        """Let the mouse draw, select or move the slide."""
        if mode == LOOK and self.drawing is None:
            return
        drawing = self.start()
        if drawing is None:
            return
        # Napari puts the tool down in a layer that appears.
        drawing.layer.visible = True
        # A shape under way ends; the mode before the layer, so that others put their tools down.
        drawing.layer.mode = mode
        self._taking = True
        # On the way from one layer to another none is active for a moment.
        self._viewer.layers.selection.active = drawing.layer
        self._taking = False
        self._take()
        self.changed.emit()

    def choose_class(self, name: str) -> None:
        """Draw this class, or make the selected shapes it."""
        drawing = self.start()
        if drawing is not None:
            self._take()
            drawing.choose_class(name)
            self.changed.emit()

    def undo(self) -> None:
        """Take the last step back."""
        if self.drawing is not None and not self.drawing.undo():
            self.told.emit("There is no step to undo.")

    def redo(self) -> None:
        """Do the step again that was undone last."""
        if self.drawing is not None and not self.drawing.redo():
            self.told.emit("There is no undone step.")

    def delete(self) -> None:
        """Remove the selected areas."""
        if self.drawing is not None and not self.drawing.delete_selected():
            self.told.emit("Choose Select and click on the areas to delete.")

    def add(self, found: Areas, name: str) -> None:
        """Show areas of a file beside those that are there."""
        drawing = self.start()
        if drawing is None:
            return
        replaced = drawing.add(found.areas)
        said = [f"{len(found):,} areas were read from {name}."]
        if replaced:
            said.append(f"{replaced:,} of them were here already and were replaced.")
        if len(drawing.areas) > MANY:
            said.append(MANY_TOLD.format(n=len(drawing.areas), many=MANY))
        self.told.emit(" ".join([*said, *found.notes]))

    def export(self, path: Path) -> int:
        """Write the areas for QuPath; return how many.

        Raises
        ------
        StoreError
            If the file cannot be written.
        """
        self._take()
        slide = self._session.current
        if slide is None:
            return 0
        return write_areas(path, self.areas, slide.info, CRLM7)

    def save(self) -> None:
        """Write what is not saved yet."""
        self._save.stop()
        if not self._dirty or self._file is None:
            return
        try:
            told = self._file.write(self.areas)
        except CrlmSpaError as error:
            self.problem.emit(f"The areas are not saved: {error}")
            return
        self._dirty = False
        if told:
            self.told.emit(told)

    def flush(self) -> None:
        """Read the layer and save at once."""
        if self.drawing is not None:
            self._take()
        self.save()

    def put_down(self) -> None:
        """Give the mouse back to the view."""
        if self.drawing is not None and str(self.drawing.layer.mode) != LOOK:
            self.drawing.layer.mode = LOOK
            self._take()
            self.changed.emit()

    def let_go(self) -> None:
        """Save, and listen no more; the layer stays."""
        self.put_down()
        self._close()
        for timer in (self._read, self._save, self._fit_lines, self._raise):
            timer.stop()
        for signal, slot in self._ears:
            signal.disconnect(slot)
        self._ears.clear()

    # -- the slide's layer and file -------------------------------------------------------

    def _open(self, slide: OpenSlide, *, always: bool) -> None:
        """Show the reader's areas of a slide; without any, only if `always`."""
        self._slide = slide
        self._file = AnnotationFile(slide, self._session.reader)
        found = self._read_file()
        layer = self._layer_of(slide)
        if layer is None:
            if not found and not always:
                return
            active = self._viewer.layers.selection.active
            layer = add_layer(self._viewer, annotations_layer(slide.info, slide.id, slide.stem))
            if not always and active is not None:
                # A reader who did not ask for it goes on where he was.
                self._viewer.layers.selection.active = active
        for name, value in corner_placing(slide.info).items():
            setattr(layer, name, value)
        self.drawing = Drawing(layer, display_name(self._session.reader))
        self._width_um = 0.0
        self.drawing.use_scheme(CRLM7.in_palette(self._session.view.palette))
        self.drawing.show(found)
        self._set_line_width()
        layer.events.data.connect(self._on_data)
        layer.events.features.connect(self._on_data)
        layer.events.mode.connect(self._on_mode)
        self.drawing.changed.connect(self._on_areas)
        if len(found) > MANY:
            self.told.emit(MANY_TOLD.format(n=len(found), many=MANY))
        self.changed.emit()

    def _close(self) -> None:
        """Save, and leave the layer as it is."""
        self.flush()
        if self.drawing is not None:
            layer = self.drawing.layer
            layer.events.data.disconnect(self._on_data)
            layer.events.features.disconnect(self._on_data)
            layer.events.mode.disconnect(self._on_mode)
            self.drawing.changed.disconnect(self._on_areas)
        for timer in (self._read, self._save):
            timer.stop()
        self.drawing = self._slide = self._file = None
        self._dirty = False

    def _read_file(self) -> Sequence[Area]:
        assert self._file is not None
        try:
            found = self._file.read()
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return ()
        if self._file.notes:
            self.told.emit(" ".join(self._file.notes))
        return found

    def _layer_of(self, slide: OpenSlide) -> Any | None:
        for layer in self._viewer.layers:
            if kind_of(layer.metadata, slide.id) == KIND:
                return layer
        return None

    def _take(self) -> None:
        self._read.stop()
        if self.drawing is not None:
            self.drawing.take()

    def _set_line_width(self) -> None:
        """Keep the outlines as wide on the screen as they were."""
        if self.drawing is None:
            return
        layer = self.drawing.layer
        width = line_width(layer.scale[0], camera_of(self._viewer).zoom, LINE_SCREEN_PX)
        if not self._width_um or not 1 / WIDTH_STEP < width / self._width_um < WIDTH_STEP:
            self._width_um = width
            self.drawing.set_line_width(width)

    def _to_top(self) -> None:
        """Keep the areas above the maps."""
        layers = self._viewer.layers
        if self.drawing is not None and self.drawing.layer in layers:
            at = layers.index(self.drawing.layer)
            if at < len(layers) - 1:
                layers.move(at, len(layers))

    # -- what is heard --------------------------------------------------------------------

    def _on_current(self, slide: OpenSlide | None) -> None:
        if slide is self._slide and slide is not None:
            self._on_pixel_size(slide)
        else:
            self._close()
            # What was said of one slide is not true of the next.
            self.told.emit("")
            if slide is not None:
                self._open(slide, always=self._layer_of(slide) is not None)
        self.changed.emit()

    def _on_pixel_size(self, slide: OpenSlide) -> None:
        if self.drawing is not None:
            for name, value in corner_placing(slide.info).items():
                setattr(self.drawing.layer, name, value)
            self._width_um = 0.0
            self._set_line_width()

    def _on_analysis(self, slide: OpenSlide) -> None:
        """Let what lies in the slide's new folder join what was drawn before."""
        if slide is not self._slide or self._file is None:
            return
        self._take()
        mine = self._file.reader == display_name(self._session.reader)
        if self.drawing is None or not mine:
            self._close()
            self._open(slide, always=False)
            return
        try:
            moved = self._file.move_to_analysis()
            found = () if moved else self._file.read()
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return
        there = {area.id for area in self.areas}
        more = [area for area in found if area.id not in there]
        if more:
            self.drawing.add(more)
        if self.areas:
            self._dirty = True
            self._save.poke()

    def _on_reader(self, _name: str) -> None:
        slide = self._slide
        if slide is None:
            return
        layer = self._layer_of(slide)
        self._close()
        self._open(slide, always=layer is not None)
        self.changed.emit()

    def _on_view(self, view: MapView) -> None:
        if self.drawing is not None:
            self.drawing.use_scheme(CRLM7.in_palette(view.palette))

    def _on_zoom(self, _event: Any) -> None:
        self._fit_lines.poke()

    def _on_inserted(self, event: Any) -> None:
        if self.drawing is not None and kind_of(event.value.metadata) not in (None, KIND):
            self._raise.start()

    def _on_removed(self, event: Any) -> None:
        if self.drawing is not None and event.value == self.drawing.layer:
            self._close()
            if self._session.current is not None:
                self._slide = self._session.current
                self._file = AnnotationFile(self._slide, self._session.reader)
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

    def _on_areas(self) -> None:
        self._dirty = True
        self._save.poke()
        self.changed.emit()
