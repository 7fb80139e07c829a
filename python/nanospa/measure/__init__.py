"""measure: from frames and label images to particle tables, particle images and population figures."""

from nanospa.measure.compare import cliffs_delta, compare
from nanospa.measure.frame_flags import frame_flags
from nanospa.measure.measure import measure
from nanospa.measure.outlines import outlines
from nanospa.measure.overlapping import overlapping
from nanospa.measure.particle_images import box_size, particle_images
from nanospa.measure.population import population
from nanospa.measure.region_properties import region_properties

__all__ = [
    "box_size",
    "cliffs_delta",
    "compare",
    "frame_flags",
    "measure",
    "outlines",
    "overlapping",
    "particle_images",
    "population",
    "region_properties",
]
