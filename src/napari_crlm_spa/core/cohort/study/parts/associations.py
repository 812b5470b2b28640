"""Which features go with which clinical factors."""

from __future__ import annotations

from collections.abc import Sequence

from napari_crlm_spa.core.cohort.associations import associations
from napari_crlm_spa.core.cohort.study.gather import Gathering
from napari_crlm_spa.core.cohort.study.parts.groups import RiskGroups
from napari_crlm_spa.core.cohort.table import Cohort


def add_associations(
    book: Gathering, cohort: Cohort, features: Sequence[str], groups: RiskGroups
) -> None:
    """Add the tables in the form of the paper's S3 and S4, and those of the risk groups."""
    frame = cohort.patients.assign(
        **{name: each.groups for name, each in groups.columns.items() if each is not None}
    )
    found = associations(frame, features)
    book.table(
        "association_groups",
        "Features by clinical factors",
        found.groups,
        "Rank-sum test with continuity correction (the form of the paper's table S3); p_fdr: "
        "Benjamini & Hochberg over the table.",
    )
    book.table(
        "association_correlations",
        "Features and clinical numbers",
        found.correlations,
        "Pearson correlation (the form of the paper's table S4); p_fdr as above.",
    )
    book.table(
        "association_tables",
        "Risk groups and clinical factors",
        found.tables,
        "Chi-square test (Yates for two by two), Fisher's exact test, Kruskal-Wallis test.",
    )
    book.warn_all(found.warnings)
