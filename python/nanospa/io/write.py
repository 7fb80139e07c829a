"""Write image files."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from nanospa.errors import DtypeError, EmptyInputError, ShapeError, UnknownFormatError, UnreadableFileError
from nanospa.io.formats import TABLE, find
from nanospa.io.image_file import ImageFile
from nanospa.schema import pixel_size_pair


def write(array: Any, path: str | Path, *, pixel_size_nm: Any = None) -> None:
    """Write an image, stack or volume with its pixel size.

    Parameters
    ----------
    array : array_like or DataArray of real dtype, shape (y, x), (frame, y, x) or (z, y, x)
        Pixels; without named dimensions three axes are (frame, y, x).
    path : str or Path
        File; its extension chooses the format.
    pixel_size_nm : float, (float, float) or None
        Pixel size or a pair (y, x) [nm]; left out, the DataArray's attribute holds.

    Raises
    ------
    UnknownFormatError
        No format with this extension can be written.
    ShapeError, DtypeError, EmptyInputError
        The array is no image, or the format cannot hold it.
    UnreadableFileError
        The file cannot be written.

    Examples
    --------
    >>> import numpy as np, nanospa as ns, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "volume.mrc"
    >>> ns.io.write(np.zeros((8, 8), np.float32), path, pixel_size_nm=0.4)
    >>> round(ns.io.read(path).attrs["pixel_size_nm"], 6)
    0.4
    """
    path = Path(path)
    row = find(path)
    if not row.writes:
        writable = " ".join(e for r in TABLE if r.writes for e in r.extensions)
        raise UnknownFormatError(f"{path}: {row.name} is read but not written; use one of {writable}")
    dims: tuple[str, ...] | None = None
    xarray = sys.modules.get("xarray")
    if xarray is not None and isinstance(array, xarray.DataArray):
        dims = tuple(str(d) for d in array.dims)
        pixel_size_nm = array.attrs.get("pixel_size_nm") if pixel_size_nm is None else pixel_size_nm
        array = array.to_numpy()
    data = np.asarray(array)
    if data.ndim not in (2, 3):
        raise ShapeError(f"array: expected an image (y, x), a stack or a volume, found shape {data.shape}")
    if data.dtype.kind not in "buif":
        raise DtypeError(f"array: expected real numbers, found dtype {data.dtype}")
    if data.size == 0:
        raise EmptyInputError(f"array: expected an image with pixels, found shape {data.shape}")
    if dims is None or dims[-2:] != ("y", "x") or (len(dims) == 3 and dims[0] not in ("frame", "z")):
        dims = ("frame", "y", "x")[-data.ndim :]
    try:
        row.load().write(path, ImageFile(data, dims, pixel_size_pair(pixel_size_nm)))
    except OSError as error:
        if isinstance(error, UnreadableFileError):
            raise
        raise UnreadableFileError(f"{path}: cannot be written ({error})") from error
