"""acquire: unattended acquisition on a real or simulated microscope."""

from nanospa.acquire.drivers.driver import Driver, Scan
from nanospa.acquire.event_tables import event_tables
from nanospa.acquire.events import KINDS, Event
from nanospa.acquire.microscope import AXES, CAPABILITIES, Frame, Microscope, Region, StagePosition
from nanospa.acquire.plan import PRESETS, Plan

__all__ = [
    "AXES",
    "CAPABILITIES",
    "KINDS",
    "PRESETS",
    "Driver",
    "Event",
    "Frame",
    "Microscope",
    "Plan",
    "Region",
    "Scan",
    "StagePosition",
    "event_tables",
]
