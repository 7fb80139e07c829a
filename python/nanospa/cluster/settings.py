"""Settings of the cluster stage and its presets."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from nanospa.cluster.features import ALL_FEATURES, AUTO_FEATURES, AUTO_LOG, PAPER_FEATURES
from nanospa.cluster.methods import METHODS

MethodName = Literal["kmeans", "dbscan", "optics", "hdbscan", "gaussian_mixture"]


class ClusterSettings(BaseModel):
    """How a population is clustered.

    Attributes
    ----------
    method : str
        "auto" (the best of `scan_methods`), a method with fixed `options`, or a method whose parameters are scanned (`scan`).
    scan : bool
        Whether the parameters of a named method are scanned; "auto" always scans.
    scan_methods : tuple of str
        Methods that "auto" compares.
    options : dict
        Options of a named method, see `cluster`.
    features : tuple of str
        Columns, with or without their unit.
    log : tuple of str, optional
        Those of `features` whose logarithm is used; None: of the default features area, intensity_max and intensity_std, of others
        none.
    scaling : str
        "std", "robust" or "none".
    n_components : int, optional
        Principal components to keep.
    members : tuple of int
        Smallest and largest number of members wanted.
    above : str
        Whether homogeneous clusters above the range count ("homogeneous") or not ("reject").
    include_border : bool
        Whether particles that touch the border or are duplicates take part.
    seed : int
        Seed.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    method: Literal["auto"] | MethodName = "auto"
    scan: bool = False
    scan_methods: Annotated[tuple[MethodName, ...], Field(min_length=1)] = ("dbscan", "optics", "hdbscan")
    options: dict[str, Any] = Field(default_factory=dict)
    features: Annotated[tuple[str, ...], Field(min_length=1)] = AUTO_FEATURES
    log: tuple[str, ...] | None = None
    scaling: Literal["std", "robust", "none"] = "std"
    n_components: Annotated[int, Field(ge=1)] | None = None
    members: tuple[Annotated[int, Field(ge=1)], Annotated[int, Field(ge=1)]] = (20, 200)
    above: Literal["homogeneous", "reject"] = "homogeneous"
    include_border: bool = False
    seed: Annotated[int, Field(ge=0)] = 0

    @model_validator(mode="after")
    def _fits(self) -> ClusterSettings:
        if self.members[0] > self.members[1]:
            raise ValueError(f"members: expected smallest <= largest, found {self.members}")
        if unknown := set(self.log or ()) - set(self.features):
            raise ValueError(f"log: expected names of features, found {', '.join(sorted(unknown))}")
        if self.options and (self.method == "auto" or self.scan):
            raise ValueError("options: expected none where parameters are scanned")
        if self.method != "auto" and (wrong := set(self.options) - set(METHODS[self.method].options)):
            raise ValueError(
                f"options: expected options of {self.method} ({', '.join(METHODS[self.method].options)}), found {sorted(wrong)}"
            )
        return self

    @property
    def logarithms(self) -> tuple[str, ...]:
        """Features whose logarithm is used."""
        if self.log is not None:
            return self.log
        return AUTO_LOG if self.features == AUTO_FEATURES else ()


#: "auto": the defaults; "slater2020": the paper's best clustering, DBSCAN on three properties with scanned parameters and at most 200
#: members; "slater2020-all": the same on all properties.
PRESETS: dict[str, ClusterSettings] = {
    "auto": ClusterSettings(),
    "slater2020": ClusterSettings(method="dbscan", scan=True, features=PAPER_FEATURES, above="reject"),
    "slater2020-all": ClusterSettings(method="dbscan", scan=True, features=ALL_FEATURES, above="reject"),
}
