"""A population of particles: shape, material, and how size and shape vary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from nanospa.simulate.materials import known_material
from nanospa.simulate.rotations import random_rotation
from nanospa.simulate.shapes import SHAPES, checked_parameter, known_shape

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class Population(BaseModel):
    """Particles of one kind.

    Attributes
    ----------
    name : str
        Name in the truth table.
    shape : str
        A name of `nanospa.simulate.SHAPES`.
    material : str
        A name of `nanospa.simulate.MATERIALS`.
    size_nm : float
        Mean size as `SHAPES` defines it [nm].
    size_std_nm : float
        Standard deviation of the size [nm].
    size_range_nm : tuple of float, optional
        Smallest and largest size; draws outside are repeated [nm].
    shape_parameter : float, optional
        Mean exponent, etching or aspect; the shape's default where None [-].
    shape_parameter_std : float
        Its standard deviation; draws are kept in the shape's range [-].
    stretch_std : float
        Standard deviation of independent factors on the three axes of the particle [-].
    fraction : float
        Share of the particles, relative to the other populations' [-].
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    shape: str
    material: str
    size_nm: Positive
    size_std_nm: NonNegative = 0.0
    size_range_nm: tuple[Positive, Positive] | None = None
    shape_parameter: float | None = None
    shape_parameter_std: NonNegative = 0.0
    stretch_std: Annotated[float, Field(ge=0, le=0.3)] = 0.0
    fraction: Positive = 1.0

    @field_validator("shape")
    @classmethod
    def _shape_known(cls, value: str) -> str:
        if value not in SHAPES:
            raise ValueError(f"expected one of {', '.join(SHAPES)}, found {value!r}")
        return value

    @field_validator("material")
    @classmethod
    def _material_known(cls, value: str) -> str:
        try:
            known_material(value)
        except KeyError as error:
            raise ValueError(str(error)) from None
        return value

    @model_validator(mode="after")
    def _ranges_hold(self) -> Population:
        checked_parameter(self.shape, self.shape_parameter)
        if self.size_range_nm is not None:
            low, high = self.size_range_nm
            # A range far from the mean would repeat draws for ever.
            if not low <= self.size_nm <= high:
                raise ValueError(f"size_range_nm: expected a range around size_nm = {self.size_nm}, found {self.size_range_nm}")
        return self


@dataclass(frozen=True)
class Specimen:
    """One particle drawn from a population."""

    population: Population
    size_nm: float
    shape_parameter: float
    stretch: tuple[float, float, float]
    rotation: NDArray[np.float64]


def draw(population: Population, rng: np.random.Generator) -> Specimen:
    """A particle of the population in a uniformly random orientation."""
    shape = known_shape(population.shape)
    low, high = population.size_range_nm or (0.2 * population.size_nm, np.inf)
    size = rng.normal(population.size_nm, population.size_std_nm)
    while not low <= size <= high:
        size = rng.normal(population.size_nm, population.size_std_nm)
    parameter = checked_parameter(population.shape, population.shape_parameter)
    if shape.parameter:
        parameter = float(np.clip(rng.normal(parameter, population.shape_parameter_std), shape.low, shape.high))
    x, y, z = np.clip(rng.normal(1, population.stretch_std, 3), 0.5, 1.5).tolist()
    return Specimen(population, float(size), parameter, (x, y, z), random_rotation(rng))
