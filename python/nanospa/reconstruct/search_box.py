"""The images of one box as the search needs them: rings of their Fourier transforms, and volumes of their poses."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.asymmetric_unit import asymmetric_unit
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.insert import Accumulation, insert
from nanospa.reconstruct.match_views import match_views
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.rings import Rings, rings, view_rings
from nanospa.reconstruct.volume_filter import lowpass, soft_ball

#: Share of the images that go into a volume while searching: the best (e2initialmodel keeps as many).
KEPT = 7 / 8
#: The soft mask falls off over this share of the box.
MASK_EDGE = 1 / 12


@dataclass(frozen=True)
class SearchBox:
    """Images at one box, ready for matching.

    Pickles small: what follows from the images is made again where it is used.

    Attributes
    ----------
    images : numpy.ndarray of float32, shape (n, box, box)
        Prepared images.
    radius_px : float
        Radius that holds the particle in any direction [px].
    symmetry : str
        Point group.
    centrosymmetric : bool
        Whether the shape has an inversion centre.
    max_shift_px : float
        Largest displacement that is looked for, in steps of a pixel [px].
    """

    images: NDArray[np.float32]
    radius_px: float
    symmetry: str
    centrosymmetric: bool
    max_shift_px: float = 1.0

    def __getstate__(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self.__dataclass_fields__}

    @property
    def box(self) -> int:
        """Side of the images [px]."""
        return int(self.images.shape[-1])

    @property
    def n_angles(self) -> int:
        """Samples of a ring: one a pixel on the outermost."""
        return int(4 * round(np.pi * self.box / 5.6))

    @property
    def ball(self) -> NDArray[np.float32]:
        """Soft mask that holds the particle in any orientation, shape (z, y, x)."""
        return soft_ball(self.box, self.radius_px + 1, MASK_EDGE * self.box)

    @cached_property
    def shifts(self) -> NDArray[np.float64]:
        """Displacements looked for, shape (s, 2) [px]."""
        axis = np.arange(-self.max_shift_px, self.max_shift_px + 1e-6)
        dx, dy = np.meshgrid(axis, axis)
        inside = np.hypot(dx, dy) <= self.max_shift_px + 1e-6
        return np.stack([dx[inside], dy[inside]], axis=1)

    @cached_property
    def rings(self) -> Rings:
        """Rings of every image at every displacement."""
        radii = np.arange(1, self.box // 2 - 1)
        return rings(
            self.images,
            radii=radii,
            n_angles=self.n_angles,
            shifts=self.shifts,
            centrosymmetric=self.centrosymmetric,
        )

    def match(self, volume: NDArray[np.float32], step_deg: float) -> Poses:
        """Poses of the best views of a volume, over directions `step_deg` apart [deg]."""
        views = asymmetric_unit(self.symmetry, step_deg)
        templates = view_rings(FourierVolume.of(volume), views, like=self.rings)
        rotations, shifts, scores = match_views(self.rings, templates).best(views)
        return Poses(rotations, shifts, np.ones(len(scores)), scores)

    def accumulate(self, poses: Poses, chosen: NDArray[np.bool_] | None = None, weights: NDArray[Any] | None = None) -> Accumulation:
        """Fourier sums of the images at their poses; `chosen` leaves images out."""
        rows = slice(None) if chosen is None else chosen
        return insert(
            self.images[rows],
            poses.rotations[rows],
            shifts=poses.shifts[rows],
            scales=poses.scales[rows],
            weights=None if weights is None else weights[rows],
            symmetry=self.symmetry,
            inversion=self.centrosymmetric,
        )

    def volume(self, poses: Poses, *, cut: float, chosen: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Volume of images at their poses: masked, low-passed at `cut` [1/px] and without negative densities."""
        return self.finish(self.accumulate(poses, chosen).volume(), cut)

    def finish(self, volume: NDArray[np.float32], cut: float | None) -> NDArray[np.float32]:
        """A volume masked by the enclosing ball, low-passed and made non-negative."""
        masked = volume * self.ball
        return np.maximum(masked if cut is None else lowpass(masked, cut), 0).astype(np.float32)

    def best_images(self, poses: Poses) -> NDArray[np.bool_]:
        """The share `KEPT` with the highest scores."""
        return np.asarray(poses.scores >= np.quantile(poses.scores, 1 - KEPT))
