"""Analyze a slide and look at the numbers.

python examples/analyze_one_slide.py SLIDE OUT [MODEL] [PIXEL_SIZE_UM]
"""

import sys
from pathlib import Path

import napari_crlm_spa as spa

slide, out, *rest = sys.argv[1:]
options = spa.AnalysisOptions(
    model=rest[0] if rest else "default",
    mpp=float(rest[1]) if len(rest) > 1 else None,
)
analysis = spa.analyze_to_end(Path(slide), Path(out), options)

for name, tiles in analysis.tissue_map.counts().items():
    print(f"{name:5s} {tiles:6d} tiles {analysis.tissue_map.area_mm2(tiles):8.2f} mm²")
for column, value in analysis.features.values.items():
    print(f"{column:30s} {value:.4f}")
print(analysis.features.refusal or analysis.risk.formula)
