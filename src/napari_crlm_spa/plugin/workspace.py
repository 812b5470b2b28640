"""Saves the session, opens it again, and remembers it by itself.

What the panel shows is asked of it and told to it through `Desk`, so that this knows no widget.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QCoreApplication, QObject, QTimer, Signal

from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import CrlmSpaError
from napari_crlm_spa.plugin.bundle import (
    Bundle,
    Camera,
    find_bundle,
    in_words,
    read_record,
    save_bundle,
    view_from_plain,
    view_to_plain,
)
from napari_crlm_spa.plugin.layers import slide_id
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.memory import last_session_file, recall, remember
from napari_crlm_spa.plugin.queue_control import QueueControl
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.throttle import Throttle
from napari_crlm_spa.plugin.viewer_look import camera_of
from napari_crlm_spa.plugin.worker import WorkerRegistry

if TYPE_CHECKING:
    from napari.components import ViewerModel

logger = logging.getLogger(__name__)

#: How long after a change the session is kept.
AUTOSAVE_MS = 2000
#: The viewer fits a slide that was just opened; our camera comes after that.
CAMERA_MS = 100


@dataclass(frozen=True, slots=True)
class Desk:
    """The panel's part of a session, to be read and set.

    Parameters
    ----------
    results, set_results
        The results folder as text.
    tab, set_tab
        The name of the tab that is open.
    set_risk_model
        Chooses a preset or file.
    open_slide
        Opens a slide that is not in the queue.
    """

    results: Callable[[], str]
    set_results: Callable[[str], object]
    tab: Callable[[], str]
    set_tab: Callable[[str], object]
    set_risk_model: Callable[[str], object]
    open_slide: Callable[[Path], object]


class Workspace(QObject):
    """The session of one viewer as something that can be kept."""

    told = Signal(str)
    problem = Signal(str)
    restored = Signal()

    def __init__(
        self,
        viewer: ViewerModel,
        session: Session,
        control: QueueControl,
        desk: Desk,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._session = viewer, session
        self._control, self._desk = control, desk
        self.workers = WorkerRegistry()
        # Read at once: what is kept from now on takes its place.
        self._last = _last_record()
        self._wanted_camera: tuple[str, Camera] | None = None
        self._place_camera = QTimer(self, singleShot=True, interval=CAMERA_MS)
        self._place_camera.timeout.connect(self._on_place_camera)
        self._autosave = Throttle(self.keep, self, every_ms=AUTOSAVE_MS)
        self._restore_view()
        session.current_changed.connect(self._on_change)
        session.view_changed.connect(self._on_change)
        session.reader_changed.connect(self._on_change)
        control.queue.reset.connect(self._on_change)
        camera = camera_of(viewer)
        camera.events.zoom.connect(self._on_change)
        camera.events.center.connect(self._on_change)
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.flush)

    def detach(self) -> None:
        """Keep the session a last time and hear no more."""
        self.flush()
        self.workers.stop()
        self._place_camera.stop()
        self._session.current_changed.disconnect(self._on_change)
        self._session.view_changed.disconnect(self._on_change)
        self._session.reader_changed.disconnect(self._on_change)
        self._control.queue.reset.disconnect(self._on_change)
        camera = camera_of(self._viewer)
        camera.events.zoom.disconnect(self._on_change)
        camera.events.center.disconnect(self._on_change)

    # -- by hand --------------------------------------------------------------------------

    def save(self, file: Path) -> None:
        """Save the session; a problem becomes a sentence."""
        try:
            save_bundle(self.capture(), file)
        except CrlmSpaError as error:
            self.problem.emit(str(error))
        else:
            self.told.emit(f"The session is saved as {file.name}.")

    def open(self, file: Path) -> None:
        """Open a session; what is missing is told in one sentence and the rest comes back."""
        try:
            record = read_record(file)
        except CrlmSpaError as error:
            self.problem.emit(str(error))
            return
        self._find(record, file.absolute().parent)

    def _find(self, record: dict[str, Any], base: Path) -> None:
        """Look for a thousand slides on a slow drive without holding up the viewer."""
        worker = self.workers.create(_finding, record, base)
        worker.returned.connect(self._on_found)
        worker.start()

    def _on_found(self, found: tuple[Bundle, list[str]] | None) -> None:
        if found is None:
            return
        bundle, problems = found
        self.restore(bundle)
        if problems:
            self.problem.emit(" ".join(problems))
        self.restored.emit()

    def capture(self) -> Bundle:
        """Return the session as it is."""
        current = self._session.current
        camera = camera_of(self._viewer)
        y, x = (float(value) for value in tuple(camera.center)[-2:])
        results = self._desk.results().strip()
        return Bundle(
            slides=tuple(entry.slide for entry in self._control.queue.entries),
            current=None if current is None else current.path,
            camera=None if current is None else Camera((y, x), float(camera.zoom)),
            view=self._session.view,
            tab=self._desk.tab(),
            reader=self._session.reader,
            risk_model=self._session.risk_model_name,
            results=Path(results).expanduser() if results else None,
        )

    def restore(self, bundle: Bundle) -> None:
        """Bring a session back."""
        if bundle.results is not None:
            self._desk.set_results(str(bundle.results))
        if bundle.risk_model:
            self._desk.set_risk_model(bundle.risk_model)
        if bundle.reader:
            self._session.set_reader(bundle.reader)
        self._session.set_view(**_fields(bundle.view))
        if bundle.slides or bundle.current is not None:
            self._control.take(bundle.slides)
        if bundle.current is not None:
            self._look_at(bundle.current, bundle.camera)
        self._desk.set_tab(bundle.tab)

    def _look_at(self, path: Path, camera: Camera | None) -> None:
        if path in self._control.queue:
            self._control.open(path)
        else:
            self._desk.open_slide(path)
        if camera is not None and slide_id(path) in self._session.slides:
            self._wanted_camera = (slide_id(path), camera)
            self._place_camera.start()

    def on_ready(self, slide: OpenSlide) -> None:
        """Place the camera again: an earlier analysis may have told the pixel size."""
        if self._wanted_camera is not None and self._wanted_camera[0] == slide.id:
            self._place_camera.start()

    def _on_place_camera(self) -> None:
        current = self._session.current
        if self._wanted_camera is None or current is None:
            return
        slide, wanted = self._wanted_camera
        if current.id == slide:
            camera = camera_of(self._viewer)
            camera.center = wanted.center
            camera.zoom = wanted.zoom

    # -- by itself ------------------------------------------------------------------------

    def continue_last(self) -> None:
        """Bring back the session of the last start."""
        if self._last is not None:
            self._find(self._last, last_session_file().parent)

    def what_was_last(self) -> str:
        """Name the session of the last start in a few words; empty if there was none."""
        return "" if self._last is None else in_words(self._last)

    def keep(self) -> None:
        """Keep the session for the next start, and how maps are looked at."""
        remember(view=view_to_plain(self._session.view), tab=self._desk.tab())
        if self._session.current is None and not len(self._control.queue):
            return
        try:
            save_bundle(self.capture(), last_session_file())
        except CrlmSpaError as error:
            logger.warning("The session could not be kept: %s", error)

    def flush(self) -> None:
        """Keep now what would have been kept in a moment."""
        if self._autosave.isActive():
            self._autosave.stop()
            self.keep()

    def poke(self) -> None:
        """Say that something has changed that is worth keeping."""
        self._autosave.poke()

    def _on_change(self, *_: Any) -> None:
        self._autosave.poke()

    def _restore_view(self) -> None:
        """Look as the last time, but begin with the tissue map."""
        view = view_from_plain(recall().get("view"))
        self._session.set_view(**{**_fields(view), "kind": MapKind.TISSUE})


def _fields(view: MapView) -> dict[str, Any]:
    return {field.name: getattr(view, field.name) for field in dataclasses.fields(view)}


def _last_record() -> dict[str, Any] | None:
    try:
        return read_record(last_session_file())
    except CrlmSpaError:
        return None


def _finding(
    record: dict[str, Any], base: Path
) -> Generator[Progress, None, tuple[Bundle, list[str]]]:
    yield Progress("Opening the session", 0, 0)
    return find_bundle(record, base)
