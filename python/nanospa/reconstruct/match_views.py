"""Which view of a volume each image shows, turned and shifted how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, ShapeError
from nanospa.reconstruct.rings import Rings
from nanospa.reconstruct.symmetry import as_rotations

#: From the left: the image flipped in x. It shows the particle from behind.
MIRRORED = np.diag([-1.0, 1.0, -1.0])


@dataclass(frozen=True)
class Matches:
    """The best in-plane angle and shift of every image in every view that was tried.

    Attributes
    ----------
    scores : numpy.ndarray of float32, shape (image, column)
        Correlation of the rings, −1 … 1 [-]; −inf where there is no candidate.
    angles : numpy.ndarray of float32, shape (image, column)
        Angle by which the view is turned in its plane to become the image [rad]: the image's rotation is Rz(angle) times the view's.
    shift_indices : numpy.ndarray of int32, shape (image, column)
        Which of the rings' shifts.
    shifts : numpy.ndarray of float32, shape (image, column, 2)
        Shifts (dx, dy), between those that were tried [px].
    views : numpy.ndarray of int64, shape (column,) or (image, column)
        View of each column: those from `n_views` on are the mirrored ones, −1 is none.
    n_views : int
        Number of views, mirrored ones not counted.
    """

    scores: NDArray[np.float32]
    angles: NDArray[np.float32]
    shift_indices: NDArray[np.int32]
    shifts: NDArray[np.float32]
    views: NDArray[np.int64]
    n_views: int

    def best(self, view_rotations: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Pose of each image in its best view.

        Parameters
        ----------
        view_rotations : array_like of float, shape (view, 3, 3)
            Orientations of the views that were matched, without the mirrored ones.

        Returns
        -------
        rotations : numpy.ndarray of float64, shape (image, 3, 3)
            Orientations, p_image = R p_volume.
        shifts : numpy.ndarray of float64, shape (image, 2)
            Shifts (dx, dy) of the content [px].
        scores : numpy.ndarray of float64, shape (image,)
            Correlations [-].

        Raises
        ------
        ShapeError
            Not the number of views that were matched.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> volume = np.random.default_rng(0).random((16, 16, 16))
        >>> images = ns.reconstruct.rings(volume.sum(0)[None], radii=[2, 3, 4], n_angles=32)
        >>> views = ns.reconstruct.view_rings(ns.reconstruct.FourierVolume.of(volume), np.eye(3)[None], images)
        >>> rotations, shifts, scores = ns.reconstruct.match_views(images, views).best(np.eye(3)[None])
        >>> bool(np.allclose(rotations, np.eye(3), atol=0.01)), scores.round(3)
        (True, array([1.]))
        """
        rotations, shifts, scores = self.top(1, view_rotations)
        return rotations[:, 0], shifts[:, 0], scores[:, 0]

    def top(self, k: int, view_rotations: Any) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """Poses of each image in its best views, best first.

        Parameters
        ----------
        k : int
            How many, at most the number of columns.
        view_rotations : array_like of float, shape (view, 3, 3)
            Orientations of the views that were matched, without the mirrored ones.

        Returns
        -------
        rotations : numpy.ndarray of float64, shape (image, k, 3, 3)
            Orientations, p_image = R p_volume.
        shifts : numpy.ndarray of float64, shape (image, k, 2)
            Shifts (dx, dy) of the content [px].
        scores : numpy.ndarray of float64, shape (image, k)
            Correlations [-].

        Raises
        ------
        ShapeError
            Not the number of views that were matched.
        InvalidValueError
            `k` is not between 1 and the number of columns.

        Examples
        --------
        >>> import numpy as np
        >>> import nanospa as ns
        >>> volume = np.random.default_rng(0).random((16, 16, 16))
        >>> images = ns.reconstruct.rings(volume.sum(0)[None], radii=[2, 3, 4], n_angles=32)
        >>> views = ns.reconstruct.view_rings(ns.reconstruct.FourierVolume.of(volume), np.eye(3)[None], images)
        >>> ns.reconstruct.match_views(images, views).top(2, np.eye(3)[None])[0].shape
        (1, 2, 3, 3)
        """
        base = as_rotations(view_rotations, "view_rotations")
        if len(base) != self.n_views:
            raise ShapeError(f"view_rotations: expected {self.n_views} rotations, one a view, found {len(base)}")
        if not 1 <= k <= self.scores.shape[1]:
            raise InvalidValueError(f"k: expected an integer 1 … {self.scores.shape[1]}, found {k!r}")
        columns = self.scores.argmax(axis=1)[:, None] if k == 1 else np.argsort(-self.scores, axis=1, kind="stable")[:, :k]
        rows = np.arange(len(self.scores))[:, None]
        views = np.broadcast_to(self.views, self.scores.shape)[rows, columns]
        # −1 has a score of −inf; some rotation must stand there.
        views = np.maximum(views, 0)
        angles = self.angles[rows, columns].astype(np.float64)
        turned = base[views % self.n_views]
        turned = np.where((views >= self.n_views)[..., None, None], MIRRORED @ turned, turned)
        in_plane = np.zeros((*angles.shape, 3, 3))
        in_plane[..., 0, 0] = in_plane[..., 1, 1] = np.cos(angles)
        in_plane[..., 1, 0] = np.sin(angles)
        in_plane[..., 0, 1] = -in_plane[..., 1, 0]
        in_plane[..., 2, 2] = 1
        return in_plane @ turned, self.shifts[rows, columns].astype(np.float64), self.scores[rows, columns].astype(np.float64)


def match_views(
    images: Rings,
    views: Any,
    *,
    mirror: bool = True,
    candidates: Any = None,
    interpolate: bool = True,
    threads: int | None = None,
) -> Matches:
    """Match images with views over all in-plane angles and the images' shifts.

    Parameters
    ----------
    images : Rings
        Rings of the images.
    views : array_like of complex64, shape (view, ring, harmonic)
        Rings of the views, from `view_rings`.
    mirror : bool
        Whether to try the mirrored views too: the particle seen from behind. They follow the views, in the same order.
    candidates : array_like of int, shape (image, column), optional
        Views to try for each image, mirrored ones counted, −1 for none; by default all.
    interpolate : bool
        Whether angle and score are those of the maximum between the sampled angles, and of the parabola through neighbouring shifts where
        the best shift has neighbours on both sides of an axis; otherwise exactly those of a sampled angle and shift.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Matches

    Raises
    ------
    ShapeError
        Rings or candidates that do not fit the images'.
    InvalidValueError
        A candidate is not the index of a view.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> volume = np.pad(np.random.default_rng(0).random((6, 6, 6)), 5)
    >>> turned = np.rot90(volume.sum(0))  # x becomes −y
    >>> images = ns.reconstruct.rings(np.roll(turned, 1, axis=0)[None], radii=[2, 3, 4], n_angles=32)
    >>> views = ns.reconstruct.view_rings(ns.reconstruct.FourierVolume.of(volume), np.eye(3)[None], images)
    >>> matches = ns.reconstruct.match_views(images, views)
    >>> np.degrees(matches.angles[0, 0]).round(), matches.scores.shape
    (np.float32(270.0), (1, 2))
    """
    rings_of_views = np.ascontiguousarray(views, dtype=np.complex64)
    if rings_of_views.ndim != 3 or rings_of_views.shape[1:] != images.spectra.shape[2:] or len(rings_of_views) == 0:
        expected = ", ".join(map(str, images.spectra.shape[2:]))
        raise ShapeError(f"views: expected shape (view, {expected}) as the images' rings, found {rings_of_views.shape}")
    n_views = len(rings_of_views)
    n_columns = n_views * (2 if mirror else 1)
    tried = np.arange(n_columns)
    chosen = None
    if candidates is not None:
        tried = chosen = np.ascontiguousarray(candidates, dtype=np.int64)
        if chosen.ndim != 2 or len(chosen) != len(images):
            raise ShapeError(f"candidates: expected shape ({len(images)}, column), found {chosen.shape}")
        if chosen.size and not (chosen.min() >= -1 and chosen.max() < n_columns):
            raise InvalidValueError(f"candidates: expected indices -1 … {n_columns - 1}, found {chosen.min()} … {chosen.max()}")
    scores, angles, shift_indices, offsets = _core.match_views(
        images.spectra,
        rings_of_views,
        images.distinct_angles,
        images.centrosymmetric,
        bool(mirror),
        bool(interpolate),
        images.shifts,
        chosen,
        _threads.resolve(threads),
    )
    return Matches(scores, angles, shift_indices, images.shifts[shift_indices] + offsets, tried, n_views)
