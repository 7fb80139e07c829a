"""pipeline: the stages over many frames, on one machine or a cluster, into one store."""

from nanospa.pipeline.correct import correct
from nanospa.pipeline.run import run
from nanospa.pipeline.settings import PRESETS, InputSettings, MeasureSettings, ReportSettings, SegmentSection, Settings
from nanospa.pipeline.summary import Failure, Summary
from nanospa.pipeline.train import train

__all__ = [
    "PRESETS",
    "Failure",
    "InputSettings",
    "MeasureSettings",
    "ReportSettings",
    "SegmentSection",
    "Settings",
    "Summary",
    "correct",
    "run",
    "train",
]
