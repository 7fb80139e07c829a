"""Spheres: whether the images are those of spheres, whose orientations mean nothing, and what their density is along the radius."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError
from nanospa.reconstruct.coarse import coarse, share_and_error
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.radial_profile import distances, mean_profile

#: Share of the images' power that is not round, up to which particles are spheres: without noise an icosahedron has 0.0017, a truncated
#: octahedron 0.005, cube, octahedron and star 0.013 … 0.018; spheres whose axes differ by 3 % have 0.0004.
ANGULAR_SHARE = 0.001

#: … and what this many standard errors more must stay below, so that noise does not make spheres of other shapes.
SURE_SIGMA = 2.0
SURE_SHARE = 0.0016

#: Points on which a ring of the profile is integrated.
FINE = 8

#: How much smoother a density is preferred to one that fits a standard error better.
SMOOTHNESS = 0.15


@dataclass(frozen=True)
class SphereTest:
    """Whether particles are spheres.

    Attributes
    ----------
    is_sphere : bool
        Whether the images are round as far as matters, and that is sure.
    share, error : float
        Share of the images' power that is not round, beyond that of noise, and its standard error [-].
    z : float
        Share over error: how surely the particles are not spheres [-].
    """

    is_sphere: bool
    share: float
    error: float
    z: float


@dataclass(frozen=True)
class RadialProfile:
    """Density of a round body along its radius.

    Attributes
    ----------
    radius_nm : numpy.ndarray of float64, shape (shell,)
        Distance from the centre [nm].
    density : numpy.ndarray of float64, shape (shell,)
        Density: sums along the beam, in voxels, are pixel values [intensity].
    error : numpy.ndarray of float64, shape (shell,)
        Standard error of the density [intensity].
    edge_nm : float
        Radius at which the density has fallen to half that of the interior [nm].
    pixel_size_nm : float
        Voxel size that the density is meant for [nm].
    """

    radius_nm: NDArray[np.float64]
    density: NDArray[np.float64]
    error: NDArray[np.float64]
    edge_nm: float
    pixel_size_nm: float


def sphere_test(prepared: Prepared) -> SphereTest:
    """Whether the particles of a stack are spheres: round in every image.

    Only a sphere looks round from everywhere. Each image is compared with its own mean around the centre; what noise adds to the rest is
    subtracted, what a centre that is slightly off adds is fitted. Details below a tenth of the radius do not count.

    Parameters
    ----------
    prepared : Prepared
        Images.

    Returns
    -------
    SphereTest

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> images = [ns.simulate.particle("sphere", size_nm=d, pixel_size_nm=0.8, box_px=32) for d in (12, 13, 14)]
    >>> ns.reconstruct.sphere_test(ns.reconstruct.prepare(np.stack(images), pixel_size_nm=0.8)).is_sphere
    True
    """
    small = coarse(prepared.images, prepared.circle(), prepared.radius_px, prepared.ball_radius_px)
    box = small.images.shape[-1]
    axis = np.arange(box) - box // 2
    x, y = np.meshgrid(axis, axis)
    radii = np.hypot(x, y)
    inside = radii <= small.radius_px
    r = radii[inside]
    below = np.floor(r).astype(np.intp)
    rows = np.arange(r.size)
    hats = np.zeros((r.size, int(small.radius_px) + 2))
    hats[rows, below] = 1 - (r - below)
    hats[rows, below + 1] = r - below
    mean = np.linalg.lstsq(hats, small.images.mean(axis=0)[inside], rcond=None)[0]
    slope = np.interp(r, np.arange(mean.size), np.gradient(mean)) / np.maximum(r, 1e-9)
    # What is round, and what a displacement adds to it.
    round_ones = np.column_stack([hats[:, np.abs(hats).sum(axis=0) > 0], slope * x[inside], slope * y[inside]])
    basis, _ = np.linalg.qr(round_ones)

    def powers(images: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        pixels = images[:, inside]
        whole = (pixels**2).sum(axis=1)
        return whole - ((pixels @ basis) ** 2).sum(axis=1), whole

    density = prepared.noise_density * box / prepared.box
    part, whole = powers(small.images)
    noise_part, noise_whole = powers(small.noise)
    share, error = share_and_error(part, whole, noise_part, noise_whole, density**2)
    sure = share < ANGULAR_SHARE and share + SURE_SIGMA * error < SURE_SHARE
    return SphereTest(is_sphere=bool(sure), share=share, error=error, z=share / error if error > 0 else math.inf if share > 0 else 0.0)


def radial_profile(prepared: Prepared) -> RadialProfile:
    """Density along the radius of a body whose projections are round, from the mean of all images.

    The mean intensity at each distance from the centre is the density summed along the beam; this is inverted with the smoothest density
    that fits it within its noise.

    Parameters
    ----------
    prepared : Prepared
        Images; those of bodies that are not round give the density averaged over all directions.

    Returns
    -------
    RadialProfile

    References
    ----------
    Abel inversion by least squares: C. J. Dasch, Applied Optics 31, 1146 (1992).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> images = [ns.simulate.particle("sphere", size_nm=14, pixel_size_nm=0.8, box_px=32)] * 3
    >>> profile = ns.reconstruct.radial_profile(ns.reconstruct.prepare(np.stack(images), pixel_size_nm=0.8))
    >>> round(profile.edge_nm, 1), round(float(profile.density[2]), 1)
    (6.9, 0.8)
    """
    projected, count = mean_profile(prepared.images, distances(prepared.box, np.zeros((len(prepared.images), 2))))
    shells = min(math.ceil(prepared.radius_px) + 2, len(projected))
    projected, count = projected[:shells], np.maximum(count[:shells], 1)
    error = np.sqrt(np.mean(prepared.noise**2) / count)
    # The smallest error that is believed: pixels are not rings.
    error = np.maximum(error, 2e-3 * float(np.abs(projected).max()))
    forward = _projections(shells)
    # Even about the centre: the shell at −1 is that at 1.
    mirrored = np.vstack([np.eye(shells)[1], np.eye(shells)])
    curvature = np.diff(mirrored, 2, axis=0) / (SMOOTHNESS * _typical(projected))
    weighted = forward / error[:, None]
    normal = weighted.T @ weighted + curvature.T @ curvature
    covariance = np.linalg.inv(normal)
    density = covariance @ (weighted.T @ (projected / error))
    radius = np.arange(shells, dtype=np.float64)
    return RadialProfile(
        radius_nm=radius * prepared.pixel_size_nm,
        density=density,
        error=np.sqrt(np.diag(covariance)),
        edge_nm=_edge(density) * prepared.pixel_size_nm,
        pixel_size_nm=prepared.pixel_size_nm,
    )


def sphere_volume(profile: RadialProfile, box: int) -> NDArray[np.float32]:
    """The volume of a round body from its density along the radius.

    Parameters
    ----------
    profile : RadialProfile
        Density.
    box : int
        Side of the cubic box, at least 2 [px].

    Returns
    -------
    numpy.ndarray of float32, shape (z, y, x)
        Its centre is at index box // 2; 0 beyond the last radius.

    Raises
    ------
    InvalidValueError
        `box` below 2.

    Examples
    --------
    >>> import numpy as np
    >>> from nanospa.reconstruct import RadialProfile, sphere_volume
    >>> profile = RadialProfile(np.arange(5.0), np.array([1, 1, 1, 0.5, 0]), np.zeros(5), 3.0, 1.0)
    >>> sphere_volume(profile, 10)[5, 5].round(1)
    array([0. , 0. , 0.5, 1. , 1. , 1. , 1. , 1. , 0.5, 0. ], dtype=float32)
    """
    if box < 2:
        raise InvalidValueError(f"box: expected a number >= 2, found {box!r}")
    axis = (np.arange(box) - box // 2) ** 2
    radii = np.sqrt(axis[:, None, None] + axis[:, None] + axis) * profile.pixel_size_nm
    return np.asarray(np.interp(radii, profile.radius_nm, profile.density, right=0.0), dtype=np.float32)


def _projections(shells: int) -> NDArray[np.float64]:
    """Mean over each ring of the projection of densities that are linear between integer radii and 0 beyond: (ring, shell)."""
    fine = np.arange(shells * FINE) / FINE + 0.5 / FINE - 0.5
    y = np.abs(fine)
    t = (np.arange(shells * FINE) + 0.5) / FINE
    # Along the beam: r² = y² + t², both sides.
    r = np.sqrt(y[:, None] ** 2 + t**2)
    chords = np.zeros((y.size, shells + 1))
    below = np.minimum(np.floor(r).astype(np.intp), shells)
    part = np.where(below < shells, r - below, 0.0)
    for i in range(y.size):
        np.add.at(chords[i], below[i], (1 - part[i]) * 2 / FINE)
        np.add.at(chords[i], np.minimum(below[i] + 1, shells), part[i] * 2 / FINE)
    weights = y.reshape(shells, FINE)
    summed = (chords[:, :shells].reshape(shells, FINE, shells) * weights[:, :, None]).sum(axis=1)
    return np.asarray(summed / weights.sum(axis=1, keepdims=True))


def _typical(projected: NDArray[np.float64]) -> float:
    """Rough density: the projection at the centre over twice the radius at which it is half."""
    top = float(projected[:2].max())
    half = np.flatnonzero(projected < top / 2)
    return abs(top) / (2 * max(int(half[0]) if half.size else projected.size, 1)) or 1.0


def _edge(density: NDArray[np.float64]) -> float:
    """Radius of half the interior's density, interpolated."""
    order = np.arange(density.size)
    interior = float(np.median(density[: max(2, density.size // 3)]))
    beyond = np.flatnonzero((density < interior / 2) & (order > 0))
    if not beyond.size or interior <= 0:
        return float(density.size - 1)
    i = int(beyond[0])
    return i - 1 + float((density[i - 1] - interior / 2) / max(density[i - 1] - density[i], 1e-12))
