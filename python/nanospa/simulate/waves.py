"""Random fields of position made of plane waves: the same value at a place whatever part of the field is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

#: Columns of a table of waves: wave vector (y, x) [rad/nm], phase [rad], amplitude.
COLUMNS = ("k_y", "k_x", "phase", "amplitude")

#: Waves weaker than this, beside a mean of 1, are left out of an image.
NEGLIGIBLE = 1e-4


def long_waves(n: int, period_nm: float, std: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """A field of standard deviation `std` whose periods are 0.4 … 2 times `period_nm`, shape (wave, 4)."""
    period = period_nm * _stratified(n, rng, 0.4, 2.0)
    return _waves(2 * np.pi / rng.permutation(period), std, rng)


def grain_waves(n: int, sigma_nm: float, std: float, rng: np.random.Generator) -> NDArray[np.float64]:
    """White noise smoothed by a Gaussian of `sigma_nm`, brought to the standard deviation `std`, shape (wave, 4)."""
    # Its power goes with exp(−k² sigma²): in the plane |k| is then Rayleigh distributed.
    u = _stratified(n, rng, 0.0, 1.0)
    return _waves(rng.permutation(np.sqrt(-np.log1p(-u)) / sigma_nm), std, rng)


def blurred(waves: NDArray[np.float64], sigma_nm: float) -> NDArray[np.float64]:
    """The field convolved with a Gaussian; waves that vanish are dropped."""
    out = waves.copy()
    out[:, 3] *= np.exp(-0.5 * (waves[:, 0] ** 2 + waves[:, 1] ** 2) * sigma_nm**2)
    return out[np.abs(out[:, 3]) > NEGLIGIBLE]


def at(waves: NDArray[np.float64], y_nm: NDArray[np.float64], x_nm: NDArray[np.float64]) -> NDArray[np.float64]:
    """The field at places, in their shape."""
    phase = waves[:, 2] + np.multiply.outer(y_nm, waves[:, 0]) + np.multiply.outer(x_nm, waves[:, 1])
    return np.asarray(np.cos(phase) @ waves[:, 3])


def _stratified(n: int, rng: np.random.Generator, low: float, high: float) -> NDArray[np.float64]:
    """One number out of each of n equal parts of a range: far more even than n independent ones."""
    return low + (high - low) * (np.arange(n) + rng.random(n)) / n


def _waves(k: NDArray[np.float64], std: float, rng: np.random.Generator) -> NDArray[np.float64]:
    angle = rng.permutation(_stratified(k.size, rng, 0.0, np.pi))
    phase = rng.uniform(0, 2 * np.pi, k.size)
    # A cosine has a variance of 1/2.
    amplitude = np.full(k.size, std * np.sqrt(2 / max(k.size, 1)))
    return np.stack([k * np.sin(angle), k * np.cos(angle), phase, amplitude], axis=1)
