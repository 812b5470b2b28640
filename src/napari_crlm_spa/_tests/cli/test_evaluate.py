"""crlm-spa evaluate: what it writes, what it prints, what it refuses."""

import json
import shutil

import pytest

from napari_crlm_spa._tests.cli.test_cli import crlm_spa
from napari_crlm_spa.core.classifier.card import load_card


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    def call(*arguments):
        monkeypatch.chdir(tmp_path)
        flags = ("--device", "cpu", "--bootstrap", "50")
        return crlm_spa(monkeypatch, capfd, "evaluate", *arguments, *flags)

    return call


@pytest.fixture
def model(color_model, tmp_path):
    return shutil.copytree(color_model, tmp_path / "model")


def test_it_writes_the_report_and_prints_the_figures(run, model, palette_tiles, tmp_path):
    code, out, err = run(model, palette_tiles, "-o", tmp_path / "report")
    assert code == 0
    record = json.loads((tmp_path / "report" / "evaluation.json").read_text("utf-8"))
    assert record["accuracy"]["value"] == pytest.approx(46 / 49, abs=1e-6)
    assert record["model"]["name"] == "colors"
    assert record["split"] == "unseen"
    assert "Accuracy: 0.939" in out
    assert str(tmp_path / "report" / "evaluation.html") in out
    assert "3 slides only" in err
    assert load_card(model).temperature == 1.0


def test_the_report_does_not_tell_where_the_tiles_lie(run, model, palette_tiles, tmp_path):
    run(model, palette_tiles, "-o", "report")
    for path in (tmp_path / "report").glob("*.[chj]*"):
        assert str(palette_tiles.parent) not in path.read_text("utf-8"), path.name


def test_calibrate_stores_the_temperature(run, model, palette_tiles, tmp_path):
    code, out, _ = run(model, palette_tiles, "-o", "report", "--calibrate")
    card = load_card(model)
    assert code == 0
    assert card.calibration.tiles == 49
    assert card.temperature != 1.0
    assert f"Temperature: {card.temperature:g} (before 1)" in out
    record = json.loads((tmp_path / "report" / "evaluation.json").read_text("utf-8"))
    assert record["calibrated"]["temperature"] == card.temperature
    assert "is now stored in the card" in (tmp_path / "report" / "evaluation.html").read_text(
        "utf-8"
    )


def test_calibrate_to_leaves_the_model_and_writes_a_copy(run, model, palette_tiles, tmp_path):
    before = load_card(model)
    code, _, _ = run(model, palette_tiles, "--calibrate-to", tmp_path / "copy")
    assert code == 0
    assert load_card(model) == before
    assert load_card(tmp_path / "copy").calibration.tiles == 49


def test_calibrate_never_takes_the_test_split(run, model, mixed_tiles):
    code, _, err = run(model, mixed_tiles, "--split", "test", "--calibrate")
    assert code == 2
    assert "not calibrated on the test split" in err
    run(model, mixed_tiles, "--calibrate")
    assert set(load_card(model).calibration.slides) == {"alpha", "beta"}


def test_the_default_model_is_not_calibrated_in_place(run, palette_tiles, tmp_path):
    code, _, err = run("default", palette_tiles, "--calibrate", "-o", tmp_path / "report")
    assert code == 2
    assert "belongs to the package" in err
    assert not (tmp_path / "report").exists()


def test_a_temperature_that_cannot_be_fitted_still_leaves_the_report(
    run, model, palette_tiles, tmp_path
):
    right = shutil.copytree(palette_tiles, tmp_path / "right")
    for path in [*(right / "STR").glob("beta*"), *(right / "HEP").glob("gamma*")]:
        path.unlink()
    code, _, err = run(model, right, "--calibrate", "-o", tmp_path / "report")
    assert code == 2
    assert "No temperature can be fitted" in err
    assert (tmp_path / "report" / "evaluation.html").exists()
    assert load_card(model).temperature == 1.0


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nonesuch", "tiles"), "There is no model 'nonesuch'"),
        (("MODEL", "none"), "is no folder"),
        (("MODEL", "tiles", "--split", "test"), "There are no test tiles"),
        (("MODEL", "tiles", "--merge", "HEP"), "is not FOLDER=CLASS"),
    ],
)
def test_what_cannot_be_judged_is_one_sentence(
    run, model, palette_tiles, tmp_path, arguments, sentence
):
    places = {"MODEL": model, "tiles": palette_tiles, "none": tmp_path / "none"}
    code, _, err = run(*(places.get(each, each) for each in arguments))
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err


def test_every_option_is_a_flag(monkeypatch, capfd):
    code, out, _ = crlm_spa(monkeypatch, capfd, "evaluate", "--help")
    assert code == 0
    for flag in ("--split", "--stain", "--merge", "--device", "--bootstrap", "--seed", "--bins",
                 "--worst", "--confidence", "--calibrate", "--calibrate-to", "--out"):  # fmt: skip
        assert flag in out


def test_ctrl_c_says_that_nothing_was_written(run, model, palette_tiles, monkeypatch, tmp_path):
    def interrupted(*_arguments):
        raise KeyboardInterrupt
        yield

    monkeypatch.setattr("napari_crlm_spa.core.classifier.evaluation.run.load_tiles", interrupted)
    code, _, err = run(model, palette_tiles, "-o", tmp_path / "report")
    assert code == 130
    assert "Nothing was written" in err
    assert not (tmp_path / "report").exists()
