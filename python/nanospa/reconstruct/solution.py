"""What a reconstruction found, and the same as a Dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.reconstruct.fourier_shell_correlation import resolution_nm
from nanospa.reconstruct.prepared import Prepared
from nanospa.reconstruct.settings import ReconstructSettings
from nanospa.reconstruct.solid import solid
from nanospa.reconstruct.verdict import Verdict
from nanospa.schema.volumes import VARIABLES

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class Solution:
    """What a reconstruction found; the arrays are those of `nanospa.schema.volumes.VARIABLES`."""

    arrays: dict[str, NDArray[Any]]
    verdict: Verdict
    margin: float
    margin_z: float
    flags: tuple[str, ...]
    figures: dict[str, Any]


def as_dataset(solution: Solution, prepared: Prepared, settings: ReconstructSettings) -> xr.Dataset:
    """A solution with the names, dimensions and units of `nanospa.schema.volumes`."""
    import xarray as xr

    unknown = set(solution.arrays) - set(VARIABLES)
    assert not unknown, unknown
    arrays = {name: _variable(xr, name, values) for name, values in solution.arrays.items()}
    size = prepared.pixel_size_nm
    volume = solution.arrays["volume"]
    shape = solid(volume, size)
    attributes = {
        "symmetry": settings.symmetry,
        "centrosymmetric": prepared.centrosymmetric,
        "pixel_size_nm": size,
        "n_images": len(prepared.images),
        "verdict": solution.verdict,
        "margin": solution.margin,
        "margin_z": solution.margin_z,
        "flags": list(solution.flags),
        "level": shape.level,
        "volume_nm3": shape.volume_nm3,
        "area_nm2": shape.area_nm2,
        "sphericity": shape.sphericity,
        "seed": settings.seed,
        "settings": settings.model_dump_json(),
        "warnings": list(prepared.warnings),
        **solution.figures,
    }
    if "correlation" in arrays:
        attributes["mean_correlation"] = float(np.mean(solution.arrays["correlation"]))
    coordinates: dict[str, Any] = {}
    if "fsc" in arrays:
        curve = solution.arrays["fsc"]
        attributes["resolution_nm"] = resolution_nm(curve, box=prepared.box, pixel_size_nm=size)
        attributes["resolution_05_nm"] = resolution_nm(curve, box=prepared.box, pixel_size_nm=size, threshold=0.5)
        coordinates["frequency"] = ("shell", np.arange(curve.size) / (prepared.box * size), {"units": "1/nm"})
    return xr.Dataset(arrays, coords=coordinates, attrs=attributes)


def _variable(xr: Any, name: str, values: NDArray[Any]) -> Any:
    row = VARIABLES[name]
    attributes = {"long_name": row.meaning} | ({"units": row.unit} if row.unit else {})
    data = np.asarray(values) if row.dtype == "str" else np.asarray(values, dtype=row.dtype)
    return xr.Variable(row.dims, data, attributes)
