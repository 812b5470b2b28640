"""``python -m napari_crlm_spa.plugin``: torch before Qt, then napari with panel and slides."""

import subprocess
import sys

import napari
import pytest

from napari_crlm_spa._tests.plugin.made_results import copies_of
from napari_crlm_spa.plugin import __main__
from napari_crlm_spa.plugin.bundle import Bundle, save_bundle
from napari_crlm_spa.plugin.widgets.panel import QUEUE_DOCK, AnalysisPanel
from napari_crlm_spa.plugin.worker import PipelineWorker


@pytest.fixture
def start(qtbot, make_napari_viewer, monkeypatch):
    """Start as from the command line; return viewer and panel."""

    def begin(*arguments):
        viewer = make_napari_viewer()
        ran = []
        monkeypatch.setattr(napari, "Viewer", lambda: viewer)
        monkeypatch.setattr(napari, "run", lambda: ran.append(True))
        monkeypatch.setattr(sys, "argv", ["crlm-spa-review", *map(str, arguments)])
        __main__.main()
        assert ran == [True]
        (panel,) = [
            each for each in viewer.window.dock_widgets.values() if isinstance(each, AnalysisPanel)
        ]
        return viewer, panel

    yield begin
    PipelineWorker.await_workers(60_000)


def test_a_slide_is_opened_in_the_workspace(start, slide_path):
    viewer, panel = start(slide_path)
    assert [layer.name for layer in viewer.layers] == ["slide"]
    assert panel.session.current.path == slide_path


def test_the_queue_is_docked_by_itself(qtbot, start):
    viewer, _ = start()
    qtbot.waitUntil(lambda: QUEUE_DOCK in viewer.window.dock_widgets, timeout=60_000)


@pytest.mark.parametrize("kind", ["folder", "table", "slides", "relative"])
def test_many_slides_become_the_queue(qtbot, start, slide_path, tmp_path, monkeypatch, kind):
    slides = copies_of(slide_path, tmp_path / "slides", 2)
    (tmp_path / "slides" / "slides.csv").write_text("slide\nslide-1.tif\nslide-2.tif\n")
    monkeypatch.chdir(tmp_path)
    named = {
        "folder": [tmp_path / "slides"],
        "table": [tmp_path / "slides" / "slides.csv"],
        "slides": slides,
        "relative": ["slides"],
    }
    _, panel = start(*named[kind])
    qtbot.waitUntil(lambda: panel.session.current is not None, timeout=60_000)
    assert [entry.path for entry in panel.queue.entries] == slides
    assert panel.session.current.path == slides[0]


def test_a_saved_session_is_opened(qtbot, start, slide_path, tmp_path):
    save_bundle(Bundle(current=slide_path, tab="Tiles"), tmp_path / "s.json")
    _, panel = start(tmp_path / "s.json")
    qtbot.waitUntil(lambda: panel.session.current is not None, timeout=60_000)
    assert panel.tabs.tabText(panel.tabs.currentIndex()) == "Tiles"


def test_what_is_not_there_is_said_before_a_window_opens(capsys):
    with pytest.raises(SystemExit) as ended:
        __main__.parse(["absent.svs"])
    assert ended.value.code == 2
    assert "there is no file or folder absent.svs" in capsys.readouterr().err


def test_the_command_is_installed():
    from importlib.metadata import entry_points

    (command,) = entry_points(group="console_scripts", name="crlm-spa-review")
    assert command.value == "napari_crlm_spa.plugin.__main__:main"


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
