"""pipeline: the stages over many frames, on one machine or a cluster, into one store."""

from nanospa.pipeline.acquisition import abort, acquire
from nanospa.pipeline.acquisition_progress import AcquisitionProgress
from nanospa.pipeline.correct import correct
from nanospa.pipeline.reconstruction import read_reconstruction, reconstruct
from nanospa.pipeline.reconstruction_settings import ReconstructSection
from nanospa.pipeline.run import run
from nanospa.pipeline.settings import (
    PRESETS,
    AcquireSettings,
    InputSettings,
    MeasureSettings,
    ReportSettings,
    SegmentSection,
    Settings,
)
from nanospa.pipeline.summary import Failure, Summary
from nanospa.pipeline.train import train

__all__ = [
    "PRESETS",
    "AcquireSettings",
    "AcquisitionProgress",
    "Failure",
    "InputSettings",
    "MeasureSettings",
    "ReconstructSection",
    "ReportSettings",
    "SegmentSection",
    "Settings",
    "Summary",
    "abort",
    "acquire",
    "correct",
    "read_reconstruction",
    "reconstruct",
    "run",
    "train",
]
