"""reconstruct: 3D shapes from the images of many particles of one kind, each seen from an unknown direction."""

from nanospa.reconstruct.asymmetric_unit import asymmetric_unit, folded_directions
from nanospa.reconstruct.orientation_distance import orientation_distance, view_distance
from nanospa.reconstruct.symmetry import Symmetry, symmetry_rotations

__all__ = [
    "Symmetry",
    "asymmetric_unit",
    "folded_directions",
    "orientation_distance",
    "symmetry_rotations",
    "view_distance",
]
