"""Directions from which a model is shown: along the axes of its symmetry, and obliquely."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Where the eye is for an oblique view, in the frame of the volume (x, y, z): no axis of any group is near.
_OBLIQUE = (1.0, 0.52, 0.62)
#: Axes nearer than this to an earlier one, or to its opposite, show the same view [cos].
_SAME = 0.999


@dataclass(frozen=True)
class View:
    """A direction and what it is called.

    Attributes
    ----------
    name : str
        Such as ``4-fold axis``.
    rotation : numpy.ndarray of float64, shape (3, 3)
        Picture = R volume on (x, y, z): rows are the picture's right, its down and the direction of sight.
    """

    name: str
    rotation: NDArray[np.float64]


def standard_views(symmetry: str = "C1") -> list[View]:
    """Views of a model along the axes of its symmetry, highest order first, and an oblique one.

    Parameters
    ----------
    symmetry : str
        Point group; unknown ones are shown as C1.

    Returns
    -------
    list of View
        Four; three for Cn.

    Examples
    --------
    >>> from nanospa.report.views import standard_views
    >>> [view.name for view in standard_views("O")]
    ['4-fold axis', '3-fold axis', '2-fold axis', 'oblique']
    """
    from nanospa.errors import UnknownNameError
    from nanospa.reconstruct import Symmetry

    try:
        group = Symmetry.of(symmetry)
    except UnknownNameError:
        group = Symmetry.of("C1")
    if group.corners is not None:
        order = np.argsort([-fold for fold in group.folds], kind="stable")
        which = [[group.folds[j] for j in order[:i]].count(group.folds[order[i]]) for i in range(len(order))]
        named = [
            (f"{('', 'other ', 'third ')[earlier]}{group.folds[i]}-fold axis", group.corners[i])
            for i, earlier in zip(order, which, strict=True)
        ]
    elif group.name == "C1":
        named = [(f"along {axis}", direction) for axis, direction in zip("zyx", np.eye(3)[::-1], strict=True)]
    else:
        named = [(f"{group.name[1:]}-fold axis", np.array([0.0, 0, 1])), ("from the side", np.array([1.0, 0, 0]))]
    return [View(name, seen_from(direction)) for name, direction in [*named, ("oblique", np.array(_OBLIQUE))]]


def turntable(n: int, tilt_deg: float = 24.0) -> list[NDArray[np.float64]]:
    """Rotations that go once around the volume's z axis, the eye above the plane of x and y.

    Parameters
    ----------
    n : int
        Pictures of a turn.
    tilt_deg : float
        Height of the eye [deg].

    Returns
    -------
    list of numpy.ndarray of float64, shape (3, 3)
    """
    height = np.radians(tilt_deg)
    angles = np.arctan2(_OBLIQUE[1], _OBLIQUE[0]) + 2 * np.pi * np.arange(n) / n
    return [seen_from((np.cos(height) * np.cos(a), np.cos(height) * np.sin(a), np.sin(height))) for a in angles]


def seen_from(direction: Any) -> NDArray[np.float64]:
    """Rotation of the view of an eye in a direction from the volume, z (or x, along z) pointing up.

    Parameters
    ----------
    direction : array_like of float, shape (3,)
        Where the eye is (x, y, z).

    Returns
    -------
    numpy.ndarray of float64, shape (3, 3)
    """
    sight = -np.asarray(direction, np.float64) / np.linalg.norm(direction)
    up = np.array([0.0, 0, 1]) if abs(sight[2]) < _SAME else np.array([1.0, 0, 0])
    down = sight * (up @ sight) - up
    down /= np.linalg.norm(down)
    return np.stack([np.cross(down, sight), down, sight])
