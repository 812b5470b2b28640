"""How features, risk groups and clinical variables go together: classical tests and tables."""

from napari_crlm_spa.core.cohort.associations.counts import chi_square, fisher
from napari_crlm_spa.core.cohort.associations.factors import (
    PAPER_FACTORS,
    PAPER_NUMBERS,
    TwoLevels,
    two_levels,
)
from napari_crlm_spa.core.cohort.associations.tables import (
    Associations,
    associations,
    correlations_table,
    groups_table,
    tables_table,
)
from napari_crlm_spa.core.cohort.associations.tests import (
    TestOutcome,
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
