"""The command line: exit codes, sentences, and the same numbers as the library."""

import json
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.painted_slide import paint, paint_over
from napari_crlm_spa.cli import doctor
from napari_crlm_spa.cli import main as cli
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.pipeline import analyze_to_end
from napari_crlm_spa.core.spatial import FEATURES
from napari_crlm_spa.core.store import (
    FEATURES_CSV,
    AnalysisFolder,
    load_analysis,
    read_features,
)


def crlm_spa(monkeypatch, capfd, *arguments):
    """Run the program in this process; return exit code, stdout, stderr."""
    monkeypatch.setattr(sys, "argv", ["crlm-spa", *map(str, arguments)])
    monkeypatch.setenv("COLUMNS", "200")
    try:
        cli.main()
        code = 0
    except SystemExit as exit_:
        code = exit_.code
    out, err = capfd.readouterr()
    return code, out, err


@pytest.fixture
def run(monkeypatch, capfd):
    def call(*arguments):
        return crlm_spa(monkeypatch, capfd, *arguments)

    return call


@pytest.fixture
def flags(color_model):
    return ["--mpp", "0.5", "--model", color_model, "--mask-mpp", "2", "--device", "cpu"]


def test_analyze_writes_what_the_library_returns(run, slide, options, flags, tmp_path):
    code, out, _ = run("analyze", slide, "-o", tmp_path / "cli", *flags)
    expected = analyze_to_end(slide, tmp_path / "library", options)
    assert code == 0
    folder = tmp_path / "cli" / "painted"
    np.testing.assert_array_equal(
        load_analysis(folder).tissue_map.classes, expected.tissue_map.classes
    )
    assert read_features(folder) == pytest.approx(expected.features.values, abs=1e-12, nan_ok=True)
    assert str(folder) in out
    assert "research" in out.lower()


def test_every_option_of_the_library_is_a_flag(run):
    code, out, _ = run("analyze", "--help")
    assert code == 0
    for flag in ("--blank-max", "--stain", "--batch-size", "--interaction-denominator",
                 "--zone-components", "--region-min-tiles", "--roi-rule"):  # fmt: skip
        assert flag in out


def test_a_flag_changes_its_option(run, slide, flags, tmp_path):
    run("analyze", slide, "-o", tmp_path, *flags, "--interaction-denominator", "nine")
    record = json.loads((tmp_path / "painted" / "run.json").read_text())
    assert record["options"]["spatial"]["interaction_denominator"] == "nine"


def test_a_decoder_can_be_forced_and_is_recorded(run, slide, flags, tmp_path):
    code, _, _ = run("analyze", slide, "-o", tmp_path, *flags, "--decoder", "pillow")
    record = json.loads((tmp_path / "painted" / "run.json").read_text())
    assert code == 0
    assert (record["options"]["decoder"], record["slide"]["decoder"]) == ("pillow", "pillow")


@pytest.mark.parametrize("command", ["analyze", "info"])
@pytest.mark.parametrize("decoder", ["openslide", "bioformats"])
def test_an_impossible_decoder_is_one_sentence_with_the_way_out(run, slide, command, decoder):
    code, _, err = run(command, slide, "--mpp", "0.5", "--decoder", decoder)
    assert code == 2
    assert decoder in err and "auto" in err
    assert "Traceback" not in err


def test_info_and_convert_take_a_decoder(run, slide, tmp_path):
    made = tmp_path / "made.tif"
    assert run("convert", slide, made, "--mpp", "0.5", "--decoder", "openslide")[0] == 2
    assert run("convert", slide, made, "--mpp", "0.5", "--decoder", "pillow")[0] == 0
    for decoder, reader in (("auto", "tifffile"), ("openslide", "openslide")):
        out = run("info", made, "--decoder", decoder)[1]
        assert re.search(rf"Decoder\W+{reader}\b", out)


def test_a_value_out_of_range_is_refused(run, slide, flags, tmp_path):
    code, _, err = run("analyze", slide, "-o", tmp_path / "o", *flags, "--blank-max", "7")
    assert code == 2
    assert "blank-max" in err
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize("command", ["analyze", "info"])
def test_bad_slides_are_one_sentence_and_exit_code_2(run, tmp_path, command):
    text = tmp_path / "note.svs"
    text.write_text("this is no slide")
    empty = tmp_path / "empty.tif"
    empty.touch()
    Image.new("RGB", (50, 40), "purple").save(tmp_path / "plain.png")
    os.chdir(tmp_path)
    for name in ("note.svs", "empty.tif", "plain.png", "absent.svs"):
        code, _, err = run(command, tmp_path / name)
        assert code == 2
        assert name in err
        assert "Traceback" not in err
    assert not (tmp_path / "crlm-spa-results").exists()


def test_one_bad_slide_does_not_stop_the_others(run, slide, flags, tmp_path):
    bad = tmp_path / "bad.svs"
    bad.write_text("no slide")
    code, _, err = run("analyze", bad, slide, "-o", tmp_path / "o", *flags)
    assert code == 2
    assert "1 of 2" in err and "bad.svs" in err
    assert (tmp_path / "o" / "painted" / FEATURES_CSV).exists()


def test_one_slide_in_work_elsewhere_does_not_stop_the_others(run, slide, flags, tmp_path):
    other = shutil.copy(slide, tmp_path / "other.png")
    with AnalysisFolder(tmp_path / "o" / "painted").lock():
        code, _, err = run("analyze", slide, other, "-o", tmp_path / "o", *flags)
    assert code == 2
    assert "Another run" in err
    assert "1 of 2" in err
    assert (tmp_path / "o" / "other" / FEATURES_CSV).exists()


@pytest.mark.parametrize(
    ("flag", "score"),
    [([], "0 to 1"), (["--node-positive"], "1"), (["--no-node-positive"], "0")],
)
def test_nodes_may_be_positive_negative_or_unknown(run, tmp_path, flag, score):
    features = tmp_path / FEATURES_CSV
    features.write_text(",".join(FEATURES) + "\n" + ",".join(["0.1"] * len(FEATURES)))
    known = ["--disease-free-interval-months", "24", "--n-metastases", "1"]
    known += ["--largest-metastasis-cm", "2", "--cea-ng-ml", "5"]
    code, out, err = run("risk", "assess", features, *known, *flag)
    assert (code, err) == (0, "")
    assert f"Clinical risk score {score} of 5" in out


def test_a_log_file_of_an_old_encoding_holds_the_output(slide, flags, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "napari_crlm_spa", "analyze", slide, "-o", tmp_path / "o", *flags],
        env={**os.environ, "PYTHONIOENCODING": "cp1252", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode("cp1252")


def test_info_tells_pixel_size_and_source(run, svs_path):
    code, out, _ = run("info", svs_path)
    assert code == 0
    assert "0.2525" in out and "MPP" in out
    code, out, _ = run("info", svs_path, "--json")
    assert json.loads(out)["pixel_size"]["x_um"] == pytest.approx(0.2525)


def test_cutoffs_from_a_cohort_give_the_next_slide_a_group(run, slide, flags, tmp_path):
    folder = tmp_path / "o"
    run("analyze", slide, "-o", folder, *flags)
    values = read_features(folder / "painted")
    rng = np.random.default_rng(0)
    lines = [",".join(values)]
    lines += [",".join(str(rng.random()) for _ in values) for _ in range(40)]
    (tmp_path / "cohort.csv").write_text("\n".join(lines))
    model = tmp_path / "risk.json"
    code, _, err = run("risk", "fit-cutoffs", tmp_path / "cohort.csv", "-o", model)
    assert (code, err) == (0, "")
    code, out, _ = run("risk", "assess", folder / "painted", "-m", model, "--n-metastases", "3")
    assert code == 0
    assert "Spatial risk group: high" in out or "Spatial risk group: low" in out
    assert "Clinical risk score 1 to 5" in out
    code, out, _ = run("analyze", slide, "-o", folder, *flags, "--risk-model", model)
    assert code == 0
    assert "Spatial risk group" in out


def test_without_cutoffs_there_is_no_group_and_the_program_says_why(run, slide, flags, tmp_path):
    _, out, _ = run("analyze", slide, "-o", tmp_path, *flags)
    assert "No risk group" in out
    assert "fit-cutoffs" in out


def test_pooled_thresholds_are_used_for_the_next_slide(run, slide, flags, tmp_path):
    run("analyze", slide, "-o", tmp_path / "o", *flags)
    model = tmp_path / "mixture.json"
    code, _, _ = run("mixture", tmp_path / "o" / "painted", "-o", model)
    assert code == 0
    code, _, _ = run("analyze", slide, "-o", tmp_path / "o", *flags, "--mixture", model)
    assert code == 0
    record = json.loads((tmp_path / "o" / "painted" / "run.json").read_text())
    assert record["options"]["mixture"] == str(model)


def test_a_slide_with_little_tumor_takes_no_part_in_the_thresholds(run, flags, tmp_path):
    codes = np.full((20, 20), CRLM7.code("HEP"), np.uint8)
    codes[5:10, 5:14] = CRLM7.code("TUM")
    run("analyze", paint(codes, tmp_path / "small.png"), "-o", tmp_path, *flags)
    model = tmp_path / "mixture.json"
    code, _, err = run("mixture", tmp_path / "small", "-o", model)
    assert code == 2
    assert "Left out: small" in err
    assert not model.exists()


def test_doctor_finds_nothing_to_mend_here(run, tmp_path):
    code, out, _ = run("doctor", "-o", tmp_path)
    assert code == 0, out
    assert "OpenSlide" in out and "PyTorch" in out


def test_doctor_names_a_folder_that_may_not_be_written(run, tmp_path, monkeypatch):
    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("napari_crlm_spa.cli.doctor.tempfile.TemporaryFile", refuse)
    code, out, _ = run("doctor", "-o", tmp_path)
    assert code == 2
    assert "may not be written" in out


@pytest.mark.parametrize(
    ("python", "number", "well"),
    [((3, 11), "6.12.0", False), ((3, 12), "6.12.0", True), ((3, 11), "6.11.3", True)],
)
def test_doctor_warns_of_the_pyside6_that_ends_napari(monkeypatch, python, number, well):
    there = {"PySide6-Essentials": number, "napari": "0.9.2", "qtpy": "2.4.3"}
    monkeypatch.delenv("QT_API", raising=False)
    monkeypatch.setattr(doctor, "_version", lambda name: there.get(name, "absent"))
    monkeypatch.setattr(doctor, "_PYTHON", python)
    good, sentence = doctor._check_viewer()
    assert good is well
    assert "PySide6" in sentence
    assert ("pip install" in sentence) is not well


def test_ctrl_c_says_how_to_go_on(run, slide, flags, tmp_path, monkeypatch):
    from napari_crlm_spa.core.classifier import runtime

    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(runtime.Classifier, "predict", interrupt)
    code, _, err = run("analyze", slide, "-o", tmp_path, *flags)
    assert code == 130
    assert "same command" in err


@pytest.mark.parametrize("module", ["napari_crlm_spa", "napari_crlm_spa.cli.main"])
def test_importing_is_cheap(module):
    heavy = "{'torch', 'napari', 'qtpy', 'torchvision', 'matplotlib', 'numba', 'pandas', 'zarr'}"
    code = f"import sys, {module}; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True)


WITH_HELP = [[], ["analyze"], ["train"], ["risk", "assess"]]
WITH_HELP += [["risk"], ["cohort"], ["hgp"], ["models"]]


@pytest.mark.parametrize("command", WITH_HELP, ids=" ".join)
def test_help_cuts_off_nothing_in_80_columns(command):
    told = subprocess.run(
        [sys.executable, "-m", "napari_crlm_spa", *command, "--help"],
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "…" not in told.stdout
    assert "..." not in told.stdout.partition("Options:")[2]
    assert max(map(len, told.stdout.splitlines())) <= 80


@pytest.mark.parametrize("strange", [True, False])
def test_analyze_ends_with_what_the_sentinel_saw(
    run, slide, codes, watchful_model, strange, tmp_path
):
    if strange:
        paint_over(slide, (codes > 0) & (np.arange(codes.shape[1]) >= 26))
    flags = ["--mpp", "0.5", "--model", watchful_model, "--mask-mpp", "2", "--device", "cpu"]
    code, out, _ = run("analyze", slide, "-o", tmp_path, *flags)
    assert code == 0
    said = " ".join(out.split())
    assert ("Warning: This slide looks unlike the training slides: 38% " in said) == strange
    assert ("Strangeness: 0% of the classified tiles " in said) != strange


def test_the_limit_of_the_sentinel_is_a_flag(run, slide, codes, watchful_model, tmp_path):
    paint_over(slide, (codes > 0) & (np.arange(codes.shape[1]) >= 26))
    flags = ["--mpp", "0.5", "--model", watchful_model, "--mask-mpp", "2", "--device", "cpu"]
    _, out, _ = run("analyze", slide, "-o", tmp_path, *flags, "--strange-max", "0.5")
    assert "Warning: This slide" not in " ".join(out.split())
