"""Density against the distance from the centre: what is left to say of a sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import ShapeError
from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.palette import INK, PLAIN_COLOUR

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def radial_density(volume: Any, *, pixel_size_nm: float | None = None, level: float | None = None) -> Figure:
    """Mean density in shells about the centre, with its standard deviation within each shell.

    Parameters
    ----------
    volume : array_like of float, shape (z, y, x)
        Density; the centre is at index N//2.
    pixel_size_nm : float, optional
        Voxel size [nm]; distances are in voxels without it.
    level : float, optional
        Density of the surface, drawn as a line [-].

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        `volume` is not 3D.

    Examples
    --------
    >>> import nanospa as ns
    >>> ball = ns.simulate.volume("sphere", size_nm=10, voxel_size_nm=0.8)
    >>> ns.report.radial_density(ball, pixel_size_nm=0.8).axes[0].get_xlabel()
    'distance from the centre [nm]'
    """
    data = np.asarray(volume, np.float64)
    if data.ndim != 3:
        raise ShapeError(f"volume: expected (z, y, x), found shape {data.shape}")
    offsets = np.meshgrid(*(np.arange(n) - n // 2 for n in data.shape), indexing="ij")
    shell = np.rint(np.sqrt(sum(o.astype(float) ** 2 for o in offsets))).astype(int)
    n = min(data.shape) // 2
    inside = shell < n
    counts = np.bincount(shell[inside], minlength=n)
    mean = np.bincount(shell[inside], data[inside], n) / counts
    spread = np.sqrt(np.maximum(np.bincount(shell[inside], data[inside] ** 2, n) / counts - mean**2, 0))
    size = pixel_size_nm or 1.0
    radius = np.arange(n) * size
    figure = canvas()
    axes = figure.subplots()
    axes.fill_between(
        radius, mean - spread, mean + spread, color=PLAIN_COLOUR, alpha=0.2, linewidth=0, label="standard deviation in a shell"
    )
    axes.plot(radius, mean, color=PLAIN_COLOUR, linewidth=2.0, label="mean")
    if level is not None and np.isfinite(level):
        axes.axhline(level, color=INK, linewidth=0.8, linestyle=(0, (4, 3)), label="level of the surface")
    axes.set(xlabel=f"distance from the centre [{'nm' if pixel_size_nm else 'voxel'}]", ylabel="density", xlim=(0, radius[-1]))
    axes.legend(frameon=False, fontsize=9)
    plain_axes(axes)
    return figure
