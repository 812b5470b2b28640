"""How features, risk groups and clinical variables go together: classical tests and tables."""

from napari_crlm_spa.core.cohort.associations.tables import (
    PAPER_FACTORS,
    PAPER_NUMBERS,
    Associations,
    TwoLevels,
    associations,
    correlations_table,
    groups_table,
    tables_table,
    two_levels,
)
from napari_crlm_spa.core.cohort.associations.tests import (
    TestOutcome,
    chi_square,
    fisher,
    kruskal,
    pearson,
    rank_sum,
    signed_rank,
)

__all__ = [
    "PAPER_FACTORS",
    "PAPER_NUMBERS",
    "Associations",
    "TestOutcome",
    "TwoLevels",
    "associations",
    "chi_square",
    "correlations_table",
    "fisher",
    "groups_table",
    "kruskal",
    "pearson",
    "rank_sum",
    "signed_rank",
    "tables_table",
    "two_levels",
]
