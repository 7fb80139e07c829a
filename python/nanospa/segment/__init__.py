"""segment: from frames (y, x) to label images (y, x), 0 = background."""

from nanospa.segment.apply_corrections import apply_corrections
from nanospa.segment.auto import AutoResult, auto
from nanospa.segment.distance_transform import distance_transform
from nanospa.segment.erode import erode
from nanospa.segment.gaussian import gaussian
from nanospa.segment.label import label
from nanospa.segment.local_threshold import local_threshold
from nanospa.segment.pixel_classifier import PixelClassifier
from nanospa.segment.rescorer import Rescorer
from nanospa.segment.rolling_ball import rolling_ball
from nanospa.segment.seeds import seeds
from nanospa.segment.segment import Segmentation, segment, segment_with_report
from nanospa.segment.segment_tiled import segment_tiled
from nanospa.segment.settings import PRESETS, SegmentSettings
from nanospa.segment.stitch_labels import stitch_labels
from nanospa.segment.threshold import threshold
from nanospa.segment.tophat import tophat
from nanospa.segment.watershed import watershed

__all__ = [
    "PRESETS",
    "AutoResult",
    "PixelClassifier",
    "Rescorer",
    "SegmentSettings",
    "Segmentation",
    "apply_corrections",
    "auto",
    "distance_transform",
    "erode",
    "gaussian",
    "label",
    "local_threshold",
    "rolling_ball",
    "seeds",
    "segment",
    "segment_tiled",
    "segment_with_report",
    "stitch_labels",
    "threshold",
    "tophat",
    "watershed",
]
