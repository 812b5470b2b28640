"""Pictures of the documentation: ``python -m tools.screenshots docs/images``.

Needs a screen; on a machine without one, run it through ``tools/with_screen.sh``. Every walk of the
documentation is done as a user does it, with the mouse and the keys, on slides that the package
draws itself. A walk can be asked for alone: ``--only correct``.
"""

from __future__ import annotations

import argparse
import os
import shutil
from importlib import import_module
from pathlib import Path

from tools.screenshots.slides import drawn_slides

import napari_crlm_spa.core.classifier.runtime  # noqa: F401 - torch before Qt

#: In this order: "looking" looks at what "correct" has left.
WALKS = ("first_slide", "correct", "looking", "doubt", "annotate", "report", "cohort", "growth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder for the pictures")
    parser.add_argument("--work", type=Path, default=Path("build/screenshots"))
    parser.add_argument("--only", choices=WALKS, action="append", help="this walk only")
    chosen = parser.parse_args()
    out, work = chosen.out.absolute(), chosen.work.absolute()
    out.mkdir(parents=True, exist_ok=True)
    slides = drawn_slides(work / "slides")
    walks = chosen.only or WALKS
    if "first_slide" in walks:
        shutil.rmtree(work / "results", ignore_errors=True)
    # Short names in the pictures, and nothing of the user's own is read or changed.
    os.chdir(work)
    os.environ["NAPARI_CONFIG"] = str(work / "napari" / "settings.yaml")
    for name in walks:
        print(name)
        shutil.rmtree(work / "memory", ignore_errors=True)
        import_module(f"tools.screenshots.{name}").walk(slides, out)


if __name__ == "__main__":
    main()
