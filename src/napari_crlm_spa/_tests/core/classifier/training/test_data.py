import csv
import subprocess
import sys

import pytest

from napari_crlm_spa._tests.core.classifier.training.conftest import draw
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.training.data import find_tiles
from napari_crlm_spa.core.classifier.training.recipe import parse_merge, preset
from napari_crlm_spa.errors import TrainingError

GRAY = (128, 128, 128)


def write_manifest(folder, rows):
    columns = ["path", "class", "slide", "split", "split_kind", "x0", "y0", "mpp_slide"]
    columns += ["patient"]
    with (folder / "manifest.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)


def test_file_names_tell_slide_and_place(tmp_path):
    draw(tmp_path, "TUM", "slide_a", 1, 0, GRAY)
    (tmp_path / "TUM" / "b [d=1,x=12,y=-7,w=224,h=224].png").write_bytes(b"")
    qupath, own = find_tiles([tmp_path], CRLM7, {}).tiles
    assert (own.slide, own.x0, own.y0) == ("slide_a", 0, 0)
    assert (qupath.slide, qupath.x0, qupath.y0) == ("b", 12, -7)


def test_classes_outside_the_scheme_are_left_out_with_a_note(tmp_path):
    draw(tmp_path, "TUM", "a", 1, 0, GRAY)
    draw(tmp_path, "ADI", "a", 2, 0, GRAY)
    found = find_tiles([tmp_path], CRLM7, {})
    assert len(found.tiles) == 1
    assert "ADI (2)" in found.notes[0]


def test_merged_folders_count_as_the_other_class(tmp_path):
    draw(tmp_path, "TUM_SARCOMA", "a", 2, 0, GRAY)
    found = find_tiles([tmp_path], CRLM7, parse_merge("TUM_SARCOMA=TUM"))
    assert [tile.label for tile in found.tiles] == [CRLM7.index("TUM")] * 2


def test_tiles_without_a_slide_name_are_noted(tmp_path):
    (tmp_path / "TUM").mkdir()
    (tmp_path / "TUM" / "1.png").write_bytes(b"")
    assert "1 tiles do not name their slide" in find_tiles([tmp_path], CRLM7, {}).notes[0]


def test_the_manifest_decides_class_and_split(tmp_path):
    write_manifest(
        tmp_path,
        [
            {"path": "x/a_x1_y2.jpg", "class": "TUM", "slide": "s", "split": "train", "x0": 9},
            {"path": "x/b.jpg", "class": "HEP", "slide": "t", "split": "test"},
        ],
    )
    found = find_tiles([tmp_path], CRLM7, {})
    assert [tile.split for tile in found.tiles] == ["train", "test"]
    assert (found.tiles[0].x0, found.tiles[0].y0, found.tiles[0].slide) == (9, 2, "s")
    assert len(found.of_split("test")) == 1


def test_a_slide_in_two_splits_is_refused(tmp_path):
    rows = [
        {"path": f"{split}.jpg", "class": "TUM", "slide": "s", "split": split}
        for split in ("train", "test")
    ]
    write_manifest(tmp_path, rows)
    with pytest.raises(TrainingError, match="slide s stands in the splits test and train"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_slide_cut_into_blocks_may_stand_in_two_splits(tmp_path):
    rows = [
        {"path": "a.jpg", "class": "TUM", "slide": "s", "split": split, "split_kind": "block"}
        for split in ("train", "test")
    ]
    write_manifest(tmp_path, rows)
    assert len(find_tiles([tmp_path], CRLM7, {}).tiles) == 2


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"split": "holdout"}, "line 2: the split 'holdout'"),
        ({"x0": "left"}, "line 2: x0 and y0 must be whole numbers"),
        ({"mpp_slide": "fine"}, "mpp_slide a number"),
        ({"mpp_slide": "-0.25"}, "mpp_slide a number above 0"),
        ({"mpp_slide": "nan"}, "mpp_slide a number above 0"),
    ],
)
def test_a_wrong_manifest_line_is_named(tmp_path, row, sentence):
    write_manifest(tmp_path, [{"path": "a.jpg", "class": "TUM", "slide": "s", **row}])
    with pytest.raises(TrainingError, match=sentence):
        find_tiles([tmp_path], CRLM7, {})


def test_tiles_whose_slide_the_manifest_names_need_no_name_in_the_file(tmp_path):
    rows = [{"path": f"{i}.jpg", "class": "TUM", "slide": slide} for i, slide in enumerate(" s ")]
    write_manifest(tmp_path, rows)
    found = find_tiles([tmp_path], CRLM7, {})
    assert [tile.slide for tile in found.tiles] == ["0", "s", "2"]
    assert [note.split(" do not ")[0] for note in found.notes] == ["2 tiles"]


def test_files_that_macos_leaves_beside_tiles_are_no_tiles(tmp_path):
    (tmp_path / "TUM").mkdir()
    for name in ("a_x1_y2.png", "._a_x1_y2.png"):
        (tmp_path / "TUM" / name).touch()
    assert [tile.path.name for tile in find_tiles([tmp_path], CRLM7, {}).tiles] == ["a_x1_y2.png"]


def test_a_manifest_without_its_columns_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_text("file,tissue\na.jpg,TUM\n")
    with pytest.raises(TrainingError, match="no column class and path"):
        find_tiles([tmp_path], CRLM7, {})


def test_an_empty_manifest_is_refused(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,class\n")
    with pytest.raises(TrainingError, match="lists no tiles"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_manifest_of_no_bytes_is_refused(tmp_path):
    (tmp_path / "manifest.csv").touch()
    with pytest.raises(TrainingError, match="no column class and path"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_manifest_in_another_encoding_is_refused(tmp_path):
    text = "path,class,slide\nTUM/a.png,TUM,Gewebe-Präparat\n"
    (tmp_path / "manifest.csv").write_bytes(text.encode("cp1252"))
    with pytest.raises(TrainingError, match="is not UTF-8 text"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_manifest_as_excel_writes_it_is_read(tmp_path):
    text = "path;class;slide;mpp_slide\r\nTUM\\a_x1_y2.png;TUM;Präparat 1;0.25\r\n"
    (tmp_path / "manifest.csv").write_bytes(text.encode("utf-8-sig"))
    (tile,) = find_tiles([tmp_path], CRLM7, {}).tiles
    assert tile.path == tmp_path / "TUM" / "a_x1_y2.png"
    assert (tile.slide, tile.mpp_slide, tile.x0) == ("Präparat 1", 0.25, 1)


@pytest.mark.parametrize("path", ["../elsewhere/a.png", "/elsewhere/a.png", "TUM/../../a.png"])
def test_a_manifest_that_leads_out_of_its_folder_is_refused(tmp_path, path):
    write_manifest(tmp_path, [{"path": path, "class": "TUM"}])
    with pytest.raises(TrainingError, match=r"line 2: .* lies outside the manifest's folder"):
        find_tiles([tmp_path], CRLM7, {})


@pytest.mark.parametrize("row", [{"path": "", "class": "TUM"}, {"path": "a.png", "class": " "}])
def test_an_empty_cell_of_the_manifest_is_named(tmp_path, row):
    write_manifest(tmp_path, [{"path": "a.png", "class": "TUM"}, row])
    with pytest.raises(TrainingError, match="line 3: path or class is empty"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_short_line_of_the_manifest_is_named(tmp_path):
    (tmp_path / "manifest.csv").write_text("path,class\nTUM/a.png\n")
    with pytest.raises(TrainingError, match="line 2: path or class is empty"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_patient_in_two_splits_is_refused(tmp_path):
    rows = [
        {"path": f"{slide}.jpg", "class": "TUM", "slide": slide, "split": split, "patient": "P7"}
        for slide, split in (("s", "train"), ("t", "test"))
    ]
    write_manifest(tmp_path, rows)
    with pytest.raises(TrainingError, match="patient P7 stands in the splits test and train"):
        find_tiles([tmp_path], CRLM7, {})


def test_a_missing_or_empty_folder_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="is no folder"):
        find_tiles([tmp_path / "nowhere"], CRLM7, {})
    with pytest.raises(TrainingError, match="holds no tiles"):
        find_tiles([tmp_path], CRLM7, {})


def test_merging_into_an_unknown_class_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="MUS cannot become FAT"):
        find_tiles([tmp_path], CRLM7, {"MUS": "FAT"})


def test_merge_is_read_as_pairs():
    assert parse_merge(" A=B , C=D,") == {"A": "B", "C": "D"}
    with pytest.raises(TrainingError, match="'A:B'"):
        parse_merge("A:B")


def test_the_papers_preset_needs_a_model_to_start_from():
    with pytest.raises(TrainingError, match="--init"):
        preset("paper")
    options = preset("paper", init="somewhere")
    assert (options.arch, options.optimizer, options.learning_rate) == ("resnet50", "sgd", 1e-3)
    assert (options.batch_size, options.train_part, options.keep) == (32, "last_block", "best")


def test_an_unknown_preset_is_refused():
    with pytest.raises(TrainingError, match="modern, paper"):
        preset("best")


def test_the_options_are_imported_without_torch():
    code = (
        "import sys; from napari_crlm_spa.core.classifier.training import TrainingOptions; "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_preset_can_be_given_a_model_name():
    assert preset("modern", name="mine").name == "mine"
