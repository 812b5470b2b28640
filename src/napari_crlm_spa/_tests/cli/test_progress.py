"""The bars: one line per count."""

import io

from rich.console import Console

from napari_crlm_spa.cli import progress
from napari_crlm_spa.core.progress import Progress


def drawn(monkeypatch, reports):
    """Drive made-up work; return what is on the screen at its end."""
    screen = io.StringIO()
    console = Console(file=screen, width=80, force_terminal=True, legacy_windows=False)
    monkeypatch.setattr(progress, "console", console)
    progress.run_with_progress(each for each in reports)
    return screen.getvalue().split("\x1b[2K")[-1]


def test_epochs_that_count_on_share_a_line(monkeypatch):
    reports = [Progress("Reading tiles", 100, 100, "tiles")]
    reports += [Progress(f"Epoch {n} of 3", 100 * n, 300, "tiles") for n in (1, 2, 3)]
    last = drawn(monkeypatch, reports)
    assert "Epoch 3 of 3" in last
    assert "300/300" in last
    assert "Epoch 1" not in last
    assert "Epoch 2" not in last


def test_a_new_count_gets_a_line_of_its_own(monkeypatch):
    last = drawn(
        monkeypatch,
        [Progress("Reading training tiles", 93, 93, "tiles"), Progress("Testing", 5, 93, "tiles")],
    )
    assert "Testing" in last


def test_a_stage_that_begins_anew_keeps_its_line(monkeypatch):
    reports = [Progress("Finished folds", 1, 2, "folds")]
    reports += [Progress("Reading tiles", done, 50, "tiles") for done in (20, 50, 10)]
    last = drawn(monkeypatch, reports)
    assert last.count("Reading tiles") == 1
    assert "10/50" in last
    assert "50/50" not in last


def test_the_time_left_is_never_cut_off(monkeypatch):
    stage = "A stage with a name as long as they come in 80 columns"
    last = drawn(monkeypatch, [Progress(stage, 100_000, 100_000, "classes")])
    assert last.count("0:00:00") == 2
