"""Arrays at the edge: what is accepted, and the one decorator that lets every stage take a DataArray."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import DtypeError, InvalidValueError, NonFiniteError, PixelSizeError, ShapeError

P = ParamSpec("P")
R = TypeVar("R")

#: Pixel dtypes the kernels take as they are.
KERNEL_DTYPES = ("uint8", "uint16", "float32", "float64")


def as_image(array: Any, name: str = "image", *, ndim: int | tuple[int, ...] = 2, finite: bool = True) -> NDArray[Any]:
    """Check an image and return it in a dtype the kernels take, without a copy where possible.

    Parameters
    ----------
    array : array_like of any real dtype, shape (y, x) or the rank `ndim` says
        bool becomes uint8; other integers become uint16 where they fit, else float64; float16 becomes float32; byte order becomes native.
    name : str
        Name of the argument, for messages.
    ndim : int or tuple of int
        Accepted ranks.
    finite : bool
        Whether to refuse NaN and infinity.

    Returns
    -------
    numpy.ndarray of uint8, uint16, float32 or float64
        Same shape as `array`.

    Raises
    ------
    ShapeError
        Wrong rank.
    DtypeError
        Complex, object, string or time values, or an array that dask has yet to compute.
    NonFiniteError
        NaN or infinity in the array; the message has the first position.
    """
    _refuse_chunked(array, name)
    image = np.asarray(array)
    ranks = (ndim,) if isinstance(ndim, int) else ndim
    if image.ndim not in ranks:
        expected = " or ".join(f"{n}D" for n in ranks)
        raise ShapeError(f"{name}: expected a {expected} array, found {image.ndim}D with shape {image.shape}")
    if image.dtype.kind not in "buif":
        raise DtypeError(f"{name}: expected real numbers, found dtype {image.dtype}")
    image = _native(image)
    if finite and image.dtype.kind == "f":
        _refuse_non_finite(image, name)
    return image


def as_labels(labels: Any, name: str = "labels", *, shape: tuple[int, ...] | None = None) -> NDArray[np.int32]:
    """Check a label image and return it as int32, without a copy where possible.

    Parameters
    ----------
    labels : array_like of int or bool, shape (y, x)
        0 is background.
    name : str
        Name of the argument, for messages.
    shape : tuple of int, optional
        Shape it must have: that of the image it belongs to.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)

    Raises
    ------
    ShapeError
        Not 2D, or not of `shape`.
    DtypeError
        Not integers, or an array that dask has yet to compute.
    InvalidValueError
        Negative labels, or labels above the int32 range.
    """
    _refuse_chunked(labels, name)
    array = np.asarray(labels)
    if array.ndim != 2:
        raise ShapeError(f"{name}: expected a 2D array, found {array.ndim}D with shape {array.shape}")
    if shape is not None and array.shape != tuple(shape):
        raise ShapeError(f"{name}: expected the image's shape {tuple(shape)}, found {array.shape}")
    if array.dtype.kind not in "bui":
        raise DtypeError(f"{name}: expected integers, found dtype {array.dtype}")
    if array.size and array.dtype.kind != "b":
        if array.dtype == np.int32 and int(array.view(np.uint32).max()) <= np.iinfo(np.int32).max:
            # One pass where all is well: as unsigned, negative numbers are the largest.
            return array
        low, high = int(array.min()), int(array.max())
        if low < 0 or high > np.iinfo(np.int32).max:
            raise InvalidValueError(f"{name}: expected labels 0 … 2147483647, found {low if low < 0 else high}")
    return array.astype(np.int32, copy=False)


def as_mask(mask: Any, name: str = "mask", *, ndim: int | tuple[int, ...] = 2) -> NDArray[np.bool_]:
    """Check a mask and return it as bool, without a copy where possible.

    Parameters
    ----------
    mask : array_like of bool or numbers, shape (y, x) or the rank `ndim` says
        Zero is background.
    name : str
        Name of the argument, for messages.
    ndim : int or tuple of int
        Accepted ranks.

    Returns
    -------
    numpy.ndarray of bool
        Same shape as `mask`.

    Raises
    ------
    ShapeError
        Wrong rank.
    DtypeError
        Object, string or time values, or an array that dask has yet to compute.
    """
    _refuse_chunked(mask, name)
    array = np.asarray(mask)
    ranks = (ndim,) if isinstance(ndim, int) else ndim
    if array.ndim not in ranks:
        expected = " or ".join(f"{n}D" for n in ranks)
        raise ShapeError(f"{name}: expected a {expected} array, found {array.ndim}D with shape {array.shape}")
    if array.dtype.kind not in "buif":
        raise DtypeError(f"{name}: expected bool or numbers, found dtype {array.dtype}")
    return array if array.dtype.kind == "b" else array != 0


def pixel_size_pair(pixel_size_nm: Any, name: str = "pixel_size_nm") -> tuple[float, float] | None:
    """Pixel size as (y, x), or None where it is unknown.

    Parameters
    ----------
    pixel_size_nm : float, (float, float) or None
        One size for both axes or a pair (y, x) [nm].
    name : str
        Name of the argument, for messages.

    Returns
    -------
    tuple of float or None
        Size along y and along x [nm].

    Raises
    ------
    PixelSizeError
        Not one or two finite numbers above 0.
    """
    if pixel_size_nm is None:
        return None
    try:
        sizes = np.asarray(pixel_size_nm, dtype=np.float64).ravel()
    except (TypeError, ValueError):
        sizes = np.empty(0)
    if sizes.size not in (1, 2) or not np.all(np.isfinite(sizes)) or np.any(sizes <= 0):
        raise PixelSizeError(f"{name}: expected a number > 0, a pair (y, x) of such, or None, found {pixel_size_nm!r}")
    return float(sizes[0]), float(sizes[-1])


def keeps_calibration(*names: str, dims: tuple[str, ...] | None = None) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Make a stage function accept an `xarray.DataArray` for the named arguments.

    The function itself sees numpy arrays. If the first named argument came as a DataArray, its ``pixel_size_nm`` attribute is handed
    on where the function has such a parameter and the caller left it out, and an array of the same shape in the result goes back as a
    DataArray with the same dimensions, coordinates and attributes, one of other `dims` as a DataArray with the pixel size.

    Parameters
    ----------
    *names : str
        Arguments that may be DataArrays; the first gives the calibration.
    dims : tuple of str, optional
        Dimensions of a result that has not the shape of the first argument but its pixels.

    Returns
    -------
    callable
        The decorator.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @functools.wraps(function)
        def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            # xarray not imported: nothing can be a DataArray, and the import (0.5 s) is spared.
            xarray = sys.modules.get("xarray")
            if xarray is None:
                return function(*args, **kwargs)
            bound = signature.bind(*args, **kwargs)
            template = None
            for name in names:
                value = bound.arguments.get(name)
                if isinstance(value, xarray.DataArray):
                    _refuse_chunked(value, name)
                    bound.arguments[name] = value.to_numpy()
                    if name == names[0]:
                        template = value
            if template is None:
                return function(*bound.args, **bound.kwargs)
            if "pixel_size_nm" in signature.parameters and bound.arguments.get("pixel_size_nm") is None:
                bound.arguments["pixel_size_nm"] = template.attrs.get("pixel_size_nm")

            def calibrated(value: Any) -> Any:
                if not isinstance(value, np.ndarray):
                    return value
                if dims is not None:
                    kept = {name: template.attrs[name] for name in ("pixel_size_nm",) if name in template.attrs}
                    return xarray.DataArray(value, dims=dims, attrs=kept)
                return template.copy(data=value) if value.shape == template.shape else value

            result: Any = function(*bound.args, **bound.kwargs)
            return tuple(map(calibrated, result)) if type(result) is tuple else calibrated(result)  # type: ignore[return-value]

        return wrapper

    return decorate


def _native(image: NDArray[Any]) -> NDArray[Any]:
    if image.dtype.byteorder not in "=|":
        image = image.astype(image.dtype.newbyteorder("="))
    if image.dtype.name in KERNEL_DTYPES:
        return image
    if image.dtype.kind == "b":
        return image.view(np.uint8)
    if image.dtype.kind == "f":
        return image.astype(np.float32 if image.dtype.itemsize < 4 else np.float64)
    if image.size == 0 or (image.min() >= 0 and image.max() <= np.iinfo(np.uint16).max):
        return image.astype(np.uint16)
    return image.astype(np.float64)


def _refuse_non_finite(image: NDArray[Any], name: str) -> None:
    # The sum is finite unless an element is not or it overflows; only then is the slow search needed.
    with np.errstate(over="ignore", invalid="ignore"):
        total = image.sum()
    if np.isfinite(total):
        return
    bad = ~np.isfinite(image)
    if bad.any():
        index: Sequence[int] = np.unravel_index(int(bad.argmax()), image.shape)  # type: ignore[assignment]
        at = tuple(int(i) for i in index)
        raise NonFiniteError(f"{name}: expected finite pixels, found {image[at]} at {at} ({int(bad.sum())} in all)")


def _refuse_chunked(value: Any, name: str) -> None:
    # dask not imported: nothing can wait for it.
    dask = sys.modules.get("dask.base")
    if dask is not None and dask.is_dask_collection(value):
        kind = "DataArray" if hasattr(value, "dims") else "array"
        raise DtypeError(
            f"{name}: expected an array in memory, found a dask-backed {kind}; call .compute() first, "
            "or use nanospa.pipeline.run for images larger than memory"
        )
