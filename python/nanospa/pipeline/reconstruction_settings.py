"""The section `reconstruct` of the settings of a run."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from nanospa.errors import UnknownNameError
from nanospa.reconstruct import Symmetry
from nanospa.reconstruct.settings import ReconstructSettings


class ReconstructSection(ReconstructSettings):
    """How clusters become volumes: the fields of `nanospa.reconstruct.ReconstructSettings`, and which clusters and images.

    Attributes
    ----------
    clusters : "all", "none" or tuple of int
        Clusters to reconstruct.
    symmetries : dict of int to str
        Point groups of single clusters, where they differ from `symmetry`.
    box_px : int
        Largest side of the images and the volume: larger cut-outs are brought to it, with larger pixels [px].
    """

    clusters: Literal["all", "none"] | tuple[Annotated[int, Field(ge=0)], ...] = "all"
    symmetries: dict[Annotated[int, Field(ge=0)], str] = Field(default_factory=dict)
    box_px: Annotated[int, Field(ge=32, le=512, multiple_of=2)] = 64

    @field_validator("clusters", mode="before")
    @classmethod
    def _one(cls, value: Any) -> Any:
        return (value,) if isinstance(value, int) else value

    @field_validator("symmetry", "symmetries")
    @classmethod
    def _known(cls, value: Any) -> Any:
        try:
            return {n: Symmetry.of(name).name for n, name in value.items()} if isinstance(value, dict) else Symmetry.of(value).name
        except UnknownNameError as error:
            raise ValueError(str(error)) from None

    def of(self, cluster: int) -> ReconstructSettings:
        """Settings of one cluster.

        Parameters
        ----------
        cluster : int
            Number of the cluster.

        Returns
        -------
        ReconstructSettings
        """
        values = {name: getattr(self, name) for name in ReconstructSettings.model_fields}
        return ReconstructSettings(**{**values, "symmetry": self.symmetries.get(cluster, self.symmetry)})
