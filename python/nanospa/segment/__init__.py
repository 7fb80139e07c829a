"""segment: from frames (y, x) to label images (y, x), 0 = background."""

from nanospa.segment.distance_transform import distance_transform
from nanospa.segment.erode import erode
from nanospa.segment.gaussian import gaussian
from nanospa.segment.threshold import threshold
from nanospa.segment.tophat import tophat

__all__ = ["distance_transform", "erode", "gaussian", "threshold", "tophat"]
