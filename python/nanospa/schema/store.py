"""Names of the parts of a store; `nanospa.open` and every reader of a store rely on them."""

from __future__ import annotations

#: Raised when a store made before could be misread.
SCHEMA_VERSION = 1

#: Key of our attributes, beside ``ome``.
ATTRIBUTES = "nanospa"

FRAMES = "frames"
FRAME_TABLE = "frame_table"
PARTICLES = "particles"
PARTICLE_IMAGES = "particle_images"
POPULATION = "population"
CLUSTER_SCAN = "cluster_scan"
CLUSTER_QUALITY = "cluster_quality"
#: One group a reconstruction: the volume as an OME-Zarr image and its arrays (`nanospa.schema.volumes`); and one row a reconstruction.
VOLUMES = "volumes"
RECONSTRUCTIONS = "reconstructions"
TRUTH = "truth"
STATUS = "status"

#: Of an acquisition: survey images (stacks as under `FRAMES`), one row a survey, one row an event, one row a sample of a focus curve,
#: one row a tile that was looked at.
SURVEYS = "surveys"
SURVEY_TABLE = "survey_table"
ACQUISITION = "acquisition"
FOCUS_CURVES = "focus_curves"
TILES = "tiles"

JOURNAL = "journal"
RECORDS = "records"

#: Label images of a stack: found by `segment`, edited by hand, known by simulation.
LABELS = "particles"
CORRECTED = "particles_corrected"
TRUE_LABELS = "truth"

#: Pixels of a corrected label image that nobody has touched. A frame counts as corrected where any pixel differs from it.
UNCORRECTED = -1
