"""How evenly the view directions of images cover the asymmetric unit, and weights that even them out."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError
from nanospa.reconstruct.asymmetric_unit import asymmetric_unit
from nanospa.reconstruct.symmetry import Symmetry, as_rotations, rotation_about

#: Images that the kernel of the density reaches, on average; its limits [deg].
_PER_KERNEL, _KERNEL_DEG = 12.0, (2.0, 20.0)

#: No weight is larger than this times the mean.
_LARGEST_WEIGHT = 4.0

#: Images a cell of the statistics has on average, most cells, and draws of the test against chance.
_PER_CELL, _MOST_CELLS, _DRAWS = 6.0, 100, 999


@dataclass(frozen=True)
class OrientationMap:
    """Images counted by view direction.

    Attributes
    ----------
    directions : numpy.ndarray of float64, shape (v, 3)
        Middles of the cells, in the asymmetric unit.
    counts : numpy.ndarray of int64, shape (v,)
        Images in each cell.
    expected : numpy.ndarray of float64, shape (v,)
        Share of the images that evenly spread directions would have there; the sum is 1.
    """

    directions: NDArray[np.float64]
    counts: NDArray[np.int64]
    expected: NDArray[np.float64]


@dataclass(frozen=True)
class OrientationStatistics:
    """How evenly view directions are spread.

    Attributes
    ----------
    coverage : float
        Share of the unit whose cells hold an image, over what evenly random directions would reach, 0 … 1 [-].
    evenness : float
        1 over the mean square of the density of directions (relative to an even one), free of the counts' own scatter, 0 … 1 [-]: 1 for
        evenly random directions, about the share of the unit that is seen where only a part of it is.
    effective_views : float
        Images times the evenness [-].
    p_value : float
        Probability that evenly random directions are as uneven by chance [-]. Directions found by matching deviate a little for other
        reasons than the specimen's, so that a small value alone says little for many images.
    """

    coverage: float
    evenness: float
    effective_views: float
    p_value: float


def orientation_map(rotations: Any, symmetry: str | Symmetry, step_deg: float = 9.0) -> OrientationMap:
    """Count images by view direction in the asymmetric unit.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str or Symmetry
        Point group.
    step_deg : float
        Spacing of the cells [deg].

    Returns
    -------
    OrientationMap
        Directions of the cells, images in each, and the share that even coverage would give.

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not orientations; `step_deg` outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> views = ns.reconstruct.asymmetric_unit("C1", 15)
    >>> found = ns.reconstruct.orientation_map(views, "O", 15)
    >>> int(found.counts.sum()) == len(views)
    True
    """
    group = Symmetry.of(symmetry)
    matrices = as_rotations(rotations)
    directions = asymmetric_unit(group, step_deg)[:, 2]
    counts = np.bincount(_nearest(matrices[:, 2], directions, group), minlength=len(directions))
    return OrientationMap(directions.copy(), counts, _shares(group.name, float(step_deg)).copy())


def orientation_statistics(rotations: Any, symmetry: str | Symmetry) -> OrientationStatistics:
    """How evenly the view directions of images cover the asymmetric unit.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume; two or more.
    symmetry : str or Symmetry
        Point group.

    Returns
    -------
    OrientationStatistics

    Raises
    ------
    EmptyInputError
        Fewer than two orientations.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> one_view = np.repeat(np.eye(3)[None], 50, axis=0)
    >>> ns.reconstruct.orientation_statistics(one_view, "O").evenness < 0.1
    True
    """
    group = Symmetry.of(symmetry)
    matrices = as_rotations(rotations)
    n = len(matrices)
    if n < 2:
        raise EmptyInputError(f"rotations: expected two or more, found {n}")
    cells = min(_MOST_CELLS, max(4.0, n / _PER_CELL))
    step_deg = min(60.0, math.degrees(math.sqrt(group.unit_area / cells)))
    found = orientation_map(matrices, group, step_deg)
    count, share = found.counts, found.expected
    reached = (share * (count > 0)).sum() / (share * (1 - (1 - share) ** n)).sum()
    # Pairs of different images in a cell: their number has no share of the counts' own scatter.
    square = (count * (count - 1.0) / share).sum() / (n * (n - 1.0))
    evenness = min(1.0, 1.0 / square) if square > 0 else 1.0
    drawn = np.random.default_rng([n, len(share)]).multinomial(n, share / share.sum(), size=_DRAWS)
    chi_square = ((count - n * share) ** 2 / share).sum()
    as_uneven = (((drawn - n * share) ** 2 / share).sum(axis=1) >= chi_square).sum()
    return OrientationStatistics(float(min(1.0, reached)), float(evenness), float(n * evenness), float((1 + as_uneven) / (1 + _DRAWS)))


def coverage_weights(rotations: Any, symmetry: str | Symmetry) -> NDArray[np.float64]:
    """Weights of images that even out how often each direction is seen.

    The density of view directions modulo the group is estimated by a kernel that reaches about 12 images; a weight is its inverse to a
    power of 0 … 1, the share of the density's variance that is not chance: evenly random directions keep weights near 1.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str or Symmetry
        Point group.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Weights, mean 1, none above 4 [-].

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not orientations.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = np.concatenate([np.repeat(np.eye(3)[None], 60, axis=0), ns.reconstruct.asymmetric_unit("C1", 20)])
    >>> weights = ns.reconstruct.coverage_weights(views, "C4")
    >>> bool(weights[0] < 0.5 * weights[-1])
    True
    """
    group = Symmetry.of(symmetry)
    directions = as_rotations(rotations)[:, 2]
    n = len(directions)
    if n < 3:
        return np.ones(n)
    low, high = np.radians(_KERNEL_DEG)
    sigma = float(np.clip(math.sqrt(_PER_KERNEL * group.unit_area / (4 * math.pi * n)), low, high))
    reached = n * 4 * math.pi * sigma**2 / group.unit_area
    density = _density(np.concatenate([directions, _askew_sphere(400)]), directions, group, sigma)
    # Directions all over the sphere say how uneven the density is; 1 / reached of that is chance.
    variance = float(density[n:].var())
    power = max(0.0, 1 - (1 / reached) / variance) if variance > 0 else 0.0
    weights = density[:n] ** -power
    # Scaled until no more are cut off.
    for _ in range(50):
        weights = np.minimum(weights / weights.mean(), _LARGEST_WEIGHT)
    result: NDArray[np.float64] = weights
    return result


def _density(at: NDArray[np.float64], directions: NDArray[np.float64], group: Symmetry, sigma: float) -> NDArray[np.float64]:
    """Density of directions and their equivalents, relative to an even one: a von Mises–Fisher kernel of width sigma [rad]."""
    from scipy.spatial import cKDTree

    orbit = np.einsum("gij,nj->gni", group.both_ways, directions).reshape(-1, 3)
    pairs = cKDTree(at).sparse_distance_matrix(cKDTree(orbit), min(2.0, 4 * sigma), output_type="ndarray")
    kappa = 1 / sigma**2
    # cos − 1 = −chord² / 2; the kernel's mean over the sphere is (1 − exp(−2κ)) / 2κ.
    values = np.bincount(pairs["i"], np.exp(-kappa * pairs["v"] ** 2 / 2), len(at))
    density: NDArray[np.float64] = values * (2 * kappa / (1 - math.exp(-2 * kappa))) / len(orbit)
    return density


def _nearest(directions: NDArray[np.float64], samples: NDArray[np.float64], group: Symmetry) -> NDArray[np.intp]:
    """Number of the sample nearest to each direction, modulo the group and the inversion."""
    from scipy.spatial import cKDTree

    orbit = np.einsum("gij,nj->gni", group.both_ways, samples).reshape(-1, 3)
    nearest: NDArray[np.intp] = cKDTree(orbit).query(directions)[1] % len(samples)
    return nearest


def _askew_sphere(n: int) -> NDArray[np.float64]:
    """Directions all over the sphere, about evenly (Swinbank, Purser, Q. J. R. Meteorol. Soc. 132 (2006) 1769), along none of the axes."""
    i = np.arange(n) + 0.5
    z = 1 - 2 * i / n
    azimuth = i * (math.pi * (1 + math.sqrt(5)))
    rho = np.sqrt(1 - z**2)
    turned: NDArray[np.float64] = np.stack([rho * np.cos(azimuth), rho * np.sin(azimuth), z], axis=1) @ rotation_about(
        (0.31, 0.74, 0.59), 1.23
    )
    return turned


@lru_cache(maxsize=32)
def _shares(name: str, step_deg: float) -> NDArray[np.float64]:
    """Share of all directions that lie in each cell."""
    group = Symmetry.of(name)
    samples = asymmetric_unit(group, step_deg)[:, 2]
    counts = np.bincount(_nearest(_askew_sphere(max(20_000, 100 * len(samples))), samples, group), minlength=len(samples))
    # An empty cell would be one that no direction can be in.
    shares: NDArray[np.float64] = np.maximum(counts, 1) / np.maximum(counts, 1).sum()
    return shares
