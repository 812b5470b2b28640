"""One tile after another: look, correct or accept, next; by the mouse or by keys alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.map_view import MapView
from napari_crlm_spa.plugin.session import OpenSlide, Session
from napari_crlm_spa.plugin.thumbnails import Thumbnails
from napari_crlm_spa.plugin.tools.hand_keys import class_keys
from napari_crlm_spa.plugin.widgets.correct.buttons import color_button, even_button
from napari_crlm_spa.plugin.widgets.gallery import Gallery, GalleryTile, class_now, settled

if TYPE_CHECKING:
    from napari.components import ViewerModel

    from napari_crlm_spa.core.review import Review

ACCEPT_KEY, UNDO_KEY, ASIDE_KEY = "A", "Z", "0"
RUNNING = "The slide is being analyzed; its tiles can be corrected when that has ended."
ALL_SEEN = "That was the last one."
HELP = (
    "Keys: ← → or Enter go on, 1-7 correct, A accepts, 0 sets aside, Z undoes. "
    "Hold B to see the slide without the map."
)


class TileWalk(QWidget):
    """A gallery, what can be done to its current tile, and how far one is."""

    begun = Signal()  # a tile is looked at: the keys are wanted here

    def __init__(self, session: Session, viewer: ViewerModel, thumbnails: Thumbnails) -> None:
        super().__init__()
        self._session = session
        self._viewer = viewer
        self._keys: Keys | None = None
        self._slide: OpenSlide | None = None
        self.gallery = Gallery(session, thumbnails)
        self.progress = QLabel()
        self.help = QLabel(HELP)
        self.help.setWordWrap(True)
        self.classes = {name: self._class_button(name) for name in CRLM7.names}
        self.accept_button = even_button(f"{ACCEPT_KEY} Accept", "It is what the map says")
        self.aside_button = even_button(f"{ASIDE_KEY} Set aside", "Count the tile nowhere")
        self.undo_button = even_button(f"{UNDO_KEY} Undo", "Take the last step back")
        self.back_button = even_button("←", "The tile before (Left)")
        self.next_button = even_button("→", "The next tile (Right or Enter)")
        self._lay_out()
        self._connect()
        self._color(session.view)
        self.show_tiles(None, ())

    def _class_button(self, name: str) -> QWidget:
        key, tissue = class_keys()[name], CRLM7[name]
        return even_button(f"{key} {name}", f"Make it {tissue.title}")

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(3)
        row.addWidget(self.back_button, 1)
        row.addWidget(self.next_button, 1)
        row.addSpacing(6)
        row.addWidget(self.progress, 6)
        grid = QGridLayout()
        grid.setSpacing(3)
        deeds = (self.accept_button, self.aside_button, self.undo_button)
        for place, button in enumerate([*self.classes.values(), *deeds]):
            grid.addWidget(button, place // 5, place % 5)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.gallery)
        layout.addLayout(row)
        layout.addLayout(grid)
        layout.addWidget(self.help)

    def _connect(self) -> None:
        for name, button in self.classes.items():
            button.clicked.connect(partial(self._call, partial(self.correct, name)))
        for button, action in (
            (self.accept_button, self.accept),
            (self.aside_button, self.set_aside),
            (self.undo_button, self.undo),
            (self.back_button, partial(self.step, -1)),
            (self.next_button, partial(self.step, 1)),
        ):
            button.clicked.connect(partial(self._call, action))
        self.gallery.chosen.connect(self._on_chosen)
        self.gallery.keys = frozenset(self.actions())
        self.gallery.typed.connect(lambda key: self.actions()[key]())
        self._session.view_changed.connect(self._color)
        self._session.review_changed.connect(self._on_review)

    def _call(self, action: Callable[[], object], _checked: bool = False) -> None:
        action()

    def actions(self) -> dict[str, Callable[[], object]]:
        """Return what each key does, by napari's names of keys."""
        actions: dict[str, Callable[[], object]] = {
            "Left": partial(self.step, -1),
            "Right": partial(self.step, 1),
            "Enter": partial(self.step, 1),
            ACCEPT_KEY: self.accept,
            ASIDE_KEY: self.set_aside,
            UNDO_KEY: self.undo,
        }
        return actions | {key: partial(self.correct, name) for name, key in class_keys().items()}

    # -- the tiles ------------------------------------------------------------------------

    def show_tiles(self, slide: OpenSlide | None, tiles: Sequence[GalleryTile]) -> None:
        """Show other tiles; nobody looks at one of them yet."""
        self._slide = slide
        self.let_keys_go()
        self.gallery.thumbnails.look_at(slide)
        self.gallery.show_tiles(tiles)
        self.setVisible(bool(tiles))
        self._tell()

    @property
    def tiles(self) -> tuple[GalleryTile, ...]:
        """The tiles that are walked through."""
        return self.gallery.tiles.tiles

    @property
    def current(self) -> GalleryTile | None:
        """The tile that is looked at."""
        at = self.gallery.position
        return self.tiles[at] if 0 <= at < len(self.tiles) else None

    def step(self, by: int) -> None:
        """Look at the next tile, or at the one before; the first step goes to the first tile."""
        at = self.gallery.position
        to = 0 if at < 0 else min(max(at + by, 0), len(self.tiles) - 1)
        if self.tiles and to != at:
            self.gallery.go(to)
        elif by > 0 and self.tiles:
            self._tell(ALL_SEEN)

    def _on_chosen(self, position: int) -> None:
        slide = self._slide
        if slide is None or slide is not self._session.current:
            return
        tile = self.tiles[position]
        self.begun.emit()
        self._tell()
        self._session.fly_to_tiles(slide, tile.row, tile.col)

    # -- what is done to one --------------------------------------------------------------

    def correct(self, name: str) -> None:
        """Give the tile a class, and go on; the class that it has is accepted."""
        self._do(lambda review, tile: _correct(review, tile, name))

    def accept(self) -> None:
        """Confirm the tile's class, and go on."""
        self._do(lambda review, tile: review.accept([tile.row], [tile.col]))

    def set_aside(self) -> None:
        """Count the tile nowhere, and go on."""
        self._do(lambda review, tile: review.set_aside([tile.row], [tile.col]))

    def undo(self) -> None:
        """Take the last step back; if it was about one of these tiles, look at that."""
        review, slide = self._review(), self._slide
        if review is None or slide is None:
            return
        change = review.undo()
        if change is None:
            self._tell("There is no step to undo.")
            return
        self._session.tell_review_changed(slide)
        if len(change.rows) == 1:
            place = int(change.rows[0]), int(change.cols[0])
            found = [at for at, tile in enumerate(self.tiles) if (tile.row, tile.col) == place]
            if found and found[0] != self.gallery.position:
                self.gallery.go(found[0])

    def _do(self, deed: Callable[[Review, GalleryTile], object]) -> None:
        review, slide, tile = self._review(), self._slide, self.current
        if review is None or slide is None:
            return
        if tile is None:
            self.step(1)  # one looks before one judges
            return
        if deed(review, tile) is not None:
            self._session.tell_review_changed(slide)
        self.step(1)

    def _review(self) -> Review | None:
        slide, run = self._slide, self._session.run
        if slide is None or slide is not self._session.current:
            return None
        if run is not None and run.slide_id == slide.id:
            self._tell(RUNNING)
            return None
        return slide.review

    # -- showing --------------------------------------------------------------------------

    def _on_review(self, slide: OpenSlide) -> None:
        if slide is self._slide:
            self.gallery.viewport().update()
            self._tell()

    def _tell(self, more: str = "") -> None:
        review = None if self._slide is None else self._slide.review
        done = 0 if review is None else sum(settled(review, tile) for tile in self.tiles)
        at, n = self.gallery.position, len(self.tiles)
        where = f"{at + 1} of {n:,}" if at >= 0 else f"{n:,} tiles"
        parts = [where, f"{done:,} settled", more]
        self.progress.setText(" · ".join(part for part in parts if part))

    def _color(self, view: MapView) -> None:
        scheme = CRLM7.in_palette(view.palette)
        for name, button in self.classes.items():
            color_button(button, scheme[name].color)
        self.gallery.viewport().update()

    # -- keys -----------------------------------------------------------------------------

    def take_keys(self) -> None:
        """Take the keys of the canvas, too: after a click there they are still ours."""
        if self._keys is None:
            self._keys = Keys(self._viewer)
            for key, action in self.actions().items():
                self._keys.bind(key, action)

    def let_keys_go(self) -> None:
        """Give the keys of the canvas back."""
        if self._keys is not None:
            self._keys.let_go()
            self._keys = None

    def let_go(self) -> None:
        """Listen no more."""
        self.let_keys_go()
        self._session.view_changed.disconnect(self._color)
        self._session.review_changed.disconnect(self._on_review)


def _correct(review: Review, tile: GalleryTile, name: str) -> object:
    rows, cols = [tile.row], [tile.col]
    if class_now(review, tile) == name:
        return review.accept(rows, cols)
    return review.correct(rows, cols, name)
