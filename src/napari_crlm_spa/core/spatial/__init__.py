"""Tumor regions, distances, zones, interaction and the spatial organization features."""

from napari_crlm_spa.core.spatial.definitions import FAMILIES, FEATURES, FeatureDefinition
from napari_crlm_spa.core.spatial.distance import distance_tiles, distance_um
from napari_crlm_spa.core.spatial.features import (
    SpatialFeatures,
    SpatialOptions,
    spatial_features,
)
from napari_crlm_spa.core.spatial.interaction import interaction_maps
from napari_crlm_spa.core.spatial.mixture_model import (
    MixtureModel,
    load_mixture_model,
    save_mixture_model,
)
from napari_crlm_spa.core.spatial.regions import (
    TumorRegionOptions,
    TumorRegions,
    tumor_regions,
)
from napari_crlm_spa.core.spatial.zone_fit import (
    SlideDistances,
    fit_pooled,
    fit_zones,
    fitted_distances,
)
from napari_crlm_spa.core.spatial.zones import (
    TISSUES,
    Zone,
    ZoneOptions,
    zone_map,
    zone_masks,
)

__all__ = [
    "FAMILIES",
    "FEATURES",
    "TISSUES",
    "FeatureDefinition",
    "MixtureModel",
    "SlideDistances",
    "SpatialFeatures",
    "SpatialOptions",
    "TumorRegionOptions",
    "TumorRegions",
    "Zone",
    "ZoneOptions",
    "distance_tiles",
    "distance_um",
    "fit_pooled",
    "fit_zones",
    "fitted_distances",
    "interaction_maps",
    "load_mixture_model",
    "save_mixture_model",
    "spatial_features",
    "tumor_regions",
    "zone_map",
    "zone_masks",
]
