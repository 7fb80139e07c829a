"""Faults of a frame: blur, charging, drift, saturation."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.measure.drift import drift
from nanospa.measure.region_properties import saturation_level
from nanospa.schema import as_image, keeps_calibration

#: Side of the tiles whose power spectra are averaged [px], and how many are taken at most, spread over the frame.
TILE_PX = 256
MOST_TILES = 36
#: Pixels of a line that are looked at for charging.
LINE_PX = 1024
#: A frequency carries signal where its power exceeds the noise floor by this factor: three standard deviations of an average of 36.
ABOVE_NOISE = 1.5


@keeps_calibration("image", "previous")
def frame_flags(
    image: Any,
    *,
    previous: Any = None,
    saturation: float | None = None,
    focus_limit: float | None = None,
    focus_loss: float = 0.7,
    charging_limit: float = 10.0,
    drift_limit: float = 0.05,
    saturation_limit: float = 1e-3,
) -> dict[str, float | bool]:
    """Scores and flags for blur, charging, drift and saturation of a frame.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Frame; y is the slow scan direction.
    previous : array_like of real dtype, shape (y, x), optional
        The frame before it, for drift and for loss of focus.
    saturation : float, optional
        Level at which the detector saturates [intensity]; None takes the greatest value of an integer dtype, and none for floats.
    focus_limit : float, optional
        Frames with a focus score below it are blurred [-]; None compares with `previous` only.
    focus_loss : float
        Frames whose focus score falls below this share of that of the frame before are blurred [-].
    charging_limit : float
        Charging score above which a frame is flagged [-].
    drift_limit : float
        Drift above which a frame is flagged, as a share of the frame's smaller side [-].
    saturation_limit : float
        Share of saturated pixels above which a frame is flagged [-].

    Returns
    -------
    dict of str to float or bool
        ``focus_score``: the highest spatial frequency with power above the noise floor, as a share of the Nyquist frequency;
        ``charging_score``: the largest step between the levels of two neighbouring lines, in robust standard deviations of all such
        steps;
        ``drift_y_px``, ``drift_x_px``, ``drift_px``: displacement of the content against `previous`, NaN without it or where the two
        do not clearly show the same place (see `nanospa.measure.drift`); ``saturated_fraction``; flags ``blur``, ``charging``, ``drift``,
        ``saturated``.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Frames that cannot be used, or `previous` of another shape.

    References
    ----------
    Averaged spectra: P. D. Welch, IEEE Transactions on Audio and Electroacoustics 15, 70 (1967). Drift by phase correlation:
    C. D. Kuglin, D. C. Hines, IEEE Conference on Cybernetics and Society 1975, p. 163.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> frame = np.random.default_rng(0).poisson(200, (128, 128)).astype(np.uint16)
    >>> for y, x in ((30, 20), (50, 90), (90, 40), (70, 60)):
    ...     frame[y : y + 12, x : x + 12] += 400
    >>> flags = ns.measure.frame_flags(np.roll(frame, (3, -5), (0, 1)), previous=frame)
    >>> round(flags["drift_y_px"]), round(flags["drift_x_px"]), flags["saturated"]
    (3, -5, False)
    """
    level = saturation_level(image, saturation)
    frame = as_image(image)
    if frame.size == 0:
        raise ShapeError(f"image: expected at least one pixel, found shape {frame.shape}")
    score = focus_score(frame)
    steps = _line_steps(frame)
    saturated = float(np.mean(frame >= level)) if level is not None else float("nan")
    blurred = focus_limit is not None and score < focus_limit
    shift = (float("nan"), float("nan"))
    if previous is not None:
        before = as_image(previous, "previous")
        if before.shape != frame.shape:
            raise ShapeError(f"previous: expected the image's shape {frame.shape}, found {before.shape}")
        shift = drift(before, frame)
        blurred = blurred or score < focus_loss * focus_score(before)
    length = float(np.hypot(*shift))
    return {
        "focus_score": score,
        "blur": bool(blurred),
        "charging_score": steps,
        "charging": bool(steps > charging_limit),
        "drift_y_px": shift[0],
        "drift_x_px": shift[1],
        "drift_px": length,
        "drift": bool(length > drift_limit * min(frame.shape)),
        "saturated_fraction": saturated,
        "saturated": bool(saturated > saturation_limit),
    }


def focus_score(image: NDArray[Any]) -> float:
    """Highest frequency whose ring of the power spectrum stands above the noise floor, as a share of the Nyquist frequency."""
    side = min(TILE_PX, *image.shape)
    if side < 16:
        return float("nan")
    window = np.hanning(side + 2)[1:-1]
    taper = np.outer(window, window)
    power = np.zeros((side, side // 2 + 1))
    starts = [_starts(n, side) for n in image.shape]
    for y in starts[0]:
        for x in starts[1]:
            tile = image[y : y + side, x : x + side].astype(np.float64)
            power += np.abs(np.fft.rfft2((tile - tile.mean()) * taper)) ** 2
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None, :]) * 2
    bins = min(side // 2, 64)
    ring = np.minimum((frequency * bins).astype(int), bins)
    counts = np.bincount(ring.ravel(), minlength=bins + 1)[:bins]
    rings = np.bincount(ring.ravel(), power.ravel(), minlength=bins + 1)[:bins] / np.maximum(counts, 1)
    # The last fifth below the Nyquist frequency: detectors and probes leave only noise there.
    floor = float(np.median(rings[-max(2, bins // 5) :]))
    above = rings > ABOVE_NOISE * floor
    # The taper carries the lowest ring into the next; the signal ends at the first two rings in the noise.
    quiet = np.flatnonzero(~above[1:-1] & ~above[2:]) + 1
    last = int(quiet[0]) if quiet.size else bins
    return 0.0 if not above[: max(2, last)].any() else last / bins


def _starts(length: int, side: int) -> NDArray[np.int64]:
    n = int(min(MOST_TILES**0.5, max(1, 2 * length // side - 1)))
    return np.linspace(0, length - side, n).astype(np.int64)


def _line_steps(image: NDArray[Any]) -> float:
    """Largest step between neighbouring lines' levels in robust standard deviations of all steps."""
    if min(image.shape) < 8:
        return 0.0
    # The mean of the middle half of a line: particles and hot pixels count little, and whole counts leave no steps of their own.
    stride = -(-image.shape[1] // LINE_PX)
    lines = np.sort(image[:, ::stride], axis=1)
    quarter = lines.shape[1] // 4
    levels = lines[:, quarter : lines.shape[1] - quarter].mean(axis=1, dtype=np.float64)
    steps = np.abs(np.diff(levels))
    spread = float(np.median(steps)) * 1.4826
    return float(steps.max() / spread) if spread > 0 else 0.0
