"""``python -m napari_crlm_spa.plugin``: torch before Qt, then napari with panel and slides."""

import sys

import napari

from napari_crlm_spa.plugin import __main__


def test_napari_opens_with_the_panel_and_the_slides(make_napari_viewer, monkeypatch, slide_path):
    viewer = make_napari_viewer()
    ran = []
    monkeypatch.setattr(napari, "Viewer", lambda: viewer)
    monkeypatch.setattr(napari, "run", lambda: ran.append(True))
    monkeypatch.setattr(sys, "argv", ["napari_crlm_spa.plugin", str(slide_path)])
    __main__.main()
    assert ran == [True]
    assert [layer.name for layer in viewer.layers] == ["slide"]
    (panel,) = viewer.window.dock_widgets.values()
    assert panel.session.current.path == slide_path
