"""Analyses of drawn maps, and what it means that two sets of features are equal."""

import dataclasses

import numpy as np

from napari_crlm_spa._tests.core.spatial.maps import CODES, map_of, small_options
from napari_crlm_spa.core.pipeline import Analysis
from napari_crlm_spa.core.risk import RiskModel, assess_risk
from napari_crlm_spa.core.sentinel import watch_slide
from napari_crlm_spa.core.spatial import MixtureModel, TumorRegions, spatial_features
from napari_crlm_spa.core.tissue_map import TissueMap

#: Liver next to the tumor counts against, stroma for a high risk; one tile can flip the group.
MODEL = RiskModel.model_validate(
    {
        "name": "made up",
        "features": [
            {"column": "TUM_STR_interaction", "coefficient": 1.0, "cutoff": 0.05},
            {"column": "Overall_Hepatocyte_ratio", "coefficient": -0.5, "cutoff": 0.5},
        ],
        "threshold": 0.25,
    }
)


def metastasis(rows=24, cols=30):
    """Codes of a tumor of 10 x 12 tiles in liver, with a rim of stroma and some glass."""
    classes = np.full((rows, cols), CODES["H"], np.uint8)
    classes[5:19, 6:22] = CODES["S"]
    classes[7:17, 8:20] = CODES["T"]
    classes[10:12, 12:14] = CODES["D"]
    classes[6, 9] = CODES["L"]
    classes[:, -3:] = 0
    return classes


def analysis_of(tissue_map, folder, options=None, mixture=None, run=None, model=MODEL):
    """What the pipeline would return for a map."""
    features = spatial_features(tissue_map, options or small_options(), mixture)
    risk = None if features.refusal else assess_risk(features, model)
    return Analysis(
        folder, tissue_map, features, risk, watch_slide(tissue_map), run or {}, reused=False
    )


def metastasis_analysis(folder, **kwargs):
    return analysis_of(map_of(metastasis()), folder, **kwargs)


def assert_same(found, expected):
    """Equal in every field, to the last bit; NaN equals NaN."""
    assert type(found) is type(expected)
    if isinstance(found, dict):
        assert list(found) == list(expected)
        for key, value in found.items():
            assert_same(value, expected[key])
    elif isinstance(found, np.ndarray):
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    elif isinstance(found, float):
        assert found == expected or (np.isnan(found) and np.isnan(expected))
    elif isinstance(found, TissueMap | TumorRegions) or (
        dataclasses.is_dataclass(found) and not isinstance(found, MixtureModel)
    ):
        for field in dataclasses.fields(found):
            assert_same(getattr(found, field.name), getattr(expected, field.name))
    else:
        assert found == expected
