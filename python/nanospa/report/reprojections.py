"""Images beside what the model says they should look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.report.canvas import canvas
from nanospa.report.palette import INK
from nanospa.report.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Images shown: from the best to the worst correlation.
SHOWN = 5


def reprojections(reconstruction: Any, images: Any = None, *, n: int = SHOWN) -> Figure:
    """Images from the best to the worst correlation, the reprojections of the model, and what is left.

    Reprojections are the volume seen in the orientation of the image, at its particle's size and place, fitted to the image by a factor and
    a constant. Image and reprojection share one grey scale; each residual has its own.

    Parameters
    ----------
    reconstruction : xarray.Dataset
        Variables `volume` (z, y, x), `rotations` (image, 3, 3), `shifts` (image, 2) [px], `correlation`, `scale` (image,).
    images : array_like of float, shape (image, y, x), optional
        The images; `reconstruction["images"]` by default.
    n : int
        Images shown.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        There is not one image an orientation.

    Examples
    --------
    >>> import numpy as np
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> ball = ns.simulate.volume("sphere", size_nm=10, voxel_size_nm=0.8)
    >>> poses = {"rotations": (("image", "detector", "axis"), np.eye(3)[None]), "shifts": (("image", "direction"), np.zeros((1, 2)))}
    >>> values = {"correlation": ("image", [1.0]), "scale": ("image", [1.0])}
    >>> made = xr.Dataset({"volume": (("z", "y", "x"), ball), **poses, **values})
    >>> len(ns.report.reprojections(made, ball.sum(axis=0)[None]).axes)
    3
    """
    stack = np.asarray(reconstruction["images"].values if images is None else images, np.float32)
    rotations = np.asarray(reconstruction["rotations"].values, float)
    if stack.ndim != 3 or len(stack) != len(rotations):
        raise ShapeError(f"images: expected (image, y, x) with {len(rotations)} images, found shape {stack.shape}")
    correlation = np.asarray(reconstruction["correlation"].values, float)
    order = np.argsort(-np.nan_to_num(correlation, nan=-1.0), kind="stable")
    rows = order[np.unique(np.linspace(0, order.size - 1, min(n, order.size)).round().astype(int))]
    seen = [stack[row] for row in rows]
    made = [_fitted(image, _reprojection(reconstruction, int(row), image.shape)) for image, row in zip(seen, rows, strict=True)]
    figure = canvas(1.45 * max(len(rows), 2) + 0.3, 4.75)
    grid = figure.subplots(3, len(rows), squeeze=False)
    for column, (row, image, model) in enumerate(zip(rows, seen, made, strict=True)):
        low, high = float(min(np.percentile(image, 0.5), model.min())), float(max(np.percentile(image, 99.8), model.max()))
        left = image - model
        limit = max(float(np.percentile(np.abs(left), 99.8)), 0.05 * (high - low), 1e-12)
        for axes, shown, scale in zip(
            grid[:, column],
            (image, model, left),
            (
                {"cmap": "gray", "vmin": low, "vmax": high},
                {"cmap": "gray", "vmin": low, "vmax": high},
                {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit},
            ),
            strict=True,
        ):
            axes.imshow(shown, interpolation="nearest", **scale)
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color="#C9CED6", linewidth=0.6)
        grid[0, column].set_title(f"{correlation[row]:.3f}", fontsize=10, color=INK, pad=3)
    for axes, name in zip(grid[:, 0], ("image", "reprojection", "residual"), strict=True):
        axes.set_ylabel(name, fontsize=10)
    size = reconstruction.attrs.get("pixel_size_nm")
    if size and np.isfinite(size):
        draw_scale_bar(grid[0, 0], (stack.shape[1], stack.shape[2]), float(size), font_size=7.5)
    return figure


def _reprojection(reconstruction: Any, row: int, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Projection of the volume in one image's pose, on that image's pixels."""
    from nanospa.reconstruct import project

    volume = np.asarray(reconstruction["volume"].values, np.float32)
    side = max(volume.shape)
    side += side % 2
    scale = float(reconstruction["scale"].values[row]) if "scale" in reconstruction else 1.0
    made = project(
        _about_centre(volume, (side,) * 3),
        reconstruction["rotations"].values[row : row + 1],
        shifts=reconstruction["shifts"].values[row : row + 1],
        scales=[scale if np.isfinite(scale) and scale > 0 else 1.0],
    )
    return _about_centre(made[0], shape)


def _about_centre(array: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Array cut or filled up with 0 to a shape, index n//2 staying in the centre."""
    before = [new // 2 - old // 2 for new, old in zip(shape, array.shape, strict=True)]
    after = [new - old - first for new, old, first in zip(shape, array.shape, before, strict=True)]
    filled = np.pad(array, [(max(first, 0), max(last, 0)) for first, last in zip(before, after, strict=True)])
    return filled[tuple(slice(max(-first, 0), max(-first, 0) + new) for first, new in zip(before, shape, strict=True))]


def _fitted(image: NDArray[np.float32], model: NDArray[np.float32]) -> NDArray[np.float64]:
    """The model times the factor, plus the constant, that come nearest to the image."""
    x, y = model.astype(float).ravel(), image.astype(float).ravel()
    slope = float(np.cov(x, y)[0, 1] / max(x.var(ddof=1), 1e-30))
    fitted: NDArray[np.float64] = slope * model + (y.mean() - slope * x.mean())
    return fitted
