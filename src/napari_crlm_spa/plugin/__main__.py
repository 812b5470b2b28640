"""``crlm-spa-review [FOLDER | slides.csv | SLIDE ...]``: napari with the workspace open.

The same as ``python -m napari_crlm_spa.plugin``. Loads torch before Qt: on Windows the reverse
order can fail (pytorch/pytorch#166628).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

DESCRIPTION = "Review slides of colorectal liver metastasis in napari."
PATHS_HELP = (
    "a folder of slides, a table (CSV with a column slide, and mpp and patient if you like), "
    "slide files, or a saved session; nothing offers to continue where you left"
)


def parse(arguments: Sequence[str] | None = None) -> list[Path]:
    """Return the paths named on the command line."""
    parser = argparse.ArgumentParser(prog="crlm-spa-review", description=DESCRIPTION)
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help=PATHS_HELP)
    paths: list[Path] = parser.parse_args(arguments).paths
    for path in paths:
        if not path.exists():
            parser.error(f"there is no file or folder {path}")
    return paths


def main() -> None:
    """Open napari, the panel, and what is named on the command line."""
    paths = parse()
    import napari

    import napari_crlm_spa.core.classifier.runtime  # noqa: F401 - torch, before Qt
    from napari_crlm_spa.plugin.memory import APP

    viewer = napari.Viewer()
    _, panel = viewer.window.add_plugin_dock_widget(APP, "CRLM-SPA")
    panel.open_paths(paths)
    napari.run()


if __name__ == "__main__":
    main()
