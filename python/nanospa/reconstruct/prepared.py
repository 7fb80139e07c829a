"""What `prepare` gives: images ready for the search, and what was found and taken out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError
from nanospa.reconstruct.fourier_crop import fourier_crop
from nanospa.reconstruct.radial_profile import distances

#: Width of the soft edge of the circular mask, in radii of the particle, and at least in pixels.
EDGE_SHARE = 0.1
EDGE_PX = 3.0


@dataclass(frozen=True)
class Prepared:
    """Images ready for the search, and what was found and taken out.

    Attributes
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Centred, without background, masked by a soft circle, brought to one size.
    pixel_size_nm : float
        Pixel size of `images` [nm].
    shifts : numpy.ndarray of float64, shape (image, 2)
        Displacements (dx, dy) taken out, in pixels of `images` before the size was normalised [px].
    scales : numpy.ndarray of float64, shape (image,)
        Size of each particle over the mean size; ones where sizes are left alone [-].
    intensities : numpy.ndarray of float64, shape (image,)
        Integrated intensity of each particle before the size was normalised, in pixels of `images`.
    noise : numpy.ndarray of float64, shape (image,)
        Standard deviation of the noise of a pixel of `images` [intensity].
    noise_density : numpy.ndarray of float64, shape (image,)
        Standard deviation of the white noise that has the same spectral density where the images have any: slightly above `noise`, since
        their last frequencies are empty [intensity].
    snr : float
        (Standard deviation of the signal over its own pixels / that of the noise)²; infinite without noise [-].
    radius_px : float
        Radius that encloses the mean particle in every orientation [px].
    ball_radius_px : float
        Radius of the ball with the mean particle's radius of gyration [px].
    centrosymmetric : bool
        Whether the images are their own 180° rotations, as those of a shape with an inversion centre are.
    cut : numpy.ndarray of bool, shape (image,)
        Images whose particle reaches the border.
    warnings : tuple of str
        What a user should know, in sentences.
    odd_share, odd_share_error : float
        Share of the images' power that changes sign when they are turned by 180°, and its standard error: what `centrosymmetric` was
        decided from [-].
    """

    images: NDArray[np.float32]
    pixel_size_nm: float
    shifts: NDArray[np.float64]
    scales: NDArray[np.float64]
    intensities: NDArray[np.float64]
    noise: NDArray[np.float64]
    noise_density: NDArray[np.float64]
    snr: float
    radius_px: float
    ball_radius_px: float
    centrosymmetric: bool
    cut: NDArray[np.bool_]
    warnings: tuple[str, ...] = ()
    odd_share: float = 0.0
    odd_share_error: float = 0.0

    @property
    def box(self) -> int:
        """Side of the images [px]."""
        return int(self.images.shape[-1])

    def at(self, box: int) -> Prepared:
        """The same images in a smaller box: Fourier-cropped, the pixel size grown.

        Parameters
        ----------
        box : int
            Side of the images, even, at most the present one [px].

        Returns
        -------
        Prepared
            Values of pixels are kept (the integrated intensity falls with the number of pixels); the noise is that of the larger pixels.

        Raises
        ------
        InvalidValueError
            `box` is odd, below 4 or larger than the present one.
        """
        if box == self.box:
            return self
        if box > self.box:
            raise InvalidValueError(f"box: expected at most the present one, {self.box}, found {box}")
        ratio = box / self.box
        return replace(
            self,
            images=fourier_crop(self.images, box),
            pixel_size_nm=self.pixel_size_nm / ratio,
            shifts=self.shifts * ratio,
            intensities=self.intensities * ratio**2,
            noise=self.noise * (box - 1) / (self.box - 1),
            noise_density=self.noise_density * ratio,
            radius_px=self.radius_px * ratio,
            ball_radius_px=self.ball_radius_px * ratio,
        )

    def subset(self, images: Any) -> Prepared:
        """Some of the images.

        Parameters
        ----------
        images : array_like of int or bool, shape (image,)
            Which.

        Returns
        -------
        Prepared
        """
        index = np.asarray(images)
        names = ("images", "shifts", "scales", "intensities", "noise", "noise_density", "cut")
        return replace(self, **{name: getattr(self, name)[index] for name in names})

    def shifts_in_given(self, shifts: Any) -> NDArray[np.float64]:
        """Displacements in the images as they were given, from those found in the prepared ones.

        Parameters
        ----------
        shifts : array_like of float, shape (image, 2)
            Displacements (dx, dy) in `images` [px of `images`].

        Returns
        -------
        numpy.ndarray of float64, shape (image, 2)
            (dx, dy) before centring and size normalisation [px of `images`].
        """
        return self.shifts + np.asarray(shifts, dtype=np.float64) * self.scales[:, None]

    def circle(self, *, edge_px: float | None = None) -> NDArray[np.float32]:
        """The soft circular mask of the images.

        Parameters
        ----------
        edge_px : float, optional
            Width of the cosine edge outside `radius_px` [px].

        Returns
        -------
        numpy.ndarray of float32, shape (y, x)
        """
        return circle(self.box, self.radius_px, edge_px)


def circle(box: int, radius_px: float, edge_px: float | None = None) -> NDArray[np.float32]:
    """1 within a radius of the centre index, then a cosine edge down to 0; float32 (y, x)."""
    edge = max(EDGE_SHARE * radius_px, EDGE_PX * box / 64) if edge_px is None else edge_px
    r = distances(box, np.zeros((1, 2)))[0]
    return np.asarray(0.5 + 0.5 * np.cos(np.pi * np.clip((r - radius_px) / max(edge, 1e-6), 0, 1)), dtype=np.float32)
