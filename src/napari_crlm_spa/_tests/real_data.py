"""Tests that need real slides say so, and skip with a reason where there are none."""

import os
from pathlib import Path

import pytest

import napari_crlm_spa

#: Folder with slides, tiles and annotations: beside the project, or where the variable says.
SHARED = Path(
    os.environ.get("CRLM_SPA_SHARED", Path(napari_crlm_spa.__file__).parents[3] / "shared")
)


def real_data(test):
    """Mark a test that needs the real data and skip it where they are absent."""
    absent = pytest.mark.skipif(
        not (SHARED / "slides").is_dir(),
        reason="needs the real slides in ../shared (or CRLM_SPA_SHARED), which are absent",
    )
    return pytest.mark.real_data(absent(test))
