"""``python -m napari_crlm_spa.plugin``: torch before Qt, then napari with panel and slides."""

import subprocess
import sys

import napari

from napari_crlm_spa.plugin import __main__


def test_napari_opens_with_the_panel_and_the_slides(make_napari_viewer, monkeypatch, slide_path):
    viewer = make_napari_viewer()
    ran = []
    monkeypatch.setattr(napari, "Viewer", lambda: viewer)
    monkeypatch.setattr(napari, "run", lambda: ran.append(True))
    monkeypatch.setattr(sys, "argv", ["napari_crlm_spa.plugin", str(slide_path)])
    __main__.main()
    assert ran == [True]
    assert [layer.name for layer in viewer.layers] == ["slide"]
    (panel,) = viewer.window.dock_widgets.values()
    assert panel.session.current.path == slide_path


LATE_TORCH = """
import sys
import napari
from pathlib import Path
from napari_crlm_spa.errors import SlideError
from napari_crlm_spa.plugin import engine

viewer = napari.Viewer()
viewer.screenshot(canvas_only=False, flash=False)
assert "torch" not in sys.modules
try:
    list(engine.analyze(Path("absent.svs"), Path("out"), engine.options_class()()))
except SlideError:
    print("alive, with torch" if "torch" in sys.modules else "alive")
viewer.close()
"""


def test_torch_may_be_loaded_after_the_canvas(tmp_path):
    """Triton's LLVM and that of Mesa's drivers in one process end it with a segmentation fault."""
    told = subprocess.run(
        [sys.executable, "-c", LATE_TORCH],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert "alive, with torch" in told.stdout
