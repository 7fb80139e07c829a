"""Settings of a simulated image series and its presets."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from nanospa.errors import SettingsError, UnknownNameError
from nanospa.simulate.population import NonNegative, Population, Positive

Model = TypeVar("Model", bound=BaseModel)

_SLATER2020 = (
    # "approximately spherical Au nanoparticles with diameters of 15–25 nm"
    Population(name="Au", shape="sphere", material="Au", size_nm=20, size_std_nm=2, size_range_nm=(15, 25), stretch_std=0.03),
    # "cuboidal Pd nanoparticles with diameters close to 10 nm"
    Population(
        name="Pd", shape="cube", material="Pd", size_nm=10, size_std_nm=0.7, shape_parameter=10, shape_parameter_std=2, stretch_std=0.03
    ),
    # "etched rhombic dodecahedral (…) PtNi nanoparticles of approximately 15 nm diameter", etched to different depths
    Population(
        name="PtNi",
        shape="star",
        material="PtNi",
        size_nm=15,
        size_std_nm=1,
        shape_parameter=0.25,
        shape_parameter_std=0.06,
        stretch_std=0.02,
    ),
)

#: Small particles whose atoms an image can show.
_ATOMIC = (
    Population(name="Au", shape="truncated_octahedron", material="Au", size_nm=4.5, size_std_nm=0.6, size_range_nm=(3, 6)),
    Population(name="Au decahedra", shape="decahedron", material="Au", size_nm=5, size_std_nm=0.5, size_range_nm=(4, 6), fraction=0.3),
    Population(name="Pt", shape="truncated_octahedron", material="Pt", size_nm=3.8, size_std_nm=0.4, size_range_nm=(3, 6)),
    Population(name="Pd", shape="octahedron", material="Pd", size_nm=5.0, size_std_nm=0.5, size_range_nm=(3, 6)),
)

#: Named mixtures of populations.
MIXTURES: dict[str, tuple[Population, ...]] = {"slater2020": _SLATER2020, "atomic": _ATOMIC}


class SimulateSettings(BaseModel):
    """A simulated HAADF image series.

    Attributes
    ----------
    n_frames : int
        Number of frames.
    shape : tuple of int
        Height and width of a frame [px].
    pixel_size_nm : float
        Pixel size [nm].
    populations : tuple of Population
        What the particles are; a name of `nanospa.simulate.MIXTURES` is accepted.
    n_particles : int or float
        Particles with their centre in a frame: an int is exact, a float the mean of a Poisson distribution.
    touching : float
        Share of the particles that touch another one [-].
    electrons_per_pixel : float
        Dose: electrons of the beam per pixel.
    probe_sigma_nm : float
        Standard deviation of the probe [nm].
    carbon_nm : float
        Mean thickness of the carbon film [nm].
    gain : float
        Detector counts per electron.
    offset : float
        Detector counts without an electron.
    read_noise : float
        Standard deviation of the detector's noise, in electrons.
    seed : int
        Seed; frame i depends on (seed, i) only.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_frames: Annotated[int, Field(ge=0)] = 1
    shape: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (1024, 1024)
    pixel_size_nm: Positive = 0.2
    populations: Annotated[tuple[Population, ...], Field(min_length=1)] = _SLATER2020
    n_particles: Annotated[int, Field(ge=0, strict=True)] | NonNegative = 10
    touching: Annotated[float, Field(ge=0, le=1)] = 0.12
    electrons_per_pixel: Positive = 1623.0
    probe_sigma_nm: NonNegative = 0.2
    carbon_nm: NonNegative = 15.0
    gain: Positive = 25.0
    offset: NonNegative = 400.0
    read_noise: NonNegative = 1.5
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("n_particles", mode="before")
    @classmethod
    def _whole(cls, value: Any) -> Any:
        # A numpy integer would pass as a float, the mean of a random number.
        return operator.index(value) if hasattr(value, "__index__") and not isinstance(value, bool) else value

    @field_validator("populations", mode="before")
    @classmethod
    def _mixture(cls, value: Any) -> Any:
        return mixture(value)


def mixture(populations: Any) -> Any:
    """Populations from the name of a mixture, a single population, or as they are."""
    if isinstance(populations, str):
        if populations not in MIXTURES:
            raise UnknownNameError(f"populations: expected one of {', '.join(MIXTURES)} or a list of Population, found {populations!r}")
        return MIXTURES[populations]
    return (populations,) if isinstance(populations, Population) else populations


def chosen(model: type[Model], presets: Mapping[str, Model], settings: Model | str | None, overrides: Mapping[str, Any]) -> Model:
    """Settings from a name or an object with some fields replaced; a `SettingsError` names the field, what was expected and what found."""
    if isinstance(settings, str):
        if settings not in presets:
            raise SettingsError(f"settings: expected one of {', '.join(presets)}, found {settings!r}")
        settings = presets[settings]
    fields = dict(settings) if settings is not None else {}
    try:
        return model(**{**fields, **overrides})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"{where}: {first['msg']}, found {first['input']!r}") from None


#: "slater2020": 136 images of a mixture of three populations; the size of the images, the pixel size and the dose (13 pA for 20 µs)
#: are our assumptions, chosen so that about 1,330 particles are in them.
PRESETS: dict[str, SimulateSettings] = {
    "slater2020": SimulateSettings(n_frames=136, n_particles=9.8),
}
