"""Where the checks of a finished model begin: its images in a small box and the volume they make there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.reconstruct.image_energy import ImageEnergy
from nanospa.reconstruct.mixture import CUT, Mixture, fit, held_out
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.refine import half_sets
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.search_box import SearchBox
from nanospa.reconstruct.symmetry import Symmetry, as_rotations

#: Side of the images that are checked: differences of shape lie at low frequencies [px].
BOX = 32


@dataclass(frozen=True)
class ModelCheck:
    """A model and its images, ready to be compared with other hypotheses.

    Attributes
    ----------
    search : SearchBox
        The images at the box of the checks, with the model's symmetry.
    energy : ImageEnergy
        Of the images.
    half_set : numpy.ndarray of int8, shape (image,)
        Half of each image, 0 or 1.
    model : Mixture
        The model, as a mixture of one.
    scores : numpy.ndarray of float64, shape (image, 1)
        Held-out correlations of the images with it.
    """

    search: SearchBox
    energy: ImageEnergy
    half_set: NDArray[np.int8]
    model: Mixture
    scores: NDArray[np.float64]

    @classmethod
    def of(cls, prepared: Prepared, rotations: Any, shifts: Any, symmetry: str, *, seed: int = 0) -> ModelCheck:
        """From the poses of a finished model.

        Parameters
        ----------
        prepared : Prepared
            Images.
        rotations : array_like of float, shape (image, 3, 3)
            Orientations, p_image = R p_volume.
        shifts : array_like of float, shape (image, 2)
            Displacements (dx, dy) in the prepared images [px of the prepared images].
        symmetry : str
            Point group of the model.
        seed : int
            Seed of the halves.

        Returns
        -------
        ModelCheck

        Raises
        ------
        ShapeError
            Not one pose an image.
        InvalidValueError
            A matrix is not a proper rotation.
        UnknownNameError
            No such point group.
        """
        count = len(prepared.images)
        turned, moved = as_rotations(rotations), np.asarray(shifts, dtype=np.float64)
        if len(turned) != count or moved.shape != (count, 2):
            raise ShapeError(f"rotations, shifts: expected one of each for {count} images, found {turned.shape} and {moved.shape}")
        small = prepared.at(min(BOX, prepared.box))
        search = SearchBox(small.images, small.radius_px, Symmetry.of(symmetry).name, small.centrosymmetric)
        poses = Poses(turned, moved * (small.box / prepared.box), np.ones(count), np.ones(count))
        energy = ImageEnergy.of(small)
        model = fit(search, [search.volume(poses, cut=CUT)], energy, 1, polish=True)
        half_set = half_sets(count, seed)
        return cls(search, energy, half_set, model, held_out(search, model, energy, half_set))
