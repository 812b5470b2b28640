"""Freed memory goes back to the system before the report needs some."""

from napari_crlm_spa.core.pipeline import analyze_to_end, job, run
from napari_crlm_spa.core.store import REPORT_HTML, TILES_JOURNAL


def test_a_run_gives_it_back_before_the_first_tile_and_after_the_last(
    slide, options, monkeypatch, tmp_path
):
    seen = []

    def record():
        folder = tmp_path / "out" / slide.stem
        seen.append({path.name for path in folder.iterdir()} if folder.exists() else set())

    monkeypatch.setattr(run, "give_back_memory", record)
    monkeypatch.setattr(job, "give_back_memory", record)
    analyze_to_end(slide, tmp_path / "out", options)
    before, *_, after = seen
    assert not before
    assert TILES_JOURNAL in after
    assert REPORT_HTML not in after
