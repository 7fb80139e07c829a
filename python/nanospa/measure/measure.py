"""The particle table of a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.measure.region_properties import region_properties
from nanospa.schema import keeps_calibration, pixel_size_pair
from nanospa.schema.particles import RADIUS, attributes

if TYPE_CHECKING:
    import xarray


@keeps_calibration("image", "labels", "background")
def measure(
    image: Any,
    labels: Any,
    *,
    pixel_size_nm: Any = None,
    background: Any = None,
    saturation: float | None = None,
    radial_bins: int = 16,
    threads: int | None = None,
) -> xarray.Dataset:
    """Particle table of a frame: one row a label, every column with its unit.

    Lengths in nm are measured with pixels of that size along each axis, so pixels need not be square; shape columns follow the geometry
    in nm where the pixel size is known. What each column means stands in `nanospa.schema.particles` and in the column's ``long_name``.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    labels : array_like of int, shape (y, x)
        Label image, 0 = background; labels need not be consecutive.
    pixel_size_nm : float or (float, float), optional
        Pixel size, or (y, x) [nm]; taken from the attributes of a DataArray where it is left out. Unknown: no columns in nm.
    background : float or array_like of real dtype, shape (y, x), optional
        Background level of the whole frame or an image of it [intensity]; None takes the ring around each particle, without the pixels
        of and next to its neighbours.
    saturation : float, optional
        Level at which the detector saturates [intensity]; None takes the greatest value of an integer dtype, and none for floats.
    radial_bins : int
        Rings of the radial profile.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    xarray.Dataset
        Variables of dimension ``particle`` in ascending order of the labels, and ``radial_profile`` (particle, radius); attributes
        ``units`` and ``long_name`` each.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError, PixelSizeError
        Arrays or pixel size that cannot be used.
    InvalidValueError
        `radial_bins` below 1, or a background or saturation that is no finite number.

    See Also
    --------
    nanospa.measure.region_properties : the same as plain arrays.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> y, x = np.mgrid[:64, :64]
    >>> labels = (np.hypot(y - 32, x - 32) < 20).astype(int)
    >>> table = ns.measure.measure(100.0 * labels + 10, labels, pixel_size_nm=0.2)
    >>> table.equivalent_diameter_nm.item()
    7.9628...
    >>> table.intensity_mean.item(), table.local_background.item(), table.area_nm2.units
    (110.0, 10.0, 'nm^2')
    """
    import xarray

    columns = region_properties(
        image,
        labels,
        pixel_size_nm=pixel_size_nm,
        background=background,
        saturation=saturation,
        radial_bins=radial_bins,
        threads=threads,
    )
    variables = {
        name: xarray.Variable(("particle", "radius") if values.ndim == 2 else "particle", values, attributes(name))
        for name, values in columns.items()
    }
    bins = columns["radial_profile"].shape[1]
    radius = xarray.Variable("radius", (np.arange(bins) + 0.5) / bins, attributes(RADIUS.name))
    size = pixel_size_pair(pixel_size_nm)
    attrs = {} if size is None else {"pixel_size_nm": size[0] if size[0] == size[1] else list(size)}
    return xarray.Dataset(variables, coords={"radius": radius}, attrs=attrs)
