"""simulate: specimens, volumes and HAADF frames with known truth."""

from nanospa.simulate.atoms import atoms
from nanospa.simulate.detect import detect
from nanospa.simulate.frame import SimulatedFrame, frame, frames
from nanospa.simulate.match import Match, match
from nanospa.simulate.materials import MATERIALS, Material
from nanospa.simulate.particle import particle
from nanospa.simulate.population import Population
from nanospa.simulate.probe import Probe
from nanospa.simulate.rotations import random_rotation
from nanospa.simulate.settings import MIXTURES, PRESETS, SimulateSettings
from nanospa.simulate.shapes import SHAPES, Shape, inside
from nanospa.simulate.specimen_settings import SPECIMENS, SpecimenSettings
from nanospa.simulate.virtual_specimen import VirtualSpecimen
from nanospa.simulate.volume import projection, volume

__all__ = [
    "MATERIALS",
    "MIXTURES",
    "PRESETS",
    "SHAPES",
    "SPECIMENS",
    "Match",
    "Material",
    "Population",
    "Probe",
    "Shape",
    "SimulateSettings",
    "SimulatedFrame",
    "SpecimenSettings",
    "VirtualSpecimen",
    "atoms",
    "detect",
    "frame",
    "frames",
    "inside",
    "match",
    "particle",
    "projection",
    "random_rotation",
    "volume",
]
