"""Keys work whichever of our layers is active, and are given back."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from napari.components import ViewerModel
from napari.utils._proxies import PublicOnlyProxy
from napari.utils.key_bindings import KeymapHandler

from napari_crlm_spa.plugin.keys import Keys
from napari_crlm_spa.plugin.layers import METADATA_KEY

OURS = {METADATA_KEY: {"kind": "tissue_map", "slide_id": "a"}}
SHAPE = (3, 4)


class Keyboard:
    """Presses keys as napari's canvas does: the active layer first, then the viewer."""

    def __init__(self, viewer):
        self._viewer = viewer
        self._handler = KeymapHandler()

    def down(self, key):
        active = self._viewer.layers.selection.active
        self._handler.keymap_providers = [each for each in (active, self._viewer) if each]
        return self._handler.press_key(key)

    def up(self, key):
        return self._handler.release_key(key)


@pytest.fixture
def viewer():
    return ViewerModel()


@pytest.fixture
def keyboard(viewer):
    return Keyboard(viewer)


@pytest.fixture
def keys(viewer):
    return Keys(viewer)


def test_a_key_calls_its_function_once_per_press(keys, keyboard):
    pressed = []
    keys.bind("B", lambda: pressed.append("B"))
    keyboard.down("B")
    keyboard.up("B")
    assert pressed == ["B"]


def test_a_held_key_has_a_press_and_a_release(keys, keyboard):
    heard = []
    keys.bind("B", lambda: heard.append("down"), lambda: heard.append("up"))
    keyboard.down("B")
    assert heard == ["down"]
    keyboard.up("B")
    assert heard == ["down", "up"]
    keyboard.down("B")
    keyboard.up("B")
    assert heard == ["down", "up"] * 2


def test_our_key_goes_before_the_labels_layers_own(viewer, keys, keyboard):
    layer = viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    pressed = []
    keys.bind("1", lambda: pressed.append(1))
    viewer.layers.selection.active = layer
    keyboard.down("1")
    assert pressed == [1]
    assert str(layer.mode) == "pan_zoom", "not the eraser"


def test_a_key_bound_before_a_layer_came_works_in_it(viewer, keys, keyboard):
    pressed = []
    keys.bind("1", lambda: pressed.append(1))
    viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    keyboard.down("1")
    assert pressed == [1]


def test_somebody_elses_layer_keeps_its_keymap(viewer, keys):
    layer = viewer.add_labels(np.zeros(SHAPE, np.uint8))
    keys.bind("1", list)
    viewer.layers.selection.active = layer
    assert not layer.keymap


def test_a_layer_that_is_left_has_no_keys_of_ours(viewer, keys):
    ours = viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    keys.bind("1", list)
    assert len(ours.keymap) == 1
    viewer.add_image(np.zeros(SHAPE))
    assert not ours.keymap
    viewer.layers.selection.active = ours
    assert len(ours.keymap) == 1
    keys.unbind("1")
    assert not ours.keymap


def test_what_was_bound_before_comes_back(viewer, keyboard):
    pressed = []
    viewer.bind_key("O", lambda _viewer: pressed.append("before"))
    keys = Keys(viewer)
    keys.bind("O", lambda: pressed.append("ours"))
    keyboard.down("O")
    keys.let_go()
    keyboard.down("O")
    assert pressed == ["ours", "before"]


def test_after_letting_go_no_key_is_left_anywhere(viewer):
    ours = viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    keys = Keys(viewer)
    for key in ("B", "1", "Shift-O", "="):
        keys.bind(key, list)
    keys.let_go()
    assert not viewer.keymap
    assert not ours.keymap
    viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    assert not viewer.layers[-1].keymap


def test_who_took_a_key_after_us_keeps_it(viewer, keyboard):
    pressed = []
    keys = Keys(viewer)
    keys.bind("O", lambda: pressed.append("ours"))
    viewer.bind_key("O", lambda _viewer: pressed.append("theirs"), overwrite=True)
    keys.let_go()
    keyboard.down("O")
    assert pressed == ["theirs"]


def test_two_parts_of_the_panel_have_keys_of_their_own(viewer, keyboard):
    pressed = []
    first, second = Keys(viewer), Keys(viewer)
    viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    first.bind("B", lambda: pressed.append("first"))
    second.bind("1", lambda: pressed.append("second"))
    keyboard.down("B")
    first.let_go()
    keyboard.down("1")
    assert pressed == ["first", "second"]
    assert len(viewer.layers[-1].keymap) == 1


def test_a_layer_that_is_active_again_is_not_left(viewer, keyboard):
    """Plugins get the viewer wrapped, and with it each layer, anew each time."""
    ours = viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=OURS)
    pressed = []
    first, second = (Keys(PublicOnlyProxy(viewer)) for _ in range(2))
    second.bind("B", lambda: pressed.append("second"))
    first.bind("B", lambda: pressed.append("first"))
    viewer.layers.selection.events.active(value=ours)
    keyboard.down("B")
    assert pressed == ["first"]


#: Layers and viewer have no plans of their own for it, also once a window has told them theirs.
FREE = "F9"
TAKE, GIVE = ("take", "give")
PART = st.sampled_from(["queue", "desk", "hand"])
STEP = st.one_of(
    st.tuples(st.just(TAKE), PART),
    st.tuples(st.just(GIVE), PART),
    st.tuples(st.just("look at"), st.sampled_from([0, 1, 2])),
)


@given(st.lists(STEP, max_size=16), st.booleans())
@example([(TAKE, "queue"), (TAKE, "desk"), (GIVE, "queue"), (TAKE, "queue"), (GIVE, "desk")], True)
def test_whoever_took_a_key_last_and_has_not_given_it_back_hears_it(steps, wrapped):
    viewer = ViewerModel()
    keyboard, pressed, holders = Keyboard(viewer), [], {}
    seen = PublicOnlyProxy(viewer) if wrapped else viewer
    for metadata in (OURS, OURS, {}):
        viewer.add_labels(np.zeros(SHAPE, np.uint8), metadata=metadata)
    viewer.bind_key(FREE, lambda _viewer: pressed.append("before"))
    for step, what in steps:
        if step == "look at":
            viewer.layers.selection.active = viewer.layers[what]
        elif step == TAKE and what not in holders:
            holders[what] = Keys(seen)
            holders[what].bind(FREE, lambda what=what: pressed.append(what))
        elif step == GIVE and what in holders:
            holders.pop(what).let_go()
        keyboard.down(FREE)
        assert pressed.pop() == ([*holders] or ["before"])[-1]
        keyboard.up(FREE)
    for keys in holders.values():
        keys.let_go()
    keyboard.down(FREE)
    assert pressed == ["before"]
    assert not any(layer.keymap for layer in viewer.layers)
