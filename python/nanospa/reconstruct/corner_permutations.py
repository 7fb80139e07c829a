"""Other solutions to try beside one that was found: its view directions with the corners of the group's triangle exchanged."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.symmetry import Symmetry, as_rotations


def corner_permutations(rotations: Any, symmetry: str | Symmetry) -> list[tuple[str, NDArray[np.float64]]]:
    """Orientations of the wrong models that look most like a right one, and of the right one where these are wrong.

    The mirror planes of the full group cut the sphere into triangles with a rotation axis at each corner. Searches that end in a wrong
    model have view directions in which those corners are exchanged. So from any solution the others are made: view directions are folded
    into the triangle, their barycentric coordinates handed to the corners in another order, and the axes of the image carried along by
    the rotation or reflection in its plane that best fits the corners' projections. The closure of a search tries them all, moves to
    the best-scoring and goes on from there until none scores higher.

    Exchanges that a rotation of the normaliser undoes give the same model again, and of those that differ by one only the first is made:
    what remains are five for O and I, two for T (the two-fold corner with either three-fold one) and for Dn with n from 3 (the pole with
    either two-fold corner), none for D2 and Cn.

    Parameters
    ----------
    rotations : array_like of float, shape (n, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str or Symmetry
        Point group.

    Returns
    -------
    list of (str, numpy.ndarray of float64, shape (n, 3, 3))
        Which corner goes where ("2 3 4 → 3 2 4"), and proper rotations.

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not orientations.

    Notes
    -----
    Tried with 100 simulated images of 64² px, searched at 32², without noise and at signal-to-noise ratios of 1 and 0.3, 24 starts a
    shape: rods as D4 and D6, square prisms as D4, octahedra as O and icosahedra as I ended right after closure from each of 120 starts,
    56 of which had begun wrong. Decahedra as D5 began wrong 14 times; 7 of those had crowded latitudes, which no permutation undoes and
    `spread_latitudes` does. Tetrahedra as T had no wrong end in 12 starts without noise. Plates of three different sides as D2 ended
    wrong in 6 of 12, about 41° away, in a way that none of this undoes: only other starts help.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> [name for name, _ in ns.reconstruct.corner_permutations(np.eye(3), "O")][0]
    '2 3 4 → 2 4 3'
    """
    group = Symmetry.of(symmetry)
    matrices = as_rotations(rotations)
    names = _corner_names(group)
    return [
        (f"{' '.join(names)} → {' '.join(names[i] for i in order)}", permuted(matrices, group, order))
        for order in inequivalent_orders(group)
    ]


def inequivalent_orders(group: Symmetry) -> list[tuple[int, int, int]]:
    """Orders of the corners other than their own that no rotation of the normaliser brings about."""
    if group.corners is None or group.name == "D2":
        return []
    if group.name == "T":
        return [(1, 0, 2), (2, 1, 0)]
    if group.name[0] == "D":
        return [(2, 1, 0), (0, 2, 1)]
    return [(i, j, k) for i, j, k in permutations(range(3)) if (i, j, k) != (0, 1, 2)]


def permuted(rotations: NDArray[np.float64], group: Symmetry, order: tuple[int, int, int]) -> NDArray[np.float64]:
    """Orientations whose folded directions have their barycentric coordinates handed from corner i to corner order[i]."""
    assert group.corners is not None
    corners, targets = group.corners, group.corners[list(order)]
    folded = fold_orientations(rotations, group)
    shares = np.clip(np.linalg.solve(corners.T, folded[:, 2].T).T, 0.0, None)
    direction = shares @ targets
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    # Any pair of axes across the new direction will do; the fit turns it.
    across = np.cross(direction, np.eye(3)[np.abs(direction).argmin(axis=1)])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    basis = np.stack([across, np.cross(direction, across)], axis=1)
    # Projections of the corners: in the image as they are, and in the new plane where they go. O(2) Procrustes.
    before = folded[:, :2] @ corners.T
    after = basis @ targets.T
    u, _, vt = np.linalg.svd(before @ after.transpose(0, 2, 1))
    axes = (u @ vt) @ basis
    # The beam's sense is free: what makes the rotation proper.
    return np.concatenate([axes, np.cross(axes[:, 0], axes[:, 1])[:, None]], axis=1)


def fold_orientations(rotations: NDArray[np.float64], group: Symmetry) -> NDArray[np.float64]:
    """Orientations with their directions taken into the triangle by the full group, shape (n, 3, 3); not all are proper.

    Where the full group has no inversion (T, Dn with odd n) a direction and its opposite fold to different points, and images of a
    particle with those mirror planes do not tell them apart: the one nearer to one of the two equal corners is taken.
    """
    assert group.corners is not None and group.reflections is not None
    centre = group.corners.sum(axis=0)
    elements = group.reflections
    inversion = np.abs(elements + np.eye(3)).max(axis=(1, 2)).min() < 1e-9
    signs = np.array([1.0]) if inversion else np.array([1.0, -1.0])
    if not inversion:
        centre = centre + 0.25 * group.corners[0 if group.name[0] == "D" else 1]
    closeness = np.stack([sign * (rotations[:, 2] @ (elements @ centre).T) for sign in signs], axis=1)
    best = closeness.reshape(len(rotations), len(signs) * len(elements)).argmax(axis=1)
    sign, element = np.divmod(best, len(elements))
    turned = rotations @ elements[element]
    turned[:, 2] *= signs[sign][:, None]
    return turned


def _corner_names(group: Symmetry) -> list[str]:
    """Orders of the axes; the second of two equal ones gets a prime."""
    names: list[str] = []
    for fold in group.folds:
        names.append(str(fold) + "'" * sum(name.rstrip("'") == str(fold) for name in names))
    return names
