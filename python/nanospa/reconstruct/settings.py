"""Settings of the reconstruct stage."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from nanospa.errors import InvalidValueError


class ReconstructSettings(BaseModel):
    """How the images of a group of particles become a volume.

    Attributes
    ----------
    symmetry : str
        Point group of rotations of the shape: C1, C2 …, D2 …, T, O or I.
    n_starts : int
        Starting volumes of the search.
    seed : int
        Seed of the starting volumes and of the half-sets.
    min_images : int
        Images below which a group is under-determined.
    normalise_size : bool
        Whether images are brought to one particle size first.
    max_classes : int
        Most shapes that are looked for inside a group; 1 looks for none.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    symmetry: str = "O"
    n_starts: Annotated[int, Field(ge=1)] = 32
    seed: Annotated[int, Field(ge=0)] = 0
    min_images: Annotated[int, Field(ge=3)] = 20
    normalise_size: bool = True
    max_classes: Annotated[int, Field(ge=1, le=4)] = 1


def checked_settings(**values: Any) -> ReconstructSettings:
    """Settings of keyword arguments; `InvalidValueError` names the one that is out of range."""
    try:
        return ReconstructSettings(**values)
    except ValidationError as error:
        found = error.errors(include_url=False)[0]
        name = ".".join(str(part) for part in found["loc"])
        raise InvalidValueError(f"{name}: {found['msg'].lower()}, found {found['input']!r}") from None
