"""View directions that differ from one another: an even sampling of them, and where a direction lies among them."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError
from nanospa.reconstruct.symmetry import Symmetry, as_rotations


def asymmetric_unit(symmetry: str | Symmetry, step_deg: float) -> NDArray[np.float64]:
    """Orientations whose view directions cover all that differ, evenly.

    Directions that a rotation of the group or the reversal of the beam takes into each other give the same image or its mirror
    image, so those of one asymmetric unit are enough. No direction is further than 0.66 steps from a sample or one of its equivalents
    (a square lattice would reach 0.71). The lattice has points on the unit's mirror planes: one that keeps away from them was seen to
    leave gaps half as wide again.

    Parameters
    ----------
    symmetry : str or Symmetry
        Point group of the particle.
    step_deg : float
        Spacing of neighbouring directions, 0.5 … 60 [deg].

    Returns
    -------
    numpy.ndarray of float64, shape (v, 3, 3)
        Rotations, p_image = R p_volume; their last rows are the directions.

    Raises
    ------
    UnknownNameError
        No such group.
    InvalidValueError
        `step_deg` is outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> views = ns.reconstruct.asymmetric_unit("O", 9.0)
    >>> 15 < len(views) < 25
    True
    """
    group = Symmetry.of(symmetry)
    if not 0.5 <= step_deg <= 60:
        raise InvalidValueError(f"step_deg: expected 0.5 … 60, found {step_deg!r}")
    return rotations_to(_samples(group.name, float(step_deg)))


def rotations_to(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rotations with given view directions, shape (n, 3, 3): the image's y axis lies in the volume's x-y plane."""
    x, y, z = directions.T
    rho = np.hypot(x, y)
    pole = rho < 1e-12
    cosine, sine = np.where(pole, 1.0, x) / np.where(pole, 1.0, rho), np.where(pole, 0.0, y) / np.where(pole, 1.0, rho)
    first = np.stack([z * cosine, z * sine, -rho], axis=1)
    second = np.stack([-sine, cosine, np.zeros_like(sine)], axis=1)
    return np.stack([first, second, directions], axis=1)


def folded_directions(rotations: Any, symmetry: str | Symmetry) -> NDArray[np.float64]:
    """View directions of orientations, each taken to its equivalent in the asymmetric unit.

    The unit is the triangle of `Symmetry.corners` for O, I and Dn with even n; for Dn with odd n the slice of ±90°/n about x above
    z = 0; for T x, y ≥ 0 with z the largest; for Cn the azimuths 0 … 360°/n above z = 0.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str or Symmetry
        Point group of the particle.

    Returns
    -------
    numpy.ndarray of float64, shape (n, 3)
        Unit vectors x, y, z in the frame of the volume.

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not orientations.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> beam_along_x = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])
    >>> ns.reconstruct.folded_directions(beam_along_x, "O").tolist()
    [[0.0, 0.0, 1.0]]
    """
    return fold(as_rotations(rotations)[:, 2], Symmetry.of(symmetry))


def fold(directions: NDArray[np.float64], group: Symmetry) -> NDArray[np.float64]:
    """Unit vectors taken into the asymmetric unit of the group with the inversion, shape (n, 3)."""
    if group.axial_free:
        # The inversion first: the unit ends at z = 0 for any n.
        directions = np.where(directions[:, 2:] < 0, -directions, directions)
        elements = group.rotations
    else:
        elements = group.both_ways
    # (h d) · c = d · (hᵀ c): the element that brings a direction nearest to the unit's centre.
    nearest = (directions @ (group.centre @ elements).T).argmax(axis=1)
    folded: NDArray[np.float64] = np.einsum("nij,nj->ni", elements[nearest], directions)
    return folded + 0.0


@lru_cache(maxsize=64)
def _samples(name: str, step_deg: float) -> NDArray[np.float64]:
    group = Symmetry.of(name)
    step = math.radians(step_deg)
    if group.axial_free:
        samples = _slice((0.0, 2 * math.pi / group.order), step, round_about=True)
    elif name in ("O", "I"):
        assert group.corners is not None
        samples = _triangle(group.corners, step)
    elif name == "T":
        # T and the inversion have half the elements of Oh: two of its triangles, mirror images, make the unit.
        octahedral = Symmetry.of("O").corners
        assert octahedral is not None
        triangle = _triangle(octahedral, step)
        samples = np.concatenate([triangle, triangle[:, [1, 0, 2]]])
    else:
        n = int(name[1:])
        # For odd n the unit lies about x, between mirror planes at ±90°/n, and ends at z = 0 without one.
        samples = _slice((-math.pi / (2 * n), math.pi / (2 * n)) if n % 2 else (0.0, math.pi / n), step)
    samples = _distinct(samples, group)
    samples.setflags(write=False)
    return samples


def _triangle(corners: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """A triangular lattice in a spherical triangle, borders included; its mean side is cut into steps."""
    sides = np.arccos(np.clip((corners * np.roll(corners, 1, axis=0)).sum(axis=1), -1, 1))
    m = math.ceil(sides.mean() / step - 1e-9)
    points = []
    for i in range(m + 1):
        left, right = (_between(corners[2], corners[k], i / m) for k in (0, 1))
        points += [_between(left, right, j / i if i else 0.0) for j in range(i + 1)]
    return np.stack(points)


def _between(a: NDArray[np.float64], b: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """The direction a share of the way along the great circle from one to the other."""
    angle = math.acos(min(1.0, float(a @ b)))
    if angle < 1e-9:
        return a
    point: NDArray[np.float64] = (math.sin((1 - share) * angle) * a + math.sin(share * angle) * b) / math.sin(angle)
    return point


def _slice(azimuths: tuple[float, float], step: float, *, round_about: bool = False) -> NDArray[np.float64]:
    """Rows at equal distances from z down to the equator, their points staggered like a triangular lattice's.

    Either border is a mirror plane, or going `round_about` one continues at the other.
    """
    rows = math.ceil(math.pi / 2 / (step * math.sqrt(3) / 2) - 1e-9)
    points = [np.array([[0.0, 0.0, 1.0]])]
    for k in range(1, rows + 1):
        tilt = math.pi / 2 * k / rows
        length = (azimuths[1] - azimuths[0]) * math.sin(tilt)
        n = math.ceil(length / step - 1e-9)
        # Every other row keeps half a spacing from the borders, as its mirror image beyond them does.
        if length < step / 2:
            share = np.array([0.5])
        elif (rows - k) % 2 and (n > 1 or round_about):
            share = (np.arange(n) + 0.5) / n
        else:
            share = np.arange(n if round_about else n + 1) / n
        azimuth = azimuths[0] + (azimuths[1] - azimuths[0]) * share
        points.append(
            np.stack([math.sin(tilt) * np.cos(azimuth), math.sin(tilt) * np.sin(azimuth), np.full(len(share), math.cos(tilt))], axis=1)
        )
    return np.concatenate(points)


def _distinct(points: NDArray[np.float64], group: Symmetry) -> NDArray[np.float64]:
    """One of each set of equivalent points: borders of the unit that are no mirror planes meet themselves."""
    orbit = np.round(np.einsum("gij,nj->ngi", group.both_ways, points), 8) + 0.0
    order = np.lexsort((orbit[..., 2], orbit[..., 1], orbit[..., 0]), axis=1)
    _, first = np.unique(orbit[np.arange(len(points)), order[:, 0]], axis=0, return_index=True)
    return np.ascontiguousarray(points[np.sort(first)])
