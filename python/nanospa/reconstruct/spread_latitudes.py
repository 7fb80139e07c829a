"""Another solution to try for particles with one main axis: its view directions spread evenly from the pole to the equator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.orientation_distance import REVERSED
from nanospa.reconstruct.symmetry import Symmetry, as_rotations


def spread_latitudes(rotations: Any, symmetry: str | Symmetry) -> NDArray[np.float64]:
    """Orientations whose angles from the main axis are spread as those of random ones would be, in the order they have.

    Searches with Dn are seen to end in models whose views are crowded together, those of the equator at 45–60° from the pole, each image
    in its right place in the order: noise-free decahedra as D5 in 3 of 8 starts. Exchanging corners does not undo that, this does. The
    azimuths and the direction of the axis in the image are kept.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str or Symmetry
        Cn or Dn.

    Returns
    -------
    numpy.ndarray of float64, shape (n, 3, 3)
        Proper rotations.

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not orientations.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> tilts = np.stack([np.arange(0.0, 40.0, 10.0)] * 3, axis=1)
    >>> spread = ns.reconstruct.spread_latitudes(ns.reconstruct.rotations_from_euler(tilts), "D4")
    >>> ns.reconstruct.euler_angles(spread)[:, 1].round().tolist()
    [29.0, 51.0, 68.0, 83.0]
    """
    group = Symmetry.of(symmetry)
    matrices = as_rotations(rotations)
    if not len(matrices) or group.name[0] not in "CD":
        return matrices.copy()
    # The beam's sense is free, so directions can all be taken above z = 0.
    above = np.where(matrices[:, 2:, 2:] < 0, REVERSED @ matrices, matrices)
    direction = above[:, 2]
    # Of directions all over the sphere, the heights are spread evenly.
    height = 1 - (np.argsort(np.argsort(-direction[:, 2], kind="stable")) + 0.5) / len(matrices)
    frame = _meridian_frames(direction)
    rho = np.sqrt(1 - height**2)
    # The azimuth stays: the second axis of the frame is the unit vector along growing azimuth.
    moved = np.stack([rho * frame[:, 1, 1], -rho * frame[:, 1, 0], height], axis=1)
    axes = above[:, :2] @ frame.transpose(0, 2, 1) @ _meridian_frames(moved)
    return np.concatenate([axes, np.cross(axes[:, 0], axes[:, 1])[:, None]], axis=1)


def _meridian_frames(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Unit vectors along growing distance from z and along growing azimuth, shape (n, 2, 3)."""
    x, y, z = directions.T
    rho = np.hypot(x, y)
    pole = rho < 1e-9
    cosine, sine = np.where(pole, 1.0, x) / np.where(pole, 1.0, rho), np.where(pole, 0.0, y) / np.where(pole, 1.0, rho)
    return np.stack([np.stack([z * cosine, z * sine, -rho], axis=1), np.stack([-sine, cosine, np.zeros_like(sine)], axis=1)], axis=1)
