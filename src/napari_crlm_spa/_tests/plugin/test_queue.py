"""The queue without a window: where slides come from, and what the results folder says."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.made_results import copies_of, write_finished
from napari_crlm_spa.core.review import set_reviewed
from napari_crlm_spa.core.store import AnalysisFolder
from napari_crlm_spa.errors import TableError
from napari_crlm_spa.plugin import slide_pictures
from napari_crlm_spa.plugin.queue import (
    Notebook,
    SlideQueue,
    SlideState,
    folder_of,
    scan,
    state_on_disk,
)
from napari_crlm_spa.plugin.queue_sources import QueuedSlide, find_slides, gather, read_table
from napari_crlm_spa.plugin.slide_pictures import slide_picture


def to_end(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def touch(*paths):
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def names(slides):
    return [slide.path.name for slide in slides]


# -- a folder -----------------------------------------------------------------------------


def test_slides_are_found_below_a_folder_in_natural_order(tmp_path):
    touch(tmp_path / "b" / "slide-10.svs", tmp_path / "b" / "slide-9.NDPI", tmp_path / "a.ome.tif")
    touch(tmp_path / "notes.txt", tmp_path / "photo.jpg", tmp_path / ".hidden.svs")
    assert names(to_end(find_slides(tmp_path))) == ["a.ome.tif", "slide-9.NDPI", "slide-10.svs"]


def test_a_folder_of_dicom_files_is_one_slide(tmp_path):
    touch(tmp_path / "case" / "1.dcm", tmp_path / "case" / "2.dcm", tmp_path / "x.svs")
    assert names(to_end(find_slides(tmp_path))) == ["case", "x.svs"]
    assert names(to_end(find_slides(tmp_path / "case"))) == ["case"]


def test_parts_of_a_slide_and_results_are_no_slides(tmp_path):
    touch(tmp_path / "s.mrxs", tmp_path / "s" / "Data0001.tif")
    touch(tmp_path / "results" / "s" / "run.json", tmp_path / "results" / "s" / "map.tif")
    assert names(to_end(find_slides(tmp_path))) == ["s.mrxs"]


@pytest.mark.skipif(os.name == "nt", reason="making links needs a privilege on Windows")
def test_a_link_that_leads_back_is_followed_once(tmp_path):
    touch(tmp_path / "a" / "x.svs")
    (tmp_path / "a" / "back").symlink_to(tmp_path, target_is_directory=True)
    assert names(to_end(find_slides(tmp_path))) == ["x.svs"]


# -- a table ------------------------------------------------------------------------------


def table(folder, text, encoding="utf-8"):
    path = folder / "slides.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_a_table_names_slides_pixel_sizes_and_patients(tmp_path):
    touch(tmp_path / "a.svs", tmp_path / "sub" / "b.tif")
    found = read_table(table(tmp_path, "Slide,mpp,patient\na.svs,0.25,P1\nsub/b.tif,,P2\n"))
    assert found.slides == [
        QueuedSlide(tmp_path / "a.svs", 0.25, "P1"),
        QueuedSlide(tmp_path / "sub" / "b.tif", None, "P2"),
    ]
    assert found.problems == []


def test_the_table_of_a_german_spreadsheet_is_read(tmp_path):
    touch(tmp_path / "Müller.svs")
    path = table(tmp_path, "\ufeffpath;mpp\r\nMüller.svs;0,25\r\n\r\n")
    assert read_table(path).slides == [QueuedSlide(tmp_path / "Müller.svs", 0.25)]
    path = table(tmp_path, "path;mpp\r\nMüller.svs;0,25\r\n", "latin-1")
    assert read_table(path).slides == [QueuedSlide(tmp_path / "Müller.svs", 0.25)]


def test_each_row_that_cannot_be_used_is_named_and_the_others_are_taken(tmp_path):
    touch(tmp_path / "a.svs", tmp_path / "b.svs")
    rows = ["a.svs,0.25", "gone.svs,", "b.svs,many", "b.svs,25", ",0.5", "a.svs,", "b.svs,0.5"]
    found = read_table(table(tmp_path, "slide,mpp\n" + "\n".join(rows)))
    assert names(found.slides) == ["a.svs", "b.svs"]
    assert found.problems == [
        "slides.csv, row 3: there is no file gone.svs.",
        "slides.csv, row 4: mpp 'many' is no number.",
        "slides.csv, row 5: mpp 25 is not between 0.05 and 10 µm/px.",
        "slides.csv, row 6: the column slide is empty.",
        "slides.csv, row 7: a.svs is named twice.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [("name\na.svs\n", "no column named slide"), ("slide\ngone.svs\n", "row 2"), ("", "column")],
)
def test_a_table_without_slides_is_refused_with_the_reason(tmp_path, text, said):
    with pytest.raises(TableError, match=said):
        read_table(table(tmp_path, text))


def test_dropped_things_of_all_kinds_make_one_queue(tmp_path):
    touch(tmp_path / "f" / "a.svs", tmp_path / "b.svs", tmp_path / "c.png", tmp_path / "d.doc")
    rows = table(tmp_path, "slide\nb.svs\nf/a.svs\n")
    found = to_end(gather([tmp_path / "f", rows, tmp_path / "c.png", tmp_path / "d.doc"]))
    assert names(found.slides) == ["a.svs", "b.svs", "c.png"]
    assert found.problems == ["d.doc is not a slide."]


# -- the results folder -------------------------------------------------------------------


def test_the_state_of_a_slide_is_that_of_its_results_folder(slide_path, tmp_path):
    out = tmp_path / "out"
    a, b, c = copies_of(slide_path, tmp_path / "slides", 3)
    write_finished(out, a)
    set_reviewed(write_finished(out, b), "anna")
    reports = [read for progress in scan(out, [a, b, c]) for read in progress.changed]
    assert [read.state for read in reports] == ["done", "reviewed", "new"]
    set_reviewed(out / b.stem, "anna", False)
    assert state_on_disk(out, b).state is SlideState.DONE


def test_another_readers_mark_is_told_but_is_not_ones_own(slide_path, tmp_path):
    (slide,) = copies_of(slide_path, tmp_path / "slides", 1)
    set_reviewed(write_finished(tmp_path / "out", slide), "anna")
    assert state_on_disk(tmp_path / "out", slide, "anna").state is SlideState.REVIEWED
    read = state_on_disk(tmp_path / "out", slide, "ben")
    assert (read.state, read.detail) == (SlideState.DONE, "reviewed by anna")


def test_the_mark_of_an_earlier_map_does_not_count(slide_path, tmp_path):
    (slide,) = copies_of(slide_path, tmp_path / "slides", 1)
    folder = write_finished(tmp_path / "out", slide)
    set_reviewed(folder, "anna")
    run = AnalysisFolder(folder).read_run()
    AnalysisFolder(folder).write_run({**run, "identity": "another model"})
    assert state_on_disk(tmp_path / "out", slide).state is SlideState.DONE


def test_slides_of_one_name_in_two_folders_are_told_apart(slide_path, tmp_path):
    from napari_crlm_spa._tests.plugin.conftest import write_slide

    out = tmp_path / "out"
    (a,) = copies_of(slide_path, tmp_path / "a", 1)
    (tmp_path / "b").mkdir()
    b = write_slide(tmp_path / "b" / a.name, 2.0)
    folder = write_finished(out, a)
    assert folder_of(out, a) == folder
    assert folder_of(out, b) is None
    other = write_finished(out, b)
    assert other != folder
    assert folder_of(out, b) == other
    assert folder_of(out, a) == folder


def test_a_slide_that_was_moved_keeps_its_results(slide_path, tmp_path):
    (slide,) = copies_of(slide_path, tmp_path / "before", 1)
    folder = write_finished(tmp_path / "out", slide)
    moved = Path(shutil.move(slide, tmp_path / slide.name))
    assert folder_of(tmp_path / "out", moved) == folder


def test_notes_and_failures_are_kept_beside_the_analyses(tmp_path):
    slide = tmp_path / "a.svs"
    notebook = Notebook(tmp_path / "out")
    notebook.write(slide, note="blurred at the edge")
    notebook.write(slide, failed="a.svs is damaged.")
    ((read,),) = [progress.changed for progress in scan(tmp_path / "out", [slide])]
    assert (read.state, read.reason) == (SlideState.FAILED, "a.svs is damaged.")
    assert read.note == "blurred at the edge"
    notebook.write(slide, failed="", note="")
    ((read,),) = [progress.changed for progress in scan(tmp_path / "out", [slide])]
    assert (read.state, read.reason, read.note) == (SlideState.NEW, "", "")


def test_a_damaged_notebook_holds_nothing_up(tmp_path):
    (tmp_path / "queue.json").write_text("{")
    assert Notebook(tmp_path).read() == {}
    Notebook(tmp_path).write(tmp_path / "a.svs", note="x")
    assert Notebook(tmp_path).read() == {str(tmp_path / "a.svs"): {"note": "x"}}


def test_an_analysis_that_was_made_later_outweighs_a_failure(slide_path, tmp_path):
    (slide,) = copies_of(slide_path, tmp_path / "slides", 1)
    Notebook(tmp_path / "out").write(slide, failed="The disk was full.")
    write_finished(tmp_path / "out", slide)
    ((read,),) = [progress.changed for progress in scan(tmp_path / "out", [slide])]
    assert (read.state, read.reason) == (SlideState.DONE, "")


# -- moving -------------------------------------------------------------------------------


def queue_of(*states):
    queue = SlideQueue()
    queue.load([QueuedSlide(Path(f"/{at}.svs")) for at in range(len(states))])
    for at, state in enumerate(states):
        queue.set_state(Path(f"/{at}.svs"), SlideState(state))
    return queue


def test_next_and_previous_end_at_the_ends():
    queue = queue_of("new", "done", "new")
    assert queue.step(1) == Path("/0.svs")
    assert queue.step(-1) == Path("/2.svs")
    queue.set_current(Path("/1.svs"))
    assert (queue.step(1), queue.step(-1)) == (Path("/2.svs"), Path("/0.svs"))
    queue.set_current(Path("/2.svs"))
    assert queue.step(1) is None


def test_next_passes_over_slides_of_other_states():
    queue = queue_of("new", "done", "new", "done", "failed")
    queue.set_current(Path("/1.svs"))
    assert queue.step(1, SlideState.DONE) == Path("/3.svs")
    assert queue.step(-1, SlideState.DONE) is None
    assert queue.step(1, SlideState.REVIEWED) is None


def test_no_slide_gets_in_twice():
    queue = queue_of("new", "new")
    assert queue.add([QueuedSlide(Path("/1.svs")), QueuedSlide(Path("/9.svs"))]) == 1
    assert len(queue) == 3
    assert queue.counts() == {SlideState.NEW: 3}


# -- pictures -----------------------------------------------------------------------------


def test_a_picture_is_read_from_the_slide_once(slide_path, tmp_path, monkeypatch):
    (slide,) = copies_of(slide_path, tmp_path / "slides", 1)
    first = slide_picture(slide)
    assert max(first.shape[:2]) == slide_pictures.PICTURE_PX
    assert first[first.shape[0] // 2, first.shape[1] * 10 // 24].mean() < 120, "the tumor is dark"
    monkeypatch.setattr(slide_pictures, "open_slide", lambda _: pytest.fail("read again"))
    assert np.array_equal(slide_picture(slide), first)


def test_a_file_that_is_no_slide_has_no_picture(tmp_path):
    touch(tmp_path / "a.svs")
    assert slide_picture(tmp_path / "a.svs") is None
    assert slide_picture(tmp_path / "absent.svs") is None
