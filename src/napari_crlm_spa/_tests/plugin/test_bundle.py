"""A session file: what goes in comes out, wherever it is moved to."""

import json
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_crlm_spa.core.classes import CRLM7, PALETTES
from napari_crlm_spa.errors import ReviewError
from napari_crlm_spa.plugin.bundle import (
    Bundle,
    Camera,
    in_words,
    load_bundle,
    read_record,
    save_bundle,
    view_from_plain,
    view_to_plain,
)
from napari_crlm_spa.plugin.map_view import MapKind, MapView
from napari_crlm_spa.plugin.queue_sources import QueuedSlide

VIEW = MapView(
    kind=MapKind.ZONES, tissue="STR", hidden=frozenset({"TUM", "HEP"}), opacity=0.25, outline=False
)


@pytest.fixture
def bundle(tmp_path):
    """Two slides beside the session file, one of them open."""
    slides = [tmp_path / "work" / "slides" / f"{name}.svs" for name in "ab"]
    for slide in slides:
        slide.parent.mkdir(parents=True, exist_ok=True)
        slide.touch()
    model = tmp_path / "work" / "mine.json"
    model.touch()
    return Bundle(
        slides=(QueuedSlide(slides[0], 0.25, "P1"), QueuedSlide(slides[1])),
        current=slides[1],
        camera=Camera((1200.5, 800.25), 0.125),
        view=VIEW,
        tab="Correct",
        reader="Ánna",
        risk_model=str(model),
        results=tmp_path / "work" / "results",
    )


def test_what_is_saved_is_opened_unchanged(bundle, tmp_path):
    file = tmp_path / "work" / "s.crlm-session.json"
    save_bundle(bundle, file)
    assert load_bundle(file) == (bundle, [])
    assert in_words(read_record(file)) == "2 slides, b.svs"


def test_a_moved_folder_finds_its_slides(bundle, tmp_path):
    file = tmp_path / "work" / "s.json"
    save_bundle(bundle, file)
    shutil.move(tmp_path / "work", tmp_path / "elsewhere")
    opened, problems = load_bundle(tmp_path / "elsewhere" / "s.json")
    assert problems == []
    assert opened.current == tmp_path / "elsewhere" / "slides" / "b.svs"
    assert opened.risk_model == str(tmp_path / "elsewhere" / "mine.json")


def test_a_moved_session_file_finds_its_slides(bundle, tmp_path):
    save_bundle(bundle, tmp_path / "work" / "s.json")
    (tmp_path / "desk").mkdir()
    file = Path(shutil.move(tmp_path / "work" / "s.json", tmp_path / "desk" / "s.json"))
    assert load_bundle(file) == (bundle, [])


def test_missing_slides_are_told_in_one_sentence_and_the_rest_comes_back(bundle, tmp_path):
    file = tmp_path / "work" / "s.json"
    save_bundle(bundle, file)
    bundle.slides[0].path.unlink()
    opened, problems = load_bundle(file)
    assert problems == ["a.svs is no longer where the session says; left out."]
    assert opened.slides == bundle.slides[1:]
    assert (opened.view, opened.reader, opened.tab) == (VIEW, "Ánna", "Correct")
    bundle.slides[1].path.unlink()
    Path(bundle.risk_model).unlink()
    opened, problems = load_bundle(file)
    assert problems[0] == "a.svs and 1 more slides are no longer where the session says; left out."
    assert "mine.json" in problems[1]
    assert (opened.slides, opened.current, opened.risk_model) == ((), None, "")


def test_a_preset_is_no_file(bundle, tmp_path):
    save_bundle(Bundle(risk_model="repo_2022"), tmp_path / "s.json")
    assert load_bundle(tmp_path / "s.json")[0].risk_model == "repo_2022"


@pytest.mark.parametrize("text", ["", "[]", '{"format": "something else"}', "\x00"])
def test_another_file_is_no_session(tmp_path, text):
    (tmp_path / "s.json").write_text(text)
    with pytest.raises(ReviewError, match=r"s\.json is no session"):
        load_bundle(tmp_path / "s.json")
    with pytest.raises(ReviewError, match=r"absent\.json cannot be read"):
        load_bundle(tmp_path / "absent.json")


def test_a_later_version_is_refused(bundle, tmp_path):
    save_bundle(bundle, tmp_path / "s.json")
    record = json.loads((tmp_path / "s.json").read_text())
    (tmp_path / "s.json").write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(ReviewError, match="later version"):
        load_bundle(tmp_path / "s.json")


views = st.builds(
    MapView,
    kind=st.sampled_from(MapKind),
    tissue=st.sampled_from(CRLM7.names),
    hidden=st.frozensets(st.sampled_from(CRLM7.names)),
    opacity=st.floats(0, 1),
    min_probability=st.floats(0, 1),
    palette=st.sampled_from(sorted(PALETTES)),
    outline=st.booleans(),
)


@given(views)
def test_every_view_survives_json(view):
    assert view_from_plain(json.loads(json.dumps(view_to_plain(view)))) == view


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(view_to_plain(MapView()))), json_values))
def test_an_odd_view_takes_its_defaults(plain):
    view = view_from_plain(plain)
    assert view_from_plain(view_to_plain(view)) == view


@given(
    st.dictionaries(
        st.sampled_from(["slides", "current", "camera", "view", "tab", "reader", "risk_model"]),
        json_values,
    )
)
def test_an_odd_session_never_fails_otherwise_than_with_sentences(tmp_path_factory, record):
    file = tmp_path_factory.mktemp("odd") / "s.json"
    file.write_text(json.dumps({"format": "crlm-spa session", "version": 1, **record}))
    bundle, problems = load_bundle(file)
    assert isinstance(bundle, Bundle)
    assert all(isinstance(sentence, str) for sentence in problems)
