"""Random numbers by key: the same key gives the same number, whatever was asked before."""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray


def key(*parts: object) -> str:
    """Digest of exact values: floats by their bits (0.0 and −0.0 are one), the rest by their text."""
    return hashlib.blake2b(_text(parts).encode(), digest_size=16).hexdigest()


def seed_of(*parts: object) -> int:
    """Seed below 2⁶⁴ of a key."""
    return int(key(*parts)[:16], 16)


def uniform(*parts: object) -> float:
    """Number of 0 … 1 (1 excluded) of a key."""
    return (seed_of(*parts) >> 11) * 2.0**-53


def normal(n: int, *parts: object) -> NDArray[np.float64]:
    """`n` standard normal numbers of a key."""
    return np.random.default_rng(seed_of(*parts)).standard_normal(n)


def _text(part: object) -> str:
    if isinstance(part, (float, np.floating)):
        return (float(part) + 0.0).hex()
    if isinstance(part, (tuple, list)):
        return "(" + ",".join(_text(p) for p in part) + ")"
    # Texts in quotes: what only equal parts share.
    return repr(part) if isinstance(part, str) else str(part)
