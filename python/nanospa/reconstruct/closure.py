"""Closure of a model under the permutations of its view directions' corners.

A wrong model of a shape with much symmetry is mostly the right one with the corners of the fundamental triangle permuted in the view
directions: from any converged model the others can be reached at once, and the best is kept. Dn has crowded latitudes as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from nanospa.reconstruct.basins import same_basin
from nanospa.reconstruct.corner_permutations import corner_permutations
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.spread_latitudes import spread_latitudes
from nanospa.reconstruct.starts import CUT, Model, iterate
from nanospa.reconstruct.symmetry import Symmetry

#: Iterations of each permuted model, and permutations of permutations at most.
ITERATIONS, ROUNDS = 6, 5


def closure(search: SearchBox, model: Model) -> list[Model]:
    """Every model that permutations of corners lead to, from one model on to better ones."""
    seen: list[Model] = []
    for _ in range(ROUNDS):
        proposals = corner_permutations(model.poses.rotations, search.symmetry)
        if Symmetry.of(search.symmetry).name[0] == "D":
            proposals.append(("latitudes spread", spread_latitudes(model.poses.rotations, search.symmetry)))
        found = [_permuted(search, model, proposal) for proposal in proposals]
        seen += found
        best = max(found, key=lambda m: m.score, default=model)
        if best.score <= model.score or same_basin(best, model, search):
            break
        model = best
    return seen


def _permuted(search: SearchBox, model: Model, proposal: tuple[str, Any]) -> Model:
    name, rotations = proposal
    poses = replace(model.poses, rotations=np.asarray(rotations))
    return iterate(search, search.volume(poses, cut=CUT), ITERATIONS, f"{model.origin}, corners {name}")
