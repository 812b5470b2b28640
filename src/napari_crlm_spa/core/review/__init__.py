"""A reader's review of an analysis: corrections, what follows of them, how firm the risk is."""

from napari_crlm_spa.core.review.agreement import (
    Agreement,
    ClassAgreement,
    agreement,
    agreement_csv,
)
from napari_crlm_spa.core.review.corrected import write_corrected
from napari_crlm_spa.core.review.edits import Action, Edit, LogEntry
from napari_crlm_spa.core.review.live import follow
from napari_crlm_spa.core.review.merge import MERGE_RULES, merge, merged_labels
from napari_crlm_spa.core.review.reader_files import open_review
from napari_crlm_spa.core.review.reader_names import NOBODY, display_name, reader_folder
from napari_crlm_spa.core.review.reader_state import (
    ReaderState,
    ReviewMark,
    ReviewStage,
    ReviewState,
    list_readers,
    read_reviewed,
    review_state,
    set_reviewed,
)
from napari_crlm_spa.core.review.review import TOUCHED, Change, Review
from napari_crlm_spa.core.review.risk_effect import PairEffect, RiskEffect, risk_effect

__all__ = [
    "MERGE_RULES",
    "NOBODY",
    "TOUCHED",
    "Action",
    "Agreement",
    "Change",
    "ClassAgreement",
    "Edit",
    "LogEntry",
    "PairEffect",
    "ReaderState",
    "Review",
    "ReviewMark",
    "ReviewStage",
    "ReviewState",
    "RiskEffect",
    "agreement",
    "agreement_csv",
    "display_name",
    "follow",
    "list_readers",
    "merge",
    "merged_labels",
    "open_review",
    "read_reviewed",
    "reader_folder",
    "review_state",
    "risk_effect",
    "set_reviewed",
    "write_corrected",
]
