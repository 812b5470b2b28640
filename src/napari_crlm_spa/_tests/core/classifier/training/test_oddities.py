import numpy as np
import pytest
from PIL import Image

from napari_crlm_spa._tests.core.classifier.training.conftest import (
    COLORS,
    PX,
    draw,
    run_to_end,
)
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.classifier.training import train_classifier
from napari_crlm_spa.core.classifier.training.cache import decode, load_tiles
from napari_crlm_spa.core.classifier.training.data import find_tiles
from napari_crlm_spa.core.classifier.training.oddities import describe_tiles
from napari_crlm_spa.errors import TrainingError

NAMES = CRLM7.names


def caches(train, held):
    """Load two folders of tiles."""
    return [
        run_to_end(load_tiles(find_tiles([folder], CRLM7, {}).tiles, PX, PX, ("none",)))
        for folder in (train, held)
    ]


def notes(train, held):
    return describe_tiles(NAMES, *caches(train, held))


@pytest.fixture
def train(tmp_path):
    folder = tmp_path / "train"
    for name in ("TUM", "HEP"):
        draw(folder, name, "a", 3, 1 + NAMES.index(name), COLORS[NAMES.index(name)])
    return folder


@pytest.fixture
def held(tmp_path):
    folder = tmp_path / "held"
    for name in ("TUM", "HEP"):
        draw(folder, name, "b", 2, 50 + NAMES.index(name), COLORS[NAMES.index(name)])
    return folder


def test_ordinary_tiles_need_no_words(train, held):
    assert notes(train, held) == []


def test_the_same_picture_under_two_classes_is_counted(train, held):
    tile = (train / "TUM" / "a_x0_y0.png").read_bytes()
    (train / "HEP" / "a_x9000_y0.png").write_bytes(tile)
    (note,) = notes(train, held)
    assert note.startswith("Pictures that stand under more than one class: 1 (")
    assert "HEP/a_x9000_y0.png = TUM/a_x0_y0.png" in note


def test_it_is_found_across_file_formats_and_between_training_and_validation(train, held):
    with Image.open(train / "TUM" / "a_x0_y0.png") as image:
        image.save(held / "HEP" / "b_x9000_y0.bmp")
    contradiction, leak = notes(train, held)
    assert "TUM/a_x0_y0.png = HEP/b_x9000_y0.bmp" in contradiction
    assert leak.startswith(
        "Held-back tiles that are pixel for pixel among those trained on: 1 of 5"
    )


def test_the_same_picture_twice_under_one_class_of_the_training_is_no_matter(train, held):
    tile = (train / "TUM" / "a_x0_y0.png").read_bytes()
    (train / "TUM" / "a_x9000_y0.png").write_bytes(tile)
    assert notes(train, held) == []


def test_a_class_that_is_learned_but_not_judged_is_named(train, held):
    for path in (held / "HEP").iterdir():
        path.unlink()
    (note,) = notes(train, held)
    assert note.startswith("No tiles of HEP are held back")


def test_nothing_held_back_is_no_missing_class(train, tmp_path):
    cache, _ = caches(train, train)
    empty = run_to_end(load_tiles([], PX, PX, ("none",)))
    assert describe_tiles(NAMES, cache, empty) == []


def save_as(path, mode, **how):
    with Image.open(path) as image:
        image.convert(mode).save(path.with_suffix(how.pop("suffix", ".png")), **how)


def test_other_kinds_of_images_are_converted_and_counted(train, held):
    save_as(train / "TUM" / "a_x0_y0.png", "L")
    save_as(train / "TUM" / "a_x500_y0.png", "RGBA")
    save_as(train / "HEP" / "a_x0_y0.png", "CMYK", suffix=".tif")
    (train / "HEP" / "a_x0_y0.png").unlink()
    save_as(held / "HEP" / "b_x0_y0.png", "P")
    (note,) = notes(train, held)
    assert note.startswith("Tiles that are not stored as RGB and were converted: ")
    for kind in ("CMYK (1)", "grayscale (1)", "with transparency (1)", "palette (1)"):
        assert kind in note


@pytest.mark.parametrize(("mode", "suffix"), [("CMYK", ".tif"), ("CMYK", ".jpg"), ("RGBA", ".png")])
def test_colors_survive_the_conversion(tmp_path, mode, suffix):
    path = tmp_path / f"tile{suffix}"
    Image.new("RGB", (PX, PX), (200, 90, 140)).convert(mode).save(path)
    pixels, kind = decode(path, PX)
    assert kind
    np.testing.assert_allclose(pixels.mean(axis=(0, 1)), (200, 90, 140), atol=6)


def test_what_is_transparent_becomes_glass_not_black(tmp_path):
    Image.new("RGBA", (PX, PX), (0, 0, 0, 0)).save(tmp_path / "tile.png")
    assert decode(tmp_path / "tile.png", PX)[0].min() == 255


def test_sixteen_bit_images_are_refused_not_clipped_to_white(tmp_path):
    values = np.full((PX, PX), 30_000, np.uint16)
    Image.fromarray(values).save(tmp_path / "tile.png")
    with pytest.raises(OSError, match=r"its values are no bytes \(mode I;16\)"):
        decode(tmp_path / "tile.png", PX)


def test_a_file_that_is_listed_but_missing_is_named(train, held, tmp_path):
    lines = ["path,class,slide"]
    lines += [f"TUM/t{i}.png,TUM,a" for i in range(19)]
    with Image.open(train / "TUM" / "a_x0_y0.png") as image:
        for i in range(19):
            image.save(train / "TUM" / f"t{i}.png")
    (train / "TUM" / "t7.png").unlink()
    (train / "manifest.csv").write_text("\n".join(lines))
    first, _ = caches(train, held)
    assert len(first) == 18
    assert first.broken[0].endswith("t7.png: there is no such file")


def test_a_manifest_of_missing_files_stops_the_training(tmp_path, tiny, finish):
    (tmp_path / "manifest.csv").write_text(
        "path,class\n" + "\n".join(f"{name}/x{i}.jpg,{name}" for name in NAMES for i in range(4))
    )
    with pytest.raises(TrainingError, match=r"28 of 28 tiles cannot be decoded.*no such file"):
        finish(train_classifier(tmp_path, tmp_path / "out", tiny(validation=0.0)))


def test_the_notes_of_a_training_tell_it(tmp_path, tiny, finish):
    for label, (name, color) in enumerate(zip(NAMES, COLORS, strict=True)):
        for slide in "abc":
            draw(tmp_path / "tiles", name, slide, 2, 7 * label + ord(slide), color)
    tile = (tmp_path / "tiles" / "TUM" / "a_x0_y0.png").read_bytes()
    (tmp_path / "tiles" / "HEP" / "a_x9000_y0.png").write_bytes(tile)
    options = tiny(epochs=1, validation=0.0)
    result = finish(train_classifier(tmp_path / "tiles", tmp_path / "out", options))
    assert len(result.notes) == 1
    assert "stand under more than one class" in result.notes[0]
