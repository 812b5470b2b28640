"""The Tissue box: which map lies over the slide, its legend, and the tile under the pointer."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtWidgets import QGroupBox, QVBoxLayout

from napari_crlm_spa.core.spatial import TISSUES
from napari_crlm_spa.plugin import hover
from napari_crlm_spa.plugin.layers.source import MapSource, source_of
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.session import OpenSlide, Session, TileAt
from napari_crlm_spa.plugin.tables import legend_rows
from napari_crlm_spa.plugin.when_seen import WhenSeen
from napari_crlm_spa.plugin.widgets.legend_table import LegendTable
from napari_crlm_spa.plugin.widgets.lines import Lines
from napari_crlm_spa.plugin.widgets.map_bar import MapBar
from napari_crlm_spa.plugin.widgets.map_key import MapKey

HIDES = "Click: hide or show it. Double click: show only this."
CHOOSES = "Click: show the map of this tissue."
POINT = "Point at a tile to read what it is."
HOVER_LINES = 3


class LegendBox(QGroupBox):
    """The map of the current slide, and what its colors mean."""

    def __init__(self, session: Session) -> None:
        super().__init__("Tissue")
        self._session = session
        self._view: MapView = session.view
        self._tile: TileAt | None = None
        self._counts: dict[str, int] | None = None
        self._hidden_before: frozenset[str] = frozenset()
        self.bar = MapBar(session)
        self.key = MapKey()
        self.table = LegendTable()
        self.here = Lines(HOVER_LINES)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 4)
        layout.setSpacing(3)
        for widget in (self.bar, self.key, self.table, self.here):
            layout.addWidget(widget)
        self._recount = WhenSeen(self, self._show_new)
        self.key.threshold_changed.connect(lambda value: session.set_view(min_probability=value))
        self.table.clicked_class.connect(self._on_click)
        self.table.double_clicked_class.connect(self._on_double_click)
        session.current_changed.connect(self._on_current_changed)
        session.map_started.connect(self._on_current_changed)
        session.map_changed.connect(self._on_map)
        session.analysis_changed.connect(self._on_current_changed)
        session.review_changed.connect(self._on_map)
        session.quality_changed.connect(self._on_map)
        session.view_changed.connect(self._on_view)
        session.hovered.connect(self._on_hovered)
        self._show()

    # -- what is heard --------------------------------------------------------------------

    def _on_current_changed(self, _slide: OpenSlide | None) -> None:
        self._tile = None
        self._show_new()

    def _on_map(self, slide: OpenSlide) -> None:
        if slide is self._session.current:
            self._recount.poke()

    def _on_view(self, view: MapView) -> None:
        before, self._view = self._view, view
        # The legend is the same at any opacity.
        same = {
            name: getattr(view, name) for name in ("opacity", "heat_opacity", "outline", "blink")
        }
        if view == before or view != replace(before, **same):
            self._show()

    def _on_hovered(self, tile: TileAt | None) -> None:
        self._tile = tile
        self._show_tile()

    def _on_click(self, name: str) -> None:
        view = self._session.view
        self._hidden_before = view.hidden
        if view.kind.of_all_classes:
            self._session.set_view(hidden=view.hidden ^ {name})
        elif view.kind.by_tissue and name in TISSUES:
            self._session.set_view(tissue=name)

    def _on_double_click(self, name: str) -> None:
        """Show one class alone; if it was alone before the first click, show all again."""
        slide = self._session.current
        if slide is None or slide.tissue_map is None or not self._session.view.kind.of_all_classes:
            return
        others = frozenset(slide.tissue_map.scheme.names) - {name}
        alone = self._hidden_before == others
        self._session.set_view(hidden=frozenset() if alone else others)

    # -- what is shown --------------------------------------------------------------------

    def _show_new(self) -> None:
        self._counts = None
        self._show()

    def _show(self) -> None:
        slide = self._session.current
        source = None if slide is None else source_of(slide)
        self.setVisible(source is not None)
        if source is None:
            return
        view = self._session.view
        hides = view.kind.of_all_classes
        self.table.show_rows(
            legend_rows(source.tissue_map, view.palette, self._counts_of(source)),
            view.hidden if hides else frozenset(),
            HIDES if hides else CHOOSES if view.kind.by_tissue else "",
        )
        self._show_key(source, view)
        self._show_tile()

    def _counts_of(self, source: MapSource) -> dict[str, int]:
        """Count again only if tiles may have changed."""
        if self._counts is None:
            self._counts = source.tissue_map.counts()
        return self._counts

    def _show_key(self, source: MapSource, view: MapView) -> None:
        problem, scale = source.problem(view), source.scale(view)
        if problem:
            self.key.show_sentence(problem)
        elif view.kind is MapKind.TISSUE:
            self.key.show_threshold(view.min_probability, source.unsure_tiles(view.min_probability))
        elif scale is not None:
            self.key.show_scale(scale)
        else:
            self.key.show_colors(source.key(view))

    def _show_tile(self) -> None:
        slide, tile = self._session.current, self._tile
        if slide is None or tile is None or tile.slide_id != slide.id:
            self.table.show_probabilities({}, "")
            self.here.set_text(POINT)
            return
        facts = hover.facts_of(slide, tile.row, tile.col)
        if facts is None:
            return
        self.table.show_probabilities(facts.probabilities, facts.name)
        self.here.set_text("\n".join(hover.lines(facts)))
