"""The best basins, refined alike and compared image by image: the verdict on the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanospa._threads import map_items
from nanospa.reconstruct.basins import same_basin
from nanospa.reconstruct.corner_permutations import corner_permutations
from nanospa.reconstruct.refine import Refined, held_out, refine
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import Model
from nanospa.reconstruct.verdict import paired_z

#: Volumes with a higher correlation are one shape: wrong basins of cubes, stars and octahedra have 0.7 … 0.9.
SAME_SHAPE = 0.97


@dataclass(frozen=True)
class Compared:
    """The best model and how it stands against the others.

    Attributes
    ----------
    best : Refined
        The best model.
    held_out : Poses
        Its images in the model of the half that they are not part of.
    margin, margin_z : float
        Mean of the held-out correlations less those in the best other basin, and that over its standard error; NaN where there is no other.
    """

    best: Refined
    held_out: Poses
    margin: float
    margin_z: float


def compare(search: SearchBox, models: list[Model], half_set: NDArray[np.int8]) -> Compared:
    """Refine models of different basins whose poses are at this box, and compare them."""
    refined = list(map_items(lambda model: refine(search, model, half_set), models))
    # One radius for all: a correlation over fewer shells is higher.
    radius = max(each.limit for each in refined)
    ranked = sorted(((held_out(search, each, half_set, radius), each) for each in refined), key=lambda pair: -float(pair[0].scores.mean()))
    (poses, best), rest = ranked[0], ranked[1:]
    others = [seen for seen, each in rest if not _same(each, best, search)]
    if not others:
        unsettled = [each for each in _unsettled(search, best, half_set) if not _same(each, best, search)]
        others = [held_out(search, each, half_set, radius) for each in unsettled]
    if not others:
        return Compared(best, poses, math.nan, math.nan)
    other = max(others, key=lambda each: float(each.scores.mean()))
    margin, z = paired_z(poses.scores, other.scores)
    return Compared(best, poses, margin, z)


def _same(a: Refined, b: Refined, search: SearchBox) -> bool:
    """Whether two models are no rivals: one basin, or one shape, as rods are that differ in an azimuth nobody can see."""
    alike = np.corrcoef(a.model.volume.ravel(), b.model.volume.ravel())[0, 1]
    return bool(alike > SAME_SHAPE) or same_basin(a.model, b.model, search)


def _unsettled(search: SearchBox, refined: Refined, half_set: NDArray[np.int8]) -> list[Refined]:
    """Corner permutations of a model to which every other returns: after one round, before they are back.

    They have had fewer rounds than the model, so that their margin is wider than a settled rival's.
    """
    model = refined.model
    turned = [rotations for _, rotations in corner_permutations(model.poses.rotations, search.symmetry)]
    made = [replace(model, poses=replace(model.poses, rotations=rotations)) for rotations in turned]
    return [refine(search, each, half_set, everywhere=False, rounds=1) for each in made]
