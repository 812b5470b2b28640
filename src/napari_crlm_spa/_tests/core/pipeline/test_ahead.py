"""What is made ahead of a run spares the run time and changes nothing."""

import dataclasses
import os
import threading

import numpy as np
import pytest
from shapely.geometry import box

from napari_crlm_spa.core.classifier import runtime
from napari_crlm_spa.core.pipeline import Ahead, ahead, analyze_slide, analyze_to_end
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.tiles import RegionsOfInterest, TileState
from napari_crlm_spa.errors import MissingPixelSize, NoTissue


@pytest.fixture(name="planned")
def planned_fixture(monkeypatch):
    """The grids that were planned, each counted where it is made."""
    grids = []
    real = ahead.plan_tiles

    def plan(*args):
        grids.append(real(*args))
        return grids[-1]

    monkeypatch.setattr(ahead, "plan_tiles", plan)
    return grids


def to_end(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def test_a_run_finds_the_tissue_no_second_time_and_comes_out_the_same(
    slide, options, planned, tmp_path
):
    plain = analyze_to_end(slide, tmp_path / "plain", options)
    made = Ahead()
    list(made.get_ready(slide, options))
    assert len(planned) == 2
    assert {path.name for path in tmp_path.iterdir()} == {"plain", slide.name}
    ready = to_end(analyze_slide(slide, tmp_path / "ready", options, made))
    assert len(planned) == 2
    np.testing.assert_array_equal(ready.tissue_map.classes, plain.tissue_map.classes)
    np.testing.assert_array_equal(ready.tissue_map.state, plain.tissue_map.state)
    assert ready.run["identity"] == plain.run["identity"]


def test_a_grid_that_is_handed_out_may_be_written_on(slide, options, planned):
    made = Ahead()
    with open_slide(slide, mpp=options.mpp) as opened:
        first = made.plan(opened, options.tiling, None)
        first.state[:] = TileState.EXCLUDED
        assert (made.plan(opened, options.tiling, None).state == TileState.PENDING).any()
    assert len(planned) == 1


def test_what_else_may_be_planned_is_planned_anew(slide, options, planned):
    made, tiling = Ahead(), options.tiling
    with open_slide(slide, mpp=options.mpp) as opened:
        width, height = opened.info.width_px, opened.info.height_px
        made.plan(opened, tiling, None)
        made.plan(opened, dataclasses.replace(tiling, glass_tissue_max=0.3), None)
        made.plan(opened, tiling, RegionsOfInterest(include=(box(0, 0, width, height / 2),)))
        made.plan(opened, tiling, RegionsOfInterest(include=(box(0, 0, width, height),)))
    with open_slide(slide, mpp=options.mpp * 0.99) as opened:
        made.plan(opened, tiling, None)
    assert len(planned) == 5


def test_a_file_that_was_mended_is_looked_at_again(slide, options, planned, tmp_path):
    made, copy = Ahead(), tmp_path / "copy.png"
    copy.write_bytes(slide.read_bytes())
    for changed_s in (1_000_000_000, 1_000_000_001):
        os.utime(copy, (changed_s, changed_s))
        with open_slide(copy, mpp=options.mpp) as opened:
            made.plan(opened, options.tiling, None)
    assert len(planned) == 2


def test_a_problem_is_said_to_each_who_asks(slide, options, monkeypatch):
    asked = []

    def refuse(*_):
        asked.append(1)
        raise NoTissue("nothing but glass")

    monkeypatch.setattr(ahead, "plan_tiles", refuse)
    made = Ahead()
    with open_slide(slide, mpp=options.mpp) as opened:
        for _ in range(2):
            with pytest.raises(NoTissue, match="glass"):
                made.plan(opened, options.tiling, None)
    assert len(asked) == 2


def test_who_asks_meanwhile_waits_for_the_one_that_looks(slide, options, monkeypatch):
    real, begun, go_on, looked = ahead.plan_tiles, threading.Event(), threading.Event(), []

    def plan(*args):
        looked.append(1)
        begun.set()
        assert go_on.wait(30)
        return real(*args)

    monkeypatch.setattr(ahead, "plan_tiles", plan)
    made, grids = Ahead(), []
    with open_slide(slide, mpp=options.mpp) as opened:
        threads = [
            threading.Thread(target=lambda: grids.append(made.plan(opened, options.tiling, None)))
            for _ in range(2)
        ]
        threads[0].start()
        assert begun.wait(30)
        threads[1].start()
        go_on.set()
        for thread in threads:
            thread.join(30)
    assert len(looked) == 1
    np.testing.assert_array_equal(grids[0].state, grids[1].state)


def test_a_model_is_loaded_ahead_once(slide, options, monkeypatch):
    loaded = []
    real = runtime.load_classifier
    monkeypatch.setattr(runtime, "load_classifier", lambda *args: loaded.append(1) or real(*args))
    made = Ahead()
    list(made.get_ready(slide, options))
    list(made.get_ready(slide, options))
    assert len(loaded) == 1


def test_closed_after_its_first_report_it_looks_at_no_slide(slide, options, planned):
    work = Ahead().get_ready(slide, options)
    next(work)
    work.close()
    assert not planned


def test_without_a_pixel_size_it_says_what_the_run_will_say(slide, options):
    with pytest.raises(MissingPixelSize, match="how large a pixel is"):
        list(Ahead().get_ready(slide, dataclasses.replace(options, mpp=None)))
