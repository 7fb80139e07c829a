"""acquire: unattended acquisition on a real or simulated microscope."""

from nanospa.acquire.acquire import acquire
from nanospa.acquire.autofocus import autofocus
from nanospa.acquire.connect import connect, drivers
from nanospa.acquire.drivers.driver import Driver, Scan
from nanospa.acquire.drivers.simulated_settings import Fault, SimulatedSettings
from nanospa.acquire.event_tables import event_tables
from nanospa.acquire.events import KINDS, Event
from nanospa.acquire.fine_autofocus import fine_autofocus
from nanospa.acquire.focus_result import VERDICTS, FocusFit, FocusResult
from nanospa.acquire.image_shift import image_shift
from nanospa.acquire.lattice_sharpness import LatticeSpots, lattice_sharpness, lattice_spots
from nanospa.acquire.microscope import AXES, CAPABILITIES, Frame, Microscope, Region, StagePosition
from nanospa.acquire.plan import PRESETS, Plan
from nanospa.acquire.presence import particle_presence
from nanospa.acquire.sharpness import sharpness

__all__ = [
    "AXES",
    "CAPABILITIES",
    "KINDS",
    "PRESETS",
    "VERDICTS",
    "Driver",
    "Event",
    "Fault",
    "FocusFit",
    "FocusResult",
    "Frame",
    "LatticeSpots",
    "Microscope",
    "Plan",
    "Region",
    "Scan",
    "SimulatedSettings",
    "StagePosition",
    "acquire",
    "autofocus",
    "connect",
    "drivers",
    "event_tables",
    "fine_autofocus",
    "image_shift",
    "lattice_sharpness",
    "lattice_spots",
    "particle_presence",
    "sharpness",
]
