"""What stages hand to each other: dimensions, columns, units, dtypes."""

from nanospa.schema.arrays import as_image as as_image
from nanospa.schema.arrays import as_mask as as_mask
from nanospa.schema.arrays import keeps_calibration as keeps_calibration
from nanospa.schema.arrays import pixel_size_pair as pixel_size_pair

__all__ = ["as_image", "as_mask", "keeps_calibration", "pixel_size_pair"]
