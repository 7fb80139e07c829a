"""Sites of the atoms of a particle: a crystal, or the crystals of a multiply twinned particle, cut to its shape."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.typing import NDArray

from nanospa.simulate.shapes import GOLDEN, body_volume, enclosing_radius, inside

#: Sites of a unit cell and its sides, in lattice constants (the third one of hcp in c; its cell is the orthogonal one of four atoms).
_CELLS: dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]] = {
    "fcc": (np.array([[0, 0, 0], [0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]), np.ones(3)),
    "bcc": (np.array([[0, 0, 0], [0.5, 0.5, 0.5]]), np.ones(3)),
    "hcp": (
        np.array([[0, 0, 0], [0.5, 0.5, 0], [0.5, 5 / 6, 0.5], [0, 1 / 3, 0.5]]),
        np.array([1.0, math.sqrt(3.0), 1.0]),
    ),
}

#: Shapes that are several fcc crystals grown together.
TWINNED = ("decahedron", "icosahedron")

#: How far beyond the shape's surface sites are made, in nearest-neighbour distances: the outermost layer may be filled in part.
BEYOND = 1.5

#: Halvings of the interval in which the size lies that just takes in a site: to a thousandth of a lattice constant and less.
N_BISECT = 16


def sites(
    shape: str,
    *,
    size_nm: float,
    shape_parameter: float,
    stretch: tuple[float, float, float],
    lattice: str,
    a_nm: float,
    c_nm: float = 0.0,
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    n_atoms: int | None = None,
) -> NDArray[np.float64]:
    """Sites (x, y, z) about the particle's centre in its own frame [nm], shape (atom, 3).

    The origin of the lattice lies at `origin`, in sides of the unit cell; along the five-fold axis for a decahedron. Without `n_atoms` all
    sites inside; else that many, from the inside out: of the layer that is not full, the atoms of one side.
    """
    factors = np.asarray(stretch, dtype=np.float64)
    reach = enclosing_radius(shape, shape_parameter) * size_nm / 2 * factors + (BEYOND * a_nm if n_atoms is not None else 1e-9)
    if shape == "decahedron":
        found = _decahedral(a_nm, reach.max(), origin[2])
    elif shape == "icosahedron":
        found = _icosahedral(a_nm, reach.max())
    else:
        found = _crystal(lattice, a_nm, c_nm, reach, np.asarray(origin, dtype=np.float64))
    found = found[(np.abs(found) <= reach).all(axis=1)]
    parameter = shape_parameter if shape in ("cube", "star", "rod") else None

    def within(points: NDArray[np.float64], scale: float | NDArray[np.float64]) -> NDArray[np.bool_]:
        return inside(shape, points / factors / scale, size_nm=size_nm, shape_parameter=parameter)

    if n_atoms is None:
        return found[within(found, 1 + 1e-9)]
    # The scale of the shape that just takes in a site, by bisection, orders them from the inside out.
    low = np.zeros(len(found))
    high = np.full(len(found), 2.0 + 2 * BEYOND * a_nm / size_nm)
    for _ in range(N_BISECT):
        middle = (low + high) / 2
        taken = within(found, middle[:, None])
        low, high = np.where(taken, low, middle), np.where(taken, middle, high)
    # Sites of one facet differ by less than the bisection resolves: they fill in order along a slanted direction, as a terrace.
    layer = np.round(high / high.max() * 2 ** (N_BISECT - 4))
    terrace = found @ np.array([0.83, 0.47, 0.31])
    return found[np.lexsort((terrace, layer))[:n_atoms]]


def expected_atoms(shape: str, size_nm: float, shape_parameter: float, stretch: tuple[float, float, float], atoms_per_nm3: float) -> int:
    """Atoms that a particle of the bulk's density holds."""
    volume = body_volume(shape, shape_parameter) * (size_nm / 2) ** 3 * math.prod(stretch)
    return max(round(volume * atoms_per_nm3), 1)


def _crystal(lattice: str, a_nm: float, c_nm: float, reach: NDArray[np.float64], origin: NDArray[np.float64]) -> NDArray[np.float64]:
    basis, sides = _CELLS[lattice]
    cell = sides * np.array([a_nm, a_nm, c_nm if lattice == "hcp" else a_nm])
    axes = [np.arange(-math.ceil(r / s) - 2, math.ceil(r / s) + 3) for r, s in zip(reach, cell, strict=True)]
    corners = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 1, 3)
    return np.asarray(((corners + basis + origin) * cell).reshape(-1, 3))


def _decahedral(a_nm: float, reach_nm: float, origin: float) -> NDArray[np.float64]:
    """Five crystals about the z axis, each a tetrahedron's lattice strained by 1.6° to close the ring; density that of the bulk."""
    axis = np.array([0.0, 0.0, 2 / math.sqrt(3)])
    angles = np.arange(5) * 2 * math.pi / 5
    # From the lower tip to the corners of the equator.
    corners = np.stack([np.cos(angles), np.sin(angles), np.full(5, 1 / math.sqrt(3))], axis=1)
    scale = (a_nm**3 / 4 / abs(np.linalg.det(np.stack([axis, corners[0], corners[1]])))) ** (1 / 3)
    n = math.ceil(2 * reach_nm / scale) + 1
    along = (np.arange(-n, n + 1)[:, None] + origin) * axis
    found = [along]
    j, k = (m.ravel() for m in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    # A plane between two crystals belongs to one of them.
    j, k = j[(j > 0) & (j + k < n)], k[(j > 0) & (j + k < n)]
    for m in range(5):
        radial = j[:, None] * corners[m] + k[:, None] * corners[(m + 1) % 5]
        # Lattice points rise by half a period with every step outward.
        found.append((radial[:, None, :] + along[None]).reshape(-1, 3))
    points = np.concatenate(found) * scale
    return np.asarray(points[np.abs(points[:, 2]) <= reach_nm])


def _icosahedral(a_nm: float, reach_nm: float) -> NDArray[np.float64]:
    """Twenty crystals about the centre: the shells of Mackay, Acta Cryst. 15 (1962) 916; density that of the bulk."""
    corners = np.array([np.roll((0, s, t * GOLDEN), turn) for s in (1, -1) for t in (1, -1) for turn in range(3)])
    edge = 2.0 + 1e-9
    faces = [
        f
        for f in itertools.combinations(range(12), 3)
        if all(np.linalg.norm(corners[p] - corners[q]) <= edge for p, q in itertools.combinations(f, 2))
    ]
    scale = (a_nm**3 / 4 / abs(np.linalg.det(corners[list(faces[0])]))) ** (1 / 3)
    # A shell's faces lie nearer than its corners, by 0.795.
    n = math.ceil(reach_nm / (scale * 0.79 * math.sqrt(1 + GOLDEN**2))) + 1
    steps = np.indices((n + 1, n + 1, n + 1)).reshape(3, -1).T
    steps = steps[steps.sum(axis=1) <= n]
    points = np.concatenate([steps @ corners[list(face)] for face in faces])
    # Sites on the planes between crystals come from each of them.
    _, first = np.unique(np.round(points * 1e4).astype(np.int64), axis=0, return_index=True)
    return np.asarray(points[first] * scale)
