"""simulate: specimens, volumes and HAADF frames with known truth."""

from nanospa.simulate.frame import SimulatedFrame, frame, frames
from nanospa.simulate.match import Match, match
from nanospa.simulate.materials import MATERIALS, Material
from nanospa.simulate.particle import particle
from nanospa.simulate.population import Population
from nanospa.simulate.rotations import random_rotation
from nanospa.simulate.settings import MIXTURES, PRESETS, SimulateSettings
from nanospa.simulate.shapes import SHAPES, Shape, inside
from nanospa.simulate.volume import projection, volume

__all__ = [
    "MATERIALS",
    "MIXTURES",
    "PRESETS",
    "SHAPES",
    "Match",
    "Material",
    "Population",
    "Shape",
    "SimulateSettings",
    "SimulatedFrame",
    "frame",
    "frames",
    "inside",
    "match",
    "particle",
    "projection",
    "random_rotation",
    "volume",
]
