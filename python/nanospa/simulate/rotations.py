"""Rotations: proper 3 × 3 matrices with p_image = R p_volume on (x, y, z) column vectors."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, ShapeError

#: How far R Rᵀ may be from the identity: rotations stored as float32 pass.
TOLERANCE = 1e-5


def random_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """A rotation uniform over all orientations.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray of float64, shape (3, 3)

    References
    ----------
    A normalised 4D Gaussian vector is a uniform unit quaternion: Shoemake, Graphics Gems III (1992), p. 124.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> rotation = ns.simulate.random_rotation(np.random.default_rng(0))
    >>> float(np.linalg.det(rotation).round(6))
    1.0
    """
    w, x, y, z = (q := rng.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def checked_rotation(rotation: Any, name: str = "rotation") -> NDArray[np.float64]:
    """A proper rotation as float64, the identity for None."""
    if rotation is None:
        return np.eye(3)
    matrix = np.asarray(rotation, dtype=np.float64)
    if matrix.shape != (3, 3):
        raise ShapeError(f"{name}: expected a 3 × 3 matrix, found shape {matrix.shape}")
    if not np.allclose(matrix @ matrix.T, np.eye(3), atol=TOLERANCE) or np.linalg.det(matrix) < 0:
        raise InvalidValueError(f"{name}: expected a proper rotation (R Rᵀ = 1, determinant +1), found {matrix.tolist()}")
    return matrix


#: Zone axes of cubic crystals whose atom columns an image shows.
ZONES = ((0, 0, 1), (0, 1, 1), (1, 1, 1))

#: How far a particle that lies on a zone axis is tilted away from it, standard deviation about either axis [rad].
ZONE_SPREAD_RAD = 0.02


def zone_rotation(rng: np.random.Generator) -> NDArray[np.float64]:
    """A rotation that brings a random low-index axis to the beam, to within about a degree, with any angle about it.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    numpy.ndarray of float64, shape (3, 3)
    """
    axis = np.asarray(ZONES[rng.integers(len(ZONES))], dtype=np.float64)
    axis /= np.linalg.norm(axis)
    axis += np.cross(axis, rng.normal(0, ZONE_SPREAD_RAD, 3))
    axis /= np.linalg.norm(axis)
    other = np.cross(axis, rng.normal(size=3))
    other /= np.linalg.norm(other)
    # Rows are where x, y and z of the image come from.
    return np.stack([other, np.cross(axis, other), axis])
