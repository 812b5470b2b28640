"""Finished analyses of the known map on disk, as a run would have left them."""

import shutil
from pathlib import Path

from napari_crlm_spa._tests.plugin.conftest import known_map
from napari_crlm_spa.core.slide import open_slide
from napari_crlm_spa.core.spatial import SpatialOptions, spatial_features
from napari_crlm_spa.core.store import AnalysisFolder


def write_finished(out_dir, slide_path, tissue_map=None, mpp=None):
    """Write the folder of a finished analysis; return its path."""
    with open_slide(slide_path, mpp=mpp) as slide:
        info = slide.info
    size = info.known_pixel_size()
    tissue_map = known_map() if tissue_map is None else tissue_map
    folder = AnalysisFolder.for_slide(Path(out_dir), Path(slide_path), info.fingerprint)
    folder.write_map(tissue_map, {}, spatial_features(tissue_map))
    folder.write_run(
        {
            "identity": f"identity of {slide_path}",
            "slide": {
                "path": str(Path(slide_path).absolute()),
                "fingerprint": info.fingerprint,
                "pixel_size_um": (size.x_um, size.y_um),
            },
            "options": {"spatial": SpatialOptions().as_dict(), "mixture_model": None},
            "model": {"name": "known", "version": "1", "sha256": "0"},
        }
    )
    return folder.path


def copies_of(slide_path, folder, n):
    """Copy a slide under `n` names."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy(slide_path, folder / f"slide-{at}.tif")) for at in range(1, n + 1)]
