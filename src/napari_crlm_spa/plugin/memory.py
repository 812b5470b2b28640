"""What the panel remembers between starts: a small JSON file in the user's folder. No Qt."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path, user_config_path, user_documents_path

from napari_crlm_spa.core.files import write_text
from napari_crlm_spa.errors import StoreError

logger = logging.getLogger(__name__)

APP = "napari-crlm-spa"


def memory_file() -> Path:
    """Return the file that keeps the panel's last choices."""
    return Path(user_config_path(APP, appauthor=False)) / "panel.json"


def cache_folder() -> Path:
    """Return the folder for things that can be made again, like the sample slide."""
    chosen = recall().get("preferences")
    own = chosen.get("cache_folder") if isinstance(chosen, dict) else None
    if isinstance(own, str) and own.strip():
        return Path(own.strip()).expanduser()
    return Path(user_cache_path(APP, appauthor=False))


def last_session_file() -> Path:
    """Return the file that keeps the session of the last start."""
    return memory_file().parent / "last-session.json"


def own_models_folder() -> Path:
    """Return the folder for risk models with cut-offs of the user's own."""
    return memory_file().parent / "risk-models"


def default_output_folder() -> Path:
    """Return where analyses go if the user says nothing."""
    return Path(user_documents_path()) / "crlm-spa"


def recall() -> dict[str, Any]:
    """Return the last choices; none if there are none or the file is damaged."""
    try:
        kept = json.loads(memory_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def remember(**choices: Any) -> None:
    """Keep choices for the next start; a full or read-only disk is no reason to stop."""
    try:
        write_text(memory_file(), json.dumps({**recall(), **choices}, indent=1))
    except StoreError as error:
        logger.warning("The panel's choices could not be kept: %s", error)
