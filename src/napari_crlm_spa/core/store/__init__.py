"""The folder of an analysis: the only place that spells its file, array and column names.

``<out>/<slide stem>/`` holds ``analysis.zarr`` (classes, probabilities, strangeness, state, edge),
``features.csv``, ``risk.json``, ``tissue_map.png``, ``report.html`` and ``run.json``. While the
tiles are classified there is a ``tiles.journal``: every finished batch is appended to it, so a
killed run loses nothing that it had finished. ``run.json`` is written last; a folder that has
it is complete.
"""

from napari_crlm_spa.core.store.features_table import features_csv, read_features
from napari_crlm_spa.core.store.folder import AnalysisFolder, StoredAnalysis, load_analysis
from napari_crlm_spa.core.store.journal import TileJournal, read_journal_header
from napari_crlm_spa.core.store.names import (
    ANALYSIS_ZARR,
    FEATURES_CSV,
    FORMAT_VERSION,
    REPORT_HTML,
    RISK_JSON,
    RUN_JSON,
    TILES_GEOJSON,
    TILES_JOURNAL,
    TISSUE_MAP_PNG,
)
from napari_crlm_spa.core.store.plain import identity_of, to_json

__all__ = [
    "ANALYSIS_ZARR",
    "FEATURES_CSV",
    "FORMAT_VERSION",
    "REPORT_HTML",
    "RISK_JSON",
    "RUN_JSON",
    "TILES_GEOJSON",
    "TILES_JOURNAL",
    "TISSUE_MAP_PNG",
    "AnalysisFolder",
    "StoredAnalysis",
    "TileJournal",
    "features_csv",
    "identity_of",
    "load_analysis",
    "read_features",
    "read_journal_header",
    "to_json",
]
