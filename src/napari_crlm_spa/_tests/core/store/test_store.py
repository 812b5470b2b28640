"""The analysis folder: nothing half-written, nothing lost, nobody's results overwritten."""

import json
import shutil

import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.files import atomic_path, write_text
from napari_crlm_spa.core.store import (
    ANALYSIS_ZARR,
    RUN_JSON,
    TILES_JOURNAL,
    AnalysisFolder,
    TileJournal,
    load_analysis,
    to_json,
)
from napari_crlm_spa.core.tiles import TileGrid, TileScores, TileState
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import DamagedAnalysis, DiskFull, StoreError

HEADER = {"identity": "abc", "slide": {"path": "a.svs", "fingerprint": "f1"}}


def some_map(rows=5, cols=7, seed=0):
    grid = TileGrid(
        state=np.full((rows, cols), TileState.PENDING, np.uint8),
        edge=np.zeros((rows, cols), bool),
        tile_px=224,
        mpp=0.5,
        origin_um=(3.5, -2.0),
    )
    tissue_map = TissueMap.empty(grid, CRLM7)
    tissue_map.add(scores_of(grid.pending(), seed))
    return tissue_map


def scores_of(at, seed=0):
    rng = np.random.default_rng(seed)
    return TileScores(
        rows=at[:, 0],
        cols=at[:, 1],
        states=np.full(len(at), TileState.CLASSIFIED, np.uint8),
        probabilities=rng.dirichlet(np.ones(7), len(at)).astype(np.float16),
        strangeness=np.where(at[:, 0] == 4, np.nan, rng.gamma(2, 0.4, len(at))).astype(np.float16),
        stain_fallback=rng.random(len(at)) < 0.5,
    )


def at(*positions):
    return np.array(positions, np.int32)


def test_a_map_comes_back_from_disk_as_it_went(tmp_path):
    folder, written = AnalysisFolder(tmp_path / "s"), some_map()
    folder.write_map(written, {})
    folder.write_run({"slide": {}})
    read = load_analysis(folder.path).tissue_map
    for name in ("classes", "probabilities", "strangeness", "state", "edge"):
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
    assert (read.stride_um, read.origin_um, read.scheme) == (112.0, (3.5, -2.0), CRLM7)


def test_a_second_map_replaces_the_first_and_leaves_no_rubbish(tmp_path):
    folder = AnalysisFolder(tmp_path / "s")
    folder.write_map(some_map(seed=1), {})
    folder.write_map(some_map(seed=2), {})
    folder.write_run({})
    assert sorted(path.name for path in folder.path.iterdir()) == [ANALYSIS_ZARR, RUN_JSON]
    expected = some_map(seed=2).classes
    np.testing.assert_array_equal(load_analysis(folder.path).tissue_map.classes, expected)


def test_a_folder_without_a_finished_run_is_refused_with_the_way_out(tmp_path):
    AnalysisFolder(tmp_path).write_map(some_map(), {})
    with pytest.raises(DamagedAnalysis, match="resumes"):
        load_analysis(tmp_path)


@pytest.mark.parametrize("damage", ["classes/zarr.json", "zarr.json"])
def test_a_damaged_array_is_one_sentence(tmp_path, damage):
    folder = AnalysisFolder(tmp_path)
    folder.write_map(some_map(), {})
    folder.write_run({})
    (folder.file(ANALYSIS_ZARR) / damage).write_text("not JSON")
    with pytest.raises(DamagedAnalysis, match="damaged"):
        load_analysis(tmp_path)


def test_the_journal_gives_back_every_finished_tile(tmp_path):
    path = tmp_path / TILES_JOURNAL
    first, second = scores_of(at((0, 1), (0, 2)), 1), scores_of(at((4, 0)), 2)
    with TileJournal(path, HEADER, CRLM7) as journal:
        assert journal.finished is None
        journal.append(first)
        journal.append(second)
    with TileJournal(path, HEADER, CRLM7) as journal:
        finished = journal.finished
    for name in ("rows", "cols", "states", "probabilities", "strangeness", "stain_fallback"):
        expected = np.concatenate([getattr(first, name), getattr(second, name)])
        np.testing.assert_array_equal(getattr(finished, name), expected)


def without_strangeness(path):
    """Turn a journal into one that an earlier version would have written."""
    line, _, data = path.read_bytes().partition(b"\n")
    header = json.loads(line)
    del header["holds_strangeness"]
    size = 4 + 4 + 1 + 1 + 2 * 7
    records = [data[i : i + size] for i in range(0, len(data), size + 2)]
    path.write_bytes(json.dumps(header).encode() + b"\n" + b"".join(records))


def test_the_journal_of_an_earlier_version_goes_on_without_its_strangeness(tmp_path):
    path = tmp_path / TILES_JOURNAL
    first, second = scores_of(at((0, 1), (0, 2), (1, 3)), 1), scores_of(at((2, 0)), 2)
    with TileJournal(path, HEADER, CRLM7) as journal:
        journal.append(first)
    without_strangeness(path)
    path.write_bytes(path.read_bytes()[:-3])
    with TileJournal(path, HEADER, CRLM7) as journal:
        assert np.isnan(journal.finished.strangeness).all()
        np.testing.assert_array_equal(journal.finished.probabilities, first.probabilities[:2])
        journal.append(second)
    with TileJournal(path, HEADER, CRLM7) as journal:
        assert journal.finished.cols.tolist() == [1, 2, 0]
        np.testing.assert_array_equal(journal.finished.strangeness[2:], second.strangeness)


def test_a_folder_of_an_earlier_version_opens_without_its_strangeness(tmp_path):
    folder, written = AnalysisFolder(tmp_path / "s"), some_map()
    folder.write_map(written, {})
    folder.write_run({"slide": {}})
    shutil.rmtree(folder.file(ANALYSIS_ZARR) / "strangeness")
    read = load_analysis(folder.path).tissue_map
    assert np.isnan(read.strangeness).all()
    np.testing.assert_array_equal(read.classes, written.classes)


@pytest.mark.parametrize("cut_bytes", [1, 7, 23])
def test_a_record_cut_by_a_kill_is_dropped_and_the_rest_kept(tmp_path, cut_bytes):
    path = tmp_path / TILES_JOURNAL
    with TileJournal(path, HEADER, CRLM7) as journal:
        journal.append(scores_of(at((0, 1), (0, 2), (0, 3))))
    data = path.read_bytes()
    path.write_bytes(data[:-cut_bytes])
    with TileJournal(path, HEADER, CRLM7) as journal:
        assert journal.finished.cols.tolist() == [1, 2]
        journal.append(scores_of(at((0, 3))))
    with TileJournal(path, HEADER, CRLM7) as journal:
        assert journal.finished.cols.tolist() == [1, 2, 3]


def test_a_journal_of_another_run_starts_afresh(tmp_path):
    path = tmp_path / TILES_JOURNAL
    with TileJournal(path, HEADER, CRLM7) as journal:
        journal.append(scores_of(at((0, 1))))
    with TileJournal(path, {**HEADER, "identity": "other"}, CRLM7) as journal:
        assert journal.finished is None


def test_a_second_run_is_kept_out_of_the_folder_until_the_first_ends(tmp_path):
    folder = AnalysisFolder(tmp_path / "s")
    with folder.lock():
        with pytest.raises(StoreError, match="Another run"), AnalysisFolder(folder.path).lock():
            pass
        folder.write_map(some_map(), {})
    with AnalysisFolder(folder.path).lock():
        pass
    assert [each.name for each in folder.path.iterdir()] == [ANALYSIS_ZARR]


def test_a_run_that_writes_nothing_leaves_no_folder(tmp_path):
    with AnalysisFolder(tmp_path / "s").lock():
        pass
    assert not (tmp_path / "s").exists()


def test_a_fresh_journal_forgets_what_was_finished(tmp_path):
    path = tmp_path / TILES_JOURNAL
    with TileJournal(path, HEADER, CRLM7) as journal:
        journal.append(scores_of(at((0, 1))))
    with TileJournal(path, HEADER, CRLM7, fresh=True) as journal:
        assert journal.finished is None


def test_two_slides_of_one_name_get_two_folders(tmp_path):
    first = AnalysisFolder.for_slide(tmp_path, tmp_path / "a" / "x.svs", "1111aaaa22")
    first.write_run({"slide": {"path": str(tmp_path / "a" / "x.svs"), "fingerprint": "1111aaaa22"}})
    again = AnalysisFolder.for_slide(tmp_path, tmp_path / "a" / "x.svs", "1111aaaa22")
    other = AnalysisFolder.for_slide(tmp_path, tmp_path / "b" / "x.svs", "3333bbbb44")
    assert again.path == first.path
    assert other.path == tmp_path / "x-3333bbbb"


def test_a_running_journal_also_claims_its_folder(tmp_path):
    first = AnalysisFolder.for_slide(tmp_path, tmp_path / "a" / "x.svs", "1111aaaa22")
    slide = {"path": str(tmp_path / "a" / "x.svs"), "fingerprint": "1111aaaa22"}
    TileJournal(first.file(TILES_JOURNAL), {"identity": "i", "slide": slide}, CRLM7).close()
    other = AnalysisFolder.for_slide(tmp_path, tmp_path / "b" / "x.svs", "3333bbbb44")
    assert other.path != first.path


@pytest.mark.parametrize("record", ["[1]", '{"slide": 5}'])
def test_a_strange_record_counts_as_none(tmp_path, record):
    folder = AnalysisFolder(tmp_path)
    folder.file(RUN_JSON).write_text(record)
    assert folder.read_run() is None
    assert AnalysisFolder.for_slide(tmp_path.parent, tmp_path, "1111aaaa22").path == tmp_path


def test_garbled_pixels_of_a_map_are_a_sentence(tmp_path):
    folder = AnalysisFolder(tmp_path / "s")
    folder.write_map(some_map(), {})
    folder.write_run({"slide": {}})
    chunks = [path for path in folder.file(ANALYSIS_ZARR).glob("classes/c/**/*") if path.is_file()]
    assert chunks
    for chunk in chunks:
        chunk.write_bytes(b"garbled" + chunk.read_bytes()[7:])
    with pytest.raises(DamagedAnalysis, match="damaged"):
        load_analysis(folder.path)


def test_a_map_of_an_unknown_scheme_is_a_sentence(tmp_path):
    folder = AnalysisFolder(tmp_path / "s")
    folder.write_map(some_map(), {})
    folder.write_run({"slide": {}})
    described = folder.file(ANALYSIS_ZARR) / "zarr.json"
    described.write_text(described.read_text().replace('"crlm7"', '"other"'))
    with pytest.raises(DamagedAnalysis, match="other"):
        load_analysis(folder.path)


def test_colons_in_a_slides_name_are_no_address(tmp_path):
    folder = AnalysisFolder(tmp_path / "case::1")
    written = some_map()
    folder.write_map(written, {})
    folder.write_run({"slide": {}})
    np.testing.assert_array_equal(load_analysis(folder.path).tissue_map.classes, written.classes)


def test_a_file_name_that_is_not_utf_8_comes_back_from_json(tmp_path):
    name = "sl\udcffide.svs"
    write_text(tmp_path / "x.json", to_json({"path": name}))
    assert json.loads((tmp_path / "x.json").read_text("utf-8")) == {"path": name}


def test_a_failed_write_leaves_the_old_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")
    with pytest.raises(ValueError, match="boom"), atomic_path(path) as temporary:
        temporary.write_text("half")
        raise ValueError("boom")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_sentence_that_says_what_is_kept(tmp_path):
    with pytest.raises(DiskFull, match="finished work is kept"), atomic_path(tmp_path / "x"):
        raise OSError(28, "No space left on device")


def test_json_holds_no_nan():
    text = to_json({"a": float("nan"), "b": np.float32(0.5), "c": (np.int64(1), np.inf)})
    assert json.loads(text) == {"a": None, "b": 0.5, "c": [1, None]}
