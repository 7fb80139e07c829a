"""Several shapes in one group of images: volumes with soft assignment, their number chosen by images that were left out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.image_energy import ImageEnergy
from nanospa.reconstruct.mixture import Gain, Mixture, fit, gain, held_out, rebuilt
from nanospa.reconstruct.model_check import ModelCheck
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.project import project
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import STEP_DEG
from nanospa.reconstruct.two_kinds import TwoKinds, two_kinds

#: Most classes.
K_MAX = 4

#: Rounds of matching and rebuilding from each way to split.
ROUNDS = 6

#: The worst-fitting share of a class that one way to split it puts apart, and the weight that the images of the other part keep.
WORST, KEPT = 0.3, 0.1

#: One class more is taken when left-out images gain this much of the signal's energy with this z, and every class holds this share of the
#: images. Set, like those below, on shapes, sizes and seeds apart from those of the tests: cubes and octahedra alone gained at most 0.0006.
LEAST_SHARE, LEAST_Z, LEAST_IMAGES = 0.0012, 3.0, 0.08

#: Evidence above which the images are of two kinds rather than spread between two: mixtures had 34 and more at SNR 1, stars etched to
#: different depths at most 3.
LEAST_EVIDENCE = 6.0

#: And the z that is asked of a spread: cubes whose axes scatter by 3 % reached 3.2 at SNR 0.3.
LEAST_SPREAD_Z = 5.0


@dataclass(frozen=True)
class Classes:
    """Shapes found in a group.

    Attributes
    ----------
    model : Mixture
        Volumes, poses and shares at the box of the check, largest class first.
    gains : tuple of Gain
        What left-out images gained by the second, third … class that was tried; the last may have been refused.
    kinds : TwoKinds
        Whether the images fall into two kinds or spread between the first two volumes.
    mixed : bool
        Two kinds of particles: a second class is worth having and its images are apart.
    heterogeneous : bool
        Particles that vary: a second class is clearly worth having, but images lie between the two as well.
    """

    model: Mixture
    gains: tuple[Gain, ...]
    kinds: TwoKinds
    mixed: bool
    heterogeneous: bool

    @property
    def labels(self) -> NDArray[np.int64]:
        """Most probable class of each image, shape (image,)."""
        return np.asarray(self.model.shares.argmax(axis=1))

    @property
    def count(self) -> int:
        """Classes."""
        return len(self.model.volumes)


def classify(
    prepared: Prepared,
    rotations: Any,
    shifts: Any,
    symmetry: str,
    *,
    k_max: int = 2,
    seed: int = 0,
    check: ModelCheck | None = None,
) -> Classes:
    """Split a group into shapes, as many as left-out images ask for.

    Parameters
    ----------
    prepared : Prepared
        Images.
    rotations : array_like of float, shape (image, 3, 3)
        Orientations in the model of all images, p_image = R p_volume.
    shifts : array_like of float, shape (image, 2)
        Displacements (dx, dy) in the prepared images [px of the prepared images].
    symmetry : str
        Point group of all shapes.
    k_max : int
        Most classes, 1 … 4. From 2 on the group is tested for being mixed.
    seed : int
        Seed of the random splits.
    check : ModelCheck, optional
        The same model made ready before.

    Returns
    -------
    Classes

    Raises
    ------
    InvalidValueError
        `k_max` is out of range, or a matrix is not a proper rotation.
    ShapeError, UnknownNameError
        Poses that do not fit the images; no such group.
    """
    if not 1 <= k_max <= K_MAX:
        raise InvalidValueError(f"k_max: expected 1 … {K_MAX}, found {k_max!r}")
    ready = ModelCheck.of(prepared, rotations, shifts, symmetry) if check is None else check
    search, energy = ready.search, ready.energy
    current, before = ready.model, ready.scores
    gains: list[Gain] = []
    kinds = TwoKinds(-np.inf, 0.0, 0.0)
    for k in range(2, k_max + 1):
        more = _split(search, current, energy, seed=seed + k)
        after = held_out(search, more, energy, ready.half_set)
        gains.append(gain(energy, before, after))
        if not _accepted(gains[-1], more):
            break
        if k == 2:
            kinds = _kinds(search, more, energy, after)
        current, before = more, after
    several = len(current.volumes) > 1
    apart = kinds.evidence >= LEAST_EVIDENCE and kinds.minority >= LEAST_IMAGES
    return Classes(
        _largest_first(current),
        tuple(gains),
        kinds,
        mixed=several and apart,
        heterogeneous=several and not apart and gains[0].z >= LEAST_SPREAD_Z,
    )


def _accepted(better: Gain, mixture: Mixture) -> bool:
    smallest = float(mixture.shares.mean(axis=0).min())
    return better.share >= LEAST_SHARE and better.z >= LEAST_Z and smallest >= LEAST_IMAGES


def _split(search: SearchBox, mixture: Mixture, energy: ImageEnergy, *, seed: int) -> Mixture:
    """One class more: the class that leaves most energy is split by how well its images fit or at random, whichever ends better."""
    labels = mixture.shares.argmax(axis=1)
    scores = np.max([each.scores for each in mixture.poses], axis=0)
    left = energy.total - energy.explained(scores) - energy.noise
    worst = int(np.argmax([left[labels == k].sum() if (labels == k).any() else -np.inf for k in range(len(mixture.volumes))]))
    rows = labels == worst
    relative = left / np.maximum(energy.total - energy.noise, 1e-6 * energy.total)
    ways = [relative > np.quantile(relative[rows], 1 - WORST), np.random.default_rng([seed, labels.size]).random(labels.size) < 0.5]
    others = [volume for k, volume in enumerate(mixture.volumes) if k != worst]
    found = []
    for apart in ways:
        parts = [
            rebuilt(search, mixture.poses[worst], np.where(rows, np.where(apart == side, 1.0, KEPT), 0.0), mixture.volumes[worst])
            for side in (False, True)
        ]
        found.append(fit(search, others + parts, energy, ROUNDS))
    return fit(search, max(found, key=lambda each: each.score).volumes, energy, 1, polish=True)


def _kinds(search: SearchBox, mixture: Mixture, energy: ImageEnergy, scores: NDArray[np.float64]) -> TwoKinds:
    """Whether images are of two kinds: each one's place is 1 where it equals the first class's projection, 0 where the second's."""
    signal = energy.explained(scores.max(axis=1))
    apart = []
    for k in (0, 1):
        views = project(FourierVolume.of(mixture.volumes[k]), mixture.poses[k].rotations)
        crossed = replace(search, images=views).match(mixture.volumes[1 - k], STEP_DEG).scores
        apart.append(signal * np.maximum(1 - crossed**2, 1e-6))
    difference = energy.explained(scores[:, 0]) - energy.explained(scores[:, 1])
    places = (difference + apart[1]) / (apart[0] + apart[1])
    return two_kinds(places, 2 * energy.deviation(scores.max(axis=1)) / (apart[0] + apart[1]))


def _largest_first(mixture: Mixture) -> Mixture:
    order = np.argsort(-mixture.shares.sum(axis=0), kind="stable")
    return replace(
        mixture,
        volumes=tuple(mixture.volumes[k] for k in order),
        poses=tuple(mixture.poses[k] for k in order),
        shares=mixture.shares[:, order],
    )
