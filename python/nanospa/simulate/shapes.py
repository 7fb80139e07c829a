"""Particle shapes: what their size and parameter mean, and each as an implicit function."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, UnknownNameError


@dataclass(frozen=True)
class Shape:
    """What a shape's two numbers mean.

    Attributes
    ----------
    size : str
        What `size_nm` measures.
    parameter : str
        Name of the shape parameter, "" where there is none.
    default : float
        Default of the shape parameter.
    low, high : float
        Accepted range of the shape parameter.
    radius : float
        Radius of the enclosing ball over half the size, at most (the rod's grows with its aspect, see `enclosing_radius`).
    """

    size: str
    parameter: str = ""
    default: float = 0.0
    low: float = 0.0
    high: float = 0.0
    radius: float = 1.0


#: Every shape, by name. All but the rod, the decahedron and the icosahedron have the full octahedral symmetry about the axes x, y, z of the
#: particle.
SHAPES: dict[str, Shape] = {
    "sphere": Shape("diameter"),
    "cube": Shape("edge of the enclosing cube", "exponent", 12.0, 2.0, 50.0, radius=float(np.sqrt(3.0))),
    "star": Shape("distance of opposite four-fold tips", "etching", 0.25, 0.0, 0.8),
    "octahedron": Shape("distance of opposite corners"),
    "truncated_octahedron": Shape("distance of opposite {100} faces", radius=float(np.sqrt(1.25))),
    "decahedron": Shape("diameter of the circle through the five corners of the equator; the five-fold axis is z"),
    "icosahedron": Shape("distance of opposite corners"),
    "rod": Shape("diameter; the long axis is z", "aspect", 3.0, 1.0, 50.0),
}


#: The golden ratio.
GOLDEN = (1 + math.sqrt(5)) / 2


def known_shape(name: str) -> Shape:
    """The row of `SHAPES`; `UnknownNameError` names the accepted ones."""
    if name not in SHAPES:
        raise UnknownNameError(f"shape: expected one of {', '.join(SHAPES)}, found {name!r}")
    return SHAPES[name]


def checked_parameter(name: str, value: float | None) -> float:
    """The shape parameter to use, the default for None."""
    shape = known_shape(name)
    if value is None:
        return shape.default
    if not shape.parameter:
        raise InvalidValueError(f"shape_parameter: expected None for shape {name!r}, which has none, found {value!r}")
    if not shape.low <= value <= shape.high:
        raise InvalidValueError(
            f"shape_parameter: expected a {shape.parameter} of {shape.low} … {shape.high} for shape {name!r}, found {value!r}"
        )
    return float(value)


def enclosing_radius(name: str, parameter: float) -> float:
    """Radius of the ball about the centre that holds the shape, in half sizes."""
    return parameter if name == "rod" else known_shape(name).radius


def body_volume(name: str, parameter: float) -> float:
    """Volume of the shape of half size 1."""
    if name == "cube":
        # Jaklič et al., Segmentation and Recovery of Superquadrics (2000), eq. 2.60.
        return 8 * math.gamma(1 + 1 / parameter) ** 3 / math.gamma(1 + 3 / parameter)
    return {
        "sphere": 4 / 3 * math.pi,
        "star": 2 * (1 - parameter),
        "octahedron": 4 / 3,
        "truncated_octahedron": 4.0,
        "decahedron": 5 / 3 * math.sin(2 * math.pi / 5) / math.sqrt(3),
        "icosahedron": 5 / 12 * (3 + math.sqrt(5)) * (2 / math.sqrt(GOLDEN**2 + 1)) ** 3,
        "rod": (4 / 3 + 2 * (parameter - 1)) * math.pi,
    }[name]


def inside(shape: str, points: NDArray[np.float64], *, size_nm: float, shape_parameter: float | None = None) -> NDArray[np.bool_]:
    """Whether points lie in a particle, by the implicit function of its shape.

    With u = 2p / size and (a ≥ b ≥ c) the sorted absolute coordinates of u:

    - sphere: ``|u| <= 1``
    - cube (superquadric): ``a**n + b**n + c**n <= 1`` with the exponent n
    - star (rhombic dodecahedron whose face centres are pulled in by the fraction e; e = 0 is the plain solid):
      ``a + (2 / (1 - e) - 1) * b + (2 - 2 / (1 - e)) * c <= 1``
    - octahedron: ``a + b + c <= 1``
    - truncated octahedron: ``a <= 1`` and ``a + b + c <= 1.5``
    - decahedron (five tetrahedra about z, strained to close; ρ is the largest projection of (x, y) on the directions (m + ½) 72°):
      ``ρ / cos 36° + sqrt(3) |z| <= 1``
    - icosahedron: ``n . u <= 0.7947`` for the 20 three-fold axes n: (±1, ±1, ±1) and (±1/φ, 0, ±φ) with its cyclic ones, over √3
    - rod: distance of u from the z axis piece ``|z| <= aspect - 1`` at most 1

    Parameters
    ----------
    shape : str
        A name of `SHAPES`.
    points : numpy.ndarray of float64, shape (n, 3)
        Positions x, y, z about the particle's centre, in its own frame [nm].
    size_nm : float
        Size as `SHAPES` defines it [nm].
    shape_parameter : float, optional
        Exponent of the cube, etching of the star, aspect of the rod [-].

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    UnknownNameError
        No such shape.
    InvalidValueError
        `shape_parameter` is outside the shape's range.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> ns.simulate.inside("sphere", np.array([[0.0, 0.0, 4.9], [0.0, 3.6, 3.6]]), size_nm=10)
    array([ True, False])
    """
    parameter = checked_parameter(shape, shape_parameter)
    u = np.asarray(points, dtype=np.float64) * (2.0 / size_nm)
    if shape == "decahedron":
        angles = (np.arange(5) + 0.5) * (2 * np.pi / 5)
        outward = (u[..., :2] @ np.stack([np.cos(angles), np.sin(angles)])).max(axis=-1)
        return np.asarray(outward / np.cos(np.pi / 5) + np.sqrt(3) * np.abs(u[..., 2]) <= 1)
    u = np.abs(u)
    if shape == "sphere":
        return np.asarray((u**2).sum(axis=-1) <= 1)
    if shape == "cube":
        return np.asarray((u**parameter).sum(axis=-1) <= 1)
    if shape == "octahedron":
        return np.asarray(u.sum(axis=-1) <= 1)
    if shape == "truncated_octahedron":
        return np.asarray((u.max(axis=-1) <= 1) & (u.sum(axis=-1) <= 1.5))
    if shape == "rod":
        beyond = np.maximum(u[..., 2] - (parameter - 1), 0)
        return np.asarray(u[..., 0] ** 2 + u[..., 1] ** 2 + beyond**2 <= 1)
    if shape == "icosahedron":
        x, y, z = np.moveaxis(u, -1, 0)
        outward = np.max([x + y + z, x / GOLDEN + z * GOLDEN, y / GOLDEN + x * GOLDEN, z / GOLDEN + y * GOLDEN], axis=0)
        return np.asarray(outward <= GOLDEN**2 / np.sqrt(GOLDEN**2 + 1))
    c, b, a = np.moveaxis(np.sort(u, axis=-1), -1, 0)
    inverse = 1 / (1 - parameter)
    return np.asarray(a + (2 * inverse - 1) * b + (2 - 2 * inverse) * c <= 1)
