"""Fine autofocus at atomic resolution: the defocus at which the lattice shows best."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.focus_result import FocusResult
from nanospa.acquire.lattice_sharpness import lattice_sharpness
from nanospa.errors import InvalidValueError
from nanospa.schema.arrays import as_image

#: Improvement below which the focus is left where it was [-].
LEAST_GAIN = 0.01


def fine_autofocus(
    image_at: Callable[[float], NDArray[Any]],
    *,
    start_nm: float,
    range_nm: float = 20.0,
    step_nm: float = 2.0,
    pixel_size_nm: float | None = None,
) -> FocusResult:
    """Find the focus at which an atomic-resolution image shows its lattice best.

    Every image's Fourier transform is searched for spots (`lattice_sharpness`); the best image wins. Without a spot in any image the
    focus is left where it was ("no_signal"), and also where the best image is not better than the start by 1 % ("rolled_back").

    Parameters
    ----------
    image_at : callable
        Takes a defocus [nm], sets it and returns an image of shape (y, x).
    start_nm : float
        Present defocus [nm].
    range_nm : float
        Range of the series, its middle at the start [nm].
    step_nm : float
        Step of the series [nm].
    pixel_size_nm : float, optional
        Pixel size, which tells lattice spacings from what is too large for one [nm].

    Returns
    -------
    FocusResult
        The defocus to set, and the metric at every image.

    Raises
    ------
    InvalidValueError
        A range or step that is not positive, a step above the range, a pixel size too coarse for a lattice.
    ShapeError, DtypeError, NonFiniteError
        An image that is none.

    Examples
    --------
    >>> import numpy as np, nanospa as ns
    >>> y, x = np.mgrid[:128, :128]
    >>> lattice, noise = np.cos(0.9 * x + 0.4 * y), np.random.default_rng(1).normal(size=(128, 128))
    >>> ns.acquire.fine_autofocus(lambda d: np.exp(-((d - 4) ** 2) / 20) * lattice + noise, start_nm=0).defocus_nm
    4.0
    """
    if not np.isfinite(start_nm):
        raise InvalidValueError(f"start_nm: expected a finite number, found {start_nm!r}")
    if not (np.isfinite(range_nm) and range_nm > 0):
        raise InvalidValueError(f"range_nm: expected a positive number, found {range_nm!r}")
    if not (0 < step_nm <= range_nm):
        raise InvalidValueError(f"step_nm: expected more than 0 and at most range_nm = {range_nm:g}, found {step_nm!r}")
    # Whole steps from the start to both sides, so that the start is one of the images.
    half = max(int(range_nm / 2 / step_nm + 1e-9), 1)
    at = [float(start_nm + k * step_nm) for k in range(-half, half + 1)]
    curve = [lattice_sharpness(as_image(image_at(d), f"image at {d:.6g} nm"), pixel_size_nm=pixel_size_nm) for d in at]
    start, best = curve[half], int(np.argmax(curve))

    def result(verdict: str, defocus_nm: float, message: str) -> FocusResult:
        return FocusResult(defocus_nm, float(start_nm), verdict, tuple(at), tuple(curve), None, message)

    if curve[best] <= 0:
        return result("no_signal", float(start_nm), "no spots of a lattice in any image")
    if curve[best] <= (1 + LEAST_GAIN) * start:
        return result("rolled_back", float(start_nm), f"not better than the start by {LEAST_GAIN:.0%}")
    return result("best_sample", at[best], f"lattice clearest at {at[best]:.1f} nm: {curve[best]:.4g}, {start:.4g} at the start")
