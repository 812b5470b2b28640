"""Writes a measured interface as tables into a folder that the user chose."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.core.spatial.interface import detection_words
from napari_crlm_spa.core.store.interface_files import write_interface
from napari_crlm_spa.errors import StoreError
from napari_crlm_spa.plugin.growth.keeper import Measured

SUMMARY_CSV, LESIONS_CSV = "interface_summary.csv", "interface_lesions.csv"


def export_tables(measured: Measured, chosen: Path, reader: str) -> Path:
    """Write runs, vertices, summary and lesions; return the folder, named after the slide.

    Parameters
    ----------
    measured
        What is shown.
    chosen
        The folder in which the slide's own is made.
    reader
        Whose corrections the map has; empty if nobody said.

    Raises
    ------
    StoreError
        If the folder cannot be written.
    """
    folder = chosen / f"{measured.slide.stem} interface"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{folder} cannot be written ({error.strerror}). Choose another folder."
        ) from error
    interface = measured.interface
    record = {
        "slide": measured.slide.path.name,
        "reader": reader,
        "map": "as shown in the viewer",
        "front_band": None if measured.front is None else dict(measured.front.record),
        "detection_limit": detection_words(interface.stride_um),
        "version": version("napari-crlm-spa"),
    }
    write_interface(folder, interface, record, measured.slide.info)
    tables = interface.tables()
    for name, file in (("summary", SUMMARY_CSV), ("lesions", LESIONS_CSV)):
        table = tables[name].assign(note=interface.disclaimer)
        table.insert(0, "slide", measured.slide.stem)
        write_text(folder / file, table.round(4).to_csv(index=False, lineterminator="\n"))
    return folder
