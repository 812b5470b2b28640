"""``python -m napari_crlm_spa.plugin [SLIDE ...]``: napari with the panel open.

Loads torch before Qt: on Windows the reverse order can fail (pytorch/pytorch#166628).
"""

from __future__ import annotations

import sys

import napari_crlm_spa.core.classifier.runtime  # noqa: F401 - torch, before Qt


def main() -> None:
    """Open napari, the panel and the slides named on the command line."""
    import napari

    from napari_crlm_spa.plugin.memory import APP
    from napari_crlm_spa.plugin.viewer_link import open_slide_in

    viewer = napari.Viewer()
    viewer.window.add_plugin_dock_widget(APP)
    for path in sys.argv[1:]:
        open_slide_in(viewer, path)
    napari.run()


if __name__ == "__main__":
    main()
