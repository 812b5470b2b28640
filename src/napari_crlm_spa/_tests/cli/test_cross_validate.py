"""``crlm-spa cross-validate``: two columns on the screen, one page, the same flags as training."""

import json

import pytest

from napari_crlm_spa._tests.cli.test_cli import run  # noqa: F401
from napari_crlm_spa._tests.core.classifier.training.test_crossval import draw_all

_FLAGS = [
    "--folds", "3", "--arch", "tiny", "--hidden", "16", "--tile-px", "32", "--input-px", "16",
    "--epochs", "1", "--stain-mix", "0", "--device", "cpu", "--validation", "0",
    "--learning-rate", "0.01", "--batch-size", "16",
]  # fmt: skip


@pytest.fixture(scope="module")
def tiles(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    draw_all(folder)
    return folder


def test_it_tells_unseen_slides_from_blocks_and_writes_the_page(run, tiles, tmp_path):  # noqa: F811
    code, out, err = run("cross-validate", tiles, "-o", tmp_path, *_FLAGS)
    assert code == 0, err
    assert "nothing of the slide" in out
    assert "other blocks of it" in out
    line = next(line for line in out.splitlines() if "MUC" in line)
    assert [cell.strip() for cell in line.strip("│ ").split("│")][1:4] == ["-", "-", "-"]
    assert "Cut into blocks" in err
    page = (tmp_path / "evaluation.html").read_text(encoding="utf-8")
    assert "On unseen blocks of seen slides" in page
    assert "block of muc" in page
    record = json.loads((tmp_path / "evaluation.json").read_text())
    folds = record["cross_validation"]["folds"]
    assert sorted(name for fold in folds for name in fold["slides"]) == ["alpha", "beta", "gamma"]
    muc = next(r for r in record["cross_validation"]["classes"] if r["name"] == "MUC")
    assert muc["unseen_slide_recall"] is None
    assert muc["block_tiles"] == 12


def test_a_class_that_strict_folds_cannot_teach_is_a_sentence(run, tiles, tmp_path):  # noqa: F811
    code, _, err = run("cross-validate", tiles, "-o", tmp_path, "--strict", *_FLAGS)
    assert code == 2
    assert "no tiles of MUC to learn from" in err
    assert "Traceback" not in err


def test_every_option_of_a_training_is_a_flag(run):  # noqa: F811
    code, out, _ = run("cross-validate", "--help")
    assert code == 0
    for flag in ("--folds", "--strict", "--preset", "--epochs", "--seed", "--tensorboard"):
        assert flag in out
