"""Basins: end models of the search that look from different directions."""

from __future__ import annotations

from nanospa.reconstruct.orientation_alignment import align_orientations
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.starts import Model
from nanospa.reconstruct.symmetry import Symmetry

#: Two solutions whose median angle is smaller are one basin [deg].
SAME_DEG = 12.0


def same_basin(a: Model, b: Model, search: SearchBox) -> bool:
    """Whether two models give the images the same orientations, but for what cannot be known."""
    # Particles with mirror planes and no inversion centre (a decahedron) have two orientations for each image.
    mirrors = not search.centrosymmetric and Symmetry.of(search.symmetry).reflections is not None
    aligned = align_orientations(
        a.poses.rotations, b.poses.rotations, search.symmetry, in_plane_two_fold=search.centrosymmetric, reflections=mirrors
    )
    return aligned.median_deg < SAME_DEG


def basins(models: list[Model], search: SearchBox) -> tuple[list[Model], list[int]]:
    """The best model of each basin, best first, and the basin of each model."""
    order = sorted(range(len(models)), key=lambda i: -models[i].score)
    found: list[Model] = []
    number = [0] * len(models)
    for i in order:
        for j, known in enumerate(found):
            if same_basin(models[i], known, search):
                number[i] = j
                break
        else:
            number[i] = len(found)
            found.append(models[i])
    return found, number
