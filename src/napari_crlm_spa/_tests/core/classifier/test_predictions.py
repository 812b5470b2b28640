from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from napari_crlm_spa._tests.core.classifier.made_predictions import called, drawn
from napari_crlm_spa.core.classifier.predictions import (
    Predictions,
    join_predictions,
    read_predictions,
    relative_paths,
    write_predictions,
)
from napari_crlm_spa.errors import EvaluationError, TableError


@given(logits=arrays(np.float32, (4, 3), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_the_table_gives_every_logit_back_unchanged(tmp_path_factory, logits):
    path = tmp_path_factory.mktemp("table") / "predictions.csv"
    written = Predictions(
        ("a", "b", "c"), ("a/x, y.jpg", "é", '"', "#"), ("s", "s", "t ü", ""),
        np.array([0, 2, 1, 1]), logits,
    )  # fmt: skip
    write_predictions(path, written, temperature=2.0)
    read = read_predictions(path)
    assert (read.class_names, read.paths, read.slides) == (
        written.class_names, written.paths, written.slides,
    )  # fmt: skip
    np.testing.assert_array_equal(read.labels, written.labels)
    np.testing.assert_array_equal(read.logits, written.logits)


def test_the_table_tells_the_probabilities_at_the_temperature(tmp_path):
    logits = np.log(np.array([[0.7, 0.2, 0.1]], np.float32)) * 2
    one = Predictions(("a", "b", "c"), ("p",), ("s",), np.array([1]), logits)
    write_predictions(tmp_path / "p.csv", one, temperature=2.0)
    head, row = (line.split(",") for line in (tmp_path / "p.csv").read_text().splitlines())
    cells = dict(zip(head, row, strict=True))
    assert (cells["class"], cells["predicted"]) == ("b", "a")
    assert float(cells["confidence"]) == pytest.approx(0.7, abs=1e-6)
    assert float(cells["probability"]) == float(cells["probability_b"]) == pytest.approx(0.2)
    assert float(cells["loss"]) == pytest.approx(-np.log(0.2), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"labels": np.array([0])}, "do not fit together"),
        ({"slides": ("s",)}, "do not fit together"),
        ({"labels": np.array([0, 3])}, "outside the 3 classes"),
        ({"labels": np.array([0, -1])}, "outside the 3 classes"),
        ({"logits": np.array([[0, 0, 0], [0, np.nan, 0]], np.float32)}, "no number, two first"),
        ({"logits": np.array([[0, np.inf, 0], [0, 0, 0]], np.float32)}, "1 of 2 tiles"),
    ],
)
def test_predictions_that_make_no_sense_are_refused(change, sentence):
    whole = {
        "class_names": ("a", "b", "c"), "paths": ("one", "two"), "slides": ("s", "s"),
        "labels": np.array([0, 1]), "logits": np.zeros((2, 3), np.float32),
    }  # fmt: skip
    Predictions(**whole)
    with pytest.raises(EvaluationError, match=sentence):
        Predictions(**{**whole, **change})


def test_parts_are_joined_in_order():
    first, second = called([("s", "a", "b", 2)]), called([("t", "c", "c", 1)])
    both = join_predictions([first, second])
    assert both.slides == ("s", "s", "t")
    assert both.labels.tolist() == [0, 0, 2]
    assert both.predicted.tolist() == [1, 1, 2]
    np.testing.assert_array_equal(both.subset(np.array([2])).logits, second.logits)


def test_predictions_of_other_classes_are_not_joined():
    with pytest.raises(EvaluationError, match="different classes"):
        join_predictions([called([("s", "a", "a", 1)]), drawn(tiles=1)])
    with pytest.raises(EvaluationError, match="no predictions"):
        join_predictions([])


def test_paths_do_not_tell_where_the_folders_lie():
    home = Path("/home/somebody/tiles")
    assert relative_paths([home / "TUM" / "x.jpg"], [home]) == ("TUM/x.jpg",)
    two = [home, Path("/elsewhere/more")]
    paths = [home / "TUM" / "x.jpg", Path("/elsewhere/more/HEP/y.jpg")]
    assert relative_paths(paths, two) == ("tiles/TUM/x.jpg", "more/HEP/y.jpg")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no column path"),
        ("path,slide,class\na,s,x\n", "no column logit_<class>"),
        ("path,slide,class,logit_x\na,s,y,1\n", "line 2: the class 'y' is none of x"),
        ("path,slide,class,logit_x\na,s,x,1\na,s,x,many\n", "line 3: the logits must be numbers"),
        ("path,slide,class,logit_x\na,s,x\n", "line 2: the logits must be numbers"),
        ("path,slide,class,logit_x\na,s,x,nan\n", "line 2: the logits must be numbers"),
    ],
)
def test_a_table_with_holes_is_refused_with_the_line(tmp_path, text, sentence):
    path = tmp_path / "p.csv"
    path.write_text(text)
    with pytest.raises(TableError, match=sentence):
        read_predictions(path)


def test_a_table_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read_predictions(tmp_path / "none.csv")
