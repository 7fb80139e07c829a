"""Settings of the segmentation, and presets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from nanospa.errors import SettingsError, UnknownNameError

GlobalThreshold = Literal["li", "otsu", "yen", "isodata", "mean", "minimum", "triangle"]
LocalThreshold = Literal["local", "niblack", "sauvola", "otsu_local"]

#: Thresholds that differ from pixel to pixel.
LOCAL_THRESHOLDS: tuple[LocalThreshold, ...] = ("local", "niblack", "sauvola", "otsu_local")


class SegmentSettings(BaseModel):
    """Settings of `nanospa.segment.segment`; unknown names are refused.

    Parameters
    ----------
    method : {"auto", "threshold", "trained"}
        "auto" finds particles without settings (only `polarity`, `min_area_px` and `clear_border` are used), "threshold" takes the
        classical way (all fields), "trained" takes the mask from a `PixelClassifier` and goes on as "threshold" does after its mask.
    background : {"none", "tophat", "rolling_ball"}
        What is removed first.
    background_size_px : int
        Side of the top-hat's square, or radius of the ball [px]: larger than the largest particle.
    gaussian_sigma_px : float
        Standard deviation of the smoothing [px]; 0 for none.
    polarity : {"auto", "bright", "dark"}
        Whether particles are brighter or darker than what surrounds them; "auto" decides by the skewness of the image.
    threshold : str or float
        Name of a global ("li", "otsu", "yen", "isodata", "mean", "minimum", "triangle") or local ("local", "niblack", "sauvola",
        "otsu_local") threshold, or a number [intensity] after background removal and smoothing; dark particles are brightest pixel minus
        image.
    local_size_px : int
        Side of the neighbourhood of a local threshold [px], odd.
    watershed : bool
        Whether touching particles are split.
    erosion_radius_px : int
        Radius of the diamond that erodes the mask before distances are taken [px].
    seed_separation_px : int
        Smallest distance between the middles of two particles that touch [px]; see `nanospa.segment.seeds`.
    keep_eroded : bool
        Whether particles that the erosion removes stay whole; otherwise they vanish.
    min_area_px : int
        Smallest area of a particle [px].
    clear_border : bool
        Whether particles that touch the image's border are removed; they are flagged in the measurements anyway.
    compatibility : {"nanospa", "particlespy-0.5.1"}
        "particlespy-0.5.1" gives every field that program's meaning: dark images are turned after the background is removed,
        `seed_separation_px` is the side of a window (about twice the real separation), and particles smaller than the erosion vanish.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["auto", "threshold", "trained"] = "auto"
    background: Literal["none", "tophat", "rolling_ball"] = "none"
    background_size_px: Annotated[int, Field(ge=1)] = 301
    gaussian_sigma_px: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    polarity: Literal["auto", "bright", "dark"] = "auto"
    threshold: GlobalThreshold | LocalThreshold | Annotated[float, Field(allow_inf_nan=False)] = "li"
    local_size_px: Annotated[int, Field(ge=3)] = 51
    watershed: bool = False
    erosion_radius_px: Annotated[int, Field(ge=0)] = 0
    seed_separation_px: Annotated[int, Field(ge=1)] = 10
    keep_eroded: bool = True
    min_area_px: Annotated[int, Field(ge=1)] = 5
    clear_border: bool = False
    compatibility: Literal["nanospa", "particlespy-0.5.1"] = "nanospa"

    @model_validator(mode="after")
    def _odd_neighbourhood(self) -> SegmentSettings:
        if self.local_size_px % 2 == 0:
            raise ValueError(f"local_size_px: expected an odd number, found {self.local_size_px}")
        return self


#: Settings by name.
PRESETS: dict[str, SegmentSettings] = {
    "auto": SegmentSettings(),
    # Slater et al. 2020: "rolling ball 301" is that program's square top-hat, and its separation of 40 (the side of a window) keeps apart
    # what is 20 px apart.
    "slater2020": SegmentSettings(
        method="threshold",
        background="tophat",
        background_size_px=301,
        gaussian_sigma_px=1.0,
        polarity="bright",
        threshold="li",
        watershed=True,
        erosion_radius_px=10,
        seed_separation_px=20,
        clear_border=True,
    ),
    "particlespy-0.5.1": SegmentSettings(
        method="threshold",
        gaussian_sigma_px=0.0,
        polarity="bright",
        threshold="otsu",
        keep_eroded=False,
        min_area_px=1,
        clear_border=True,
        compatibility="particlespy-0.5.1",
    ),
}


def resolved(settings: SegmentSettings | str | dict[str, Any] | None, overrides: dict[str, Any]) -> SegmentSettings:
    """`settings` with single fields replaced.

    Parameters
    ----------
    settings : SegmentSettings, str, dict or None
        Settings, the name of a preset, fields that differ from the defaults, or None for the defaults.
    overrides : dict
        Fields that replace those of `settings`.

    Returns
    -------
    SegmentSettings

    Raises
    ------
    UnknownNameError
        No such preset.
    SettingsError
        An unknown field, a wrong type or a value outside its range.
    """
    if isinstance(settings, str):
        if settings not in PRESETS:
            raise UnknownNameError(f"settings: expected one of {', '.join(PRESETS)}, found {settings!r}")
        settings = PRESETS[settings]
    if isinstance(settings, SegmentSettings):
        # A section of a run may know more, as where a trained model lies.
        fields = {name: getattr(settings, name) for name in SegmentSettings.model_fields}
    elif settings is None or isinstance(settings, dict):
        fields = dict(settings or {})
    else:
        raise SettingsError(f"settings: expected SegmentSettings, the name of a preset or a dict, found {type(settings).__name__}")
    try:
        return SegmentSettings(**(fields | overrides))
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'][:1])) or 'settings'}: {e['msg']}, found {e['input']!r}" for e in error.errors()]
        raise SettingsError("; ".join(dict.fromkeys(lines))) from None
