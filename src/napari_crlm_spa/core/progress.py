"""What slow work yields while it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of work has come.

    Slow work is a generator of these. The command line wraps it in a progress bar, the panel
    in a worker with Cancel, a test in ``list``. Closing the generator cancels the work.

    Parameters
    ----------
    stage
        What is being done, in words for the user.
    done, total
        Units finished and units in all; ``total`` 0 means unknown.
    unit
        What is counted, e.g. ``"tiles"``.
    changed
        What is new since the last report (for instance freshly classified tiles), or None.
    """

    stage: str
    done: int
    total: int
    unit: str = ""
    changed: Any = None
