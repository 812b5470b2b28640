"""Correct tiles of a finished analysis and see what it changes; no network is needed.

python examples/correct_a_map.py RESULT_FOLDER FROM_CLASS TO_CLASS
"""

import sys

import numpy as np

import napari_crlm_spa as spa

folder, before, after = sys.argv[1:]
tissue_map = spa.load_analysis(folder).tissue_map
unsure = tissue_map.probabilities.max(axis=2) < 0.6
rows, cols = np.nonzero(tissue_map.mask(before) & unsure)
corrected = tissue_map.edited(rows, cols, after)

old, new = spa.spatial_features(tissue_map).values, spa.spatial_features(corrected).values
print(f"{len(rows)} unsure tiles of {before} become {after}")
for column in old:
    print(f"{column:30s} {old[column]:.4f} -> {new[column]:.4f}")
