"""Starts of the search: a volume to begin with, and where it leads."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.insert import insert
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.volume_filter import lowpass, soft_ball
from nanospa.simulate import random_rotation

#: Iterations of a start, and of a model that closure proposes.
ITERATIONS = 10
#: Distance of the view directions [deg] and low-pass [1/px] while searching.
STEP_DEG = 9.0
CUT = 0.3
#: Low-pass of the starting volumes [1/px], and strength of the noise in a ball.
START_CUT, NOISE_CUT, NOISE = 0.15, 0.1, 0.3

KINDS = ("ball", "random")


@dataclass(frozen=True)
class Model:
    """A volume with the poses it was made from.

    Attributes
    ----------
    volume : numpy.ndarray of float32, shape (z, y, x)
        Density.
    poses : Poses
        Pose and score of each image.
    origin : str
        How it was found.
    """

    volume: NDArray[np.float32]
    poses: Poses
    origin: str

    @property
    def score(self) -> float:
        """Mean correlation of the images."""
        return float(self.poses.scores.mean())


def start(search: SearchBox, ball_radius_px: float, seed: int, number: int) -> Model:
    """Run start `number`: half of them begin with a ball with noise, half with random orientations."""
    rng = np.random.default_rng([seed, number])
    kind = KINDS[number % 2]
    volume = _ball(search, ball_radius_px, rng) if kind == "ball" else _random(search, rng)
    return iterate(search, volume, ITERATIONS, kind)


def iterate(search: SearchBox, volume: NDArray[np.float32], n: int, origin: str, *, step_deg: float = STEP_DEG, cut: float = CUT) -> Model:
    """`n` rounds of projection matching from a volume."""
    for _ in range(n):
        poses = search.match(volume, step_deg)
        volume = search.volume(poses, cut=cut, chosen=search.best_images(poses))
    return Model(volume, poses, origin)


def _random(search: SearchBox, rng: np.random.Generator) -> NDArray[np.float32]:
    n = len(search.images)
    rotations = np.stack([random_rotation(rng) for _ in range(n)])
    return search.volume(Poses(rotations, np.zeros((n, 2)), np.ones(n), np.ones(n)), cut=START_CUT)


def _ball(search: SearchBox, radius_px: float, rng: np.random.Generator) -> NDArray[np.float32]:
    box = search.box
    noise = rng.standard_normal((8, box, box)).astype(np.float32)
    rotations = np.stack([random_rotation(rng) for _ in noise])
    texture = insert(noise, rotations, symmetry=search.symmetry, inversion=search.centrosymmetric).volume()
    texture = lowpass(texture, NOISE_CUT)
    inside = soft_ball(box, radius_px, 1.0)
    texture /= texture[inside > 0.99].std()
    return np.maximum(inside * (1 + NOISE * texture), 0).astype(np.float32)
