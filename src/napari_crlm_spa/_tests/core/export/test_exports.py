"""Tiles for other programs: what is read back is what was there."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_crlm_spa._tests.core.test_geojson import reviewed_map
from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.export import (
    SlideRecord,
    annotated,
    export_anndata,
    export_spatialdata,
    export_tile_table,
    tile_frame,
    tiles_as_anndata,
)
from napari_crlm_spa.core.report.record import public_record
from napari_crlm_spa.core.risk import RESEARCH_USE_ONLY, assess_risk, load_risk_model
from napari_crlm_spa.core.spatial import spatial_features
from napari_crlm_spa.core.tiles import TileState
from napari_crlm_spa.errors import StoreError

RUN = {
    "identity": "cd" * 32,
    "slide": {"path": "/home/patient name/slide.svs", "fingerprint": "f" * 64},
    "model": {"name": "m", "folder": "C:\\Users\\me\\models\\m", "sha256": "ab" * 32},
    "options": {"mpp": None, "regions": "../me/roi.geojson"},
    "notes": ["Look here/there."],
}


@pytest.fixture(scope="module")
def source():
    return reviewed_map()


@pytest.fixture(scope="module")
def record(source):
    return SlideRecord(run=RUN, risk=assess_risk(source.features, load_risk_model()))


@pytest.mark.parametrize("name", ["tiles.csv", "tiles.csv.gz"])
def test_a_table_read_back_has_every_tile_and_number(source, name, tmp_path):
    assert list(export_tile_table(tmp_path / name, source))[-1].done == len(source)
    read = pd.read_csv(tmp_path / name)
    shown = source.tissue_map
    at = (read["row"].to_numpy(), read["col"].to_numpy())
    codes = read["class"].map({n: CRLM7.code(n) for n in CRLM7.names}).fillna(0)
    np.testing.assert_array_equal(codes, shown.classes[at])
    np.testing.assert_allclose(read["x_um"], (at[1] + 0.5) * 112)
    np.testing.assert_allclose(read["y_um"], (at[0] + 0.5) * 112)
    np.testing.assert_allclose(read["entropy"], shown.entropy()[at], atol=1e-5)
    np.testing.assert_allclose(read["distance_um"], source.features.distance_um[at], atol=1e-3)
    assert read.loc[0, ["class", "predicted", "state"]].tolist() == ["STR", "HEP", "edited"]
    assert read.loc[2, ["predicted", "state"]].tolist() == ["HEP", "set aside"]
    assert read["reader"].notna().sum() == 3
    assert read["mark_blur"].sum() == 12


def test_blocks_are_joined_without_a_second_header(source, tmp_path, monkeypatch):
    monkeypatch.setattr(type(source).blocks, "__defaults__", (50,))
    list(export_tile_table(tmp_path / "t.csv", source))
    assert len(pd.read_csv(tmp_path / "t.csv")) == len(source)
    assert (tmp_path / "t.csv").read_text().count("confidence") == 1


@pytest.mark.parametrize("name", ["tiles.csv", "tiles.csv.gz", "tiles.parquet"])
def test_a_table_of_no_tile_has_its_heading(source, name, tmp_path):
    bare = np.zeros_like(source.tissue_map.classes)
    shown = replace(source.tissue_map, classes=bare, state=bare + TileState.GLASS)
    empty = replace(source, tissue_map=shown, features=spatial_features(shown))
    if name.endswith("parquet"):
        pytest.importorskip("pyarrow")
    list(export_tile_table(tmp_path / name, empty))
    read = pd.read_parquet if name.endswith("parquet") else pd.read_csv
    columns = read(tmp_path / name).columns
    assert list(columns) == list(tile_frame(next(source.blocks()), source).columns)
    assert len(read(tmp_path / name)) == 0


def test_a_store_replaces_no_folder_of_another_kind(source, tmp_path, monkeypatch):
    class Made:
        def write(self, path):
            path.mkdir()
            (path / "zarr.json").write_text("{}")

    place = tmp_path / "work.zarr"
    place.mkdir()
    (place / "thesis.txt").write_text("years of work")
    for path in (place, place / "thesis.txt", tmp_path / "work"):
        with pytest.raises(StoreError, match=r"no SpatialData store|ends in \.zarr"):
            annotated._refuse_other_folder(path)
    (place / "thesis.txt").rename(tmp_path / "thesis.txt")
    annotated._refuse_other_folder(place)
    annotated._replace_folder(place, Made())
    annotated._refuse_other_folder(place)  # its own store it does replace
    # Where the new one cannot be put in place, the old one stays.
    (place / "old").write_text("")
    rename = Path.rename

    def refuse(self, target):
        if self.name == place.name and self != place:
            raise OSError("in use")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StoreError, match="in use"):
        annotated._replace_folder(place, Made())
    assert (place / "old").exists()


def test_an_unknown_kind_of_table_is_refused(source, tmp_path):
    with pytest.raises(StoreError, match="csv"):
        list(export_tile_table(tmp_path / "tiles.xlsx", source))
    assert list(tmp_path.iterdir()) == []


def test_parquet_read_back_is_the_frame(source, tmp_path):
    pytest.importorskip("pyarrow", reason="needs the extra [parquet]")
    list(export_tile_table(tmp_path / "t.parquet", source))
    read = pd.read_parquet(tmp_path / "t.parquet")
    frame = tile_frame(next(iter(source.blocks())), source)
    assert read.columns.tolist() == frame.columns.tolist()
    np.testing.assert_array_equal(read["p_HEP"], frame["p_HEP"])
    assert read["class"].astype(object).where(read["class"].notna(), "").tolist() == (
        frame["class"].astype(object).where(frame["class"].notna(), "").tolist()
    )


def test_anndata_read_back_has_tiles_places_and_provenance(source, record, tmp_path):
    anndata = pytest.importorskip("anndata", reason="needs the extra [anndata]")
    list(export_anndata(tmp_path / "t.h5ad", source, record))
    read = anndata.read_h5ad(tmp_path / "t.h5ad")
    shown = source.tissue_map
    assert read.var_names.tolist() == list(CRLM7.names)
    at = (read.obs["row"].to_numpy(), read.obs["col"].to_numpy())
    np.testing.assert_array_equal(read.X, shown.probabilities[at].astype(np.float32))
    np.testing.assert_allclose(read.obsm["spatial"], (np.column_stack(at)[:, ::-1] + 0.5) * 112)
    assert read.obs["class"].cat.categories.tolist() == list(CRLM7.names)
    assert read.obs.loc["r0c0", "class"] == "STR"
    assert read.obs.loc["r0c0", "predicted"] == "HEP"
    assert read.uns["class_colors"].tolist() == [tissue.color for tissue in CRLM7.classes]
    features = {k: v for k, v in source.features.values.items() if v == v}
    assert read.uns["features"] == pytest.approx(features)
    assert read.uns["risk"]["disclaimer"] == RESEARCH_USE_ONLY
    assert read.uns["risk"]["model"] == record.risk.model.name
    told = json.loads(read.uns["run"])
    assert told["slide"] == {"path": "slide.svs", "fingerprint": "f" * 64}


def test_spatialdata_read_back_has_squares_in_micrometers(source, record, tmp_path):
    spatialdata = pytest.importorskip("spatialdata", reason="needs the extra [spatialdata]")
    for _ in range(2):  # the second time replaces the first
        list(export_spatialdata(tmp_path / "t.zarr", source, record))
    read = spatialdata.read_zarr(tmp_path / "t.zarr")
    table, squares = read.tables["table"], read.shapes["tiles"]
    assert len(table) == len(squares) == len(source)
    assert squares.geometry.area.to_numpy() == pytest.approx(112**2)
    assert squares.geometry.iloc[1].bounds == pytest.approx((112, 0, 224, 112))
    assert table.obs["tile"].tolist() == squares.index.tolist()
    assert [each.name for each in tmp_path.iterdir()] == ["t.zarr"]


def test_without_the_package_the_extra_is_named(source, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    with pytest.raises(StoreError, match=r"napari-crlm-spa\[anndata\]"):
        tiles_as_anndata(source)


def test_folders_are_not_passed_on():
    record = public_record(RUN)
    assert record["slide"]["path"] == "slide.svs"
    assert record["model"]["folder"] == "m"
    assert record["options"] == {"regions": "roi.geojson"}
    assert record["notes"] == ["Look here/there."]
