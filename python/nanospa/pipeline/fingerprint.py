"""Hashes that say whether a result still holds."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.schema.store import SCHEMA_VERSION


def entry(stage: str, *parts: Any) -> int:
    """Journal entry of an item: hash of the stage, the schema and everything its result depends on; never 0."""
    text = json.dumps([stage, SCHEMA_VERSION, *parts], sort_keys=True, separators=(",", ":"), default=str)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") or 1


def digest(array: NDArray[Any]) -> str:
    """Hash of an array's shape, dtype and values."""
    state = hashlib.blake2b(f"{array.shape}{array.dtype.str}".encode(), digest_size=16)
    state.update(np.ascontiguousarray(array).view(np.uint8).data)
    return state.hexdigest()
