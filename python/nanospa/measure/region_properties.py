"""Properties of every region of a label image."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, ShapeError
from nanospa.schema import as_image, keeps_calibration, pixel_size_pair
from nanospa.schema.arrays import as_labels
from nanospa.schema.particles import measured


@keeps_calibration("image", "labels", "background")
def region_properties(
    image: Any,
    labels: Any,
    *,
    pixel_size_nm: Any = None,
    background: Any = None,
    saturation: float | None = None,
    radial_bins: int = 16,
    threads: int | None = None,
) -> dict[str, NDArray[Any]]:
    """Properties of every region as plain arrays; `nanospa.measure.measure` gives the same as a Dataset with units.

    The label image is read once, as runs of equal labels; all other work stays inside the bounding boxes. Lengths in nm are measured
    with pixels of that size along each axis, so pixels need not be square.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    labels : array_like of int, shape (y, x)
        Label image, 0 = background; labels need not be consecutive and a label may be in several pieces.
    pixel_size_nm : float or (float, float), optional
        Pixel size, or (y, x) [nm]; without it there are no columns in nm.
    background : float or array_like of real dtype, shape (y, x), optional
        Background level of the whole frame or an image of it [intensity]; None takes the ring around each region, without the pixels of
        and next to its neighbours.
    saturation : float, optional
        Level at which the detector saturates [intensity]; None takes the greatest value of an integer dtype, and none for floats.
    radial_bins : int
        Rings of the radial profile.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    dict of str to numpy.ndarray
        The columns of `nanospa.schema.particles.measured` by name, shape (particle,), and ``radial_profile``, shape (particle, radius).

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, PixelSizeError
        Arrays or pixel size that cannot be used.
    InvalidValueError
        `radial_bins` below 1, or a background or saturation that is no finite number.

    References
    ----------
    Perimeter: K. Benkrid, D. Crookes, Design and FPGA implementation of a perimeter estimator, IMVIP 2000. Crofton perimeter and Euler
    number: J. Ohser, F. Mücklich, Statistical Analysis of Microstructures in Materials Science, Wiley 2000. Invariants: M.-K. Hu, IRE
    Transactions on Information Theory 8, 179 (1962).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> labels = np.zeros((20, 20), int)
    >>> labels[5:9, 4:12] = 1
    >>> table = ns.measure.region_properties(labels * 7.0, labels, pixel_size_nm=0.5)
    >>> table["area_px"], table["area_nm2"], table["intensity_total"]
    (array([32]), array([8.]), array([224.]))
    """
    level = saturation_level(image, saturation)
    pixels = as_image(image)
    regions = as_labels(labels, shape=pixels.shape)
    size = pixel_size_pair(pixel_size_nm)
    constant, behind = background_level(background, pixels.shape)
    bins = int(radial_bins)
    if bins < 1:
        raise InvalidValueError(f"radial_bins: expected an integer >= 1, found {radial_bins!r}")
    rows, profile = _core.region_properties(pixels, regions, size, constant, behind, level, bins, _threads.resolve(threads))
    index = {name: i for i, name in enumerate(_core.region_property_names())}
    table: dict[str, NDArray[Any]] = {
        column.name: np.ascontiguousarray(rows[:, index[column.name]]).astype(column.dtype, copy=False)
        for column in measured(size is not None)
    }
    table["radial_profile"] = profile
    return table


def saturation_level(image: Any, saturation: float | None) -> float | None:
    """The given level, else the greatest value of an integer dtype of more than one bit, else None."""
    if saturation is not None:
        return _finite("saturation", saturation)
    dtype = np.asarray(image).dtype
    return float(np.iinfo(dtype).max) if dtype.kind in "ui" else None


def background_level(background: Any, shape: tuple[int, ...]) -> tuple[float | None, NDArray[np.float32] | None]:
    """The background as a level or as an image; neither for the ring around each region."""
    if background is None:
        return None, None
    if np.ndim(background) == 0:
        return _finite("background", background), None
    values = as_image(background, "background")
    if values.shape != shape:
        raise ShapeError(f"background: expected the image's shape {shape}, found {values.shape}")
    return None, values.astype(np.float32, copy=False)


def _finite(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not math.isfinite(number):
        raise InvalidValueError(f"{name}: expected a finite number, found {value!r}")
    return number
