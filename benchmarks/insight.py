"""Time of the answers in core/review: tile effects, fragility, review order, adequacy, interval.

    OMP_NUM_THREADS=1 python benchmarks/insight.py [--rows 800 --cols 1000] [--noise 0.02]

The map is drawn: tumor areas in liver with stroma, lymphocytes, debris and mucus, and a share of
tiles of a random class (`--noise`), whose probabilities are unsure. Prints a Markdown table of
seconds of one core (process time).
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Generator

import numpy as np
from scipy import ndimage

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.progress import Progress
from napari_crlm_spa.core.review.adequacy import Adequacy, AdequacyOptions, sampling_adequacy
from napari_crlm_spa.core.review.doubt_queue import doubt_queue
from napari_crlm_spa.core.review.effects import TileEffects, tile_effects
from napari_crlm_spa.core.review.fragility import Fragility, fragility
from napari_crlm_spa.core.review.interval import IntervalOptions, score_interval
from napari_crlm_spa.core.review.lens import lens_data
from napari_crlm_spa.core.risk import RiskModel, load_risk_model
from napari_crlm_spa.core.spatial import SpatialFeatures, spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.core.tissue_map import TissueMap

CODE = {name: CRLM7.code(name) for name in CRLM7.names}


def slide_like(shape: tuple[int, int], noise: float, rng: np.random.Generator) -> TissueMap:
    side = min(shape)
    coarse, fine = (
        ndimage.gaussian_filter(rng.normal(size=shape), sigma) for sigma in (side / 40, 3)
    )
    coarse, fine = coarse / coarse.std(), fine / fine.std()
    classes = np.full(shape, CODE["HEP"], np.uint8)
    classes[fine > 1] = CODE["STR"]
    classes[fine < -1.5] = CODE["LYM"]
    classes[(fine > 0.5) & (fine < 0.6)] = CODE["MUC"]
    classes[(fine > 0.6) & (fine < 0.7)] = CODE["DEB"]
    classes[(coarse > 0.8) & (fine < 1.2)] = CODE["TUM"]
    unsure = rng.random(shape) < noise
    classes[unsure] = rng.integers(1, len(CRLM7) + 1, int(unsure.sum()))
    own = np.where(unsure, 0.5, 0.9).astype(np.float16)
    probabilities = np.repeat(((1 - own) / (len(CRLM7) - 1))[..., None], len(CRLM7), axis=2)
    other = rng.integers(0, len(CRLM7), shape)[..., None]
    np.put_along_axis(probabilities, other, np.where(unsure, 0.3, 0.02)[..., None], 2)
    np.put_along_axis(probabilities, classes[..., None].astype(np.intp) - 1, own[..., None], 2)
    return TissueMap(
        classes=classes,
        probabilities=probabilities.astype(np.float16),
        strangeness=np.full(shape, np.nan, np.float16),
        state=np.full(shape, TileState.CLASSIFIED, np.uint8),
        edge=np.zeros(shape, bool),
        stride_um=112.0,
        origin_um=(0.0, 0.0),
        scheme=CRLM7,
    )


def with_cutoffs(model: RiskModel, features: SpatialFeatures, off: float = 0.9) -> RiskModel:
    """A model whose cut-offs are a share of the slide's own values; for the timing only."""
    terms = [
        f.model_copy(update={"cutoff": off * features.values[f.column]}) for f in model.features
    ]
    return model.model_copy(update={"features": tuple(terms)})


def run(work: Generator[Progress, None, object]) -> tuple[float, float, object]:
    """Return the seconds to the first result on the way, to the end, and what was returned."""
    start, first = time.process_time(), float("nan")
    while True:
        try:
            report = next(work)
        except StopIteration as end:
            return first, time.process_time() - start, end.value
        if report.changed is not None and np.isnan(first):
            first = time.process_time() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=800)
    parser.add_argument("--cols", type=int, default=1000)
    parser.add_argument("--noise", type=float, default=0.02)
    chosen = parser.parse_args()
    tissue_map = slide_like((chosen.rows, chosen.cols), chosen.noise, np.random.default_rng(0))
    start = time.process_time()
    features = spatial_features(tissue_map)
    fitted_s = time.process_time() - start
    model = with_cutoffs(load_risk_model(), features)
    columns = [feature.column for feature in model.features]
    n_tumor = features.counts["TUM"]
    print(f"{chosen.rows} x {chosen.cols} tiles, {n_tumor} tumor, {len(features.regions)} regions")
    print("| what | seconds |")
    print("|---|---|")
    print(f"| all features, thresholds fitted | {fitted_s:.2f} |")
    first, total, effects = run(tile_effects(features, columns))
    n_pending = len(_pending(features, columns))
    print(f"| effects of all but {n_pending} tumor tiles, {len(columns)} SOFs | {first:.2f} |")
    print(f"| effects of every tile | {total:.2f} |")
    assert isinstance(effects, TileEffects)
    start = time.process_time()
    push = effects.push(model)
    print(f"| push of every tile | {time.process_time() - start:.2f} |")
    start = time.process_time()
    doubt_queue(tissue_map, push)
    print(f"| review order | {time.process_time() - start:.2f} |")
    start = time.process_time()
    lens_data(features, "HEP")
    print(f"| lens | {time.process_time() - start:.2f} |")
    for off in (0.99, 0.9):
        near = with_cutoffs(model, features, off)
        _, total, found = run(fragility(features, near))
        assert isinstance(found, Fragility)
        what = f"{len(found.tiles)} tiles" if found.found else "none found"
        print(f"| fragility, cut-offs {1 - off:.0%} away: {what} | {total:.2f} |")
    _, total, _ = run(score_interval(tissue_map, features, model, IntervalOptions(draws=20)))
    print(f"| interval, a draw | {total / 20:.3f} |")
    _, total, found = run(
        sampling_adequacy(tissue_map, features, model, AdequacyOptions(repeats=5))
    )
    assert isinstance(found, Adequacy)
    print(f"| adequacy, a part | {total / len(found.parts):.3f} |")


def _pending(features: SpatialFeatures, columns: list[str]) -> np.ndarray:
    for report in tile_effects(features, columns):
        if report.changed is not None:
            return np.flatnonzero(report.changed.pending)
    return np.array([])


if __name__ == "__main__":
    main()
