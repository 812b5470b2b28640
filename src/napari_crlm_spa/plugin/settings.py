"""Choices that napari's Preferences show as well: device, batch, pixel size, palette, cache. No Qt.

One truth: from napari 0.9 on it is napari's own settings file of this plugin (the manifest's
``configurations``), before that the panel's memory. Both sides hear of a change at once. The
memory keeps a copy in either case, so that code which may not import napari reads the same.
"""

from __future__ import annotations

from typing import Any

from psygnal import Signal

from napari_crlm_spa.core.classes import PALETTES, STANDARD_PALETTE
from napari_crlm_spa.plugin.memory import APP, recall, remember

#: Where each choice stands in the manifest: the category there, and the value at the beginning.
PREFERENCES: dict[str, tuple[str, Any]] = {
    "device": ("analysis", "auto"),
    "batch_size": ("analysis", 0),
    "default_mpp": ("analysis", 0.0),
    "palette": ("view", STANDARD_PALETTE),
    "cache_folder": ("files", ""),
}
#: The name under which the memory keeps them.
KEPT = "preferences"


def napari_page() -> Any | None:
    """Return napari's settings of this plugin; None before napari 0.9 or outside of it."""
    try:
        from napari.settings import get_plugin_settings
    except ImportError:
        return None
    try:
        page = get_plugin_settings(APP)
        # A manifest of an earlier version may still be registered.
        for name, (category, _) in PREFERENCES.items():
            getattr(getattr(page, category), name)
    except (KeyError, AttributeError):
        return None
    return page


class Preferences:
    """The choices, in step with napari's page until `let_go` is called."""

    changed = Signal(str, object)  # name, value

    def __init__(self) -> None:
        self._page = napari_page()
        self._values = {name: default for name, (_, default) in PREFERENCES.items()}
        kept = recall()
        earlier = kept.get(KEPT)
        if not isinstance(earlier, dict):
            # What versions without this page remembered.
            earlier = {"device": kept["device"]} if "device" in kept else {}
            self._values.update(_sound(earlier))
            for name, value in self._values.items():
                self._write_page(name, value)
        elif self._page is None:
            self._values.update(_sound(earlier))
        if self._page is not None:
            self._read_page()
            for category in {category for category, _ in PREFERENCES.values()}:
                getattr(self._page, category).events.connect(self._on_page)
        self._keep()

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    @property
    def in_napari(self) -> bool:
        """Whether napari's Preferences have our page."""
        return self._page is not None

    def set(self, name: str, value: Any) -> None:
        """Choose a value, here and on napari's page."""
        if value == self._values[name]:
            return
        self._values[name] = value
        self._write_page(name, value)
        self._keep()
        self.changed.emit(name, value)

    def let_go(self) -> None:
        """Hear no more of napari's page."""
        if self._page is not None:
            for category in {category for category, _ in PREFERENCES.values()}:
                getattr(self._page, category).events.disconnect(self._on_page)

    def _read_page(self) -> None:
        for name, (category, _) in PREFERENCES.items():
            self._values[name] = getattr(getattr(self._page, category), name)

    def _write_page(self, name: str, value: Any) -> None:
        if self._page is not None:
            setattr(getattr(self._page, PREFERENCES[name][0]), name, value)

    def _on_page(self, _event: Any = None) -> None:
        before = dict(self._values)
        self._read_page()
        changed = {name: value for name, value in self._values.items() if value != before[name]}
        if changed:
            self._keep()
        for name, value in changed.items():
            self.changed.emit(name, value)

    def _keep(self) -> None:
        if recall().get(KEPT) != self._values:
            remember(**{KEPT: self._values})


def _sound(kept: dict[str, Any]) -> dict[str, Any]:
    """Return the kept values that are of the right kind."""
    sound = {}
    for name, (_, default) in PREFERENCES.items():
        value = kept.get(name, default)
        kinds = (int, float) if isinstance(default, float) else type(default)
        if isinstance(value, kinds) and not isinstance(value, bool):
            sound[name] = value
    if sound.get("palette") not in PALETTES:
        sound.pop("palette", None)
    return sound
