"""Labeled tiles on disk: what training and torchvision read, and what a stopped export leaves."""

import csv
import hashlib
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from shapely.geometry import box

from napari_crlm_spa._tests.painted_slide import PALETTE, metastasis, paint
from napari_crlm_spa._tests.real_data import SHARED, real_data
from napari_crlm_spa.core import files
from napari_crlm_spa.core.annotations import (
    Area,
    Areas,
    ExportOptions,
    ReviewedMap,
    SlideToExport,
    SplitOptions,
    export_labeled_tiles,
    read_areas,
)
from napari_crlm_spa.core.annotations import tile_plan as plan
from napari_crlm_spa.core.annotations.manifest import MANIFEST
from napari_crlm_spa.core.annotations.slides import safe_name
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.training import data
from napari_crlm_spa.core.files import is_device
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.tiles import TileState, TilingOptions, plan_tiles, read_tile
from napari_crlm_spa.core.tissue_map import TissueMap
from napari_crlm_spa.errors import AnnotationError, UnreadableSlide

PX = 32
OPTIONS = ExportOptions(tile_px=PX, mpp=0.5, readers=2)
#: On the painted metastasis: tiles (row, col) from, to.
LIVER, TUMOR = (20, 5, 24, 9), (13, 20, 16, 23)


def area(class_name, rectangle, annotator="ann", **more):
    top, left, bottom, right = (PX * each for each in rectangle)
    return Area(box(left, top, right, bottom), class_name, annotator, **more)


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def export(out, *slides, options=OPTIONS, split=None):
    return finish(export_labeled_tiles(slides, out, options, split))


@pytest.fixture
def make(tmp_path):
    """Paint a slide of its own content and describe two areas on it."""

    def make(name, patient="", areas=None, shade=0):
        path = paint(metastasis(), tmp_path / f"{name}.png")
        if shade:
            pixels = np.array(Image.open(path))
            pixels[0, 0] = shade
            Image.fromarray(pixels).save(path)
        drawn = areas or (area("HEP", LIVER), area("TUM", TUMOR))
        return SlideToExport(path=path, areas=Areas(tuple(drawn)), patient=patient, mpp=0.5)

    return make


def rows_of(folder):
    with (folder / MANIFEST).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def images(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.glob("*/*"))


def test_manifest_and_images_say_the_same(make, tmp_path):
    result = export(tmp_path / "out", make("one", "P1"))
    rows = rows_of(tmp_path / "out")
    assert result.written == {"HEP": 16, "TUM": 9}
    assert images(tmp_path / "out") == [row["path"] for row in rows]
    for row in rows:
        path = tmp_path / "out" / row["path"]
        assert hashlib.sha256(path.read_bytes()).hexdigest() == row["tile_sha256"]
        assert path.name == f"one_x{row['x0']}_y{row['y0']}.png"
        assert (int(row["x0"]), int(row["y0"])) == (PX * int(row["col"]), PX * int(row["row"]))
        assert float(row["x_um"]) == int(row["x0"]) * 0.5
        codes = metastasis()[int(row["row"]), int(row["col"])]
        np.testing.assert_array_equal(np.unique(Image.open(path), axis=None),
                                      np.unique(PALETTE[codes - 1]))  # fmt: skip
    first = rows[0]
    assert (first["patient"], first["split_kind"], first["annotator"]) == ("P1", "patient", "ann")
    assert (first["source"], first["purity"], first["mpp_slide"]) == ("drawn area", "1.0000", "0.5")


def test_the_training_reads_what_was_written(make, tmp_path):
    export(tmp_path / "out", make("one", "P1"), make("two", "P2", shade=1))
    found = data.find_tiles([tmp_path / "out"], CRLM7, {})
    assert data.MANIFEST == MANIFEST
    assert found.notes == []
    assert len(found.tiles) == 50
    assert {(t.slide, t.patient, t.split) for t in found.tiles} == {
        ("one", "P1", "train"), ("two", "P2", "validation"),
    } or {(t.slide, t.patient, t.split) for t in found.tiles} == {
        ("one", "P1", "validation"), ("two", "P2", "train"),
    }  # fmt: skip
    assert {t.path.name for t in found.tiles if t.label == CRLM7.index("TUM")} == {
        path.name for path in (tmp_path / "out" / "TUM").iterdir()
    }


def test_torchvision_reads_the_same_classes_and_counts(make, tmp_path):
    from torchvision.datasets import ImageFolder

    result = export(tmp_path / "out", make("one", "P1"))
    dataset = ImageFolder(tmp_path / "out")
    assert dataset.classes == ["HEP", "TUM"]
    counts = np.bincount(dataset.targets)
    assert dict(zip(dataset.classes, counts.tolist(), strict=True)) == result.written
    assert dataset[0][0].size == (PX, PX)


def test_pixels_are_those_that_the_pipeline_reads(marks_slide, tiff_path, tmp_path):
    whole = Areas((Area(box(0, 0, 10_000, 10_000), "TUM"),))
    options = ExportOptions(tile_px=PX, mpp=0.5, blank="keep")
    slide = SlideToExport(path=tiff_path, areas=whole)
    export(tmp_path / "out", slide, options=options)
    grid = plan_tiles(marks_slide, TilingOptions(tile_px=PX, mpp=0.5, mask_mpp=2.0))
    rows = rows_of(tmp_path / "out")
    assert len(rows) == grid.rows * grid.cols
    with open_slide(tiff_path) as opened:
        for row in rows:
            expected = read_tile(opened, grid, int(row["row"]), int(row["col"]))
            found = np.array(Image.open(tmp_path / "out" / row["path"]))
            np.testing.assert_array_equal(found, expected)


def test_a_second_slide_is_added_and_the_same_one_replaced(make, tmp_path):
    out, one = tmp_path / "out", make("one", "P1")
    export(out, one)
    before = rows_of(out)
    export(out, make("two", "P2", shade=1))
    both = rows_of(out)
    assert [row for row in both if row["slide"] == "one"] == before
    again = make("one", "P1", areas=[area("LYM", LIVER)])
    result = export(out, again)
    rows = rows_of(out)
    assert {row["class"] for row in rows if row["slide"] == "one"} == {"LYM"}
    assert [row for row in rows if row["slide"] == "two"] == [
        r for r in both if r["slide"] == "two"
    ]
    assert images(out) == [row["path"] for row in rows]
    assert result.written == {"LYM": 16}


def test_exporting_twice_changes_no_byte(make, tmp_path):
    out = tmp_path / "out"
    export(out, make("one", "P1"))
    first = {path: (out / path).read_bytes() for path in [*images(out), MANIFEST, "balance.csv"]}
    export(out, make("one", "P1"))
    assert first == {p: (out / p).read_bytes() for p in [*images(out), MANIFEST, "balance.csv"]}


def test_class_folders_that_become_empty_go(make, tmp_path):
    from torchvision.datasets import ImageFolder

    export(tmp_path / "out", make("one"))
    export(tmp_path / "out", make("one", areas=[area("TUM", TUMOR)]))
    assert not (tmp_path / "out" / "HEP").exists()
    assert ImageFolder(tmp_path / "out").classes == ["TUM"]


def test_slides_of_one_name_are_told_apart(make, tmp_path):
    (tmp_path / "b").mkdir()
    one, two = make("one", "P1"), make("two", "P2", shade=1)
    other = two.path.rename(tmp_path / "b" / "one.png")
    result = export(
        tmp_path / "out", one, SlideToExport(path=other, areas=two.areas, patient="P2", mpp=0.5)
    )
    rows = rows_of(tmp_path / "out")
    names = {row["slide"] for row in rows}
    assert len(names) == 2
    assert result.tiles == len(rows) == len(images(tmp_path / "out")) == 50
    export(tmp_path / "out", SlideToExport(path=other, areas=two.areas, patient="P2", mpp=0.5))
    assert {row["slide"] for row in rows_of(tmp_path / "out")} == names
    assert len(images(tmp_path / "out")) == 50


def test_a_copy_of_a_slide_is_not_counted_twice(make, tmp_path):
    one = make("one")
    copy = SlideToExport(path=tmp_path / "copy.png", areas=one.areas, mpp=0.5)
    copy.path.write_bytes(one.path.read_bytes())
    result = export(tmp_path / "out", one, copy)
    assert len(rows_of(tmp_path / "out")) == 25
    assert [path for path, _ in result.failed] == [copy.path]
    assert "copy of a slide" in str(result.failed[0][1])


def test_entries_of_one_slide_are_joined_and_disagreement_is_counted(make, tmp_path):
    ann = make("one", areas=[area("TUM", TUMOR, "ann"), area("HEP", LIVER, "ann")])
    bob = SlideToExport(path=ann.path, areas=Areas((area("STR", TUMOR, "bob"),)), mpp=0.5)
    result = export(tmp_path / "out", ann, bob)
    assert result.written == {"HEP": 16}
    assert result.left_out == {plan.DISAGREE: 9}
    assert "Tiles left out: 9. Why: readers name different classes (9)." in " ".join(
        result.sentences()
    )


def test_blank_tiles_teach_background_only(make, tmp_path):
    glass = (2, 0, 4, 3)
    named = make("one", areas=[area("TUM", glass), area("HEP", LIVER)])
    result = export(tmp_path / "tum", named)
    assert (result.written, result.left_out) == ({"HEP": 16}, {plan.BLANK: 6})
    back = make("one", areas=[area("BACK", glass), area("HEP", LIVER)])
    assert export(tmp_path / "back", back).written == {"BACK": 6, "HEP": 16}
    drop = ExportOptions(tile_px=PX, mpp=0.5, blank="drop")
    assert export(tmp_path / "drop", back, options=drop).written == {"HEP": 16}
    keep = ExportOptions(tile_px=PX, mpp=0.5, blank="keep")
    assert export(tmp_path / "keep", named, options=keep).written == {"HEP": 16, "TUM": 6}


def test_corrections_are_labels_with_the_prediction_beside_them(make, tmp_path):
    slide = make("one")
    with open_slide(slide.path, mpp=0.5) as opened:
        grid = plan_tiles(opened, TilingOptions(tile_px=PX, mpp=0.5, mask_mpp=2.0))
    found = TissueMap.empty(grid, CRLM7)
    found.classes[:], found.state[:] = CRLM7.code("STR"), TileState.CLASSIFIED
    found.probabilities[..., CRLM7.index("STR")] = 1
    found.classes[14, 20], found.state[14, 20] = CRLM7.code("MUC"), TileState.EDITED
    found.state[20, 20] = TileState.ACCEPTED
    reviewed = SlideToExport(
        path=slide.path, reviews=(ReviewedMap(found, "bob", "2026-01-01"),), mpp=0.5,
        model_name="default", model_sha256="abc",
    )  # fmt: skip
    export(tmp_path / "out", reviewed)
    rows = rows_of(tmp_path / "out")
    told = [
        (r["class"], r["predicted_class"], r["source"], r["annotator"], r["when"]) for r in rows
    ]
    assert told == [
        ("MUC", "STR", "corrected", "bob", "2026-01-01"),
        ("STR", "STR", "accepted", "bob", "2026-01-01"),
    ]
    assert {(r["model"], r["model_sha256"]) for r in rows} == {("default", "abc")}


def test_a_cancelled_export_leaves_no_manifest_and_goes_on(make, tmp_path):
    out = tmp_path / "out"
    work = export_labeled_tiles([make("one", "P1")], out, OPTIONS)
    for step in work:
        if step.done == 12:
            break
    work.close()
    assert not (out / MANIFEST).exists()
    begun = {path: (out / path).stat().st_mtime_ns for path in images(out)}
    assert len(begun) >= 12
    result = export(out, make("one", "P1"))
    assert result.tiles == 25
    assert images(out) == [row["path"] for row in rows_of(out)]
    # What was there was not written again.
    assert all((out / path).stat().st_mtime_ns == time for path, time in begun.items())
    assert [p.name for p in out.iterdir() if p.name.startswith(".")] == []


def test_a_killed_export_with_other_areas_leaves_nothing_behind(make, tmp_path):
    out = tmp_path / "out"
    work = export_labeled_tiles([make("one")], out, OPTIONS)
    for step in work:
        if step.done == 12:
            break
    work.close()
    half = out / "HEP" / ".one_x160_y640-abcd.png"
    half.write_bytes(b"half a picture")
    result = export(out, make("one", areas=[area("LYM", LIVER)]))
    assert result.written == {"LYM": 16}
    assert images(out) == [row["path"] for row in rows_of(out)]
    assert not half.exists()


def test_a_stopped_second_export_leaves_the_first_manifest_true(make, tmp_path):
    out = tmp_path / "out"
    export(out, make("one", "P1"))
    before = (out / MANIFEST).read_bytes()
    work = export_labeled_tiles([make("one", "P1", areas=[area("LYM", LIVER)])], out, OPTIONS)
    for step in work:
        if step.done == 5:
            break
    work.close()
    assert (out / MANIFEST).read_bytes() == before
    for row in rows_of(out):
        found = hashlib.sha256((out / row["path"]).read_bytes()).hexdigest()
        assert found == row["tile_sha256"]


def test_one_bad_slide_does_not_stop_the_others(make, tmp_path):
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"")
    slides = [SlideToExport(path=bad, mpp=0.5), make("one"), make("two", areas=[], shade=1)]
    slides[2] = SlideToExport(path=slides[2].path, mpp=0.5)
    result = export(tmp_path / "out", *slides)
    assert result.tiles == 25
    assert [path.name for path, _ in result.failed] == ["bad.png", "two.png"]
    assert "No tile of two.png is labeled" in str(result.failed[1][1])
    with pytest.raises(UnreadableSlide):
        export(tmp_path / "none", slides[0])
    assert not (tmp_path / "none").exists()


def test_nothing_to_export_is_a_sentence(make, tmp_path):
    with pytest.raises(AnnotationError, match="no slide to export"):
        export(tmp_path / "out")
    thin = make("one", areas=[Area(box(0, 0, 10, 10), "TUM")])
    with pytest.raises(AnnotationError, match="lower the purity"):
        export(tmp_path / "out", thin)


def test_folders_of_other_tiles_are_refused(make, tmp_path):
    out = tmp_path / "out"
    (out / "TUM").mkdir(parents=True)
    Image.new("RGB", (9, 9)).save(out / "TUM" / "mine.png")
    with pytest.raises(AnnotationError, match=r"TUM/mine\.png"):
        export(out, make("one"))
    (out / MANIFEST).write_text("path,class\nTUM/mine.png,TUM\n")
    with pytest.raises(AnnotationError, match="another origin"):
        export(out, make("one"))


def test_tiles_of_another_size_are_refused(make, tmp_path):
    export(tmp_path / "out", make("one"))
    larger = ExportOptions(tile_px=2 * PX, mpp=0.5)
    with pytest.raises(AnnotationError, match="64 px"):
        export(tmp_path / "out", make("two", shade=1), options=larger)


def test_a_manifest_that_points_outside_is_refused(make, tmp_path):
    out = tmp_path / "out"
    export(out, make("one"))
    victim = tmp_path / "victim.png"
    victim.write_bytes(b"mine")
    text = (out / MANIFEST).read_text()
    (out / MANIFEST).write_text(text.replace(rows_of(out)[0]["path"], "../victim.png"))
    with pytest.raises(AnnotationError, match="no path below"):
        export(out, make("one"))
    assert victim.exists()


def test_columns_that_somebody_added_and_splits_that_he_set_stay(make, tmp_path):
    out = tmp_path / "out"
    export(out, make("one", "P1"))
    rows = [{**row, "remark": "seen", "split": "test"} for row in rows_of(out)]
    with (out / MANIFEST).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    export(out, make("two", "P2", shade=1))
    told = {(row["slide"], row["split"], row["remark"]) for row in rows_of(out)}
    assert told == {("one", "test", "seen"), ("two", "train", "")}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no umask")
def test_threads_that_write_leave_the_rights_of_new_files_alone(make, tmp_path):
    before = os.umask(0o027)
    try:
        files._umask.cache_clear()
        options = ExportOptions(tile_px=PX, mpp=0.5, readers=16)
        export(tmp_path / "out", make("one"), options=options)
        assert os.umask(0o027) == 0o027
        modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "out").glob("*/*.png")}
        assert modes == {0o640}
    finally:
        os.umask(before)
        files._umask.cache_clear()


def test_two_exports_into_one_folder_do_not_mix(make, tmp_path):
    work = export_labeled_tiles([make("one")], tmp_path / "out", OPTIONS)
    next(work)
    with pytest.raises(AnnotationError, match="Another export"):
        export(tmp_path / "out", make("two", shade=1))
    work.close()
    assert export(tmp_path / "out", make("two", shade=1)).tiles == 25


def test_names_that_no_system_takes_become_ones_that_it_takes(make, tmp_path):
    export(tmp_path / "out", make("one", areas=[area("Tumor: necrotic?", TUMOR)]))
    assert {row["class"] for row in rows_of(tmp_path / "out")} == {"Tumor_ necrotic_"}
    assert (tmp_path / "out" / "Tumor_ necrotic_").is_dir()


def test_jpeg_where_it_is_asked_for(make, tmp_path):
    options = ExportOptions(tile_px=PX, mpp=0.5, image="jpg")
    export(tmp_path / "out", make("one"), options=options)
    assert {Path(path).suffix for path in images(tmp_path / "out")} == {".jpg"}


def test_patients_are_never_divided(make, tmp_path):
    slides = [make(f"s{i}", f"P{i // 2}", shade=i + 1) for i in range(8)]
    result = export(tmp_path / "out", *slides, split=SplitOptions(validation=0.25, test=0.25))
    splits = {}
    for row in rows_of(tmp_path / "out"):
        splits.setdefault(row["patient"], set()).add(row["split"])
    assert all(len(found) == 1 for found in splits.values())
    assert sorted(found.pop() for found in splits.values()) == [
        "test", "train", "train", "validation",
    ]  # fmt: skip
    assert result.balance.warnings == ()
    found = data.find_tiles([tmp_path / "out"], CRLM7, {})
    assert len(found.of_split("test")) == 50


def test_the_balance_is_a_table(make, tmp_path):
    result = export(tmp_path / "out", make("one", "P1"))
    with (tmp_path / "out" / "balance.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows == [
        ["class", "split", "patient", "tiles"],
        ["HEP", "train", "P1", "16"], ["TUM", "train", "P1", "9"],
    ]  # fmt: skip
    assert "one patient (P1)" in result.balance.text()


@real_data
def test_tiles_of_a_real_slide_are_exactly_what_the_pipeline_reads(tmp_path):
    path = SHARED / "slides" / "liver-metastasis.tif"
    with open_slide(path) as slide:
        areas = read_areas(
            SHARED / "annotations" / "liver-metastasis.regions.geojson", slide.info, CRLM7,
            {"TUM_SARCOMA": "TUM"}, "a layman",
        )  # fmt: skip
        options = ExportOptions(max_per_class=6)
        result = export(tmp_path, SlideToExport(path=path, areas=areas), options=options)
        assert set(result.written) == {"BACK", "HEP", "STR", "TUM"}
        assert max(result.written.values()) == 6
        grid = plan_tiles(slide, TilingOptions())
        for row in rows_of(tmp_path):
            expected = read_tile(slide, grid, int(row["row"]), int(row["col"]))
            found = np.array(Image.open(tmp_path / row["path"]))
            np.testing.assert_array_equal(found, expected)
            assert found.shape == (224, 224, 3)
            size = slide.info.known_pixel_size()
            assert int(row["x0"]) == round(int(row["col"]) * 112 / size.x_um)
    assert len(data.find_tiles([tmp_path], CRLM7, {}).tiles) == result.tiles


NAMES = [
    "CON",
    "aux.v2",
    "LPT\u00b9",
    "x" * 300,
    "\u674e" * 90,
    "../../evil",
    "b .",
    " .hidden",
    "..",
    "a:b",
]


@pytest.mark.parametrize("name", NAMES)
def test_every_class_has_a_folder_that_every_system_takes(make, tmp_path, name):
    export(tmp_path / "out", make("one", areas=[area(name, LIVER)]))
    (folder,) = (path for path in (tmp_path / "out").iterdir() if path.is_dir())
    (row, *_) = rows_of(tmp_path / "out")
    assert row["class"] == folder.name
    assert not is_device(folder.name)
    assert folder.name == folder.name.strip(" .")
    assert not set(folder.name) & set('<>:"/\\|?*')
    assert len(folder.name.encode()) < 120


def test_long_names_stay_different():
    assert safe_name("x" * 300) != safe_name("x" * 301)
    assert safe_name("x" * 90) == "x" * 90


@pytest.mark.parametrize("pair", [("a/b", "a_b"), ("Nest", "nest"), ("b.", "b")])
def test_two_classes_never_share_a_folder(make, tmp_path, pair):
    both = [area(pair[0], LIVER), area(pair[1], TUMOR)]
    with pytest.raises(AnnotationError, match="would share a folder"):
        export(tmp_path / "out", make("one", areas=both))
    export(tmp_path / "two", make("first", areas=both[:1]))
    second = make("second", areas=both[1:], shade=9)
    if pair[0].casefold() == pair[1].casefold():
        with pytest.raises(AnnotationError, match="Nest and nest would share a folder"):
            export(tmp_path / "two", second)
    else:
        export(tmp_path / "two", second)  # the folder's own name is all that is known


def test_what_is_blank_is_asked_anew_when_an_export_goes_on_by_another_rule(make, tmp_path):
    glass = area("MUC", (0, 0, 3, 3))
    slide = make("one", areas=[glass, area("HEP", LIVER)])
    keep, drop = (ExportOptions(tile_px=PX, mpp=0.5, blank=each) for each in ("keep", "drop"))
    assert export(tmp_path / "kept", slide, options=keep).written == {"HEP": 16, "MUC": 9}
    stopped = export_labeled_tiles([slide], tmp_path / "out", keep)
    for progress in stopped:
        if progress.done == 25:
            stopped.close()
            break
    assert export(tmp_path / "out", slide, options=drop).written == {"HEP": 16}
    assert not (tmp_path / "out" / "MUC").exists()
