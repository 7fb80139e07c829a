"""The best basins, refined alike and compared image by image: the verdict on the best of them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.basins import same_basin
from nanospa.reconstruct.corner_permutations import corner_permutations
from nanospa.reconstruct.refine import Refined, refine
from nanospa.reconstruct.search_box import Poses, SearchBox
from nanospa.reconstruct.starts import CUT, Model
from nanospa.reconstruct.verdict import paired_z


@dataclass(frozen=True)
class Compared:
    """The best model and how it stands against the others.

    Attributes
    ----------
    best : Refined
        The best model.
    margin, margin_z : float
        Mean of its images' scores less those in the best other basin, and that over its standard error; NaN where there is no other.
    """

    best: Refined
    margin: float
    margin_z: float


def compare(search: SearchBox, models: list[Model], half_set: NDArray[np.int8]) -> Compared:
    """Refine models of different basins whose poses are at this box, and compare them."""
    refined = sorted((refine(search, model, half_set) for model in models), key=lambda each: -each.model.poses.score)
    best = refined[0]
    others = [each.model for each in refined[1:] if not same_basin(each.model, best.model, search)]
    if not others:
        others = _unsettled(search, best.model)
    if not others:
        return Compared(best, math.nan, math.nan)
    margin, z = paired_z(best.model.poses.scores, max(others, key=lambda m: m.poses.score).poses.scores)
    return Compared(best, margin, z)


def _unsettled(search: SearchBox, model: Model) -> list[Model]:
    """Corner permutations of a model to which every other returns: as they are, without iterations that would lead back."""
    made = []
    for name, rotations in corner_permutations(model.poses.rotations, search.symmetry):
        poses = Poses(rotations, model.poses.shifts, model.poses.scores)
        volume = search.volume(poses, cut=CUT)
        made.append(Model(volume, search.match(volume, 5.0), name))
    return made
