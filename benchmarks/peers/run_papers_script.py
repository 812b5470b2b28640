"""The script that papers publish: DeepZoom tiles one by one, blank rule, torchstain, batches."""

from __future__ import annotations

import numpy as np
import openslide
import peer
import torch
from openslide.deepzoom import DeepZoomGenerator

#: The blank rule of the paper: more than half of the pixels brighter than this.
BRIGHT, BLANK_MAX = 220, 0.5


def main() -> None:
    job = peer.read_job()
    network = peer.load_network(job)
    transform = peer.transform(job)
    normalize = peer.torchstain_normalizer() if job.macenko else None
    peer.work_begins()
    slide = openslide.OpenSlide(str(job.slide))
    pyramid = DeepZoomGenerator(slide, tile_size=job.card["tile_px"], overlap=0)
    level = pyramid.level_count - 1 - round(np.log2(job.card["mpp"] / job.mpp))
    columns, rows = pyramid.level_tiles[level]
    classes: list[int] = []
    waiting: list[torch.Tensor] = []

    def classify() -> None:
        with torch.no_grad():
            logits = network(torch.stack(waiting).to(job.device))
        classes.extend(torch.softmax(logits, 1).argmax(1).tolist())
        waiting.clear()

    for row in range(rows - 1):
        for column in range(columns - 1):
            tile = np.asarray(pyramid.get_tile(level, (column, row)).convert("RGB"))
            if (tile.min(axis=-1) > BRIGHT).mean() > BLANK_MAX:
                continue
            waiting.append(transform(normalize(tile) if normalize else tile))
            if len(waiting) == job.batch_size:
                classify()
    if waiting:
        classify()
    peer.report(classes)


if __name__ == "__main__":
    main()
