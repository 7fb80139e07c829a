"""Angles between orientations of a symmetric particle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError
from nanospa.reconstruct.symmetry import Symmetry, as_rotations

#: From the left: the image turned by 180° in its plane.
HALF_TURN = np.diag([-1.0, -1.0, 1.0])

#: From the left: the beam reversed. Improper; a projection does not change.
REVERSED = np.diag([1.0, 1.0, -1.0])


def orientation_distance(
    a: Any, b: Any, symmetry: str | Symmetry, *, in_plane_two_fold: bool = False, reflections: bool = False
) -> NDArray[np.float64]:
    """Smallest angle of the rotations that take each orientation to the other, modulo the symmetry.

    Parameters
    ----------
    a, b : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume; one matrix stands for all.
    symmetry : str or Symmetry
        Point group of the particle.
    in_plane_two_fold : bool
        Whether orientations that differ by 180° in the plane of the image count as equal: shapes with an inversion centre look the same.
    reflections : bool
        Whether the particle has the mirror planes of its group (Oh, Ih, Td, Dnh) too: orientations that give the same image for that reason
        count as equal. For O, I and Dn with even n the same as `in_plane_two_fold`.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Angles [deg].

    Raises
    ------
    ShapeError
        The numbers of orientations differ.
    InvalidValueError
        A matrix is not a proper rotation, or `reflections` for a group that has no mirror planes of its own (Cn).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> a = np.eye(3)
    >>> b = ns.reconstruct.symmetry_rotations("O")
    >>> float(ns.reconstruct.orientation_distance(a, b, "O").max().round(3))
    0.0
    """
    group = Symmetry.of(symmetry)
    first, second = _pair(a, b)
    largest = largest_traces(first, second, group, in_plane_two_fold=in_plane_two_fold, reflections=reflections)
    angle: NDArray[np.float64] = np.degrees(np.arccos(np.clip((largest - 1) / 2, -1.0, 1.0)))
    return angle


def largest_traces(
    a: NDArray[np.float64], b: NDArray[np.float64], group: Symmetry, *, in_plane_two_fold: bool, reflections: bool
) -> NDArray[np.float64]:
    """Largest trace of Bᵀ A g over everything that counts as equal, shape (n,) [-]: 1 + 2 cos of the angle."""
    # tr(Bᵀ S A g) = Σ (Bᵀ S A)ᵢⱼ gⱼᵢ: one matrix product for all elements.
    elements = group.rotations.transpose(0, 2, 1).reshape(-1, 9)
    b_t = np.swapaxes(b, -1, -2)
    largest = _traces(b_t @ a, elements)
    if in_plane_two_fold:
        largest = np.maximum(largest, _traces(b_t @ (HALF_TURN @ a), elements))
    if reflections:
        if group.reflections is None:
            raise InvalidValueError(f"reflections: expected False for symmetry {group.name}, which has no mirror planes of its own")
        improper = group.reflections[group.order :].transpose(0, 2, 1).reshape(-1, 9)
        largest = np.maximum(largest, _traces(b_t @ (REVERSED @ a), improper))
        if in_plane_two_fold:
            largest = np.maximum(largest, _traces(b_t @ (-np.eye(3) @ a), improper))
    return largest


def _traces(products: NDArray[np.float64], elements: NDArray[np.float64]) -> NDArray[np.float64]:
    best: NDArray[np.float64] = (products.reshape(-1, 9) @ elements.T).max(axis=1)
    return best.reshape(products.shape[:-2])


def view_distance(a: Any, b: Any, symmetry: str | Symmetry) -> NDArray[np.float64]:
    """Angle between the view directions of orientations, modulo the symmetry; opposite directions count as equal.

    Parameters
    ----------
    a, b : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume; one matrix stands for all.
    symmetry : str or Symmetry
        Point group of the particle.

    Returns
    -------
    numpy.ndarray of float64, shape (n,)
        Angles [deg], at most 90.

    Raises
    ------
    ShapeError
        The numbers of orientations differ.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> turned = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    >>> float(ns.reconstruct.view_distance(np.eye(3), turned, "C1")[0])
    0.0
    """
    group = Symmetry.of(symmetry)
    first, second = _pair(a, b)
    turned = np.einsum("gji,nj->ngi", group.rotations, first[:, 2])
    cosine = np.abs(np.einsum("ngi,ni->ng", turned, np.broadcast_to(second[:, 2], first[:, 2].shape))).max(axis=1)
    angle: NDArray[np.float64] = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle


def _pair(a: Any, b: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    first, second = as_rotations(a, "a"), as_rotations(b, "b")
    if len(first) != len(second) and 1 not in (len(first), len(second)):
        raise ShapeError(f"b: expected as many orientations as a ({len(first)}) or one, found {len(second)}")
    n = max(len(first), len(second))
    return np.broadcast_to(first, (n, 3, 3)), np.broadcast_to(second, (n, 3, 3))
