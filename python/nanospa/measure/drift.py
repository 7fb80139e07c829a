"""How far the content of a frame has moved against another frame, where the two show the same place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from nanospa import _core

#: Side of the central square that is looked at [px], and the largest side at which two frames are compared; larger ones are binned.
DRIFT_PX = 1024
COMPARED_PX = 512
#: Standard deviation of the smoothing before frames are compared [px]: noise of single pixels goes, particles stay.
SMOOTHING_PX = 2.0
#: How much more alike the frames must be than `before` and mirrored or turned copies of it are to `after`, in Fisher's z times the root of
#: the share of the frame that overlaps. Chosen on simulated pairs (3 and 6 particles a frame, 3 and 150 electrons for each grey level):
#: unrelated ones reached 0.2 (99 %), 0.7 with three particles only; 95 % of the shifted ones had more than 1.0, and 0.6 with three.
MARGIN = 0.5
#: How far from the shift of the smoothed frames that of the frames themselves may lie [px].
_SEARCH_PX = 4
#: Correlations are cut here, so that equal frames have a finite z [-].
_HIGHEST = 0.9999


def drift(before: NDArray[np.generic], after: NDArray[np.generic]) -> tuple[float, float]:
    """Displacement of the content of a frame against another one, if both show the same place.

    Particles are alike, so that some shift always brings a few of them onto others. What that is worth is seen from frames that cannot
    match: `before` turned by quarters and mirrored has the same particles in other places. A displacement is given only where the frames
    are clearly more alike than any of these seven copies at its own best shift.

    Parameters
    ----------
    before, after : numpy.ndarray of real dtype, shape (y, x)
        Frames of one shape.

    Returns
    -------
    (float, float)
        Displacement along y and x [px], to a fraction of a pixel; NaN where the frames do not clearly show the same place, as where
        there are too few particles to tell.

    References
    ----------
    Phase correlation: C. D. Kuglin, D. C. Hines, IEEE Conference on Cybernetics and Society 1975, p. 163. Fisher's z: R. A. Fisher,
    Biometrika 10, 507 (1915).

    Examples
    --------
    >>> import numpy as np
    >>> from nanospa.measure.drift import drift
    >>> frame = np.zeros((64, 64), np.float32)
    >>> for y, x in ((10, 12), (30, 48), (45, 20), (50, 30)):
    ...     frame[y : y + 6, x : x + 6] = 1
    >>> [round(shift) for shift in drift(frame, np.roll(frame, (3, -5), (0, 1)))]
    [3, -5]
    """
    nowhere = float("nan"), float("nan")
    side = min(DRIFT_PX, *before.shape)
    frames = [_centre(frame, side) for frame in (before, after)]
    if side < 2 or not all(float(np.ptp(frame)) > 0 for frame in frames):
        return nowhere
    first, second = (_compared(frame) for frame in frames)
    likeness, coarse = _likeness(first, second)
    # Most unrelated frames end here, before anything is turned.
    if likeness < MARGIN:
        return nowhere
    for turned in (first, first.T):
        for copy in (turned, turned[::-1], turned[:, ::-1], turned[::-1, ::-1]):
            if copy is not first and likeness < _likeness(np.ascontiguousarray(copy), second)[0] + MARGIN:
                return nowhere
    surface = phase_correlation(*frames)
    # The peak of whole pixels where the smoothed frames agree, not one that noise has elsewhere.
    factor = side // first.shape[0]
    near = [np.arange(at * factor - _SEARCH_PX, at * factor + _SEARCH_PX + 1) for at in coarse]
    window = surface[np.ix_(*(places % side for places in near))]
    found = np.unravel_index(int(window.argmax()), window.shape)
    shift = []
    for axis, at in enumerate(int(places[i]) for places, i in zip(near, found, strict=True)):
        line = np.take(surface, int(near[1 - axis][found[1 - axis]]) % side, axis=1 - axis)
        left, middle, right = (float(line[(at + step) % side]) for step in (-1, 0, 1))
        bend = left - 2 * middle + right
        shift.append(at + (0.5 * (left - right) / bend if bend < 0 else 0.0))
    return shift[0], shift[1]


def phase_correlation(before: NDArray[np.float32], after: NDArray[np.float32]) -> NDArray[np.float64]:
    """Phase correlation of two frames of one shape (y, x); its maximum lies at the displacement, modulo the shape."""
    window = [np.hanning(n + 2)[1:-1] for n in before.shape]
    taper = np.outer(*window)
    spectra = [np.fft.rfft2((frame - frame.mean(dtype=np.float64)) * taper) for frame in (before, after)]
    cross = spectra[1] * np.conj(spectra[0])
    strength = np.abs(cross)
    # Noise has as many frequencies as the content: a Gaussian keeps the low ones, where the content is.
    frequency2 = np.fft.fftfreq(taper.shape[0])[:, None] ** 2 + np.fft.rfftfreq(taper.shape[1])[None, :] ** 2
    cross = np.where(strength > 0, cross / np.maximum(strength, np.finfo(float).tiny), 0) * np.exp(-frequency2 / (2 * 0.1**2))
    return np.asarray(np.fft.irfft2(cross, taper.shape))


def _centre(frame: NDArray[np.generic], side: int) -> NDArray[np.float32]:
    y, x = ((n - side) // 2 for n in frame.shape)
    return frame[y : y + side, x : x + side].astype(np.float32)


def _compared(frame: NDArray[np.float32]) -> NDArray[np.float32]:
    """Frame binned, smoothed, and without a slope of its brightness, which all frames of a microscope may share."""
    factor = -(-frame.shape[0] // COMPARED_PX)
    n = frame.shape[0] // factor
    binned = frame[: n * factor, : n * factor].reshape(n, factor, n, factor).mean((1, 3), dtype=np.float64)
    binned -= binned.mean()
    ramp = np.arange(n) - (n - 1) / 2
    slope = [float((binned.sum(axis) * ramp).sum()) / (n * float((ramp**2).sum())) for axis in (1, 0)]
    binned -= slope[0] * ramp[:, None] + slope[1] * ramp[None, :]
    return _core.gaussian(binned.astype(np.float32), SMOOTHING_PX, 1)


def _likeness(before: NDArray[np.float32], after: NDArray[np.float32]) -> tuple[float, tuple[int, int]]:
    """Fisher's z of the correlation where the frames overlap at their best shift, times the root of the share that overlaps; the shift."""
    surface = phase_correlation(before, after)
    height, width = before.shape
    y, x = (
        int(at) if at <= n // 2 else int(at) - n
        for at, n in zip(np.unravel_index(surface.argmax(), surface.shape), surface.shape, strict=True)
    )
    a = before[max(0, -y) : height - max(0, y), max(0, -x) : width - max(0, x)].astype(np.float64)
    b = after[max(0, y) : height - max(0, -y), max(0, x) : width - max(0, -x)].astype(np.float64)
    a -= a.mean()
    b -= b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    r = float((a * b).sum()) / norm if norm > 0 else 0.0
    return float(np.arctanh(np.clip(r, -_HIGHEST, _HIGHEST)) * np.sqrt(a.size / before.size)), (y, x)
