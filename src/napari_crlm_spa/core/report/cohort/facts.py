"""What `Study.facts` says, by the names that the report knows.

All are optional; the page only says what is there.

- ``n``, ``events``: patients and deaths that were analyzed
- ``simulated``: true where the patients are made up
- ``options``: by part (``filters``, ``cutpoints``, ``selection``, ``score``, ``calibration``,
  ``study``, ...), as the options' ``as_dict`` gives them
- ``discovery``: of a validation, the cohort in which the model was found: its name, or a mapping
  with ``cohort``
- ``groupings``: by name: ``title``, ``levels`` and their ``labels``
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_crlm_spa.core.cohort.study.contents import Study


def option(study: Study, part: str, name: str) -> Any:
    """Return the value of an option, or None if it is not known."""
    options = study.facts.get("options")
    chosen = options.get(part) if isinstance(options, Mapping) else None
    return chosen.get(name) if isinstance(chosen, Mapping) else None


def fact(study: Study, name: str) -> Any:
    """Return a fact, or None."""
    return study.facts.get(name)


def is_simulated(study: Study) -> bool:
    """Tell whether patients are made up: the facts or the cohort's name say so."""
    return bool(study.facts.get("simulated")) or "simulated" in study.cohort.casefold()
