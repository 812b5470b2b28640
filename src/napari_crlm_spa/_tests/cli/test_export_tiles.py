"""Labeled tiles on the command line: from a file, from a table, from readers' corrections."""

import csv

import pytest
from PIL import Image
from shapely.geometry import box

from napari_crlm_spa._tests.cli.test_cli import run  # noqa: F401
from napari_crlm_spa._tests.painted_slide import metastasis, paint
from napari_crlm_spa.core.annotations import Area, write_areas
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.training.data import find_tiles
from napari_crlm_spa.core.pipeline import analyze_to_end
from napari_crlm_spa.core.review import open_review, reader_folder
from napari_crlm_spa.core.risk import load_risk_model
from napari_crlm_spa.core.slide import open_slide

PX = 32
SIZE = ("--tile-px", PX, "--mpp", "0.5")


def write(path, slide, *areas):
    with open_slide(slide, mpp=0.5) as opened:
        info = opened.info
    boxes = [
        Area(box(left * PX, top * PX, right * PX, bottom * PX), name)
        for name, (top, left, bottom, right) in areas
    ]
    write_areas(path, boxes, info, CRLM7)
    return path


def rows_of(folder):
    with (folder / "manifest.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture
def areas(slide, tmp_path):
    return write(tmp_path / "painted.geojson", slide, ("HEP", (20, 5, 24, 9)),
                 ("Nest", (13, 20, 16, 23)))  # fmt: skip


def test_areas_of_a_file_become_tiles_that_train(run, slide, areas, tmp_path):  # noqa: F811
    out = tmp_path / "tiles"
    code, printed, err = run(
        "export-tiles", slide, "--areas", areas, "-o", out, *SIZE, "--patient", "P1",
        "--rename", "nest=Tumor", "--annotator", "ann",
    )  # fmt: skip
    assert code == 0, err
    assert "25 labeled tiles written (HEP 16, TUM 9)" in printed
    assert "one patient (P1)" in printed
    rows = rows_of(out)
    assert {(row["patient"], row["annotator"]) for row in rows} == {("P1", "ann")}
    assert len(find_tiles([out], CRLM7, {}).tiles) == 25


def test_a_table_names_many_slides(run, slide, areas, tmp_path):  # noqa: F811
    second = paint(metastasis(), tmp_path / "second.png")
    pixels = Image.open(second)
    pixels.putpixel((0, 0), (1, 2, 3))
    pixels.save(second)
    (tmp_path / "slides.csv").write_text(
        "slide;areas;patient;remark\n"
        "painted.png;painted.geojson;P1;x\nsecond.png;painted.geojson;P2;y\n\n"
        "absent.png;painted.geojson;P3;\n"
    )
    code, printed, err = run("export-tiles", tmp_path / "slides.csv", "-o", tmp_path / "out", *SIZE)
    assert code == 2  # one of the slides is not there
    assert "absent.png" in err
    assert "50 labeled tiles written (HEP 32, Nest 18)" in printed
    assert "Nest (1)" in " ".join(err.split())  # a class that the scheme does not know
    splits = {row["patient"]: row["split"] for row in rows_of(tmp_path / "out")}
    assert sorted(splits.values()) == ["train", "validation"]


def test_a_folder_of_slides_finds_the_areas_of_each(run, slide, areas, tmp_path):  # noqa: F811
    folder = tmp_path / "slides"
    folder.mkdir()
    moved = slide.rename(folder / slide.name)
    code, printed, _ = run("export-tiles", folder, "--areas", tmp_path, "-o", tmp_path / "o", *SIZE)
    assert code == 0
    assert "25 labeled tiles" in printed
    moved.rename(folder / "other.png")
    code, _, err = run("export-tiles", folder, "--areas", tmp_path, "-o", tmp_path / "o", *SIZE)
    assert code == 2
    assert "no other.geojson" in err


def test_corrections_and_drawings_of_readers_become_tiles(run, slide, options, areas, tmp_path):  # noqa: F811
    analysis = analyze_to_end(slide, tmp_path / "results", options)
    ann = open_review(analysis, load_risk_model(), "Ann")
    ann.correct([20, 20], [30, 31], "MUC")
    ann.accept([21], [30])
    ann.correct([24], [30], "TUM")
    ann.undo()
    bob = open_review(analysis, load_risk_model(), "Bob")
    bob.correct([20], [30], "STR")
    place = reader_folder(analysis.folder, "Bob")
    areas.rename(place / "annotations.geojson")
    common = ("export-tiles", slide, "--results", tmp_path / "results", *SIZE)

    code, printed, err = run(*common, "-o", tmp_path / "ann", "--reader", "ann")
    assert code == 0, err
    rows = rows_of(tmp_path / "ann")
    predicted = metastasis()[20, 31]
    assert [(r["row"], r["col"], r["class"], r["source"]) for r in rows if r["col"] == "31"] == [
        ("20", "31", "MUC", "corrected")
    ]
    assert {r["predicted_class"] for r in rows if r["col"] == "31"} == {CRLM7.names[predicted - 1]}
    assert sorted(r["source"] for r in rows) == ["accepted", "corrected", "corrected"]
    assert {r["annotator"] for r in rows} == {"Ann"} or {r["annotator"] for r in rows} == {"ann"}
    assert all(r["when"].startswith("20") for r in rows)
    assert {(r["model"], len(r["model_sha256"])) for r in rows} == {("colors", 64)}

    code, printed, _ = run(*common, "-o", tmp_path / "both")
    assert code == 0
    # Both said something of one tile, and not the same.
    assert "readers name different classes (1)" in printed
    assert len(rows_of(tmp_path / "both")) == 2 + 25

    code, _, err = run(*common, "-o", tmp_path / "none", "--reader", "cid")
    assert code == 2
    assert "something is there by: Ann, Bob" in err


@pytest.mark.usefixtures("areas")
@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ((), "Nothing says what the tiles"),
        (("--areas", "absent.geojson"), "cannot be read"),
        (("--results", "empty"), "no finished analysis"),
        (("--areas", "painted.geojson", "--rename", "TUM"), "Immune cells=LYM"),
        (("--areas", "painted.geojson", "--validation", "0.6", "--test", "0.6"), "too little"),
    ],
)
def test_what_cannot_be_is_said_in_a_sentence(run, slide, monkeypatch, flags, sentence):  # noqa: F811
    monkeypatch.chdir(slide.parent)
    code, _, err = run("export-tiles", slide, "-o", "out", *SIZE, *flags)
    assert code == 2
    assert sentence in " ".join(err.split())
    assert not (slide.parent / "out").exists()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file\na.svs\n", "no column slide"),
        ("slide\n", "lists no slide"),
        ("slide,patient\n,P1\n", "line 2"),
        ("slide,mpp\na.svs,wide\n", "no pixel size"),
        ("slide\n\xe4".encode("latin-1"), "not UTF-8"),
    ],
)
def test_tables_with_holes_are_refused(run, tmp_path, text, sentence):  # noqa: F811
    table = tmp_path / "t.csv"
    table.write_bytes(text if isinstance(text, bytes) else text.encode())
    code, _, err = run("export-tiles", table, "-o", tmp_path / "out")
    assert code == 2
    assert sentence in err


def test_one_file_of_areas_labels_no_second_slide(run, slide, areas, tmp_path):  # noqa: F811
    other = paint(metastasis(), tmp_path / "other.png")
    code, _, err = run("export-tiles", slide, other, "--areas", areas, "-o", tmp_path / "o", *SIZE)
    assert code == 2
    said = " ".join(err.split())
    assert "painted.geojson are of one slide" in said
    assert "painted.png, other.png" in said
    assert not (tmp_path / "o").exists()
    # The same slide named twice is one slide.
    code, _, err = run("export-tiles", slide, slide, "--areas", areas, "-o", tmp_path / "o", *SIZE)
    assert code == 0, err


def test_a_log_of_another_run_is_told_before_its_labels_are_missed(
    run,  # noqa: F811
    slide,
    options,
    areas,
    tmp_path,
):
    analysis = analyze_to_end(slide, tmp_path / "results", options)
    open_review(analysis, load_risk_model(), "Ann").correct([20], [30], "MUC")
    log = reader_folder(analysis.folder, "Ann") / "edits.jsonl"
    log.write_text(log.read_text("utf-8").replace(analysis.run["identity"], "ab" * 32), "utf-8")
    common = ("export-tiles", slide, "--results", tmp_path / "results", "--areas", areas, *SIZE)
    code, _, err = run(*common, "-o", tmp_path / "o")
    assert code == 0
    assert "Ann: The corrections" in " ".join(err.split())
    assert {row["source"] for row in rows_of(tmp_path / "o")} == {"drawn area"}
