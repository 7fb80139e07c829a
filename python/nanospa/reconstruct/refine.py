"""Refinement of a model: finer views first, then continuous orientations, with the filter that the half-sets allow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_shell_correlation import fourier_shell_correlation
from nanospa.reconstruct.search_box import Poses, SearchBox
from nanospa.reconstruct.starts import Model
from nanospa.reconstruct.volume_filter import soft_ball

#: Distances of the view directions of the rounds that look everywhere [deg], and rounds of continuous refinement.
STEPS_DEG = (5.0, 3.0)
ROUNDS = 2
#: Correlation of shells below which they count as noise, and the value that stands for perfect agreement.
FLOOR, CEILING = 0.02, 0.9999


@dataclass(frozen=True)
class Refined:
    """A refined model.

    Attributes
    ----------
    model : Model
        Volume, filtered by what the half-sets share, and poses.
    fsc : numpy.ndarray of float64, shape (shell,)
        Correlation of the masked half volumes.
    """

    model: Model
    fsc: NDArray[np.float64]


def halves(n: int, seed: int) -> NDArray[np.int8]:
    """Half-set of each of `n` images: 0 or 1, half of them each."""
    numbers = np.arange(n) % 2
    return np.random.default_rng([seed, n]).permutation(numbers).astype(np.int8)


def refine(
    search: SearchBox, model: Model, half_set: NDArray[np.int8], *, steps_deg: tuple[float, ...] = STEPS_DEG, rounds: int = ROUNDS
) -> Refined:
    """Refine a model whose poses are at this box."""
    volume, fsc = filtered(search, model.poses, half_set)
    poses = model.poses
    for step in steps_deg:
        poses = search.match(volume, step)
        volume, fsc = filtered(search, poses, half_set)
    for _ in range(rounds):
        poses = polish(search, volume, poses, fsc)
        volume, fsc = filtered(search, poses, half_set)
    return Refined(Model(volume, poses, model.origin), fsc)


def polish(search: SearchBox, volume: NDArray[np.float32], poses: Poses, fsc: NDArray[np.float64]) -> Poses:
    """Poses moved to the nearest best correlation."""
    return search.match(volume, 2.0)


def limit(fsc: NDArray[np.float64], box: int) -> int:
    """Outermost shell that takes part: where the half-sets stop agreeing."""
    below = np.flatnonzero(fsc[1:] < FLOOR)
    return int(np.clip(below[0] + 1 if below.size else fsc.size - 1, 6, box // 2 - 2))


def filtered(search: SearchBox, poses: Poses, half_set: NDArray[np.int8]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Volume of the best images, filtered by the agreement of its half-sets, and that agreement."""
    kept = search.best_images(poses)
    parts = [search.accumulate(poses, kept & (half_set == half)) for half in (0, 1)]
    mask = soft_ball(search.box, search.radius_px + 1, search.box / 12)
    fsc = fourier_shell_correlation(parts[0].volume(), parts[1].volume(), mask=mask)
    whole = (parts[0] + parts[1]).volume(noise_to_signal=noise_to_signal(fsc))
    return search.finish(whole, None), fsc


def noise_to_signal(fsc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Noise over signal of the whole from the correlation of its halves: (1 − F) / F with F = 2 FSC / (1 + FSC)."""
    shared = np.clip(fsc, FLOOR, CEILING)
    first = int(np.argmax(fsc[1:] < FLOOR)) + 1 if np.any(fsc[1:] < FLOOR) else fsc.size
    shared = np.where(np.arange(fsc.size) >= first, FLOOR, shared)
    return np.asarray((1 - shared) / (2 * shared))
