"""Plain JSON, and hashes that recognize equal inputs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

_AS_IT_IS = (int, str, bool, type(None))


def to_json(value: Any, indent: int | None = 2) -> str:
    """Write JSON; paths become text, numpy numbers plain ones, NaN null."""
    return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    # First what a log has a hundred thousand of.
    if type(value) in _AS_IT_IS:
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if isinstance(value, Path):
        return str(value)
    return value


def identity_of(parts: Mapping[str, Any]) -> str:
    """Hash what determines a result, so that equal inputs can be recognized."""
    return hashlib.sha256(json.dumps(_plain(parts), sort_keys=True).encode()).hexdigest()
