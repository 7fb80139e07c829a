"""A microscope as devices of bluesky: settings to set and read, detectors to trigger and read.

Nothing of bluesky is imported: its RunEngine asks devices for methods, not for a base class.
"""

from nanospa.acquire.bluesky.detector import Detector
from nanospa.acquire.bluesky.devices import BlueskyMicroscope
from nanospa.acquire.bluesky.setting import Setting
from nanospa.acquire.bluesky.status import Status

__all__ = ["BlueskyMicroscope", "Detector", "Setting", "Status"]
