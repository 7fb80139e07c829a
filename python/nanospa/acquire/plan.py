"""What an acquisition is to do: area, surveys, focus, images, budgets."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nanospa.errors import SettingsError, UnknownNameError

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Finite = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0, lt=0.5)]
Shape = tuple[Annotated[int, Field(ge=8, le=16384)], Annotated[int, Field(ge=8, le=16384)]]

#: Largest pixel size of a fine focus image: two pixels a period of 0.2 nm, the spacing of close-packed planes of metals, and a little more.
FINE_FOCUS_PIXEL_NM = 0.1

#: Smallest side of a coarse focus image: below, too few frequencies tell sharp from blurred [px].
FOCUS_SIDE_PX = 128


class Plan(BaseModel):
    """A plan of an unattended acquisition.

    Attributes
    ----------
    target : {"tiles", "particles"}
        What images are taken of: tiles of the survey that hold particles, or single particles of it at atomic resolution.
    detector : str
        Detector that all images are taken with.
    stage_x_um, stage_y_um : (float, float)
        Lowest and highest stage position of the survey centres [µm].
    survey_field_nm : float
        Field of view of a survey [nm].
    survey_shape : (int, int)
        Pixels (y, x) of a survey.
    survey_dwell_time_s : float
        Dwell time of a survey [s].
    survey_overlap : float
        Share of a survey that its neighbour repeats [-]. Neighbours are placed by what both show: the strip should be no narrower than
        two thirds of `stage_error_nm`, else they seldom can be.
    stage_error_nm : float
        Largest error of a stage position that surveys and images are corrected for by what they show [nm].
    tiles : int
        Tiles along each side of a survey.
    image_shape : (int, int)
        Pixels (y, x) of an image.
    image_dwell_time_s : float
        Dwell time of an image [s].
    tile_padding : float
        What an image adds to its tile on every side, in tile sides [-].
    particle_field_nm : float
        Field of view of the image of a single particle [nm].
    particles_per_survey : int or None
        Most particles imaged of one survey; None takes all.
    look_shape : (int, int)
        Pixels (y, x) of the look at a particle that `zone_axis` judges, over the same field as its image.
    look_dwell_time_s : float
        Dwell time of a look [s].
    zone_axis_min : float or None
        Least score of `zone_axis` that is imaged [-]; None images all, the highest first. A score that is a bool decides by itself.
    focus_every : int
        Stage positions from one coarse focus to the next; 0 focuses never.
    focus_range_nm : float
        Range of defocus of the coarse focus, about the present one [nm].
    focus_samples : int
        Images of the coarse focus, evenly over its range.
    focus_field_nm : float
        Field of view of the focus images [nm].
    focus_shape : (int, int)
        Pixels (y, x) of a focus image.
    focus_dwell_time_s : float
        Dwell time of a focus image [s].
    fine_focus_every : int
        Images from one fine focus to the next; 0 focuses never.
    fine_focus_range_nm, fine_focus_step_nm : float
        Range and step of defocus of the fine focus [nm].
    fine_focus_field_nm : float
        Field of view of the fine focus images [nm].
    fine_focus_shape : (int, int)
        Pixels (y, x) of a fine focus image.
    recentre : bool
        Whether the drift since the survey is measured on the images and taken up by the beam shift.
    backlash_um : float
        Distance from below from which every stage position is approached [µm]; 0 goes straight.
    settle_s : float
        Wait after a stage move [s].
    move_timeout_s : float
        Longest stage move [s].
    beam_current_pA : float or None
        Probe current where the microscope cannot tell it [pA].
    max_images : int or None
        Images after which the session ends.
    max_time_s : float or None
        Time of the instrument after which it ends, pauses aside: what would take longer is not begun [s].
    max_dose_electrons_per_nm2 : float or None
        Electrons a square nanometre, all scans together and failed ones too, that no place of the specimen may exceed, as far as places
        are known: to a few nm, so that slivers between tiles without padding may get the dose of both [1/nm²].
    retries : int
        Times a failed step is done again before it is skipped.
    pause_after : int
        Steps of one kind given up in a row after which the session pauses.
    beam_wait_s : float
        Wait before a step is done again after the beam was gone [s].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Literal["tiles", "particles"] = "tiles"
    detector: str = "HAADF"
    stage_x_um: tuple[Finite, Finite] = (0.0, 2.5)
    stage_y_um: tuple[Finite, Finite] = (0.0, 1.3)
    survey_field_nm: Positive = 683.0
    survey_shape: Shape = (512, 512)
    survey_dwell_time_s: Positive = 5e-6
    survey_overlap: Fraction = 0.1
    stage_error_nm: Positive = 100.0
    tiles: Annotated[int, Field(ge=1, le=64)] = 4
    image_shape: Shape = (1024, 1024)
    image_dwell_time_s: Positive = 20e-6
    tile_padding: Fraction = 0.1
    particle_field_nm: Positive = 25.0
    particles_per_survey: Annotated[int, Field(ge=1)] | None = None
    look_shape: Shape = (512, 512)
    look_dwell_time_s: Positive = 5e-6
    zone_axis_min: Finite | None = None
    focus_every: Annotated[int, Field(ge=0)] = 1
    focus_range_nm: Positive = 200.0
    focus_samples: Annotated[int, Field(ge=5, le=200)] = 10
    focus_field_nm: Positive = 100.0
    focus_shape: Shape = (512, 512)
    focus_dwell_time_s: Positive = 5e-6
    fine_focus_every: Annotated[int, Field(ge=0)] = 0
    fine_focus_range_nm: Positive = 20.0
    fine_focus_step_nm: Positive = 2.0
    fine_focus_field_nm: Positive = 20.0
    fine_focus_shape: Shape = (512, 512)
    recentre: bool = True
    backlash_um: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.5
    settle_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 2.0
    move_timeout_s: Positive = 60.0
    beam_current_pA: Positive | None = None
    max_images: Annotated[int, Field(ge=1)] | None = None
    max_time_s: Positive | None = None
    max_dose_electrons_per_nm2: Positive | None = None
    retries: Annotated[int, Field(ge=0)] = 2
    pause_after: Annotated[int, Field(ge=1)] = 3
    beam_wait_s: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 60.0

    @model_validator(mode="after")
    def _ranges_hold(self) -> Plan:
        for name in ("stage_x_um", "stage_y_um"):
            low, high = getattr(self, name)
            if low > high:
                raise ValueError(f"{name}: expected (lowest, highest), found {(low, high)}")
        if self.focus_every and min(self.focus_shape) < FOCUS_SIDE_PX:
            raise ValueError(f"focus_shape: expected at least {FOCUS_SIDE_PX} pixels a side, found {self.focus_shape}")
        pixel = self.fine_focus_field_nm / min(self.fine_focus_shape)
        if self.fine_focus_every and pixel > FINE_FOCUS_PIXEL_NM:
            raise ValueError(
                f"fine_focus_field_nm: expected pixels of at most {FINE_FOCUS_PIXEL_NM} nm to see a lattice, found {pixel:g} nm"
            )
        return self

    @property
    def survey_step_um(self) -> float:
        """Distance of neighbouring surveys [µm]."""
        return self.survey_field_nm * (1 - self.survey_overlap) / 1e3

    def digest(self) -> str:
        """Hash of all fields: two plans with the same are the same."""
        text = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def as_plan(plan: Plan | str | Mapping[str, Any] | None) -> Plan:
    """The plan that a plan, a preset's name or a mapping of fields means.

    Parameters
    ----------
    plan : Plan, str, mapping or None
        A mapping may name a ``preset`` whose other fields it keeps; None is the preset "slater2020".

    Returns
    -------
    Plan

    Raises
    ------
    UnknownNameError
        No preset has this name.
    SettingsError
        A field is unknown or outside its range.
    """
    if isinstance(plan, Plan):
        return plan
    if plan is None or isinstance(plan, str):
        return _preset(plan or "slater2020")
    fields = dict(plan)
    base = _preset(fields.pop("preset")).model_dump() if fields.get("preset") is not None else {}
    try:
        return Plan(**{**base, **fields})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "plan"
        raise SettingsError(f"plan: {place}: {first['msg']}, found {first['input']!r}") from None


def _preset(name: str) -> Plan:
    if name not in PRESETS:
        raise UnknownNameError(f"plan: expected one of {', '.join(PRESETS)}, found {name!r}")
    return PRESETS[name]


#: Plans by name.
PRESETS: dict[str, Plan] = {
    "slater2020": Plan(max_images=136),
    "atomic": Plan(
        target="particles",
        stage_x_um=(0.0, 0.64),
        stage_y_um=(0.0, 0.64),
        survey_field_nm=400.0,
        survey_shape=(1024, 1024),
        survey_overlap=0.2,
        particle_field_nm=20.0,
        image_shape=(512, 512),
        focus_field_nm=51.2,
        fine_focus_every=1,
    ),
}
