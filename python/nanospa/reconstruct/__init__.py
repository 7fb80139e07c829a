"""reconstruct: 3D shapes from the images of many particles of one kind, each seen from an unknown direction."""

from nanospa.reconstruct.asymmetric_unit import asymmetric_unit, folded_directions
from nanospa.reconstruct.fourier_crop import fourier_crop
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.orientation_distance import orientation_distance, view_distance
from nanospa.reconstruct.prepare import Prepared, prepare
from nanospa.reconstruct.symmetry import Symmetry, symmetry_rotations

__all__ = [
    "FourierVolume",
    "Prepared",
    "Symmetry",
    "asymmetric_unit",
    "folded_directions",
    "fourier_crop",
    "orientation_distance",
    "prepare",
    "symmetry_rotations",
    "view_distance",
]
