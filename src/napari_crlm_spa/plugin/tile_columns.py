"""The columns of the tile table, in order: name, heading, what they say. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from napari_crlm_spa.core.classes import CRLM7
from napari_crlm_spa.core.quality import QualityMark
from napari_crlm_spa.core.spatial import TISSUES
from napari_crlm_spa.core.tiles import TileState


@dataclass(frozen=True, slots=True)
class TileColumn:
    """One column.

    Parameters
    ----------
    name
        In filters and CSV files.
    title
        Heading.
    tip
        What it says.
    decimals
        How many are shown.
    letters
        Width, in digits of the font.
    """

    name: str
    title: str
    tip: str
    decimals: int = 0
    letters: int = 7


def _interactions() -> tuple[TileColumn, ...]:
    return tuple(
        TileColumn(
            f"interaction_{tissue.lower()}",
            f"Next to {tissue}",
            f"Of a tumor tile: share of {CRLM7[tissue].title.lower()} among the tiles around it",
            2,
            13,
        )
        for tissue in TISSUES
    )


COLUMNS: tuple[TileColumn, ...] = (
    TileColumn("row", "Row", "Row of the tile grid, from 0 at the top", letters=4),
    TileColumn("col", "Col", "Column of the tile grid, from 0 at the left", letters=4),
    TileColumn("class", "Class", "Tissue as it is counted now; empty: set aside", letters=8),
    TileColumn(
        "predicted", "Was", "Tissue as the classifier called it, where it is another now", letters=5
    ),
    TileColumn(
        "probability", "Prob.", "Probability of the predicted class, by the classifier", 2, 5
    ),
    TileColumn("second", "2nd", "Second likeliest class", letters=5),
    TileColumn("entropy", "Entropy", "Doubt of the classifier: 0 certain, 1 no idea", 2, 8),
    TileColumn("marks", "Marks", "Quality marks: blur, pen, fold, air", letters=8),
    TileColumn("state", "State", "classified, edited, accepted or set aside", letters=10),
    TileColumn("zone", "Zone", "Infiltrating or distal, with respect to the tumor", letters=11),
    TileColumn("distance_um", "Dist. µm", "Distance to the tumor region in micrometers", letters=8),
    TileColumn(
        "contribution",
        "Contribution",
        "Push on the risk, as the map shows it: positive raises it. Values of several tiles do "
        "not add up.",
        4,
        12,
    ),
    TileColumn("strangeness", "Strange", "How unlike the training tiles: above 1 is unusual", 2, 8),
    *_interactions(),
    TileColumn("x_um", "x µm", "Left side of the tile on the slide, in micrometers"),
    TileColumn("y_um", "y µm", "Top of the tile on the slide, in micrometers"),
    TileColumn("edge", "Edge", "The tile reaches beyond the slide"),
    TileColumn("sharpness", "Sharpness", "log10 of finest over next coarser detail", 2, 10),
    TileColumn("blur_sd", "Blur SD", "Robust standard deviations less sharp than its class", 1),
    TileColumn("pen_share", "Pen", "Share of the tile under ink", 2),
    TileColumn("fold_ratio", "Fold", "How many times as dark as usual in its class", 2),
    TileColumn("air_share", "Air", "Share of the tile that is bright and colorless", 2),
)

#: Words that a filter takes alone, and the column that they are meant for.
WORDS: dict[str, str] = {
    **{name.lower(): "class" for name in CRLM7.names},
    **{mark.title: "marks" for mark in QualityMark},
    **{
        state.name.lower(): "state"
        for state in (
            TileState.CLASSIFIED,
            TileState.EDITED,
            TileState.ACCEPTED,
            TileState.SET_ASIDE,
        )
    },
    "infiltrating": "zone",
    "adjacent": "zone",
    "distal": "zone",
}
