"""Refinement of a model in two halves that do not see each other's images any more.

Noise that one half has fitted is not in the other, so the shells on which both agree are signal: they set the filter of either half's
model, and with it how much noise the next round can fit. A joint refinement loses its way within a few rounds at low signal to noise. Both
halves leave from poses that the search found with all images.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.density import density, filtered
from nanospa.reconstruct.fourier_shell_correlation import fourier_shell_correlation
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.insert import Accumulation
from nanospa.reconstruct.refine_poses import Poses, refine_poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import Model

#: Distance of the view directions of the round that looks everywhere [deg], rounds of continuous refinement, steps of the poses in each.
STEP_DEG = 5.0
ROUNDS, ITERATIONS = 3, 8
#: Images this many robust standard deviations below the median correlation are left out of the volume.
OUTLYING = 4.0
#: Correlation of the half volumes below which a shell counts as noise, and the value that stands for perfect agreement.
FLOOR, CEILING = 0.143, 0.9999


@dataclass(frozen=True)
class Refined:
    """A refined model.

    Attributes
    ----------
    model : Model
        Volume of the images that fit, and the poses of all; scores are those in the own half.
    kept : numpy.ndarray of bool, shape (image,)
        Images that the volume is made of.
    halves : numpy.ndarray of float32, shape (2, z, y, x)
        Volume of either half, filtered alike.
    fsc, fsc_unmasked : numpy.ndarray of float64, shape (shell,)
        Correlation of the half volumes before any filter, inside the enclosing ball and in the whole box.
    """

    model: Model
    kept: NDArray[np.bool_]
    halves: NDArray[np.float32]
    fsc: NDArray[np.float64]
    fsc_unmasked: NDArray[np.float64]

    @property
    def limit(self) -> int:
        """Outermost shell on which the halves agree [Fourier px]."""
        return limit(self.fsc)


def half_sets(n: int, seed: int) -> NDArray[np.int8]:
    """Half-set of each of `n` images: 0 or 1, half of them each."""
    numbers = np.arange(n) % 2
    return np.random.default_rng([seed, n]).permutation(numbers).astype(np.int8)


def refine(search: SearchBox, model: Model, half_set: NDArray[np.int8], *, everywhere: bool = True, rounds: int = ROUNDS) -> Refined:
    """Refine a model whose poses are at this box; `everywhere` looks at all view directions once more before."""
    rows = [half_set == half for half in (0, 1)]
    own = [replace(search, images=search.images[row]) for row in rows]
    poses = [subset(model.poses, row) for row in rows]
    for turn in range(rounds + everywhere):
        volumes, fsc = _filtered(own, poses)
        for i, box in enumerate(own):
            poses[i] = box.match(volumes[i], STEP_DEG) if everywhere and turn == 0 else polish(box, volumes[i], poses[i], limit(fsc))
    joined = _joined(poses, rows)
    raw = [each.volume() for each in _sums(own, poses)]
    fsc = _agreement(search, raw)
    # The mask makes the halves agree better than they do: the whole keeps the filter of a half.
    kept = fitting(joined.scores)
    volume = density(search, joined, fsc, noise_to_signal(fsc), kept)
    halves = np.stack([density(box, each, fsc, noise_to_signal(fsc)) for box, each in zip(own, poses, strict=True)])
    return Refined(Model(volume, joined, model.origin), kept, halves, fsc, fourier_shell_correlation(*raw))


def polish(search: SearchBox, volume: NDArray[np.float32], poses: Poses, radius: int) -> Poses:
    """Poses moved to the nearest best correlation inside a Fourier radius."""
    return refine_poses(
        FourierVolume.of(volume),
        search.images,
        poses.rotations,
        poses.shifts,
        scales=poses.scales,
        radii_max=radius,
        iterations=ITERATIONS,
    )


def held_out(search: SearchBox, refined: Refined, half_set: NDArray[np.int8], radius: int) -> Poses:
    """Poses and correlations of every image in the model of the half that it is not part of."""
    rows = [half_set == half for half in (0, 1)]
    poses = [
        polish(replace(search, images=search.images[row]), refined.halves[1 - i], subset(refined.model.poses, row), radius)
        for i, row in enumerate(rows)
    ]
    return _joined(poses, rows)


def fitting(scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Images whose correlation is not far below the others': those that go into the volume."""
    middle = np.median(scores)
    spread = 1.4826 * float(np.median(np.abs(scores - middle)))
    return np.asarray(scores >= middle - OUTLYING * spread)


def limit(fsc: NDArray[np.float64]) -> int:
    """Outermost shell before the halves stop agreeing."""
    below = np.flatnonzero(fsc[1:] < FLOOR)
    return int(np.clip(below[0] if below.size else fsc.size - 1, 5, fsc.size - 2))


def noise_to_signal(fsc: NDArray[np.float64]) -> NDArray[np.float64]:
    """Noise over signal of a half from its correlation with the other, (1 − FSC) / FSC, as the density of so many images.

    A full Wiener filter would have it times the number of images at a place; inside the envelope that was seen to gain nothing.
    """
    shared = np.clip(fsc, FLOOR / 4, CEILING)
    shared[limit(fsc) + 1 :] = FLOOR / 4
    return np.asarray((1 - shared) / shared)


def subset(poses: Poses, rows: NDArray[np.bool_]) -> Poses:
    """Poses of some images."""
    return Poses(poses.rotations[rows], poses.shifts[rows], poses.scales[rows], poses.scores[rows])


def _joined(parts: list[Poses], rows: list[NDArray[np.bool_]]) -> Poses:
    n = rows[0].size
    out = Poses(np.empty((n, 3, 3)), np.empty((n, 2)), np.empty(n), np.empty(n))
    for part, row in zip(parts, rows, strict=True):
        out.rotations[row], out.shifts[row], out.scales[row], out.scores[row] = part.rotations, part.shifts, part.scales, part.scores
    return out


def _filtered(own: list[SearchBox], poses: list[Poses]) -> tuple[list[NDArray[np.float32]], NDArray[np.float64]]:
    """Model of either half, filtered by their agreement, and that agreement."""
    sums = _sums(own, poses)
    fsc = _agreement(own[0], [each.volume() for each in sums])
    return [filtered(own[0], each, noise_to_signal(fsc)) for each in sums], fsc


def _sums(own: list[SearchBox], poses: list[Poses]) -> list[Accumulation]:
    return [box.accumulate(each, box.best_images(each)) for box, each in zip(own, poses, strict=True)]


def _agreement(search: SearchBox, halves: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    return fourier_shell_correlation(*halves, mask=search.ball)
