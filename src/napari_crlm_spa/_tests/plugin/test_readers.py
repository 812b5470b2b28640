"""Opening slides by drag and drop, by the menu, and the sample."""

import numpy as np
import pytest

from napari_crlm_spa._tests.plugin.conftest import is_white
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.errors import NotASlide, UnreadableSlide
from napari_crlm_spa.plugin import readers
from napari_crlm_spa.plugin.readers import get_reader, open_sample, read_slides, sample_slide
from napari_crlm_spa.plugin.viewer_look import scale_bar_of


@pytest.mark.parametrize("name", ["a.svs", "b.NDPI", "c.mrxs", "d.ome.tif", "e.tiff", "f.scn"])
def test_slide_files_are_claimed_by_name_alone(tmp_path, name):
    assert get_reader(str(tmp_path / name)) is read_slides
    assert get_reader([str(tmp_path / name)]) is read_slides


@pytest.mark.parametrize("name", ["a.png", "b.jpg", "c.csv", "d.zarr", "e"])
def test_other_files_are_left_to_others(tmp_path, name):
    assert get_reader(str(tmp_path / name)) is None


def test_a_folder_of_dicom_files_is_a_slide(tmp_path):
    assert get_reader(str(tmp_path)) is None
    (tmp_path / "1.dcm").touch()
    assert get_reader(str(tmp_path)) is read_slides


def test_a_slide_is_opened_lazily_as_one_multiscale_layer(slide_path):
    ((levels, kwargs, kind),) = read_slides(str(slide_path))
    assert kind == "image"
    assert kwargs["rgb"]
    assert kwargs["multiscale"]
    assert not kwargs["cache"]
    assert not any(isinstance(level, np.ndarray) for level in levels)
    assert levels[0].shape[0] > levels[-1].shape[0]


def test_what_is_no_slide_is_refused_with_a_sentence(tmp_path):
    path = tmp_path / "notes.svs"
    path.write_text("not a slide")
    with pytest.raises((NotASlide, UnreadableSlide), match=r"notes\.svs"):
        read_slides(str(path))


def test_dropping_a_slide_on_the_window_opens_and_dresses_it(make_napari_viewer, slide_path):
    viewer = make_napari_viewer()
    viewer.open(str(slide_path), plugin="napari-crlm-spa")
    (layer,) = viewer.layers
    assert layer.multiscale
    assert layer.name == "slide"
    assert [str(unit) for unit in layer.units] == ["micrometer", "micrometer"]
    assert is_white(viewer)
    assert scale_bar_of(viewer).visible


def test_the_sample_slide_is_drawn_once(monkeypatch):
    drawn = []

    def draw(path, **_):
        drawn.append(path)
        yield Progress("Drawing the sample slide", 1, 1, "blocks")
        path.touch()

    monkeypatch.setattr("napari_crlm_spa.core.sample.write_sample_slide", draw)
    assert sample_slide() == sample_slide()
    assert len(drawn) == 1
    assert sample_slide().is_relative_to(readers.cache_folder())


def test_the_sample_command_opens_the_sample_slide(monkeypatch, slide_path):
    monkeypatch.setattr(readers, "sample_slide", lambda: slide_path)
    ((_, kwargs, _),) = open_sample()
    assert kwargs["name"] == "slide"


def test_a_slide_without_pixel_size_is_shown_in_pixels_with_a_warning(
    make_napari_viewer, slide_without_mpp, monkeypatch
):
    told = []
    monkeypatch.setattr("napari.utils.notifications.show_warning", told.append)
    viewer = make_napari_viewer()
    viewer.open(str(slide_without_mpp), plugin="napari-crlm-spa")
    assert {str(unit) for unit in viewer.layers[0].units} == {"pixel"}
    (sentence,) = told
    assert "unknown.tif" in sentence
