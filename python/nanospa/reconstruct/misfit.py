"""How much of the images a model explains, beyond noise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.reconstruct.image_energy import ImageEnergy
from nanospa.reconstruct.prepared import Prepared


@dataclass(frozen=True)
class Misfit:
    """What projections explain of the images.

    Attributes
    ----------
    explained : float
        Share of the images' energy beyond noise that the projections explain; about 1 for a right model of identical particles [-].
    error : float
        Its standard error over the images [-].
    images : numpy.ndarray of float64, shape (image,)
        The same for each image [-].
    errors : numpy.ndarray of float64, shape (image,)
        What noise alone does to each of them, as a standard deviation [-].
    """

    explained: float
    error: float
    images: NDArray[np.float64]
    errors: NDArray[np.float64]


def misfit(prepared: Prepared, correlations: Any, *, last: int | None = None) -> Misfit:
    """Share of the images' energy beyond noise that a model explains.

    With E the energy of an image, N what noise adds to it and c the correlation with the projection, the projection leaves E (1 − c²), of
    which N is noise: explained is 1 − (E (1 − c²) − N) / (E − N). Noise that the model itself has learnt makes it a little too good.

    Parameters
    ----------
    prepared : Prepared
        The images that were matched, at the box they were matched at.
    correlations : array_like of float, shape (image,)
        Normalised cross-correlations with the projections.
    last : int, optional
        Outermost ring that was matched [Fourier px]; by default box / 2 − 2.

    Returns
    -------
    Misfit

    Raises
    ------
    ShapeError
        Not one correlation an image.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = [ns.simulate.random_rotation(np.random.default_rng(i)) for i in range(5)]
    >>> images = [ns.simulate.particle("cube", size_nm=10, pixel_size_nm=0.8, box_px=32, rotation=r) for r in views]
    >>> prepared = ns.reconstruct.prepare(np.stack(images), pixel_size_nm=0.8)
    >>> round(ns.reconstruct.misfit(prepared, np.full(5, 0.99)).explained, 3)
    0.98
    """
    c = np.asarray(correlations, dtype=np.float64)
    if c.shape != (len(prepared.images),):
        raise ShapeError(f"correlations: expected shape ({len(prepared.images)},), found {c.shape}")
    energy = ImageEnergy.of(prepared, last=last)
    signal = np.maximum(energy.total - energy.noise, 1e-6 * energy.total)
    left = energy.total - energy.explained(c) - energy.noise
    explained = float(1 - left.mean() / signal.mean())
    spread = (left - (1 - explained) * signal).std(ddof=1) / signal.mean() / np.sqrt(c.size)
    return Misfit(explained, float(spread), 1 - left / signal, energy.noise * np.sqrt(2 / energy.samples) / signal)
