"""The report in a browser: as wide as a desk's screen, and as a phone's."""

from __future__ import annotations

import tempfile
from pathlib import Path

from PIL import Image
from tools.screenshots.desk import save

from napari_crlm_spa._tests.chromium import PROGRAM, chromium

SIZES = {"report": (1200, 1100), "report-phone": (500, 1000)}


def walk(slides: Path, out: Path) -> None:
    if PROGRAM is None:
        print("No Chromium: the report's pictures stay as they are.")
        return
    page = Path("results/case-01/report.html").absolute()
    for name, (width, height) in SIZES.items():
        with tempfile.TemporaryDirectory() as folder:
            shot = Path(folder) / "page.png"
            chromium(
                Path(folder),
                "--hide-scrollbars",
                f"--window-size={width},{height}",
                f"--screenshot={shot}",
                page.as_uri(),
            )
            save(Image.open(shot).convert("RGB"), out / f"{name}.png")
