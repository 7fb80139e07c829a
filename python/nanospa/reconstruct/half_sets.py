"""Independent halves: what two models agree on that never saw each other's images."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_shell_correlation import fourier_shell_correlation
from nanospa.reconstruct.refine import Refined, limit, noise_to_signal, polish
from nanospa.reconstruct.search_box import Poses, SearchBox
from nanospa.reconstruct.volume_filter import lowpass, soft_ball

#: Rounds in which each half goes its own way, and the low-pass of the model they leave from, as a share of where its halves stop agreeing.
ROUNDS, LEAVE = 4, 0.5


@dataclass(frozen=True)
class HalfSets:
    """Two independent models.

    Attributes
    ----------
    volumes : numpy.ndarray of float32, shape (2, z, y, x)
        Volume of either half of the images, masked softly.
    poses : Poses
        Pose of each image in its own half's model.
    fsc, fsc_unmasked : numpy.ndarray of float64, shape (shell,)
        Correlation of the volumes with and without the mask.
    """

    volumes: NDArray[np.float32]
    poses: Poses
    fsc: NDArray[np.float64]
    fsc_unmasked: NDArray[np.float64]


def half_sets(search: SearchBox, refined: Refined, half_set: NDArray[np.int8]) -> HalfSets:
    """Refine either half of the images by itself, from the low-passed common model."""
    common = lowpass(refined.model.volume, LEAVE * limit(refined.fsc, search.box) / search.box)
    rotations, shifts = refined.model.poses.rotations.copy(), refined.model.poses.shifts.copy()
    scores = refined.model.poses.scores.copy()
    volumes = []
    for half in (0, 1):
        rows = half_set == half
        own = replace(search, images=search.images[rows])
        poses = Poses(rotations[rows], shifts[rows], scores[rows])
        volume, fsc = common, np.minimum(refined.fsc, 1)
        for _ in range(ROUNDS):
            poses = polish(own, volume, poses, fsc)
            # A half has twice the noise of the whole.
            volume = own.finish(own.accumulate(poses, own.best_images(poses)).volume(noise_to_signal=2 * noise_to_signal(fsc)), None)
        rotations[rows], shifts[rows], scores[rows] = poses.rotations, poses.shifts, poses.scores
        volumes.append(own.accumulate(poses, own.best_images(poses)).volume())
    mask = soft_ball(search.box, search.radius_px + 1, search.box / 12)
    return HalfSets(
        volumes=np.stack(volumes),
        poses=Poses(rotations, shifts, scores),
        fsc=fourier_shell_correlation(volumes[0], volumes[1], mask=mask),
        fsc_unmasked=fourier_shell_correlation(volumes[0], volumes[1]),
    )
