"""The manifest, and what importing the plugin costs."""

import json
import subprocess
import sys
from importlib import import_module
from importlib.resources import files

import pytest
from npe2 import PluginManifest

MANIFEST = files("napari_crlm_spa") / "napari.yaml"


@pytest.fixture(scope="module")
def manifest():
    return PluginManifest.from_file(str(MANIFEST))


def test_the_manifest_is_valid_and_public(manifest):
    assert manifest.name == "napari-crlm-spa"
    assert manifest.visibility == "public"


def test_every_command_can_be_imported(manifest):
    for command in manifest.contributions.commands:
        module, _, name = command.python_name.partition(":")
        assert callable(getattr(import_module(module), name))


def test_keys_that_older_napari_cannot_read_are_not_used():
    text = MANIFEST.read_text(encoding="utf-8")
    for key in ("schema_version", "default_dock_area", "tabify", "keybindings"):
        assert key not in text


def modules_after(code):
    """Names of the modules that are loaded after running `code` in a fresh interpreter."""
    told = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys, json; print(json.dumps(list(sys.modules)))"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(json.loads(told.stdout.splitlines()[-1]))


def test_the_panel_is_made_without_torch():
    loaded = modules_after(
        "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
        "from qtpy.QtWidgets import QApplication; app = QApplication([])\n"
        "from napari_crlm_spa.plugin.widgets.panel import AnalysisPanel\n"
        "from napari.components import ViewerModel\n"
        "panel = AnalysisPanel(ViewerModel())"
    )
    assert "torch" not in loaded
    assert "torchvision" not in loaded


def test_the_reader_needs_neither_torch_nor_qt():
    loaded = modules_after("import napari_crlm_spa.plugin.readers")
    assert not loaded & {"torch", "napari", "qtpy", "PyQt6", "PySide6"}


@pytest.mark.parametrize(
    "module",
    [
        "layers",
        "session",
        "readers",
        "tables",
        "words",
        "memory",
        "queue",
        "bundle",
        "settings",
        "slide_pictures",
    ],
)
def test_what_needs_no_window_imports_no_qt(module):
    loaded = modules_after(f"import napari_crlm_spa.plugin.{module}")
    assert not loaded & {"torch", "napari", "qtpy", "PyQt6", "PySide6"}
