"""Cut-outs of all particles on one box size."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import EmptyInputError, InvalidValueError
from nanospa.measure.region_properties import background_level
from nanospa.schema import as_image, keeps_calibration
from nanospa.schema.arrays import as_labels


@keeps_calibration("image", "labels", "background", dims=("particle", "y", "x"))
def particle_images(
    image: Any,
    labels: Any,
    *,
    box_px: int,
    masked: bool = True,
    background: Any = "local",
    subpixel: bool = True,
    threads: int | None = None,
) -> NDArray[np.float32]:
    """Images of all particles on one box size, centred on their centroids, background removed, at the frame's scale.

    The centroid lies at index ``box_px // 2`` of both axes. Particles larger than the box are cut off (`box_size` says what holds them).

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Frame.
    labels : array_like of int, shape (y, x)
        Label image, 0 = background.
    box_px : int
        Side of the box.
    masked : bool
        Whether everything outside the particle's own label is 0; otherwise neighbours and background stay, and only what lies outside
        the frame is 0.
    background : {"local", "none"}, float or array_like of real dtype, shape (y, x)
        What is subtracted [intensity]: the clipped mean of the ring around each particle, nothing, one level, or the particle's mean of
        a background image.
    subpixel : bool
        Whether to centre to a fraction of a pixel by cubic interpolation; otherwise to the nearest pixel, values as they are.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    numpy.ndarray of float32, shape (particle, y, x)
        In ascending order of the labels, the order of `measure`; a DataArray with the frame's ``pixel_size_nm`` where `image` is one.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        Arrays that cannot be used.
    InvalidValueError
        `box_px` out of range, or an unknown name for `background`.

    References
    ----------
    Interpolation: R. Keys, IEEE Transactions on Acoustics, Speech, and Signal Processing 29, 1153 (1981).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> labels = np.zeros((40, 40), int)
    >>> labels[10:15, 20:25] = 1
    >>> images = ns.measure.particle_images(50.0 * labels + 8, labels, box_px=16)
    >>> images.shape, images[0, 8, 8], images[0, 0, 0]
    ((1, 16, 16), np.float32(50.0), np.float32(0.0))
    """
    pixels = as_image(image)
    regions = as_labels(labels, shape=pixels.shape)
    if isinstance(background, str):
        if background not in ("local", "none"):
            raise InvalidValueError(f"background: expected 'local', 'none', a number or an image, found {background!r}")
        background = None if background == "local" else 0.0
    level, behind = background_level(background, pixels.shape)
    side = int(box_px)
    if side < 1:
        raise InvalidValueError(f"box_px: expected an integer >= 1, found {box_px!r}")
    return _core.particle_images(pixels, regions, side, bool(masked), level, behind, bool(subpixel), _threads.resolve(threads))


def box_size(table: Any, *, share: float = 0.99, margin_px: int = 4) -> int:
    """Side of the box that holds the particles of a table.

    Parameters
    ----------
    table : xarray.Dataset, pandas.DataFrame or mapping
        Particle table with centroids and bounding boxes.
    share : float
        Share of the particles it must hold [-]; below 1 so that a single aggregate does not set the size of all.
    margin_px : int
        Free pixels on each side.

    Returns
    -------
    int
        Even number of pixels.

    Raises
    ------
    EmptyInputError
        The table has no particle.
    InvalidValueError
        `share` outside 0 … 1.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> labels = np.zeros((40, 40), int)
    >>> labels[10:15, 20:31] = 1
    >>> ns.measure.box_size(ns.measure.region_properties(labels, labels))
    20
    """
    if not 0 < share <= 1:
        raise InvalidValueError(f"share: expected a number in (0, 1], found {share!r}")
    y, x = (np.asarray(table[f"centroid_{axis}_px"], dtype=np.float64) for axis in "yx")
    y0, x0, y1, x1 = (np.asarray(table[f"bbox_{edge}_px"], dtype=np.float64) for edge in ("y0", "x0", "y1", "x1"))
    if y.size == 0:
        raise EmptyInputError("table: expected at least one particle, found none")
    reach = np.max([y - y0, x - x0, y1 - 1 - y, x1 - 1 - x], axis=0) + 0.5
    needed = float(np.quantile(reach, share, method="inverted_cdf"))
    return 2 * math.ceil(needed + margin_px)
