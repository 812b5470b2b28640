"""A reader's review of an analysis: corrections, what follows of them, how firm the risk is."""

from napari_crlm_spa.core.review.edits import Action, Edit, LogEntry
from napari_crlm_spa.core.review.review import Change, Review

__all__ = ["Action", "Change", "Edit", "LogEntry", "Review"]
