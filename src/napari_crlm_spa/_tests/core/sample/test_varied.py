import numpy as np
import pytest

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.sample.varied import FORMS, varied_tissue
from napari_crlm_spa.core.sample.varied.rough import roughen
from napari_crlm_spa.core.sample.varied.sheets import (
    Nuclei,
    Sheet,
    Spindle,
    draw_sheet,
    draw_spindle,
)
from napari_crlm_spa.core.sample.window import Window

WINDOW = Window(1000.0, 2000.0, 96, 64, 0.5, 17)


def test_every_class_has_a_drawing_and_glass_alone_has_a_single_one():
    assert tuple(FORMS) == CRLM7.names
    assert [name for name, forms in FORMS.items() if len(forms) == 1] == ["BACK"]


@pytest.mark.parametrize(
    ("name", "number"), [(name, k) for name, forms in FORMS.items() for k in range(len(forms))]
)
def test_every_form_is_drawn_finite_and_of_the_windows_shape(name, number):
    for seed in range(3):
        for dye in FORMS[name][number](WINDOW, np.random.default_rng(seed)):
            assert dye.shape == WINDOW.shape
            assert np.isfinite(dye).all()


@pytest.mark.parametrize("name", CRLM7.names)
def test_the_same_numbers_draw_the_same_tissue_and_others_another(name):
    first, again, other = (
        varied_tissue(name, WINDOW, np.random.default_rng(seed)) for seed in (4, 4, 5)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_tissues_take_up_dye_in_the_order_that_is_known_of_them():
    def mean(name, dye):
        tiles = (varied_tissue(name, WINDOW, np.random.default_rng(k)) for k in range(12))
        return float(np.median([tile[dye].mean() for tile in tiles]))

    hematoxylin = {name: mean(name, 0) for name in CRLM7.names}
    assert hematoxylin["LYM"] > hematoxylin["TUM"] > hematoxylin["STR"] > hematoxylin["BACK"]
    eosin = {name: mean(name, 1) for name in CRLM7.names}
    assert min(eosin["STR"], eosin["HEP"], eosin["DEB"]) > eosin["MUC"]


def test_a_sheet_without_nuclei_is_paler_in_hematoxylin_than_one_full_of_them():
    full = draw_sheet(WINDOW, Sheet(spacing_um=10.0, filled=1.0), 1)[0]
    empty = draw_sheet(WINDOW, Sheet(spacing_um=10.0, filled=0.0), 1)[0]
    assert full.max() > 0.5 > empty.max()
    assert (full > 0.4).mean() == pytest.approx(np.pi * 3.5**2 / 10.0**2, rel=0.35)


def test_fibers_run_in_their_direction():
    def energy(angle):
        spindle = Spindle(
            spacing_um=80.0, nuclei=Nuclei(), angle=angle, wave_um=0.0, clefts=0.0, contrast=0.2
        )
        across, along = np.gradient(draw_spindle(WINDOW, spindle, 3)[1])
        return (across**2).mean(), (along**2).mean()

    down, right = energy(0.0)
    assert down > 1.5 * right
    down, right = energy(np.pi / 2)
    assert right > 1.5 * down


def test_roughening_bends_outlines_and_keeps_the_amount_of_dye():
    plain = draw_sheet(WINDOW, Sheet(spacing_um=12.0), 1)
    seen = [roughen(plain, WINDOW, np.random.default_rng(seed)) for seed in range(8)]
    assert all(not np.allclose(rough[0], plain[0], atol=0.05) for rough in seen)
    means = [rough[0].mean() / plain[0].mean() for rough in seen]
    assert np.mean(means) == pytest.approx(1.0, abs=0.2)
    assert min(float(rough[0].min()) for rough in seen) >= 0.0
