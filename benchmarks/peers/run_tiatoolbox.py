"""TIAToolbox: ``PatchPredictor`` with its tissue mask; Macenko in the preprocessing."""

from __future__ import annotations

import contextlib
import sys
import tempfile
from pathlib import Path

import numpy as np
import peer
import torch
import zarr
from tiatoolbox.models.engine.io_config import IOPatchPredictorConfig
from tiatoolbox.models.engine.patch_predictor import PatchPredictor
from tiatoolbox.models.models_abc import ModelABC
from tiatoolbox.tools.stainnorm import get_normalizer


class Model(ModelABC):
    """Our network as TIAToolbox wants it: tiles as (n, rows, columns, 3)."""

    def __init__(self, network: torch.nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return torch.softmax(self.network(pixels), 1)

    @staticmethod
    def infer_batch(
        model: torch.nn.Module, batch_data: torch.Tensor, device: str = "cpu"
    ) -> np.ndarray:
        pixels = batch_data.to(device, dtype=torch.float32).permute(0, 3, 1, 2).contiguous()
        model.eval()
        with torch.inference_mode():
            return model(pixels).cpu().numpy()

    @staticmethod
    def postproc(image: np.ndarray) -> np.ndarray:
        return image.argmax(axis=-1)


class Preprocessing:
    """Macenko if it is asked for, then scaling and normalization."""

    def __init__(self, job: peer.Job) -> None:
        self.rest = peer.transform(job)
        self.macenko = None
        if job.macenko:
            self.macenko = get_normalizer("macenko")
            self.macenko.stain_matrix_target = np.array(peer.REFERENCE_STAINS).T
            self.macenko.maxC_target = np.array([peer.REFERENCE_STRENGTHS])

    def __call__(self, image: np.ndarray) -> torch.Tensor:
        if self.macenko is not None:
            try:
                image = self.macenko.transform(np.array(image))
            except ValueError as error:
                if "Empty tissue mask" not in str(error):
                    raise
        return self.rest(np.ascontiguousarray(image, dtype=np.uint8)).permute(1, 2, 0)


def main() -> None:
    job = peer.read_job()
    model = Model(peer.load_network(job))
    model.preproc_func = Preprocessing(job)
    side = job.card["tile_px"]
    resolutions = [{"units": "mpp", "resolution": job.card["mpp"]}]
    config = IOPatchPredictorConfig(
        input_resolutions=resolutions, patch_input_shape=(side, side), stride_shape=(side, side)
    )
    peer.work_begins()
    with contextlib.redirect_stdout(sys.stderr):
        predictor = PatchPredictor(
            model, job.batch_size, num_workers=job.workers, device=job.device, verbose=False
        )
        written = predictor.run(
            [job.slide],
            patch_mode=False,
            ioconfig=config,
            save_dir=Path(tempfile.mkdtemp(dir=job.out)) / "results",
            output_type="zarr",
            auto_get_mask=True,
            wsireader_kwargs={"mpp": (job.mpp, job.mpp)},
        )
    results = zarr.open(str(next(iter(written.values()))), mode="r")
    peer.report(np.asarray(results["predictions"]))


if __name__ == "__main__":
    main()
