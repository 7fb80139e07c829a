"""Volumes of a store: each an OME-Zarr image (z, y, x) with the other arrays of its reconstruction beside it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import StoreError, UnknownNameError
from nanospa.io import ome_zarr, store_table
from nanospa.schema.store import ATTRIBUTES, VOLUMES
from nanospa.schema.volumes import VARIABLES

if TYPE_CHECKING:
    import xarray as xr

#: The dimension `image` of a reconstruction is `particle` in a store, where the volume itself is the array ``image``.
_IN_STORE = {"image": "particle"}
#: Rows of the particle table, one an image.
PARTICLE = "particle"
DIMS = ("z", "y", "x")


class Volumes:
    """The reconstructions under ``volumes`` of a store."""

    def __init__(self, path: Path, root: Any) -> None:
        self.path, self.root = path, root

    def names(self) -> list[str]:
        """Names of the reconstructions there are.

        Returns
        -------
        list of str
        """
        return sorted(name for name, _ in self.root[VOLUMES].groups()) if VOLUMES in self.root else []

    def __contains__(self, name: object) -> bool:
        return f"{VOLUMES}/{name}" in self.root

    def write(self, name: str, dataset: xr.Dataset) -> None:
        """Write a reconstruction, in place of one of that name; a process killed meanwhile leaves the old one, the new one or none.

        Parameters
        ----------
        name : str
            Its name.
        dataset : xarray.Dataset
            As `nanospa.schema.volumes` has it: `volume` and whatever else; attributes are numbers, text, lists.

        Raises
        ------
        StoreError
            There is no `volume`, or it cannot be written.
        """
        import zarr

        if dataset.get("volume") is None or dataset["volume"].dims != DIMS:
            raise StoreError(
                f"volumes/{name}: expected a Dataset with a volume (z, y, x), found {', '.join(map(str, dataset)) or 'nothing'}"
            )
        fresh, final = self.path / f"{store_table.NEW}{VOLUMES}-{name}", self.path / VOLUMES / name
        try:
            self.root.require_group(VOLUMES)
            shutil.rmtree(fresh, ignore_errors=True)
            size = float(dataset.attrs["pixel_size_nm"])
            attributes = {
                **ome_zarr.image_attributes(DIMS, (size, size), name=name),
                ATTRIBUTES: {str(key): _plain(value) for key, value in dataset.attrs.items()},
            }
            group = zarr.open_group(str(fresh), mode="w", zarr_format=3, attributes=attributes)
            for key, variable in dataset.variables.items():
                path = ome_zarr.ARRAY if key == "volume" else str(key)
                dims = [_IN_STORE.get(str(dim), str(dim)) for dim in variable.dims]
                store_table.write_column(group, path, variable.to_numpy(), dims, _described(str(key), variable.attrs))
            self.remove(name)
            fresh.replace(final)
        except OSError as error:
            raise StoreError(f"{self.path}: volume {name!r} cannot be written ({error})") from error

    def read(self, name: str) -> xr.Dataset:
        """A reconstruction, in memory.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        xarray.Dataset
            As `nanospa.reconstruct.reconstruct` gave it, and `particle`: the row of the particle table of each image.

        Raises
        ------
        UnknownNameError
            There is none of that name.
        StoreError
            It is damaged.
        """
        import xarray as xr

        if name not in self:
            raise UnknownNameError(f"{self.path}: expected a volume {name!r}, found {', '.join(self.names()) or 'none'}")
        group = self.root[f"{VOLUMES}/{name}"]
        back = {stored: dim for dim, stored in _IN_STORE.items()}
        variables = {}
        try:
            for key, array in group.arrays():
                values = np.asarray(array[...])
                dims = [back.get(dim, dim) for dim in array.metadata.dimension_names or ()]
                found = "volume" if key == ome_zarr.ARRAY else key
                variables[found] = (dims, values if values.dtype.kind in "buif" else values.astype(object), dict(array.attrs))
        except (ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"{self.path}: volume {name!r} is damaged ({type(error).__name__}: {error})") from error
        rank = {key: i for i, key in enumerate(VARIABLES)}
        ordered = {key: variables[key] for key in sorted(variables, key=lambda key: (rank.get(key, len(rank)), key))}
        attributes = {key: math.nan if value is None else value for key, value in self.attributes(name).items()}
        dataset = xr.Dataset(ordered, attrs=attributes)
        return dataset.set_coords([key for key in ("frequency",) if key in dataset])

    def attributes(self, name: str) -> dict[str, Any]:
        """Attributes of a reconstruction as they are kept; None where a number is not known.

        Parameters
        ----------
        name : str
            Its name.

        Returns
        -------
        dict
        """
        return dict(self.root[f"{VOLUMES}/{name}"].attrs.get(ATTRIBUTES, {}))

    def remove(self, name: str) -> None:
        """Remove a reconstruction, if there is one.

        Parameters
        ----------
        name : str
            Its name.
        """
        final = self.path / VOLUMES / name
        if final.exists():
            # Out of sight first: what is half removed must not look like a volume.
            gone = self.path / f"{store_table.NEW}{VOLUMES}-{name}-old"
            shutil.rmtree(gone, ignore_errors=True)
            final.replace(gone)
            shutil.rmtree(gone, ignore_errors=True)


def _described(name: str, attributes: Mapping[Any, Any]) -> dict[str, Any]:
    found = VARIABLES.get(name)
    own = {} if found is None else {"units": found.unit or "1", "long_name": found.meaning}
    return {**own, **{str(key): _plain(value) for key, value in attributes.items()}}


def _plain(value: Any) -> Any:
    """The same as JSON has it, without NaN."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
