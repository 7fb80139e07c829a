"""Bringing two solutions of the same images together."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, ShapeError
from nanospa.reconstruct.orientation_distance import HALF_TURN, largest_traces
from nanospa.reconstruct.symmetry import Symmetry, as_rotations, rotation_about

#: Images that propose a rotation where any could be right, and the most that judge the proposals.
_PROPOSERS, _JUDGES = 60, 500


class Alignment(NamedTuple):
    """How one solution is to be turned to meet another.

    Attributes
    ----------
    rotation : numpy.ndarray of float64, shape (3, 3)
        Factor g on the right of each orientation.
    hand : bool
        Whether the volume is its mirror image (inverted through its centre) as well.
    median_deg : float
        Median distance of the orientations then [deg].
    """

    rotation: NDArray[np.float64]
    hand: bool
    median_deg: float

    def apply(self, rotations: Any) -> NDArray[np.float64]:
        """The orientations as the other solution has them.

        Parameters
        ----------
        rotations : array_like of float, shape (n, 3, 3)
            Orientations of the first solution.

        Returns
        -------
        numpy.ndarray of float64, shape (n, 3, 3)
        """
        turned = as_rotations(rotations) @ self.rotation
        return HALF_TURN @ turned if self.hand else turned


def align_orientations(
    a: Any, b: Any, symmetry: str | Symmetry, *, in_plane_two_fold: bool = False, reflections: bool = False
) -> Alignment:
    """What brings two solutions of the same images together: a rotation of the whole volume, and its hand.

    Images do not tell a volume from one turned by a rotation of the group's normaliser, nor from its mirror image. For Cn the rotation
    about z, for C1 any rotation is found from the images themselves: each proposes the one that suits it, the proposal with the smallest
    median distance wins and is averaged over the images that agree with it.

    Parameters
    ----------
    a, b : array_like of float, shape (n, 3, 3)
        Orientations of the same images in either solution, p_image = R p_volume.
    symmetry : str or Symmetry
        Point group.
    in_plane_two_fold, reflections : bool
        What else counts as equal, see `orientation_distance`. With `in_plane_two_fold` the hand is never changed: it has none.

    Returns
    -------
    Alignment
        `rotation`, `hand` and `median_deg` [deg].

    Raises
    ------
    ShapeError
        The numbers of orientations differ.
    EmptyInputError
        There are none.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = ns.reconstruct.asymmetric_unit("C1", 20)
    >>> turned = views @ ns.reconstruct.symmetry_rotations("C8")[1]
    >>> found = ns.reconstruct.align_orientations(views, turned, "D4")
    >>> found.hand, round(found.median_deg, 3)
    (False, 0.0)
    """
    group = Symmetry.of(symmetry)
    first, second = as_rotations(a, "a"), as_rotations(b, "b")
    if len(first) != len(second):
        raise ShapeError(f"b: expected as many orientations as a ({len(first)}), found {len(second)}")
    if not len(first):
        raise EmptyInputError("a: expected at least one orientation, found none")
    same = {"in_plane_two_fold": in_plane_two_fold, "reflections": reflections}

    def median(proposal: NDArray[np.float64], start: NDArray[np.float64], target: NDArray[np.float64]) -> float:
        traces = largest_traces(start @ proposal, target, group, **same)
        return float(np.degrees(np.arccos(np.clip((np.median(traces) - 1) / 2, -1.0, 1.0))))

    best: tuple[float, NDArray[np.float64], bool] | None = None
    for hand in (False,) if in_plane_two_fold else (False, True):
        start = HALF_TURN @ first if hand else first
        if group.axial_free:
            judges = np.linspace(0, len(first) - 1, min(len(first), _JUDGES)).astype(int)
            proposals = _proposals(start, second, group, in_plane_two_fold)
            found = min(proposals, key=lambda g: median(g, start[judges], second[judges]))
            candidates = [found, _averaged(found, start, second, group, in_plane_two_fold)]
        else:
            candidates = list(group.normaliser)
        for candidate in candidates:
            value = median(candidate, start, second)
            # Rounding does not decide between equal ones: the identity comes first.
            if best is None or value < best[0] - 1e-5:
                best = value, candidate, hand
    assert best is not None
    return Alignment(best[1], best[2], best[0])


def _halves(a: NDArray[np.float64], two_fold: bool) -> list[NDArray[np.float64]]:
    return [a, HALF_TURN @ a] if two_fold else [a]


def _proposals(a: NDArray[np.float64], b: NDArray[np.float64], group: Symmetry, two_fold: bool) -> list[NDArray[np.float64]]:
    """Rotations of the normaliser of Cn that suit single images."""
    chosen = np.linspace(0, len(a) - 1, min(len(a), _PROPOSERS)).astype(int)
    products = np.concatenate([half.transpose(0, 2, 1) @ b[chosen] for half in _halves(a[chosen], two_fold)])
    if group.order == 1:
        return list(products)
    proposals = []
    for coset in group.normaliser:
        for angle in _angles(coset.T @ products):
            proposals.append(coset @ rotation_about((0, 0, 1), float(angle)))
    return proposals


def _angles(products: NDArray[np.float64]) -> NDArray[np.float64]:
    """Angle about z of the rotation about z that is nearest to each matrix [rad]."""
    angles: NDArray[np.float64] = np.arctan2(products[:, 1, 0] - products[:, 0, 1], products[:, 0, 0] + products[:, 1, 1])
    return angles


def _averaged(
    g: NDArray[np.float64], a: NDArray[np.float64], b: NDArray[np.float64], group: Symmetry, two_fold: bool
) -> NDArray[np.float64]:
    """The proposal moved to the mean of the images nearest to it, the better half of them."""
    for _ in range(3):
        # What is missing for each image, by the equivalent that is nearest.
        options = np.stack([(half @ g @ h).transpose(0, 2, 1) @ b for half in _halves(a, two_fold) for h in group.rotations])
        traces = np.trace(options, axis1=2, axis2=3)
        nearest = traces.argmax(axis=0)
        images = np.arange(len(a))
        good = traces[nearest, images] >= np.median(traces[nearest, images])
        missing = options[nearest, images][good]
        if group.order == 1:
            u, _, vt = np.linalg.svd(missing.sum(axis=0))
            g = g @ (u @ np.diag([1.0, 1.0, np.linalg.det(u @ vt)]) @ vt)
        else:
            # Rotations about z commute with the group's elements.
            angle = _angles(missing)
            g = g @ rotation_about((0, 0, 1), math.atan2(np.sin(angle).sum(), np.cos(angle).sum()))
    return g
