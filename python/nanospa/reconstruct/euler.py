"""Euler angles as RELION and its kin write them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import NonFiniteError, ShapeError
from nanospa.reconstruct.symmetry import as_rotations


def euler_angles(rotations: Any) -> NDArray[np.float64]:
    """Rot, tilt and psi of orientations.

    RELION's matrix of these angles takes the volume's coordinates to those of the image, as ours does: R's last row, the view direction,
    has the azimuth rot and the distance tilt from z; psi turns the image in its plane. Where tilt is 0 or 180°, only one of the others
    is determined: rot is 0 then.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.

    Returns
    -------
    numpy.ndarray of float64, shape (n, 3)
        rot and psi in −180 … 180, tilt in 0 … 180 [deg].

    Raises
    ------
    ShapeError, InvalidValueError
        Not orientations.

    References
    ----------
    Heymann, Chagoyen, Belnap, J. Struct. Biol. 151 (2005) 196 (the 3DEM convention).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> ns.reconstruct.euler_angles(np.eye(3)).tolist()
    [[0.0, 0.0, 0.0]]
    """
    r = as_rotations(rotations)
    rho = np.hypot(r[:, 2, 0], r[:, 2, 1])
    tilt = np.arctan2(rho, r[:, 2, 2])
    pole = rho < 1e-9
    rot = np.where(pole, 0.0, np.arctan2(r[:, 2, 1], r[:, 2, 0]))
    psi = np.where(pole, np.arctan2(-r[:, 1, 0] * np.sign(r[:, 2, 2]), r[:, 1, 1]), np.arctan2(r[:, 1, 2], -r[:, 0, 2]))
    angles: NDArray[np.float64] = np.degrees(np.stack([rot, tilt, psi], axis=1)) + 0.0
    return angles


def rotations_from_euler(angles_deg: Any) -> NDArray[np.float64]:
    """Orientations from rot, tilt and psi.

    Parameters
    ----------
    angles_deg : array_like of float, shape (n, 3)
        rot, tilt, psi in RELION's convention [deg]; see `euler_angles`.

    Returns
    -------
    numpy.ndarray of float64, shape (n, 3, 3)
        Rotations, p_image = R p_volume.

    Raises
    ------
    ShapeError
        `angles_deg` has another shape.
    NonFiniteError
        NaN or infinity among the angles.

    Examples
    --------
    >>> import nanospa as ns
    >>> ns.reconstruct.rotations_from_euler([[30.0, 90.0, 0.0]])[0, 2].round(3).tolist()
    [0.866, 0.5, 0.0]
    """
    angles = np.asarray(angles_deg, dtype=np.float64)
    if angles.ndim != 2 or angles.shape[1] != 3:
        raise ShapeError(f"angles_deg: expected shape (n, 3), found {angles.shape}")
    if not np.isfinite(angles).all():
        raise NonFiniteError("angles_deg: expected finite numbers")
    (ca, cb, cg), (sa, sb, sg) = np.cos(np.radians(angles)).T, np.sin(np.radians(angles)).T
    rows = [
        [cg * cb * ca - sg * sa, cg * cb * sa + sg * ca, -cg * sb],
        [-sg * cb * ca - cg * sa, -sg * cb * sa + cg * ca, sg * sb],
        [sb * ca, sb * sa, cb],
    ]
    return np.moveaxis(np.array(rows), 2, 0).copy()
