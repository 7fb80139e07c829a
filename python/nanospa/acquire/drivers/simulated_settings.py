"""Settings of the simulated microscope, with the reasons for their values."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from nanospa.errors import SettingsError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Range = tuple[Annotated[float, Field(allow_inf_nan=False)], Annotated[float, Field(allow_inf_nan=False)]]

FaultKind = Literal["timeout", "stage_stall", "beam_trip", "detector", "stage_limit"]


class Fault(BaseModel):
    """A fault that the simulated microscope shows.

    Attributes
    ----------
    kind : {"timeout", "stage_stall", "beam_trip", "detector", "stage_limit"}
        What goes wrong. "stage_stall" (`StageError`, the stage stops half way) and "stage_limit" (`StageLimitError`, it does not move)
        concern stage moves; "timeout" (`AcquisitionTimeout`), "beam_trip" (`BeamError`) and "detector" (`DetectorError`, after the
        time and the dose of the scan) concern acquisitions.
    at : int or float
        An int ≥ 1: the how manieth of the moves or of the acquisitions fails. A float between 0 and 1: the probability of each.
    times : int
        How many in a row fail once it has begun.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    at: Annotated[int, Field(ge=1, strict=True)] | Annotated[float, Field(gt=0, lt=1, strict=True)]
    times: Annotated[int, Field(ge=1)] = 1


class SimulatedSettings(BaseModel):
    """What a simulated microscope is like, in SI units.

    The defaults stand for an aberration-corrected 200 kV instrument with a side-entry goniometer (JEOL ARM200F, Titan), as the autoSTEM
    session of Slater et al. (2020) was run on. Figures of the paper are named as such. The others are ours: the order of magnitude that
    operators of such instruments know, not the specification of one.

    Attributes
    ----------
    seed : int
        Seed of all that is drawn: stage error, drift, jitter, noise, faults of a probability.
    beam_current : float
        Probe current; 13 pA in the paper, 1,623 electrons a pixel at 20 µs [A].
    convergence_angle : float
        Semi-angle of the probe; 23 mrad in the paper [rad].
    probe_sigma : float
        Standard deviation of the probe in focus; 0.045 nm is a full width at half maximum of 0.106 nm, what a corrected probe of this
        current has with its source size [m].
    detector_gain, detector_offset, read_noise : float
        Counts an electron, counts without an electron, noise of the read-out in electrons; as in `nanospa.simulate.frame` [-].
    stage_error : float
        Standard deviation of where the stage stands about where it reads, approached from below. 25 nm lie between a motor-driven
        goniometer (0.1 µm and more) and a piezo stage (a few nm). Goniometers err in a way that repeats with the position (Pulokas et al.
        1999), so the error is a fixed function of it [m].
    stage_error_length : float
        Distance over which that error changes: shorter moves are more exact than long ones [m].
    stage_read_error : float
        Standard deviation of the reading; stages display a nanometre or a tenth of it [m].
    backlash : float
        Play of x and y: approached from above, the stage stops short by it; 0.2 µm. Users of such stages approach from one side by
        0.2–2 µm [m].
    stage_x, stage_y, stage_z : (float, float)
        Limits; a 3 mm grid shows ±1 mm, the height ±0.2 mm [m].
    drift_rate : float
        Steady drift, 0.3 nm/min; 0.1–1 nm/min is usual once a stage has settled, half an hour after loading [m/s].
    drift_wander : float
        How far the drift strays from a straight line, as a share of `drift_rate` × `drift_wander_time` [-].
    drift_wander_time : float
        Time over which it changes its course: 15 min, as rooms and cooling water do [s].
    settling_drift : float
        Creep after a move of `settling_distance` or more: what is left to go on arrival. 4 nm that die with 60 s begin at 4 nm/min, and
        a minute later 1.5; operators wait a minute or two after a move before atomic resolution [m].
    settling_distance : float
        Move from which on the creep has its full size; shorter moves creep in proportion [m].
    settling_time : float
        Time in which the creep falls to 1/e [s].
    flyback_time : float
        Wait at the start of every line, in which the beam comes back; 50–100 µs are common settings of scan generators [s].
    flyback_lag : float
        How far behind the beam still is when a line begins, as a share of the line's length: 0.2 %, two pixels of 1024 [-].
    flyback_lag_time : float
        Time in which the lag falls to 1/e [s].
    line_jitter : float
        Standard deviation of the displacement of single scan lines, along x and y: 15 pm, a tenth of a column spacing, is what
        corrected instruments show before their lines are aligned [m].
    stage_speed : float
        Speed of x, y and z; goniometers are driven at 1–10 µm/s for moves of this size [m/s].
    move_time : float
        What every move costs besides: command, acceleration, waiting for the encoder [s].
    setting_time : float
        What a change of field of view, defocus, beam shift or blanking costs: command and lens settling [s].
    poll_time : float
        What it costs to ask whether the stage moves [s].
    image_time : float
        What every image costs besides its scan: set-up, transfer, saving. 1 s is the order of DigitalMicrograph scripts; with the
        preset's plan an image then costs about 25–30 s all in, and the paper's "approximately 30 s" are met [s].
    timeout_time : float
        Time lost with an image that times out, or a stage that stalls [s].
    field_of_view : (float, float)
        Smallest and largest scan field [m].
    beam_shift : float
        Largest beam shift along x and y [m].
    defocus : float
        Largest defocus of either sign [m].
    start_time : str
        Date and time at which the virtual clock starts, ISO 8601.
    faults : tuple of Fault
        What goes wrong; none by default.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168: current, angle, time per image. Pulokas et al., J. Struct. Biol. 128 (1999) 250:
    error of a goniometer. Jones & Nellist, Microsc. Microanal. 19 (2013) 1050: flyback and line jitter. Mullarkey et al., Microsc.
    Microanal. 28 (2022): hysteresis of the flyback.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0)] = 0
    beam_current: Positive = 13e-12
    convergence_angle: Positive = 23e-3
    probe_sigma: NonNegative = 0.045e-9
    detector_gain: Positive = 25.0
    detector_offset: NonNegative = 400.0
    read_noise: NonNegative = 1.5
    stage_error: NonNegative = 25e-9
    stage_error_length: Positive = 0.3e-6
    stage_read_error: NonNegative = 0.5e-9
    backlash: NonNegative = 0.2e-6
    stage_x: Range = (-1e-3, 1e-3)
    stage_y: Range = (-1e-3, 1e-3)
    stage_z: Range = (-0.2e-3, 0.2e-3)
    drift_rate: NonNegative = 0.3e-9 / 60
    drift_wander: NonNegative = 0.3
    drift_wander_time: Positive = 900.0
    settling_drift: NonNegative = 4e-9
    settling_distance: Positive = 1e-6
    settling_time: Positive = 60.0
    flyback_time: NonNegative = 60e-6
    flyback_lag: Annotated[float, Field(ge=0, lt=0.5)] = 0.002
    flyback_lag_time: Positive = 40e-6
    line_jitter: NonNegative = 15e-12
    stage_speed: Positive = 2e-6
    move_time: NonNegative = 1.0
    setting_time: NonNegative = 0.2
    poll_time: Positive = 0.1
    image_time: NonNegative = 1.0
    timeout_time: NonNegative = 30.0
    field_of_view: tuple[Positive, Positive] = (1e-9, 100e-6)
    beam_shift: Positive = 5e-6
    defocus: Positive = 100e-6
    start_time: str = "2026-01-01T09:00:00"
    faults: tuple[Fault, ...] = ()

    @field_validator("start_time")
    @classmethod
    def _is_a_date(cls, value: str) -> str:
        from datetime import datetime

        datetime.fromisoformat(value)
        return value

    @model_validator(mode="after")
    def _ranges_hold(self) -> SimulatedSettings:
        for name in ("stage_x", "stage_y", "stage_z", "field_of_view"):
            low, high = getattr(self, name)
            if low >= high:
                raise ValueError(f"{name}: expected (lowest, highest), found {(low, high)}")
        for name in ("stage_x", "stage_y", "stage_z"):
            low, high = getattr(self, name)
            if not low <= 0 <= high:
                raise ValueError(f"{name}: expected limits about 0, where the stage starts, found {(low, high)}")
        return self


def checked(options: Mapping[str, Any]) -> SimulatedSettings:
    """Settings of options; `SettingsError` names the option that is unknown or out of range."""
    for name in options:
        if name not in SimulatedSettings.model_fields:
            near = difflib.get_close_matches(name, SimulatedSettings.model_fields, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; expected one of specimen, {', '.join(SimulatedSettings.model_fields)}"
            raise SettingsError(f"{name}: no option of the simulated microscope{hint}")
    try:
        return SimulatedSettings(**options)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{where}: {message}, found {first['input']!r}" if where else message) from None
