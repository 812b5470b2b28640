"""LazySlide: tissue, tiles, ``tile_prediction``; Macenko by torchstain, as its manual says."""

from __future__ import annotations

import lazyslide
import numpy as np
import peer
import torch
import wsidata


class Model:
    """The little that ``tile_prediction`` asks of a model."""

    def __init__(self, network: torch.nn.Module) -> None:
        self.network = network

    def to(self, device: str) -> None:
        self.network.to(device)

    def predict(self, images: torch.Tensor) -> dict[str, np.ndarray]:
        probabilities = torch.softmax(self.network(images), 1).cpu().numpy()
        return {f"class{code}": column for code, column in enumerate(probabilities.T)}


def main() -> None:
    job = peer.read_job()
    network = peer.load_network(job)
    peer.work_begins()
    slide = wsidata.open_wsi(str(job.slide), store=None)
    lazyslide.pp.find_tissues(slide)
    lazyslide.pp.tile_tissues(slide, job.card["tile_px"], mpp=job.card["mpp"])
    lazyslide.tl.tile_prediction(
        slide,
        Model(network),
        transform=Transform(job),
        batch_size=job.batch_size,
        num_workers=job.workers,
        device=job.device,
        pbar=False,
    )
    tiles = slide["tiles"]
    names = [f"class{code}" for code in range(len(job.card["classes"]))]
    peer.report(tiles[names].to_numpy().argmax(axis=1))


class Transform:
    """Macenko if it is asked for, then scaling and normalization."""

    def __init__(self, job: peer.Job) -> None:
        self.normalize = peer.torchstain_normalizer() if job.macenko else None
        self.rest = peer.transform(job)

    def __call__(self, tile: np.ndarray) -> torch.Tensor:
        return self.rest(self.normalize(tile) if self.normalize else tile)


if __name__ == "__main__":
    main()
