"""Energy of the images in the Fourier samples that are matched, and how much of it is noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.prepared import Prepared


@dataclass(frozen=True)
class ImageEnergy:
    """Energy of images between the first and the last matched ring.

    Attributes
    ----------
    total : numpy.ndarray of float64, shape (image,)
        Sum of squares of the pixels, of the frequencies that are matched [intensity²].
    noise : numpy.ndarray of float64, shape (image,)
        What noise contributes to it on average [intensity²].
    samples : float
        Independent samples an image has there [-].
    """

    total: NDArray[np.float64]
    noise: NDArray[np.float64]
    samples: float

    @classmethod
    def of(cls, prepared: Prepared, *, last: int | None = None) -> ImageEnergy:
        """Energies of prepared images.

        Parameters
        ----------
        prepared : Prepared
            Images; the noise is that of their background.
        last : int, optional
            Outermost ring [Fourier px]; by default the one the search uses.

        Returns
        -------
        ImageEnergy
        """
        from scipy import fft

        n = prepared.box
        outermost = n // 2 - 2 if last is None else last
        kx, ky = np.fft.rfftfreq(n) * n, np.fft.fftfreq(n) * n
        radius = np.hypot(kx[None, :], ky[:, None])
        # Columns inside the half-plane stand for two frequencies.
        both = np.where((kx == 0) | (kx == n // 2), 1.0, 2.0)[None, :]
        weight = np.where((radius >= 0.5) & (radius < outermost + 0.5), both, 0.0) / n**2
        transform = fft.rfft2(prepared.images)
        total = np.einsum("iyx,yx->i", transform.real.astype(np.float64) ** 2 + transform.imag.astype(np.float64) ** 2, weight)
        samples = float(weight.sum() * (prepared.circle().astype(np.float64) ** 2).sum())
        return cls(total, prepared.noise**2 * samples, samples)

    @property
    def signal(self) -> float:
        """Mean energy of an image beyond noise [intensity²]."""
        return float(max(np.mean(self.total - self.noise), 1e-9 * np.mean(self.total)))

    def explained(self, correlations: NDArray[np.float64]) -> NDArray[np.float64]:
        """Energy of each image that its projection explains, shape (image,) [intensity²]."""
        return np.asarray(self.total * np.clip(correlations, 0, 1) ** 2)

    def deviation(self, correlations: NDArray[np.float64]) -> float:
        """Variance of a sample about its model: what a model at these correlations leaves, at least that of the noise [intensity²]."""
        left = np.mean(self.total - self.explained(correlations)) / self.samples
        return float(max(left, np.mean(self.noise) / self.samples, 1e-12 * np.mean(self.total)))

    def subset(self, images: NDArray[np.bool_] | NDArray[np.intp]) -> ImageEnergy:
        """Of some of the images."""
        return ImageEnergy(self.total[images], self.noise[images], self.samples)
