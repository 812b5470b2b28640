"""Slideflow with cuCIM: a feature extractor whose features are the classes, called on a slide."""

from __future__ import annotations

import os

os.environ |= {"SF_SLIDE_BACKEND": "cucim", "SF_BACKEND": "torch"}

import numpy as np
import peer
import slideflow
import torch
from slideflow.model.extractors._factory_torch import TorchFeatureExtractor
from torchvision.transforms import Compose, Lambda


class Extractor(TorchFeatureExtractor):
    """Our network as Slideflow wants it."""

    tag = "same_network"

    def __init__(self, network: torch.nn.Module, job: peer.Job) -> None:
        super().__init__(mixed_precision=False)
        self.device = torch.device(job.device)
        self.model = network
        self.num_features = len(job.card["classes"])
        bytes_to_unit = Lambda(lambda pixels: pixels / 255.0)
        self.transform = Compose([bytes_to_unit, *peer.transform(job).transforms[1:]])
        self.preprocess_kwargs = {"standardize": False}

    def dump_config(self) -> dict[str, object]:
        return {}


def main() -> None:
    job = peer.read_job()
    extractor = Extractor(peer.load_network(job), job)
    card = job.card
    peer.work_begins()
    tile_um = round(card["tile_px"] * card["mpp"])
    slide = slideflow.WSI(str(job.slide), tile_px=card["tile_px"], tile_um=tile_um, mpp=job.mpp)
    macenko = None
    if job.macenko:
        macenko = slideflow.norm.autoselect("macenko", backend="torch")
        macenko.set_fit(
            stain_matrix_target=np.array(peer.REFERENCE_STAINS, np.float32),
            target_concentrations=np.array(peer.REFERENCE_STRENGTHS, np.float32),
        )
    logits = extractor(
        slide,
        batch_size=job.batch_size,
        normalizer=macenko,
        num_threads=job.workers,
        show_progress=False,
        dtype=np.float32,
    )
    seen = ~np.ma.getmaskarray(logits).any(axis=-1)
    peer.report(np.asarray(logits)[seen].argmax(axis=-1))


if __name__ == "__main__":
    main()
