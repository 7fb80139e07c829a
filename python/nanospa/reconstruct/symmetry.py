"""Point groups of proper rotations: their elements, their normalisers and the triangles of their mirror planes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, NonFiniteError, ShapeError, UnknownNameError

#: The golden ratio.
GOLDEN = (1 + math.sqrt(5)) / 2

#: Rotations of a shape whose mirror planes or inversion centre a user might name with it.
_WITH_MIRRORS = re.compile(r"(O|I|T|C\d*|D\d*)[HDVI]")


@dataclass(frozen=True)
class Symmetry:
    """A point group of proper rotations, and what follows from it.

    An image of a volume with this symmetry is the same for the orientations R and R g, g any of `rotations`.

    Attributes
    ----------
    name : str
        "C1", "C2" …, "D2", "D3" …, "T", "O" or "I".
    rotations : numpy.ndarray of float64, shape (g, 3, 3)
        The elements, the identity first.
    normaliser : numpy.ndarray of float64, shape (k, 3, 3)
        Rotations that leave the group as a whole in place, one of each coset of the group, the identity first: a volume turned by one
        of them has the same symmetry and explains the images as well.
    axial_free : bool
        Whether any rotation about z belongs to the normaliser too (Cn); for C1 any rotation at all does.
    corners : numpy.ndarray of float64, shape (3, 3), or None
        Corners of the triangle that the mirror planes of the full group (Oh, Ih, Td, Dnh) cut out of the sphere, one in a row; None for Cn.
    folds : tuple of int
        Order of the rotation axis through each corner: (2, 3, 4) for O, (2, 3, 5) for I, (2, 3, 3) for T, (2, 2, n) for Dn, () for Cn.
    reflections : numpy.ndarray of float64, shape (2 g, 3, 3), or None
        The full group with its mirror planes, `rotations` first; None for Cn.
    both_ways : numpy.ndarray of float64, shape (h, 3, 3)
        The group and the inversion: view directions that differ by one of these give the same image, or its mirror image.
    centre : numpy.ndarray of float64, shape (3,)
        A direction inside the asymmetric unit of `both_ways`.
    """

    name: str
    rotations: NDArray[np.float64]
    normaliser: NDArray[np.float64]
    axial_free: bool
    corners: NDArray[np.float64] | None
    folds: tuple[int, ...]
    reflections: NDArray[np.float64] | None
    both_ways: NDArray[np.float64]
    centre: NDArray[np.float64]

    @classmethod
    def of(cls, name: str | Symmetry) -> Symmetry:
        """The symmetry of a name, worked out once.

        Parameters
        ----------
        name : str or Symmetry
            "C1", "Cn", "Dn", "T", "O" or "I", in either case.

        Returns
        -------
        Symmetry

        Raises
        ------
        UnknownNameError
            No such group.

        Examples
        --------
        >>> import nanospa as ns
        >>> octahedral = ns.reconstruct.Symmetry.of("O")
        >>> octahedral.order, octahedral.folds
        (24, (2, 3, 4))
        """
        if isinstance(name, Symmetry):
            return name
        if not isinstance(name, str):
            raise UnknownNameError(f"symmetry: expected a name (C1, Cn, Dn, T, O or I), found {name!r}")
        return _symmetry(name.strip().upper())

    @property
    def order(self) -> int:
        """Number of rotations."""
        return len(self.rotations)

    @property
    def unit_area(self) -> float:
        """Solid angle of the asymmetric unit of view directions, either way [sr]."""
        return 4 * math.pi / len(self.both_ways)


def symmetry_rotations(name: str) -> NDArray[np.float64]:
    """Rotations of a point group.

    The n-fold axis of Cn and Dn is z, a two-fold axis of Dn is x. The axes of T and O lie along x, y, z and the diagonals. I contains
    T as it stands: two-fold axes along x, y and z and five-fold axes along (0, ±1, ±φ) and its cyclic permutations (RELION's setting
    I1).

    Parameters
    ----------
    name : str
        "C1", "Cn", "Dn" with n the order of the axis (2 or more for D), "T", "O" or "I", in either case.

    Returns
    -------
    numpy.ndarray of float64, shape (g, 3, 3)
        Proper rotations, the identity first.

    Raises
    ------
    UnknownNameError
        No such group; groups with mirror planes or an inversion centre are named by their rotations.

    Examples
    --------
    >>> import nanospa as ns
    >>> [len(ns.reconstruct.symmetry_rotations(name)) for name in ("C1", "C4", "D5", "T", "O", "I")]
    [1, 4, 10, 12, 24, 60]
    """
    return Symmetry.of(name).rotations.copy()


def rotation_about(axis: NDArray[np.float64] | tuple[float, float, float], angle_rad: float) -> NDArray[np.float64]:
    """The rotation about an axis by an angle [rad], by Rodrigues' formula."""
    x, y, z = np.asarray(axis, dtype=np.float64) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    rotation: NDArray[np.float64] = np.eye(3) + math.sin(angle_rad) * cross + (1 - math.cos(angle_rad)) * cross @ cross
    return rotation


def _generated(*generators: NDArray[np.float64]) -> NDArray[np.float64]:
    """Every product of the generators, the identity first."""
    elements = np.eye(3)[None]
    while True:
        products = np.concatenate([elements, *(elements @ generator for generator in generators)])
        # Equal elements agree to 1e-12; different ones of any group here differ by more than 1e-2.
        _, first = np.unique(np.round(products.reshape(-1, 9), 6) + 0.0, axis=0, return_index=True)
        larger = products[np.sort(first)]
        if len(larger) == len(elements):
            # Entries that are whole numbers are made so: signed permutations then act on a grid exactly.
            whole = np.round(larger)
            return np.where(np.abs(larger - whole) < 1e-9, whole + 0.0, larger)
        elements = larger


def _turns(n: int) -> NDArray[np.float64]:
    return rotation_about((0, 0, 1), 2 * math.pi / n)


_HALF_TURN_X = np.diag([1.0, -1.0, -1.0])
_CYCLE = np.array([[0.0, 0, 1], [1, 0, 0], [0, 1, 0]])


@lru_cache(maxsize=64)
def _symmetry(name: str) -> Symmetry:
    rotations, folds, corners = _group(name)
    n = int(name[1:] or 0)
    cosets = [np.eye(3)]
    if name[0] == "C" and n > 1:
        cosets.append(_HALF_TURN_X)
    elif name[0] == "T":
        cosets.append(_turns(4))
    elif name == "D2":
        octahedral = _generated(_CYCLE, _turns(4))
        cosets = _cosets(octahedral, rotations)
    elif name[0] == "D":
        cosets.append(_turns(2 * n))
    reflections = None
    if corners is not None:
        corners = corners / np.linalg.norm(corners, axis=1, keepdims=True)
        normal = np.cross(corners[0], corners[1])
        normal /= np.linalg.norm(normal)
        mirror = np.eye(3) - 2 * np.outer(normal, normal)
        reflections = np.concatenate([rotations, rotations @ mirror])
    if name[0] == "C":
        centre = np.array([math.cos(math.pi / n), math.sin(math.pi / n), 1.0])
    elif name[0] == "T":
        centre = np.array([1.0, 1.0, 3.0])
    elif name[0] == "D" and n % 2:
        centre = np.array([1.0, 0.0, 1.0])
    else:
        assert corners is not None
        centre = corners.sum(axis=0)
    result = Symmetry(
        name=name,
        rotations=rotations,
        normaliser=np.stack(cosets),
        axial_free=name[0] == "C",
        corners=corners,
        folds=folds,
        reflections=reflections,
        both_ways=np.concatenate([rotations, -rotations]),
        centre=centre / np.linalg.norm(centre),
    )
    # Shared by all callers: nobody may write into them.
    for array in vars(result).values():
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    return result


def _group(name: str) -> tuple[NDArray[np.float64], tuple[int, ...], NDArray[np.float64] | None]:
    """Rotations, orders of the axes through the triangle's corners, and the corners."""
    if name == "T":
        return _generated(_HALF_TURN_X, _CYCLE), (2, 3, 3), np.array([[0.0, 0, 1], [1, 1, 1], [1, -1, 1]])
    if name == "O":
        return _generated(_CYCLE, _turns(4)), (2, 3, 4), np.array([[1.0, 0, 1], [1, 1, 1], [0, 0, 1]])
    if name == "I":
        five = np.array([0.0, 1, GOLDEN])
        corners = np.array([[0.0, 0, 1], [1 / GOLDEN, 0, GOLDEN], five])
        return _generated(_HALF_TURN_X, _CYCLE, rotation_about(five, 2 * math.pi / 5)), (2, 3, 5), corners
    found = re.fullmatch(r"([CD])([1-9]\d?)", name)
    if found is None or name == "D1":
        hint = ""
        if named := _WITH_MIRRORS.fullmatch(name):
            hint = f"; name the rotations alone ({named[1]}): mirror planes and inversion need not be stated"
        raise UnknownNameError(f"symmetry: expected C1, Cn, Dn (n from 2), T, O or I, found {name!r}{hint}")
    n = int(found[2])
    if found[1] == "C":
        return _generated(_turns(n)), (), None
    corners = np.array([[1.0, 0, 0], [math.cos(math.pi / n), math.sin(math.pi / n), 0], [0, 0, 1]])
    return _generated(_turns(n), _HALF_TURN_X), (2, 2, n), corners


def _cosets(larger: NDArray[np.float64], rotations: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """One element of `larger` from each coset of `rotations`."""
    chosen: list[NDArray[np.float64]] = []
    for element in larger:
        others = [np.abs(element.T @ other - rotations).max(axis=(1, 2)).min() for other in chosen]
        if not others or min(others) > 1e-6:
            chosen.append(element)
    return chosen


def as_rotations(rotations: Any, name: str = "rotations") -> NDArray[np.float64]:
    """Proper rotations as float64 of shape (n, 3, 3); one matrix becomes n = 1."""
    matrices = np.asarray(rotations, dtype=np.float64)
    if matrices.ndim == 2:
        matrices = matrices[None]
    if matrices.ndim != 3 or matrices.shape[1:] != (3, 3):
        raise ShapeError(f"{name}: expected shape (n, 3, 3), found {np.shape(rotations)}")
    if not np.isfinite(matrices).all():
        raise NonFiniteError(f"{name}: expected finite numbers, found {int((~np.isfinite(matrices)).sum())} that are not")
    # Rotations kept as float32 pass.
    gram = matrices @ matrices.transpose(0, 2, 1)
    wrong = (np.abs(gram - np.eye(3)).max(axis=(1, 2), initial=0.0) > 1e-4) | (np.linalg.det(matrices) < 0)
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        raise InvalidValueError(f"{name}: expected proper rotations (R Rᵀ = 1, determinant +1), number {first} is not")
    return matrices
