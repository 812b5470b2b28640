"""The names of files in an analysis folder."""

ANALYSIS_ZARR = "analysis.zarr"
FEATURES_CSV = "features.csv"
RISK_JSON = "risk.json"
TISSUE_MAP_PNG = "tissue_map.png"
REPORT_HTML = "report.html"
RUN_JSON = "run.json"
TILES_JOURNAL = "tiles.journal"
TILES_GEOJSON = "tiles.geojson.gz"
#: What crlm-spa export writes into the folder, or into a reader's.
AREAS_GEOJSON = "areas.geojson.gz"
TILES_CSV = "tiles.csv.gz"
TILES_PARQUET = "tiles.parquet"
TILES_H5AD = "tiles.h5ad"
TILES_SPATIALDATA = "tiles.spatialdata.zarr"
LOCK = ".lock"
#: Below the analysis folder, one folder a reader.
READERS = "readers"
EDITS_JSONL = "edits.jsonl"
REVIEW_JSON = "review.json"
CORRECTED_TILES_CSV = "corrected_tiles.csv"
ANNOTATIONS_GEOJSON = "annotations.geojson"
CLINICAL_JSON = "clinical.json"
QUALITY_ZARR = "quality.zarr"
#: A reader's review of the growth pattern, and the lines drawn for it; in the reader's folder.
HGP_REVIEW_JSON = "hgp_review.json"
HGP_LINES_GEOJSON = "hgp_lines.geojson"
#: The map with a finer band around the tumor-liver interface, and the tiles of one in work. With
#: what was measured of the interface; all of them in the folder, or in a reader's.
FRONT_ZARR = "front.zarr"
FRONT_JOURNAL = "front.journal"
INTERFACE_JSON = "interface.json"
INTERFACE_RUNS_CSV = "interface_runs.csv"
INTERFACE_VERTICES_CSV = "interface_vertices.csv.gz"
INTERFACE_GEOJSON = "interface.geojson"
INTERFACE_SENSITIVITY_CSV = "interface_sensitivity.csv"
#: Beside the analysis folders: notes on slides, and why some failed.
QUEUE_JSON = "queue.json"

#: Changes when older folders can no longer be read or resumed.
FORMAT_VERSION = 1
