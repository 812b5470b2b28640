"""The seven tissues, each in its forms, with random looks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from napari_crlm_spa.core.sample import acellular, cellular
from napari_crlm_spa.core.sample.style import Amounts, Style, ramp
from napari_crlm_spa.core.sample.varied import matter
from napari_crlm_spa.core.sample.varied.rough import roughen
from napari_crlm_spa.core.sample.varied.sheets import (
    Nuclei,
    Sheet,
    Spindle,
    draw_sheet,
    draw_spindle,
)
from napari_crlm_spa.core.sample.window import Floats, Window

Draw = Callable[[Window, np.random.Generator], Amounts]

#: How often a tile shows a second tissue or small guests beside its own (our assumption).
_MIXED_SHARE, _GUEST_SHARE = 0.3, 0.35
#: How often outlines are bent, dyes uneven and the tissue cracked; else as on the sample slide.
_ROUGH_SHARE = 0.92
#: The least share of a mixed tile that its own tissue covers.
_OWN_SHARE = 0.62


def varied_tissue(name: str, window: Window, rng: np.random.Generator) -> Amounts:
    """Draw a tissue in one of its forms.

    Parameters
    ----------
    name
        Class name of the scheme crlm7.
    window
        Where on the plane.
    rng
        Chooses the form and its look.

    Returns
    -------
    tuple of two float32 arrays
        Amounts of hematoxylin and eosin, each of the window's shape.
    """
    own = _draw(name, window, rng)
    if name == "BACK":
        return own
    if rng.random() < _MIXED_SHARE:
        own = _mixed(own, name, window, rng)
    own = _with_guests(own, name, window, rng)
    return roughen(own, window, rng) if rng.random() < _ROUGH_SHARE else own


def _draw(name: str, window: Window, rng: np.random.Generator) -> Amounts:
    forms = FORMS[name]
    draw = forms[int(rng.integers(len(forms)))]
    return draw(window, rng)


def _mixed(own: Amounts, name: str, window: Window, rng: np.random.Generator) -> Amounts:
    """Let another tissue, or glass, come in from somewhere."""
    others = _NEIGHBORS[name]
    other = _draw(others[int(rng.integers(len(others)))], window, rng)
    height = window.noise(rng.uniform(15.0, 80.0), 401)
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        slope = (window.x - window.x.mean()) * np.cos(angle)
        slope = slope + (window.y - window.y.mean()) * np.sin(angle)
        height = slope / 30 + 0.4 * height
    limit = float(np.quantile(height, rng.uniform(_OWN_SHARE, 0.97)))
    soft = rng.uniform(0.02, 0.15)
    share = ramp(height, limit - soft, limit + soft)
    return (
        own[0] * (1 - share) + other[0] * share,
        own[1] * (1 - share) + other[1] * share,
    )


def _with_guests(own: Amounts, name: str, window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = own
    if name != "LYM" and rng.random() < _GUEST_SHARE:
        share = rng.uniform(0.01, 0.12)
        hematoxylin = np.maximum(hematoxylin, matter.round_cells(window, rng, 8.0, share))
    if name != "MUC" and rng.random() < _GUEST_SHARE:
        where = ramp(window.noise(rng.uniform(8.0, 25.0), 402), *sorted(rng.uniform(1.2, 2.4, 2)))
        cells = matter.red_cells(window, where, rng)
        hematoxylin = hematoxylin * (1 - 0.9 * ramp(cells, 0.2, 0.5))
        eosin = np.where(cells > 0.2, cells, eosin)
    return hematoxylin, eosin


def _style(rng: np.random.Generator) -> Style:
    style = Style.random(rng)
    return replace(style, density=style.density * rng.uniform(0.6, 1.3))


def _liver(window: Window, rng: np.random.Generator) -> Amounts:
    """Hepatocytes: one round nucleus in much cytoplasm, sinusoids; fat, glycogen or neither."""
    kind = rng.random()
    clear = rng.uniform(0.6, 1.0) if kind < 0.25 else rng.uniform(0.0, 0.45)
    fat = rng.uniform(0.1, 1.2) if 0.25 <= kind < 0.45 else 0.0
    look = Nuclei(
        radius_um=rng.uniform(2.6, 4.1),
        spread=rng.uniform(0.05, 0.2),
        elongation=rng.uniform(1.0, 1.15),
        strength=rng.uniform(0.45, 1.0),
        hollow=rng.uniform(0.1, 0.6),
        nucleolus=rng.choice([0.0, 0.7, 1.0]),
        chromatin=rng.uniform(0.05, 0.25),
    )
    sheet = Sheet(
        spacing_um=rng.uniform(15.0, 25.0),
        jitter=rng.uniform(0.5, 0.9),
        nuclei=look,
        filled=rng.uniform(0.55, 0.92),
        off_center=rng.uniform(0.05, 0.3),
        eosin=rng.uniform(0.35, 0.8),
        basophilia=rng.uniform(0.04, 0.22),
        granules=rng.uniform(0.03, 0.2),
        granule_um=rng.uniform(0.8, 2.5),
        clear=clear,
        clear_um=rng.uniform(3.0, 15.0),
        foam=rng.choice([0.0, 1.0, 1.0]) * rng.uniform(0.2, 1.0),
        foam_um=rng.uniform(0.9, 2.2),
        membrane=rng.uniform(0.0, 0.35),
        membrane_um=rng.uniform(0.6, 1.6),
        gaps=rng.uniform(0.0, 0.7),
        gap_um=rng.uniform(0.8, 3.0),
        vacuoles=fat,
        vacuole_um=rng.uniform(1.0, 6.0),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 410)
    lining = Nuclei(radius_um=1.9, elongation=2.6, strength=0.95, spread=0.2)
    few = Spindle(spacing_um=rng.uniform(14.0, 30.0), nuclei=lining, eosin=0.0, contrast=0.0)
    flat = draw_spindle(window, replace(few, angle=rng.uniform(0, np.pi), wave_um=40.0), 411)[0]
    return np.maximum(hematoxylin, flat * (flat > 0.3)), eosin


def _liver_clear(window: Window, rng: np.random.Generator) -> Amounts:
    """Swollen hepatocytes full of glycogen: white cells, pink borders, small round nuclei."""
    look = Nuclei(
        radius_um=rng.uniform(2.2, 3.3),
        spread=rng.uniform(0.08, 0.2),
        strength=rng.uniform(0.7, 1.2),
        hollow=rng.uniform(0.0, 0.4),
    )
    sheet = Sheet(
        spacing_um=rng.uniform(17.0, 30.0),
        jitter=rng.uniform(0.6, 1.0),
        nuclei=look,
        filled=rng.uniform(0.4, 0.85),
        off_center=rng.uniform(0.05, 0.35),
        eosin=rng.uniform(0.3, 0.6),
        granules=rng.uniform(0.03, 0.12),
        clear=rng.uniform(0.8, 1.1),
        clear_um=rng.uniform(2.0, 8.0),
        foam=rng.uniform(0.0, 0.9),
        foam_um=rng.uniform(1.0, 3.0),
        membrane=rng.uniform(0.25, 0.7),
        membrane_um=rng.uniform(0.7, 1.8),
    )
    return draw_sheet(window, sheet, 412)


def _liver_plates(window: Window, rng: np.random.Generator) -> Amounts:
    return cellular.hepatocytes(window, _style(rng))


def _tumor_nuclei(rng: np.random.Generator) -> Nuclei:
    vesicular = rng.random() < 0.5
    return Nuclei(
        radius_um=rng.uniform(2.7, 4.6),
        spread=rng.uniform(0.08, 0.32),
        elongation=rng.uniform(1.0, 1.8),
        strength=rng.uniform(0.55, 1.0) if vesicular else rng.uniform(0.75, 1.25),
        strength_spread=rng.uniform(0.1, 0.35),
        hollow=rng.uniform(0.4, 0.75) if vesicular else rng.uniform(0.0, 0.25),
        nucleolus=rng.uniform(0.8, 1.3) if vesicular else 0.0,
        chromatin=rng.uniform(0.1, 0.35),
    )


def _tumor_sheet(window: Window, rng: np.random.Generator) -> Amounts:
    """Crowded large irregular nuclei, little cytoplasm; lumens and gaps here and there."""
    look = _tumor_nuclei(rng)
    sheet = Sheet(
        spacing_um=look.radius_um * rng.uniform(2.0, 3.3),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.8, 1.0),
        off_center=rng.uniform(0.0, 0.3),
        eosin=rng.uniform(0.25, 0.65),
        basophilia=rng.uniform(0.05, 0.28),
        granules=rng.uniform(0.03, 0.18),
        granule_um=rng.uniform(0.8, 2.5),
        clear=rng.uniform(0.0, 0.5),
        foam=rng.choice([0.0, 1.0]) * rng.uniform(0.1, 0.9),
        membrane=rng.uniform(0.0, 0.2),
        gaps=rng.uniform(0.0, 0.5),
        gap_um=rng.uniform(0.8, 4.0),
        vacuoles=rng.choice([0.0, rng.uniform(0.02, 0.25)]),
        vacuole_um=rng.uniform(3.0, 14.0),
    )
    return draw_sheet(window, sheet, 420)


def _about(height: Floats, share: float) -> tuple[float, float]:
    """Limits of a ramp that leaves that share of the heights below it."""
    limit = float(np.quantile(height, share))
    return limit - 0.04, limit + 0.04


def _tumor_nests(window: Window, rng: np.random.Generator) -> Amounts:
    """Nests of tumor cells, mostly tumor, in stroma or beside lumens."""
    nest, ground = _tumor_sheet(window, rng), _stroma_cells(window, rng)
    height = window.noise(rng.uniform(18.0, 45.0), 421)
    share = ramp(height, *_about(height, rng.uniform(0.1, 0.38)))
    hematoxylin = nest[0] * share + ground[0] * (1 - share)
    eosin = nest[1] * share + ground[1] * (1 - share)
    if rng.random() < 0.5:
        lumen = ramp(height, *_about(height, rng.uniform(0.8, 0.95)))
        hematoxylin, eosin = hematoxylin * (1 - lumen), eosin * (1 - 0.95 * lumen)
    return hematoxylin, eosin


def _tumor_glands(window: Window, rng: np.random.Generator) -> Amounts:
    return cellular.tumor(window, replace(_style(rng), size=rng.uniform(0.7, 1.5)))


def _tumor_spindle(window: Window, rng: np.random.Generator) -> Amounts:
    """Spindle and giant cells: more and larger nuclei than any stroma has."""
    look = replace(
        _tumor_nuclei(rng),
        radius_um=rng.uniform(2.9, 4.2),
        elongation=rng.uniform(1.4, 3.0),
        spread=rng.uniform(0.15, 0.45),
        disorder=rng.uniform(0.5, 1.8),
    )
    spindle = Spindle(
        spacing_um=rng.uniform(7.5, 14.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(5.0, 40.0),
        bend_um=rng.uniform(30.0, 90.0),
        eosin=rng.uniform(0.3, 0.6),
        basophilia=rng.uniform(0.06, 0.2),
        fiber_um=rng.uniform(1.2, 3.5),
        contrast=rng.uniform(0.05, 0.15),
        clefts=rng.uniform(0.0, 0.9),
    )
    return draw_spindle(window, spindle, 430)


def _lymphoid(window: Window, rng: np.random.Generator) -> Amounts:
    """Small round dark nuclei shoulder to shoulder; gaps, vessels, paler centers."""
    radius = rng.uniform(2.1, 3.1)
    look = Nuclei(
        radius_um=radius,
        spread=rng.uniform(0.06, 0.2),
        elongation=rng.uniform(1.0, 1.2),
        strength=rng.uniform(0.85, 1.5),
        strength_spread=rng.uniform(0.1, 0.3),
        hollow=rng.uniform(0.0, 0.25),
        chromatin=rng.uniform(0.1, 0.4),
    )
    sheet = Sheet(
        spacing_um=radius * rng.uniform(2.0, 2.7),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.75, 1.0),
        off_center=rng.uniform(0.0, 0.2),
        eosin=rng.uniform(0.08, 0.5),
        basophilia=rng.uniform(0.05, 0.35),
        granules=rng.uniform(0.02, 0.1),
        membrane=rng.choice([0.0, 0.0, 0.1]),
        gaps=rng.uniform(0.0, 0.6),
        gap_um=rng.uniform(0.4, 1.3),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 440)
    if rng.random() < 0.3:
        pale = draw_sheet(
            window,
            replace(
                sheet,
                spacing_um=8.5,
                nuclei=replace(look, radius_um=3.6, strength=0.6, hollow=0.4, nucleolus=0.8),
            ),
            441,
        )
        share = 0.8 * ramp(window.noise(40.0, 442), 0.2, 0.9)
        hematoxylin = hematoxylin * (1 - share) + pale[0] * share
        eosin = eosin * (1 - share) + pale[1] * share
    if rng.random() < 0.5:
        height = np.abs(window.noise(rng.uniform(25.0, 60.0), 443))
        wall, lumen = ramp(height, 0.16, 0.1), ramp(height, 0.07, 0.03)
        hematoxylin = hematoxylin * (1 - wall)
        eosin = (eosin * (1 - wall) + 0.45 * wall) * (1 - 0.9 * lumen)
    return hematoxylin, eosin


def _lymph_follicle(window: Window, rng: np.random.Generator) -> Amounts:
    return cellular.lymphocytes(window, _style(rng))


def _stroma_fibers(window: Window, rng: np.random.Generator) -> Amounts:
    return acellular.stroma(window, _style(rng))


def _stroma_cells(window: Window, rng: np.random.Generator) -> Amounts:
    """Collagen or muscle: from nearly bare to rich in slender nuclei, dense to loose."""
    look = Nuclei(
        radius_um=rng.uniform(1.9, 3.0),
        spread=rng.uniform(0.1, 0.3),
        elongation=rng.uniform(1.8, 4.5),
        disorder=rng.uniform(0.2, 1.2),
        strength=rng.uniform(0.55, 1.1),
        strength_spread=rng.uniform(0.1, 0.3),
        hollow=rng.uniform(0.0, 0.35),
        chromatin=rng.uniform(0.05, 0.3),
    )
    spindle = Spindle(
        spacing_um=rng.uniform(11.0, 34.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(2.0, 30.0),
        bend_um=rng.uniform(30.0, 150.0),
        eosin=rng.uniform(0.25, 0.85),
        basophilia=rng.uniform(0.02, 0.14),
        fiber_um=rng.uniform(1.0, 4.5),
        contrast=rng.uniform(0.04, 0.22),
        clefts=rng.uniform(0.0, 0.8),
    )
    return draw_spindle(window, spindle, 450)


def _stroma_loose(window: Window, rng: np.random.Generator) -> Amounts:
    """Edematous: torn wavy fibers far apart, slender and stellate nuclei."""
    look = Nuclei(radius_um=rng.uniform(1.8, 2.7), elongation=rng.uniform(1.2, 3.5), spread=0.2)
    spindle = Spindle(
        spacing_um=rng.uniform(12.0, 26.0),
        nuclei=look,
        angle=rng.uniform(0, np.pi),
        wave_um=rng.uniform(10.0, 40.0),
        bend_um=rng.uniform(20.0, 60.0),
        eosin=rng.uniform(0.25, 0.6),
        fiber_um=rng.uniform(0.8, 2.0),
        contrast=rng.uniform(0.1, 0.3),
        clefts=rng.uniform(0.7, 1.1),
    )
    return draw_spindle(window, spindle, 451)


def _muscle_across(window: Window, rng: np.random.Generator) -> Amounts:
    """Fibers cut across: small pink polygons with pale borders, few nuclei among them."""
    look = Nuclei(radius_um=rng.uniform(1.2, 2.2), spread=0.25, strength=rng.uniform(0.6, 1.0))
    sheet = Sheet(
        spacing_um=rng.uniform(3.0, 6.5),
        jitter=rng.uniform(0.7, 1.0),
        nuclei=look,
        filled=rng.uniform(0.03, 0.12),
        eosin=rng.uniform(0.35, 0.75),
        basophilia=rng.uniform(0.03, 0.12),
        membrane=0.0,
        gaps=rng.uniform(0.5, 1.0),
        gap_um=rng.uniform(0.4, 1.1),
    )
    return draw_sheet(window, sheet, 452)


def _debris_granular(window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = matter.granular(window, rng)
    specks = matter.dust(window, rng, rng.uniform(0.06, 0.4))
    return np.maximum(hematoxylin, specks), eosin


def _debris_ghosts(window: Window, rng: np.random.Generator) -> Amounts:
    """Cells that have lost their nuclei: outlines, faded nuclei, a few shrunken dark ones."""
    fade = rng.uniform(0.0, 0.22)
    look = replace(
        _tumor_nuclei(rng), strength=fade, strength_spread=0.5 * fade, nucleolus=0.0, hollow=0.3
    )
    sheet = Sheet(
        spacing_um=rng.uniform(9.0, 20.0),
        jitter=rng.uniform(0.6, 1.0),
        nuclei=look,
        filled=rng.uniform(0.0, 0.8),
        eosin=rng.uniform(0.45, 0.9),
        basophilia=rng.uniform(0.03, 0.25),
        granules=rng.uniform(0.06, 0.2),
        granule_um=rng.uniform(0.8, 2.5),
        clear=rng.uniform(0.0, 0.4),
        membrane=rng.uniform(0.0, 0.25),
        gaps=rng.uniform(0.0, 0.6),
        gap_um=rng.uniform(0.8, 3.0),
    )
    hematoxylin, eosin = draw_sheet(window, sheet, 460)
    specks = matter.dust(window, rng, rng.uniform(0.02, 0.3))
    return np.maximum(hematoxylin, specks), eosin


def _debris_fibrin(window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = matter.fibrin(window, rng)
    specks = matter.dust(window, rng, rng.uniform(0.05, 0.4))
    return np.maximum(hematoxylin, specks), eosin


def _debris_old(window: Window, rng: np.random.Generator) -> Amounts:
    return acellular.debris(window, _style(rng))


def _mucus_pool(window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = matter.pool(window, rng)
    if rng.random() < 0.6:
        share = rng.uniform(0.01, 0.1)
        cells = matter.round_cells(window, rng, 11.0, share, radius_um=rng.uniform(1.0, 2.8))
        hematoxylin = np.maximum(hematoxylin, cells)
    return hematoxylin, eosin


def _mucus_old(window: Window, rng: np.random.Generator) -> Amounts:
    return acellular.mucus(window, _style(rng))


def _glass(window: Window, rng: np.random.Generator) -> Amounts:
    hematoxylin, eosin = acellular.glass(window, _style(rng))
    if rng.random() < 0.3:
        haze: Floats = rng.uniform(0.0, 0.03) * (1 + window.noise(rng.uniform(10.0, 80.0), 471))
        hematoxylin, eosin = hematoxylin + haze, eosin + rng.uniform(0, 1) * haze
    return hematoxylin, eosin


#: Class name -> its forms, each drawn equally often.
FORMS: dict[str, tuple[Draw, ...]] = {
    "BACK": (_glass,),
    "DEB": (_debris_granular, _debris_ghosts, matter.pus, _debris_fibrin, _debris_old),
    "HEP": (_liver, _liver, _liver, _liver_clear, _liver_plates),
    "LYM": (_lymphoid, _lymphoid, _lymph_follicle),
    "MUC": (_mucus_pool, _mucus_pool, _mucus_pool, _mucus_old),
    "STR": (
        _stroma_fibers,
        _stroma_cells,
        _stroma_cells,
        _stroma_cells,
        _stroma_loose,
        _muscle_across,
    ),
    "TUM": (
        _tumor_sheet,
        _tumor_sheet,
        _tumor_nests,
        _tumor_glands,
        _tumor_glands,
        _tumor_spindle,
        _tumor_spindle,
    ),
}

#: What may come into a tile of a tissue.
_NEIGHBORS: dict[str, tuple[str, ...]] = {
    "DEB": ("TUM", "STR", "BACK", "HEP"),
    "HEP": ("STR", "LYM", "BACK"),
    "LYM": ("STR", "HEP", "BACK", "TUM"),
    "MUC": ("TUM", "STR", "BACK"),
    "STR": ("TUM", "HEP", "LYM", "BACK", "MUC"),
    "TUM": ("STR", "BACK", "DEB", "MUC", "LYM"),
}
