"""The atoms of a particle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.elements import ELEMENTS
from nanospa.errors import InvalidValueError, UnknownNameError
from nanospa.simulate.crystal import TWINNED, expected_atoms, sites
from nanospa.simulate.materials import MATERIALS, Material
from nanospa.simulate.population import Specimen
from nanospa.simulate.rotations import checked_rotation
from nanospa.simulate.shapes import checked_parameter

if TYPE_CHECKING:
    import pandas as pd

#: Symbols of the atomic numbers.
SYMBOLS = {element.number: element.symbol for element in ELEMENTS.values()}


def atoms(
    shape: str,
    element: str,
    *,
    size_nm: float,
    rotation: Any = None,
    shape_parameter: float | None = None,
    stretch: tuple[float, float, float] = (1.0, 1.0, 1.0),
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    n_atoms: int | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The atoms of a particle: a crystal cut to a shape, its axes along those of the particle.

    A decahedron is five crystals about its axis, an icosahedron the twenty of Mackay about its centre, each strained a little so that they
    close, and at the bulk's density.

    Parameters
    ----------
    shape : str
        A name of `nanospa.simulate.SHAPES`.
    element : str
        An element of `nanospa.elements.ELEMENTS` (fcc, bcc or hcp), or "PtNi", whose atoms share the sites at random.
    size_nm : float
        Size as `SHAPES` defines it [nm].
    rotation : array_like of float, shape (3, 3), optional
        Proper rotation with p_image = R p_volume on (x, y, z).
    shape_parameter : float, optional
        Exponent of the cube, etching of the star, aspect of the rod [-].
    stretch : tuple of float
        Factors on the shape's own x, y and z axes; the crystal is not stretched [-].
    origin : tuple of float
        Place of a lattice point, in sides of the unit cell from the particle's centre [-].
    n_atoms : int, optional
        Number of atoms: the shape grows or shrinks until it holds them, its outermost layer filled in part; by default those inside.
    seed : int
        Seed of an alloy's atoms.

    Returns
    -------
    pandas.DataFrame
        One row an atom: element, z_A, y_A, x_A, about the particle's centre.

    Raises
    ------
    UnknownNameError
        No such shape or element.
    InvalidValueError, ShapeError
        A size or matrix is outside its range, or a decahedron or icosahedron of something that is not fcc.

    Examples
    --------
    >>> import nanospa as ns
    >>> table = ns.simulate.atoms("truncated_octahedron", "Au", size_nm=4)
    >>> len(table), list(table.columns)
    (1925, ['element', 'z_A', 'y_A', 'x_A'])
    """
    import pandas as pd

    parameter = checked_parameter(shape, shape_parameter)
    if not (math.isfinite(size_nm) and size_nm > 0):
        raise InvalidValueError(f"size_nm: expected a number > 0, found {size_nm!r}")
    if len(stretch) != 3 or not all(math.isfinite(f) and f > 0 for f in stretch):
        raise InvalidValueError(f"stretch: expected three factors > 0, found {stretch!r}")
    if n_atoms is not None and n_atoms < 1:
        raise InvalidValueError(f"n_atoms: expected an integer >= 1, found {n_atoms!r}")
    lattice, a_nm, c_nm = crystal_of(element)
    if shape in TWINNED and lattice != "fcc":
        raise InvalidValueError(f"shape: expected an fcc element for {shape!r}, found {element!r}, which is {lattice}")
    points = sites(
        shape,
        size_nm=size_nm,
        shape_parameter=parameter,
        stretch=stretch,
        lattice=lattice,
        a_nm=a_nm,
        c_nm=c_nm,
        origin=origin,
        n_atoms=n_atoms,
    )
    numbers = occupied(MATERIALS[element], len(points), np.random.default_rng(seed))
    x, y, z = 10 * (points @ checked_rotation(rotation).T).T
    return pd.DataFrame({"element": [SYMBOLS[n] for n in numbers.tolist()], "z_A": z, "y_A": y, "x_A": x})


def crystal_of(material: str) -> tuple[str, float, float]:
    """Lattice and lattice constants a, c [nm] of a material."""
    if material in ELEMENTS:
        element = ELEMENTS[material]
        return element.lattice, element.a_nm, element.c_nm
    if material not in MATERIALS or material == "C":
        names = ", ".join(name for name in MATERIALS if name != "C")
        raise UnknownNameError(f"element: expected one of {names}, found {material!r}")
    # Alloys of the table are fcc.
    return "fcc", (4 / MATERIALS[material].atoms_per_nm3) ** (1 / 3), 0.0


def occupied(material: Material, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Atomic numbers of n sites, shape (n,): a random arrangement of the composition."""
    numbers = np.array([number for number, _ in material.composition])
    edges = np.cumsum([fraction for _, fraction in material.composition]) * n
    filled = numbers[np.searchsorted(np.round(edges), np.arange(n), side="right").clip(max=len(numbers) - 1)]
    return np.asarray(rng.permutation(filled) if len(numbers) > 1 else filled)


def specimen_atoms(specimen: Specimen, rng: np.random.Generator) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Offsets (x, y, z) [nm] from a particle's centre, shape (atom, 3), and atomic numbers; as many as its volume holds."""
    population = specimen.population
    lattice, a_nm, c_nm = crystal_of(population.material)
    ox, oy, oz = rng.random(3).tolist()
    material = MATERIALS[population.material]
    points = sites(
        population.shape,
        size_nm=specimen.size_nm,
        shape_parameter=specimen.shape_parameter,
        stretch=specimen.stretch,
        lattice=lattice,
        a_nm=a_nm,
        c_nm=c_nm,
        origin=(ox, oy, oz),
        n_atoms=expected_atoms(population.shape, specimen.size_nm, specimen.shape_parameter, specimen.stretch, material.atoms_per_nm3),
    )
    return points @ specimen.rotation.T, occupied(material, len(points), rng)
