"""Grey values for the eye: display limits and 8-bit pictures."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Share of the pixels that may be black or white at either end [%], as microscope software does.
CLIPPED_PERCENT = 0.3
#: More pixels than this are not looked at to find the limits; a regular subset is enough.
_SAMPLED = 1 << 20


def display_limits(image: NDArray[Any]) -> tuple[float, float]:
    """Intensities shown black and white.

    Parameters
    ----------
    image : numpy.ndarray of real dtype, shape (y, x)
        Image; pixels that are not finite are left out.

    Returns
    -------
    tuple of float
        Black and white [intensity]; white is above black also for a constant image.
    """
    step = max(1, int(np.sqrt(image.size / _SAMPLED)))
    sample = image[::step, ::step]
    values = sample[np.isfinite(sample)] if sample.dtype.kind == "f" else sample.ravel()
    if values.size == 0:
        return 0.0, 1.0
    low, high = (float(v) for v in np.percentile(values, [CLIPPED_PERCENT, 100 - CLIPPED_PERCENT]))
    return (low, high) if high > low else (low, low + 1.0)


def grey(image: NDArray[Any], limits: tuple[float, float] | None = None) -> NDArray[np.uint8]:
    """Image in 8-bit grey.

    Parameters
    ----------
    image : numpy.ndarray of real dtype, shape (y, x)
        Image.
    limits : (float, float), optional
        Intensities shown black and white [intensity]; those of `display_limits` unless given.

    Returns
    -------
    numpy.ndarray of uint8, shape (y, x)
    """
    low, high = display_limits(image) if limits is None else limits
    scaled = (np.nan_to_num(image.astype(np.float32)) - low) * (255.0 / (high - low))
    shown: NDArray[np.uint8] = np.clip(scaled, 0, 255).astype(np.uint8)
    return shown


def picture(image: NDArray[Any], *, longest_px: int, format: str = "PNG", limits: tuple[float, float] | None = None) -> bytes:
    """Image as a file for a web page, made smaller where it is too large.

    Parameters
    ----------
    image : numpy.ndarray of real dtype, shape (y, x)
        Image.
    longest_px : int
        Longest side of the picture.
    format : str
        ``PNG`` or ``JPEG``.
    limits : (float, float), optional
        Intensities shown black and white [intensity].

    Returns
    -------
    bytes
    """
    from PIL import Image

    made = Image.fromarray(grey(image, limits))
    if max(made.size) > longest_px:
        scale = longest_px / max(made.size)
        # An average over the pixels (box) keeps the noise honest: it goes down as in a binned image.
        made = made.resize((max(1, round(made.width * scale)), max(1, round(made.height * scale))), Image.Resampling.BOX)
    buffer = io.BytesIO()
    made.save(buffer, format=format, **({"quality": 82} if format == "JPEG" else {"optimize": True}))
    return buffer.getvalue()
