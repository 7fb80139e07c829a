"""io: image files, outlines and tables in and out, and the Zarr store."""

from nanospa.io.coco import write_coco
from nanospa.io.formats import Format, formats
from nanospa.io.frame_paths import frame_paths
from nanospa.io.image_file import Description, ImageFile
from nanospa.io.imagej_roi import write_imagej_rois
from nanospa.io.mesh import write_mesh
from nanospa.io.read import describe, read
from nanospa.io.relion_particles import write_relion_particles
from nanospa.io.star import write_star
from nanospa.io.tables import write_table
from nanospa.io.write import write

__all__ = [
    "Description",
    "Format",
    "ImageFile",
    "describe",
    "formats",
    "frame_paths",
    "read",
    "write",
    "write_coco",
    "write_imagej_rois",
    "write_mesh",
    "write_relion_particles",
    "write_star",
    "write_table",
]
