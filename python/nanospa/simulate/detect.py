"""Detector counts of a scanned image, with noise that belongs to a key."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError
from nanospa.schema import as_image


def detect(
    fraction: Any,
    *,
    electrons_per_pixel: float,
    gain: float = 25.0,
    offset: float = 400.0,
    read_noise: float = 1.5,
    seed_key: Any = 0,
    threads: int | None = None,
) -> NDArray[np.uint16]:
    """Detector counts of an image.

    The electrons that arrive are Poisson distributed, the detector adds normal noise, gain and offset. The noise depends on the key alone:
    the same key gives the same counts, whatever was detected before and for any number of threads.

    Parameters
    ----------
    fraction : array_like of real dtype, shape (y, x)
        Fraction of the beam that reaches the detector [-].
    electrons_per_pixel : float
        Electrons of the beam per pixel [-].
    gain : float
        Detector counts per electron [-].
    offset : float
        Detector counts without an electron [-].
    read_noise : float
        Standard deviation of the detector's noise, in electrons [-].
    seed_key : int, float, str, bytes, None, or tuple of such
        Key of the noise.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of uint16, shape (y, x)
        Counts, cut at the range of the type.

    Raises
    ------
    InvalidValueError
        A number is outside its range, or the key is made of something else.
    NonFiniteError
        A fraction is negative or not finite.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> counts = ns.simulate.detect(np.full((200, 200), 0.01), electrons_per_pixel=1600, gain=1, offset=0, read_noise=0, seed_key=(3, "a"))
    >>> counts.dtype, round(float(counts.mean())), round(float(counts.var()))
    (dtype('uint16'), 16, 16)
    """
    for name, value in (("electrons_per_pixel", electrons_per_pixel), ("gain", gain), ("offset", offset), ("read_noise", read_noise)):
        if not (math.isfinite(value) and value >= 0):
            raise InvalidValueError(f"{name}: expected a number >= 0, found {value!r}")
    image = as_image(fraction, "fraction").astype(np.float32, copy=False)
    return _core.detect(image, electrons_per_pixel, gain, offset, read_noise, _key(seed_key), _threads.resolve(threads))


def _key(seed_key: Any) -> tuple[int, int]:
    digest = hashlib.blake2b(_text(seed_key).encode(), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")


def _text(value: Any) -> str:
    """A text that only equal values share."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, (tuple, list)):
        return f"({','.join(map(_text, value))})"
    if value is None or isinstance(value, (bool, int, str, bytes)):
        return repr(value)
    if isinstance(value, float):
        return value.hex()
    raise InvalidValueError(f"seed_key: expected numbers, strings, None or tuples of them, found {type(value).__name__}")
