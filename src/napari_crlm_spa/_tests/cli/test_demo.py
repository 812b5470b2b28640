"""The demo: the default model finds the tissues that the package drew."""

import pytest

from napari_crlm_spa.cli.demo import agreement, demo
from napari_crlm_spa.core.sample import SAMPLE_NAME, write_sample_slide
from napari_crlm_spa.core.slide import stem
from napari_crlm_spa.core.store import REPORT_HTML, TILES_GEOJSON, load_analysis


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo-output")
    for _ in write_sample_slide(out / SAMPLE_NAME):
        pass
    demo(out)
    return out / stem(out / SAMPLE_NAME)


def test_at_least_nine_in_ten_pure_tiles_are_called_what_was_drawn(folder):
    right, pure = agreement(load_analysis(folder).tissue_map)
    assert pure > 500
    assert right / pure >= 0.9


def test_every_drawn_tissue_is_on_the_map(folder):
    counts = load_analysis(folder).tissue_map.counts()
    assert all(counts[name] > 10 for name in ("DEB", "HEP", "LYM", "MUC", "STR", "TUM"))


def test_the_demo_leaves_a_report_and_tiles_for_qupath(folder):
    assert (folder / REPORT_HTML).stat().st_size > 100_000
    assert (folder / TILES_GEOJSON).exists()
