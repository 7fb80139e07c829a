"""Settings of a virtual specimen and its presets."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from nanospa.simulate.background import GRAIN, GRAIN_NM, SLOW_VARIATION
from nanospa.simulate.population import NonNegative, Population, Positive
from nanospa.simulate.settings import MIXTURES, mixture

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1)]


class SpecimenSettings(BaseModel):
    """A grid without end: particles on a carbon film.

    Attributes
    ----------
    seed : int
        Seed; what lies at a place depends on it, the settings and the place only.
    populations : tuple of Population
        What the particles are; a name of `nanospa.simulate.MIXTURES` is accepted.
    density_per_um2 : float
        Particles a square micrometre of film, on average [1/µm²].
    aggregation : float
        How much the density varies from place to place: 0 not at all; from about 0.3 on there are places without particles [-].
    aggregation_length_nm : float
        Length over which it varies [nm].
    touching : float
        Share of the particles that touch another one [-].
    on_zone : float
        Share of the particles with a low-index axis (001, 011 or 111) along the beam, to a few degrees; the others are oriented at
        random [-].
    carbon_nm : float
        Mean thickness of the film [nm].
    slow_variation : float
        Relative standard deviation of the thickness over long distances [-].
    slow_length_nm : float
        Typical period of that variation [nm].
    grain : float
        Relative standard deviation of the grain of an amorphous film in projection, before any probe blurs it [-].
    grain_nm : float
        Correlation length of the grain [nm].
    hole_diameter_nm : float
        Mean diameter of the holes [nm].
    hole_share : float
        Share of the grid that is hole: 0 for a continuous film [-].
    tilt_rad : tuple of float
        Slopes of the specimen along y and x [rad].
    bump_height_nm : float
        Standard deviation of the specimen's height about the tilted plane [nm].
    bump_length_um : float
        Typical period of the bumps [µm].
    atomic_below_nm : float
        Pixel size below which particles are made of atoms; 0 for never [nm].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[int, Field(ge=0)] = 0
    populations: Annotated[tuple[Population, ...], Field(min_length=1)] = MIXTURES["slater2020"]
    density_per_um2: NonNegative = 330.0
    aggregation: Share = 0.3
    aggregation_length_nm: Positive = 300.0
    touching: Annotated[float, Field(ge=0, le=0.6)] = 0.12
    on_zone: Share = 0.0
    carbon_nm: NonNegative = 15.0
    slow_variation: Annotated[float, Field(ge=0, le=0.3)] = SLOW_VARIATION
    slow_length_nm: Positive = 200.0
    grain: Annotated[float, Field(ge=0, le=0.3)] = GRAIN
    grain_nm: Positive = GRAIN_NM
    hole_diameter_nm: Positive = 350.0
    hole_share: Annotated[float, Field(ge=0, le=0.8)] = 0.0
    tilt_rad: tuple[Finite, Finite] = (0.0, 0.0)
    bump_height_nm: NonNegative = 0.0
    bump_length_um: Positive = 2.0
    atomic_below_nm: NonNegative = 0.06

    @field_validator("populations", mode="before")
    @classmethod
    def _mixture(cls, value: Any) -> Any:
        return mixture(value)


#: "slater2020": the mixture of Slater et al. (2020) on holey carbon, about 14 particles in an image of 205 nm where there are any; film,
#: density and the shape of the grid are our assumptions. "atomic": small particles for images of atoms. "empty": film alone.
SPECIMENS: dict[str, SpecimenSettings] = {
    "slater2020": SpecimenSettings(hole_share=0.12, tilt_rad=(0.012, -0.007), bump_height_nm=15.0),
    "atomic": SpecimenSettings(
        populations=MIXTURES["atomic"],
        density_per_um2=900.0,
        touching=0.06,
        on_zone=0.35,
        carbon_nm=5.0,
        tilt_rad=(0.004, 0.003),
        bump_height_nm=4.0,
    ),
    "empty": SpecimenSettings(density_per_um2=0.0, tilt_rad=(0.012, -0.007), bump_height_nm=15.0),
}
