"""Coarse autofocus: a series of images through the range, the sharpness of each, and the centre of a Gaussian fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.acquire.focus_fit import Centre, fit_centre
from nanospa.acquire.focus_result import FocusFit, FocusResult
from nanospa.acquire.sharpness import Bands, Spectrum, band_powers, bands, curvature, curvature_deviation, spectrum
from nanospa.errors import InvalidValueError, ShapeError
from nanospa.schema.arrays import as_image

#: Improvement below which the focus is left where it was [-], as in the facility's program.
LEAST_GAIN = 0.01

#: Least chi squared of what the images hold at all, and least significance of a maximum of it. 400 series of white noise stayed below 33
#: and, but for one, below 26; 40 series on bare film, whose grain is 6 % of 15 nm of carbon, had at least 63, and 30 with a second series.
CONTENT = 40.0
SIGNIFICANT = 25.0

#: Significance from which a second series is not needed.
CLEAR = 60.0

#: How far the image at the centre must move the centre for one more image there [nm].
MOVED_NM = 2.0

#: Standard deviations from which one image alone tells that it is no better than another, whatever the fit says.
CERTAIN = 4.0


def autofocus(
    image_at: Callable[[float], NDArray[Any]],
    *,
    start_nm: float,
    range_nm: float = 200.0,
    samples: int = 10,
    second_series: bool = True,
    pixel_size_nm: float | None = None,
) -> FocusResult:
    """Find the focus on a series of images evenly over a range of defocus about the present one.

    The sharpness of the autocorrelation of every image is fitted with a Gaussian, frequency band by frequency band with one centre
    (`nanospa.acquire.focus_fit`). One image more is taken at the start, one at the centre: where that one is not sharper than the start by
    1 %, the focus is left at the start. Where the sharpness does not change with the defocus by more than the images' own noise
    explains, there is nothing to focus on, and the focus is left at the start, too. Where there is something to see, like the grain of a
    bare film, but the series does not clearly tell the focus, a second series is taken, finer or between the samples of the first.

    Parameters
    ----------
    image_at : callable
        Takes a defocus [nm], sets it and returns an image of shape (y, x), all of one shape and pixel size.
    start_nm : float
        Present defocus [nm].
    range_nm : float
        Range of the series, its middle at the start [nm].
    samples : int
        Images of the series, 5 or more.
    second_series : bool
        Whether a second series may be taken.
    pixel_size_nm : float, optional
        Pixel size of the images; with it only probes that a lens can make are fitted, which helps with weak contrast [nm].

    Returns
    -------
    FocusResult
        The defocus to set, why, and the images' defocus and sharpness. Nothing is set: the last image was not always taken there.

    Raises
    ------
    InvalidValueError
        A range or pixel size that is not positive, fewer than 5 samples, a start that is not finite.
    ShapeError
        An image that is not 2D, is smaller than 64 × 64 pixels, or has another shape than the first.
    DtypeError, NonFiniteError
        An image without real, finite numbers.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168: ten images evenly over 200 nm, sharpness of the autocorrelation, Gaussian fit.

    Examples
    --------
    >>> import nanospa as ns
    >>> def image_at(defocus_nm):
    ...     blur_nm = (0.1**2 + (0.0115 * (defocus_nm - 12)) ** 2) ** 0.5
    ...     return ns.simulate.frame(shape=(256, 256), n_particles=3, seed=4, probe_sigma_nm=blur_nm).image
    >>> found = ns.acquire.autofocus(image_at, start_nm=-30)
    >>> found.verdict, abs(found.defocus_nm - 12) < 5
    ('fitted', True)
    """
    if not np.isfinite(start_nm):
        raise InvalidValueError(f"start_nm: expected a finite number, found {start_nm!r}")
    if not (np.isfinite(range_nm) and range_nm > 0):
        raise InvalidValueError(f"range_nm: expected a positive number, found {range_nm!r}")
    if samples < 5:
        raise InvalidValueError(f"samples: expected 5 or more, found {samples!r}")
    if pixel_size_nm is not None and not (np.isfinite(pixel_size_nm) and pixel_size_nm > 0):
        raise InvalidValueError(f"pixel_size_nm: expected a positive number, found {pixel_size_nm!r}")
    series = _Series(image_at)
    grid = start_nm + np.linspace(-range_nm / 2, range_nm / 2, samples)
    # From below, with the start in its place: the lens comes to every defocus from the same side.
    for defocus in sorted({*grid.tolist(), float(start_nm)}):
        series.take(defocus)
    found = fit_centre(series.at, series.spectra, series.where, pixel_size_nm=pixel_size_nm)
    if second_series and found.significance < CLEAR and found.content > CONTENT:
        for defocus in _second(grid, found).tolist():
            series.take(defocus)
        found = fit_centre(series.at, series.spectra, series.where, pixel_size_nm=pixel_size_nm)
    return _decide(series, float(start_nm), found, pixel_size_nm)


def _second(grid: NDArray[np.float64], found: Centre) -> NDArray[np.float64]:
    """Defoci of a second series: at half the step, about the centre where the first has found one, else between its samples."""
    if found.significance < SIGNIFICANT:
        return (grid[:-1] + grid[1:]) / 2
    half = (grid[-1] - grid[0]) / 4
    middle = np.clip(found.centre_nm, grid[0] + half, grid[-1] - half)
    return np.linspace(middle - half, middle + half, grid.size)


class _Series:
    """Images taken, as their spectra."""

    def __init__(self, image_at: Callable[[float], NDArray[Any]]) -> None:
        self.image_at = image_at
        self.at: list[float] = []
        self.spectra: list[Spectrum] = []
        self.shape: tuple[int, int] | None = None

    def take(self, defocus_nm: float) -> int:
        """Number of the image taken at a defocus."""
        image = as_image(self.image_at(defocus_nm), f"image at {defocus_nm:.6g} nm")
        shape = image.shape[0], image.shape[1]
        if self.shape is not None and shape != self.shape:
            raise ShapeError(f"image at {defocus_nm:.6g} nm: expected shape {self.shape} as before, found {shape}")
        self.shape = shape
        self.spectra.append(spectrum(image))
        self.at.append(defocus_nm)
        return len(self.at) - 1

    @property
    def where(self) -> Bands:
        assert self.shape is not None
        return bands(self.shape)

    def powers(self, i: int) -> NDArray[np.float64]:
        return band_powers(self.spectra[i], self.spectra[i], self.where)

    def sharpness(self, i: int) -> float:
        return curvature(self.powers(i), self.where)

    def deviation(self, i: int) -> float:
        return curvature_deviation(self.powers(i), self.spectra[i].noise, self.where)


def _decide(series: _Series, start_nm: float, found: Centre, pixel_size_nm: float | None) -> FocusResult:
    n = len(series.at)
    i_start = series.at.index(start_nm)

    def result(verdict: str, defocus_nm: float, message: str, fit: FocusFit | None = None) -> FocusResult:
        curve = tuple(series.sharpness(i) for i in range(len(series.at)))
        return FocusResult(float(defocus_nm), start_nm, verdict, tuple(series.at), curve, fit, message)

    if found.content < CONTENT:
        return result("no_signal", start_nm, f"nothing but noise in the images (chi squared {found.content:.1f}, {CONTENT:g} needed)")
    if found.significance < SIGNIFICANT:
        change = f"chi squared {found.significance:.1f}, {SIGNIFICANT:g} needed"
        return result("no_signal", start_nm, f"the sharpness does not change with the defocus beyond the images' noise ({change})")
    curve = np.array([series.sharpness(i) for i in range(n)])
    noise = np.array([series.deviation(i) for i in range(n)])
    fit = _gaussian(np.array(series.at), curve, noise, found) if found.inside else None
    verdict, target = ("fitted", found.centre_nm) if fit is not None else ("best_sample", series.at[int(curve.argmax())])
    if target == start_nm:
        return result("rolled_back", start_nm, "the start is the best", fit)
    i_end = series.take(target)
    if fit is not None:
        # That image is a sample more, where it counts most; where it moves the centre, one more is taken there.
        again = fit_centre(series.at, series.spectra, series.where, pixel_size_nm=pixel_size_nm)
        if again.inside and abs(again.centre_nm - target) > MOVED_NM and again.significance >= SIGNIFICANT:
            fit = _gaussian(np.array(series.at[:n]), curve, noise, again)
            target = again.centre_nm
            i_end = series.take(target)
    end, start = series.sharpness(i_end), float(curve[i_start])
    gain = end - (1 + LEAST_GAIN) * start
    deviation = float(np.hypot(series.deviation(i_end), (1 + LEAST_GAIN) * noise[i_start]))
    better = gain > 0
    if fit is not None and abs(gain) < CERTAIN * deviation:
        # Two images cannot tell: all of them together, by the fit.
        better = _value(fit, target) > (1 + LEAST_GAIN) * _value(fit, start_nm) and abs(target - start_nm) > fit.uncertainty_nm
    change = f"sharpness {end:.4g} at {target:.1f} nm, {start:.4g} at the start"
    if not better:
        return result("rolled_back", start_nm, f"not better than the start by {LEAST_GAIN:.0%}: {change}", fit)
    where = "maximum of the fit" if fit is not None else "no maximum of the fit inside the range; best image"
    return result(verdict, target, f"{where}: {change}", fit)


def _gaussian(at: NDArray[np.float64], curve: NDArray[np.float64], noise: NDArray[np.float64], found: Centre) -> FocusFit:
    """The Gaussian of the sharpness itself, about the centre that all bands have in common."""
    from scipy.optimize import nnls

    span = float(np.ptp(at))
    error = np.sqrt(noise**2 + (0.02 * np.abs(curve).max()) ** 2)
    best: tuple[float, float, float, float] | None = None
    for width in np.geomspace(span / (2 * at.size), span, 40):
        design = np.stack([np.exp(-((at - found.centre_nm) ** 2) / (2 * width**2)), np.ones(at.size)], axis=1)
        (amplitude, offset), misfit = nnls(design / error[:, None], curve / error)
        if best is None or misfit < best[0]:
            best = float(misfit), float(width), float(amplitude), float(offset)
    assert best is not None
    _, width, amplitude, offset = best
    return FocusFit(found.centre_nm, width, amplitude, offset, found.uncertainty_nm)


def _value(fit: FocusFit, defocus_nm: float) -> float:
    return fit.offset + fit.amplitude * float(np.exp(-((defocus_nm - fit.centre_nm) ** 2) / (2 * fit.width_nm**2)))
