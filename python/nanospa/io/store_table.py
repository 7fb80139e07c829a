"""Tables inside a store: one Zarr group a table, one array a column."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import StoreError
from nanospa.io.chunks import ZSTD_LEVEL
from nanospa.schema.store import ATTRIBUTES

if TYPE_CHECKING:
    import xarray as xr

#: Rows a chunk: columns of a million particles are eight files each, of a hundred particles one.
ROWS = 131072
#: Attribute with the columns in order: a folder has none.
COLUMNS = "columns"
NEW, OLD = ".new-", ".old-"


def write_table(root: Path, name: str, table: xr.Dataset, attributes: dict[str, Any]) -> None:
    """Replace a table as a whole: a reader sees the old one or the new one, never a mixture."""
    import zarr

    fresh, kept, final = root / (NEW + name), root / (OLD + name), root / name
    for path in (fresh, kept):
        shutil.rmtree(path, ignore_errors=True)
    group = zarr.open_group(str(fresh), mode="w", zarr_format=3)
    group.attrs[ATTRIBUTES] = {**attributes, COLUMNS: [str(name) for name in table.variables]}
    for column, variable in table.variables.items():
        write_column(group, str(column), variable.to_numpy(), [str(d) for d in variable.dims], dict(variable.attrs))
    if final.exists():
        final.replace(kept)
    fresh.replace(final)
    shutil.rmtree(kept, ignore_errors=True)


def write_column(group: Any, name: str, values: Any, dims: list[str], attributes: dict[str, Any]) -> None:
    """Write one column, in place of one of that name."""
    from zarr.codecs import Crc32cCodec, ZstdCodec

    values = np.asarray(values)
    text = values.dtype.kind in "OUT"
    if not text and values.dtype.kind not in "buif":
        raise StoreError(f"column {name!r}: expected numbers or text, found dtype {values.dtype}")
    array = group.create_array(
        name,
        shape=values.shape,
        chunks=tuple(max(1, min(ROWS, n)) for n in values.shape),
        dtype=str if text else values.dtype,
        compressors=[ZstdCodec(level=ZSTD_LEVEL), Crc32cCodec()],
        dimension_names=dims,
        attributes={key: value.item() if isinstance(value, np.generic) else value for key, value in attributes.items()},
        overwrite=True,
    )
    if values.size:
        array[...] = values.astype(object) if text else values


def read_table(group: Any, columns: Sequence[str] | None = None) -> xr.Dataset:
    """Table of a group, in memory."""
    import xarray as xr

    variables = {}
    attributes = dict(group.attrs.get(ATTRIBUTES, {}))
    rank = {name: i for i, name in enumerate(attributes.pop(COLUMNS, ()))}
    for name, array in sorted(group.arrays(), key=lambda each: (rank.get(each[0], len(rank)), each[0])):
        if columns is not None and name not in columns:
            continue
        values = np.asarray(array[...])
        if values.dtype.kind not in "buif":
            values = values.astype(object)
        variables[name] = (list(array.metadata.dimension_names or ()), values, dict(array.attrs))
    return xr.Dataset(variables, attrs=attributes)


def recover(root: Path) -> None:
    """Undo the half of a replacement that a killed process left behind."""
    for kept in root.glob(OLD + "*"):
        final = root / kept.name.removeprefix(OLD)
        if final.exists():
            shutil.rmtree(kept, ignore_errors=True)
        else:
            kept.replace(final)
    for fresh in root.glob(NEW + "*"):
        shutil.rmtree(fresh, ignore_errors=True)
