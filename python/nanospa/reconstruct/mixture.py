"""Volumes that share the images between them: matching and rebuilding, and what images say that were left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.image_energy import ImageEnergy
from nanospa.reconstruct.refine_poses import Poses, refine_poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import STEP_DEG

#: Low-pass of the volumes [1/px].
CUT = 0.45

#: Rounds in which either half of the images goes its own way before the other half is compared with it.
OWN_ROUNDS = 2


@dataclass(frozen=True)
class Mixture:
    """One or more volumes of one symmetry, and the images' shares in them.

    Attributes
    ----------
    symmetry : str
        Point group of the volumes.
    volumes : tuple of numpy.ndarray of float32, shape (z, y, x)
        A volume a class.
    poses : tuple of Poses
        Poses of all images in each class.
    shares : numpy.ndarray of float64, shape (image, class)
        Probability that an image belongs to a class [-].
    """

    symmetry: str
    volumes: tuple[NDArray[np.float32], ...]
    poses: tuple[Poses, ...]
    shares: NDArray[np.float64]

    @property
    def score(self) -> float:
        """Mean correlation of the images with their best class."""
        return float(np.max([each.scores for each in self.poses], axis=0).mean())


def fit(
    search: SearchBox,
    volumes: Sequence[NDArray[np.float32]],
    energy: ImageEnergy,
    rounds: int,
    *,
    step_deg: float = STEP_DEG,
    polish: bool = False,
) -> Mixture:
    """Rounds of matching all images with all volumes and rebuilding each volume from its share of the images.

    Parameters
    ----------
    search : SearchBox
        Images; its symmetry is imposed.
    volumes : sequence of numpy.ndarray of float32, shape (z, y, x)
        Volumes to begin with, one a class.
    energy : ImageEnergy
        Of the same images.
    rounds : int
        Rounds; the poses are those in the volumes before the last rebuilding.
    step_deg : float
        Distance of the view directions [deg].
    polish : bool
        Whether the last round's poses are moved to the nearest best ones.

    Returns
    -------
    Mixture
    """
    current = list(volumes)
    for i in range(rounds):
        poses = [matched(search, volume, step_deg, polish=polish and i == rounds - 1) for volume in current]
        shares = class_shares(np.stack([each.scores for each in poses], axis=1), energy)
        current = [rebuilt(search, each, shares[:, k], current[k]) for k, each in enumerate(poses)]
    return Mixture(search.symmetry, tuple(current), tuple(poses), shares)


def matched(search: SearchBox, volume: NDArray[np.float32], step_deg: float, *, polish: bool) -> Poses:
    """Poses of the best views of a volume, moved to the nearest best ones if wished."""
    poses = search.match(volume, step_deg)
    if not polish:
        return poses
    last = search.box // 2 - 2
    return refine_poses(FourierVolume.of(volume), search.images, poses.rotations, poses.shifts, radii_max=last)


def class_shares(scores: NDArray[np.float64], energy: ImageEnergy) -> NDArray[np.float64]:
    """Probabilities of the classes from the images' correlations with them.

    Parameters
    ----------
    scores : numpy.ndarray of float64, shape (image, class)
        Correlations.
    energy : ImageEnergy
        Of the same images.

    Returns
    -------
    numpy.ndarray of float64, shape (image, class)
        Rows add up to 1.
    """
    return _marginal(scores, energy, energy.deviation(scores.max(axis=1)))[0]


def held_out(search: SearchBox, mixture: Mixture, energy: ImageEnergy, half_set: NDArray[np.int8]) -> NDArray[np.float64]:
    """Correlations of images with volumes that were made without them.

    Either half of the images refines the volumes by itself, then the other half is compared with them.

    Parameters
    ----------
    search : SearchBox
        Images.
    mixture : Mixture
        Volumes to begin with; its symmetry is imposed.
    energy : ImageEnergy
        Of the same images.
    half_set : numpy.ndarray of int8, shape (image,)
        Half of each image, 0 or 1.

    Returns
    -------
    numpy.ndarray of float64, shape (image, class)
    """
    scores = np.zeros((len(search.images), len(mixture.volumes)))
    for half in (0, 1):
        mine, others = half_set == half, half_set != half
        own, rest = (replace(search, images=search.images[rows], symmetry=mixture.symmetry) for rows in (mine, others))
        volumes = fit(own, mixture.volumes, energy.subset(mine), OWN_ROUNDS, polish=True).volumes
        for k, volume in enumerate(volumes):
            scores[others, k] = matched(rest, volume, STEP_DEG, polish=True).scores
    return scores


@dataclass(frozen=True)
class Gain:
    """How much better left-out images agree with one hypothesis than with another.

    Attributes
    ----------
    share : float
        Energy that is explained beyond, over that of the signal [-].
    z : float
        Mean gain of the images' log-likelihood over its standard error [-].
    left : float
        Share of the signal's energy that the first hypothesis leaves unexplained [-].
    """

    share: float
    z: float
    left: float


def gain(energy: ImageEnergy, before: NDArray[np.float64], after: NDArray[np.float64], *, choices: float = 1.0) -> Gain:
    """Compare two hypotheses by held-out correlations, paired over the images.

    The likelihood of a mixture is that of its classes weighted by their shares: a class that fits noise does not raise it. The best of
    `choices` equivalent possibilities may by chance score higher than the mean of their likelihoods by as much as log `choices`: that is
    taken off, which makes z conservative.

    Parameters
    ----------
    energy : ImageEnergy
        Of the images.
    before, after : numpy.ndarray of float64, shape (image, class)
        Correlations under the simpler and the freer hypothesis.
    choices : float
        How many times more possibilities the freer hypothesis has for an image [-].

    Returns
    -------
    Gain
    """
    variance = energy.deviation(before.max(axis=1))
    likelihood = _marginal(after, energy, variance)[1] - _marginal(before, energy, variance)[1] - np.log(choices)
    error = likelihood.std(ddof=1) / np.sqrt(likelihood.size)
    explained = energy.explained(before.max(axis=1))
    return Gain(
        share=float(np.mean(energy.explained(after.max(axis=1)) - explained) / energy.signal),
        z=float(likelihood.mean() / error) if error > 0 else 0.0,
        left=float(1 - explained.mean() / energy.signal),
    )


def _marginal(scores: NDArray[np.float64], energy: ImageEnergy, variance: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares of the classes in each image, and log-likelihood of each image, but for what does not depend on the classes."""
    likelihood = energy.total[:, None] * np.clip(scores, 0, 1) ** 2 / (2 * variance)
    count, classes = scores.shape
    weights = np.full(classes, 1 / classes)
    # The weights' own iteration converges in a few rounds; a class that has lost its images may come back.
    for _ in range(20 if classes > 1 else 1):
        logs = likelihood + np.log(weights)
        top = logs.max(axis=1, keepdims=True)
        sums = np.exp(logs - top)
        shares = sums / sums.sum(axis=1, keepdims=True)
        weights = np.maximum(shares.mean(axis=0), 1 / count)
        weights /= weights.sum()
    return np.asarray(shares), np.asarray(top[:, 0] + np.log(sums.sum(axis=1)))


def rebuilt(search: SearchBox, poses: Poses, shares: NDArray[np.float64], before: NDArray[np.float32]) -> NDArray[np.float32]:
    """Volume of images at their poses, weighted by their shares; the one before where a class has no images."""
    if shares.sum() < 1:
        return before
    return search.finish(search.accumulate(poses, weights=shares.astype(np.float32)).volume(), CUT)
