import shutil

import pytest

from napari_crlm_spa.core.classifier.card import load_card, save_card
from napari_crlm_spa.core.classifier.evaluation import EvaluationOptions, evaluate_model
from napari_crlm_spa.errors import DamagedWeights, EvaluationError, TrainingError


def options(**changes):
    return EvaluationOptions(**{"bootstrap": 50, "device": "cpu", **changes})


def run(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


@pytest.fixture
def known_model(color_model, tmp_path):
    """The model, whose card says that it was trained on alpha."""
    folder = shutil.copytree(color_model, tmp_path / "known")
    card = load_card(folder)
    data = card.training_data.model_copy(update={"slides": {"alpha": {"HEP": 3}}})
    save_card(folder, card.model_copy(update={"training_data": data}))
    return folder


def test_the_mistakes_that_were_painted_are_found(color_model, palette_tiles):
    found = run(evaluate_model(color_model, palette_tiles, options()))
    judgement = found.judgement
    assert found.split == "unseen"
    assert judgement.accuracy.value == pytest.approx(46 / 49)
    by_name = {each.name: each for each in judgement.classes}
    assert by_name["STR"].recall.value == pytest.approx(6 / 8)
    assert by_name["HEP"].recall.value == pytest.approx(10 / 11)
    assert by_name["TUM"].precision.value == pytest.approx(6 / 8)
    wrong = {judgement.predictions.paths[i].split("_x")[0] for i in judgement.worst[:3]}
    assert wrong == {"STR/beta", "HEP/gamma"}
    assert judgement.evaluation.by_slide["alpha"].trace() == 21


@pytest.mark.parametrize(
    ("split", "slides"),
    [
        ("auto", {"gamma"}),
        ("test", {"gamma"}),
        ("train", {"alpha"}),
        ("validation", {"beta"}),
        ("unseen", {"alpha", "beta"}),
        ("all", {"alpha", "beta", "gamma"}),
    ],
)
def test_the_split_says_which_tiles(color_model, mixed_tiles, split, slides):
    found = run(evaluate_model(color_model, mixed_tiles, options(split=split)))
    assert set(found.judgement.predictions.slides) == slides
    assert found.split == ("test" if split == "auto" else split)
    fair = {s for s, fair in zip(found.judgement.predictions.slides, found.fair, strict=True)
            if fair}  # fmt: skip
    assert fair == slides - {"gamma"}


def test_slides_that_the_model_knows_are_left_out_or_named(known_model, palette_tiles):
    unseen = run(evaluate_model(known_model, palette_tiles, options()))
    assert set(unseen.judgement.predictions.slides) == {"beta", "gamma"}
    assert unseen.fair.all()
    everything = run(evaluate_model(known_model, palette_tiles, options(split="all")))
    assert any("21 of 49 tiles are of slides that the model was trained on" in note
               for note in everything.notes)  # fmt: skip
    assert everything.fair.sum() == 28


def test_only_known_slides_are_judged_with_a_warning(known_model, mixed_tiles):
    found = run(evaluate_model(known_model, mixed_tiles, options(split="train")))
    assert not found.fair.any()
    assert any("the figures flatter: alpha (21)" in note for note in found.notes)


def test_no_such_tiles_is_a_sentence_with_the_splits_that_exist(color_model, palette_tiles):
    with pytest.raises(EvaluationError, match=r"no test tiles .*there are train \(49\)"):
        run(evaluate_model(color_model, palette_tiles, options(split="test")))


def test_folders_of_other_classes_are_a_sentence(color_model, palette_tiles, tmp_path):
    shutil.copytree(palette_tiles / "HEP", tmp_path / "LIVER")
    with pytest.raises(EvaluationError, match="no tiles of the scheme crlm7"):
        run(evaluate_model(color_model, tmp_path, options()))
    found = run(evaluate_model(color_model, tmp_path, options(merge="LIVER=HEP")))
    assert found.judgement.classes[2].tiles == 11


def test_a_missing_folder_and_a_damaged_model_are_sentences(color_model, palette_tiles, tmp_path):
    with pytest.raises(TrainingError, match="is no folder"):
        run(evaluate_model(color_model, tmp_path / "none", options()))
    broken = shutil.copytree(color_model, tmp_path / "broken")
    (broken / "weights.safetensors").write_bytes(b"half")
    with pytest.raises(DamagedWeights, match="SHA-256 differs"):
        run(evaluate_model(broken, palette_tiles, options()))


def test_a_broken_tile_is_left_out_and_said(color_model, palette_tiles, tmp_path):
    data = shutil.copytree(palette_tiles, tmp_path / "data")
    next((data / "MUC").iterdir()).write_bytes(b"no picture")
    found = run(evaluate_model(color_model, data, options()))
    assert len(found.judgement.predictions) == 48
    assert any("1 tiles could not be decoded" in note for note in found.notes)


def test_tiles_of_another_stain_method_can_be_judged(color_model, palette_tiles):
    found = run(evaluate_model(color_model, palette_tiles, options(stain="per_tile")))
    assert found.stain == "per_tile"


def test_drawn_tiles_and_held_back_blocks_are_told_apart(known_model, mixed_tiles, tmp_path):
    data = shutil.copytree(mixed_tiles, tmp_path / "kinds")
    head, *rows = (data / "manifest.csv").read_text().split()
    kinds = {"alpha": "block", "beta": "drawn", "gamma": "slide"}
    rows = [f"{row},{kinds[row.split(',')[2]]}" for row in rows]
    rows = [r.replace("train", "validation") if r.startswith("BACK/alpha") else r for r in rows]
    (data / "manifest.csv").write_text("\n".join([f"{head},split_kind", *rows]))
    found = run(evaluate_model(known_model, data, options(split="unseen")))
    assert {p.split("_x")[0] for p in found.judgement.predictions.paths} == {"BACK/alpha"}
    everything = run(evaluate_model(known_model, data, options(split="all")))
    assert any("23 of 49 tiles are drawn" in note for note in everything.notes)


def test_classifying_can_be_canceled(color_model, palette_tiles):
    work = evaluate_model(color_model, palette_tiles, options())
    assert next(work).stage == "Reading tiles"
    work.close()
    with pytest.raises(StopIteration):
        next(work)
