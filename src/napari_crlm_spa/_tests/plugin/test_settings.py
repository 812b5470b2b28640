"""Preferences: one truth, heard on both sides, with and without napari's own page."""

from importlib.resources import files

import pytest
import yaml
from napari.components import ViewerModel

from napari_crlm_spa.core.classes import PALETTES
from napari_crlm_spa.core.classifier.inference import ClassifyOptions
from napari_crlm_spa.core.slide import MPP_RANGE
from napari_crlm_spa.plugin import memory, settings
from napari_crlm_spa.plugin.settings import PREFERENCES, Preferences

REAL_PAGE = settings.napari_page


@pytest.fixture
def panel(qtbot):
    from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel

    made = AnalysisPanel(ViewerModel())
    qtbot.addWidget(made)
    yield made
    made.let_go()


@pytest.fixture
def page(npe2pm, plugin_settings, monkeypatch):
    """The page of our manifest in napari's settings, saved into a temporary folder."""
    pytest.importorskip("napari.settings._plugin_settings", reason="napari before 0.9")
    from npe2 import PluginManifest

    npe2pm.register(PluginManifest.from_file(str(files("napari_crlm_spa") / "napari.yaml")))
    monkeypatch.setattr(settings, "napari_page", REAL_PAGE)
    return REAL_PAGE()


def declared():
    text = (files("napari_crlm_spa") / "napari.yaml").read_text(encoding="utf-8")
    pages = yaml.safe_load(text)["contributions"]["configurations"]
    return {
        name: (category, entry)
        for category, page in pages.items()
        for name, entry in page["properties"].items()
    }


def test_the_manifest_declares_what_the_panel_knows():
    assert {name: (page, entry["default"]) for name, (page, entry) in declared().items()} == (
        PREFERENCES
    )
    fields = {field.name: field for field in ClassifyOptions.__dataclass_fields__.values()}
    device, batch = declared()["device"][1], declared()["batch_size"][1]
    assert tuple(device["enum"]) == fields["device"].metadata["choices"]
    assert (batch["minimum"], batch["maximum"]) == (
        fields["batch_size"].metadata["min"],
        fields["batch_size"].metadata["max"],
    )
    assert declared()["palette"][1]["enum"] == list(PALETTES)
    assert declared()["default_mpp"][1]["maximum"] == MPP_RANGE[1]


# -- without napari's page ----------------------------------------------------------------


def test_without_a_page_the_memory_keeps_them():
    preferences = Preferences()
    assert not preferences.in_napari
    preferences.set("device", "cpu")
    preferences.set("default_mpp", 0.25)
    again = Preferences()
    assert (again["device"], again["default_mpp"]) == ("cpu", 0.25)


def test_what_an_earlier_version_remembered_is_taken_over():
    memory.remember(device="cpu")
    assert Preferences()["device"] == "cpu"


@pytest.mark.parametrize("odd", [{"palette": "rainbow"}, {"batch_size": "many"}, [1], None])
def test_odd_memories_are_ignored(odd):
    memory.remember(preferences=odd)
    preferences = Preferences()
    assert {name: preferences[name] for name in PREFERENCES} == {
        name: default for name, (_, default) in PREFERENCES.items()
    }


def test_the_cache_goes_where_one_wants(tmp_path):
    usual = memory.cache_folder()
    preferences = Preferences()
    preferences.set("cache_folder", str(tmp_path / "mine"))
    assert memory.cache_folder() == tmp_path / "mine"
    preferences.set("cache_folder", "  ")
    assert memory.cache_folder() == usual


def test_the_boxes_of_the_panel_are_the_preferences(panel):
    panel.settings._device.set("cpu")
    panel.settings.form.sections["classify"].editors["batch_size"].set(16)
    panel.settings.default_mpp.setValue(0.5)
    panel.session.set_view(palette="color-blind safe")
    kept = memory.recall()["preferences"]
    assert (kept["device"], kept["batch_size"], kept["default_mpp"]) == ("cpu", 16, 0.5)
    assert kept["palette"] == "color-blind safe"


# -- with napari's page -------------------------------------------------------------------


def test_a_change_on_the_page_reaches_the_panel_at_once(page, panel):
    page.analysis.device = "cpu"
    page.analysis.batch_size = 32
    page.analysis.default_mpp = 0.25
    page.view.palette = "color-blind safe"
    assert panel.settings.device == "cpu"
    options = panel.settings.options(None, "paper_eq1")
    assert (options.classify.device, options.classify.batch_size) == ("cpu", 32)
    assert panel.settings.default_mpp.value() == 0.25
    assert panel.session.view.palette == "color-blind safe"


def test_a_change_in_the_panel_reaches_the_page_at_once(page, panel):
    panel.settings._device.set("cpu")
    panel.session.set_view(palette="color-blind safe")
    assert page.analysis.device == "cpu"
    assert page.view.palette == "color-blind safe"


def test_the_page_wins_over_the_memory(page):
    memory.remember(preferences={"device": "mps"})
    page.analysis.device = "cpu"
    preferences = Preferences()
    assert preferences["device"] == "cpu"
    assert memory.recall()["preferences"]["device"] == "cpu"
    preferences.let_go()


def test_after_letting_go_the_page_is_no_longer_heard(page):
    preferences = Preferences()
    preferences.let_go()
    page.analysis.device = "cpu"
    assert preferences["device"] == "auto"
