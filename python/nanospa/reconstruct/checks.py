"""What a model should be warned of: too few images, more than one shape, a symmetry that does not hold, views from few sides."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.classify import Classes, classify
from nanospa.reconstruct.coverage import orientation_statistics
from nanospa.reconstruct.model_check import ModelCheck
from nanospa.reconstruct.prepare import CUT_SHARE
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.refine_poses import Poses
from nanospa.reconstruct.second_moments import second_moments
from nanospa.reconstruct.settings import ReconstructSettings
from nanospa.reconstruct.sizes import Sizes, sizes
from nanospa.reconstruct.symmetry import Symmetry
from nanospa.reconstruct.symmetry_check import symmetry_check
from nanospa.reconstruct.verdict import FEWEST

#: Evenness of the view directions below which they are biased. 100 even views have 0.8 and more, found ones of cubes and rods down to 0.4
#: (flat sides draw them); 60 views of which 90 % lie within about 8° of a four-fold axis have 0.12 … 0.18, 70 % have 0.16 … 0.35.
EVEN = 0.35
#: Likewise of Dn shapes: found latitudes of rods crowd at the equator, 0.2 and more; rods that all stand on end have 0.05. Rods that all
#: lie flat are not told from that.
EVEN_LATITUDES = 0.15


@dataclass(frozen=True)
class Checks:
    """What the checks found.

    Attributes
    ----------
    flags : list of str
        Names of warnings.
    preferred : str
        Point group that the images prefer.
    coverage, evenness : float
        Of the view directions [-].
    sizes : Sizes or None
        Size of each particle where sizes were normalised.
    classes : Classes
        Shapes found.
    """

    flags: list[str]
    preferred: str
    coverage: float
    evenness: float
    sizes: Sizes | None
    classes: Classes


def checks(prepared: Prepared, poses: Poses, settings: ReconstructSettings) -> Checks:
    """Check a finished model; `poses` are those in the images of `prepared`."""
    group = Symmetry.of(settings.symmetry)
    check = ModelCheck.of(prepared, poses.rotations, poses.shifts, group.name, seed=settings.seed)
    classes = classify(
        prepared, poses.rotations, poses.shifts, group.name, k_max=max(2, settings.max_classes), seed=settings.seed, check=check
    )
    holds, preferred = allowed(prepared, group), group.name
    found = symmetry_check(prepared, poses.rotations, poses.shifts, group.name, check=check)
    holds, preferred = holds and found.holds, found.preferred
    # Particles of a lower symmetry look like a mixture to a model of the higher one.
    several = holds or not found.alternatives or classes.gains[0].share > found.alternatives[0].gain.share
    # The azimuth of a rod cannot be seen, and crowds: of a Dn shape it is the latitudes that must be even.
    axial = group.name[0] == "D"
    views = orientation_statistics(poses.rotations, "D12" if axial else group)
    raised = {
        "under_determined": few(prepared, settings),
        "mixed": classes.mixed and several,
        "heterogeneous": classes.heterogeneous and several,
        "symmetry": not holds,
        # Orientations in a group that does not hold crowd, however even the views are.
        "biased_views": holds and views.evenness < (EVEN_LATITUDES if axial else EVEN),
        "cut_by_border": bool(prepared.cut.mean() > CUT_SHARE),
    }
    return Checks(
        flags=[name for name, there in raised.items() if there],
        preferred=preferred,
        coverage=views.coverage,
        evenness=views.evenness,
        sizes=sizes(prepared, poses.rotations, poses.shifts, group.name) if settings.normalise_size else None,
        classes=classes,
    )


def few(prepared: Prepared, settings: ReconstructSettings) -> bool:
    """Whether there are too few images to determine a shape, also where it was asked for."""
    return len(prepared.images) < max(FEWEST, settings.min_images)


def allowed(prepared: Prepared, group: Symmetry) -> bool:
    """Whether the images, without any model, allow a group.

    Images of shapes with an inversion centre are their own 180° rotations; images of T, O and I shapes have round second moments.
    """
    if inversion_expected(group) and not prepared.centrosymmetric:
        return False
    return group.name not in ("T", "O", "I") or second_moments(prepared).allows_cubic


def inversion_expected(group: Symmetry) -> bool:
    """Whether real particles whose rotations form the group have an inversion centre too."""
    return group.name in ("O", "I") or (group.name[0] == "D" and int(group.name[1:]) % 2 == 0)


def class_labels(classes: Classes, settings: ReconstructSettings) -> NDArray[np.int64] | None:
    """Class of each image where several were asked for and found."""
    return classes.labels if settings.max_classes > 1 and classes.count > 1 else None
