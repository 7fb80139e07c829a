"""reconstruct: 3D shapes from the images of many particles of one kind, each seen from an unknown direction."""

from nanospa.reconstruct.asymmetric_unit import asymmetric_unit, folded_directions
from nanospa.reconstruct.classify import Classes, classify
from nanospa.reconstruct.corner_permutations import corner_permutations
from nanospa.reconstruct.coverage import OrientationMap, OrientationStatistics, coverage_weights, orientation_map, orientation_statistics
from nanospa.reconstruct.euler import euler_angles, rotations_from_euler
from nanospa.reconstruct.fourier_crop import fourier_crop
from nanospa.reconstruct.fourier_shell_correlation import fourier_shell_correlation, resolution_nm
from nanospa.reconstruct.fourier_volume import FourierVolume
from nanospa.reconstruct.insert import Accumulation, insert
from nanospa.reconstruct.match_views import Matches, match_views
from nanospa.reconstruct.misfit import Misfit, misfit
from nanospa.reconstruct.model_check import ModelCheck
from nanospa.reconstruct.orientation_alignment import Alignment, align_orientations
from nanospa.reconstruct.orientation_distance import orientation_distance, view_distance
from nanospa.reconstruct.prepare import prepare
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.project import project
from nanospa.reconstruct.reconstruct import reconstruct
from nanospa.reconstruct.refine_poses import Poses, correlations, refine_poses
from nanospa.reconstruct.rings import Rings, rings, view_rings
from nanospa.reconstruct.second_moments import SecondMoments, second_moments
from nanospa.reconstruct.settings import ReconstructSettings
from nanospa.reconstruct.sizes import Sizes, sizes
from nanospa.reconstruct.solid import Solid, solid
from nanospa.reconstruct.sphere import RadialProfile, SphereTest, radial_profile, sphere_test, sphere_volume
from nanospa.reconstruct.spread_latitudes import spread_latitudes
from nanospa.reconstruct.symmetry import Symmetry, symmetry_rotations
from nanospa.reconstruct.symmetry_check import SymmetryCheck, symmetry_check

__all__ = [
    "Accumulation",
    "Alignment",
    "Classes",
    "FourierVolume",
    "Matches",
    "Misfit",
    "ModelCheck",
    "OrientationMap",
    "OrientationStatistics",
    "Poses",
    "Prepared",
    "RadialProfile",
    "ReconstructSettings",
    "Rings",
    "SecondMoments",
    "Sizes",
    "Solid",
    "SphereTest",
    "Symmetry",
    "SymmetryCheck",
    "align_orientations",
    "asymmetric_unit",
    "classify",
    "corner_permutations",
    "correlations",
    "coverage_weights",
    "euler_angles",
    "folded_directions",
    "fourier_crop",
    "fourier_shell_correlation",
    "insert",
    "match_views",
    "misfit",
    "orientation_distance",
    "orientation_map",
    "orientation_statistics",
    "prepare",
    "project",
    "radial_profile",
    "reconstruct",
    "refine_poses",
    "resolution_nm",
    "rings",
    "rotations_from_euler",
    "second_moments",
    "sizes",
    "solid",
    "sphere_test",
    "sphere_volume",
    "spread_latitudes",
    "symmetry_check",
    "symmetry_rotations",
    "view_distance",
    "view_rings",
]
