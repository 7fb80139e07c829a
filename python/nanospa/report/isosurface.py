"""Shaded views of a reconstructed volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import ShapeError
from nanospa.report.canvas import canvas
from nanospa.report.palette import INK, PLAIN_COLOUR
from nanospa.report.ray_cast import Surface
from nanospa.report.scale_bar import bar_length_nm, bar_text
from nanospa.report.views import View, standard_views

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Empty rim of a picture, as a share of the model's radius.
RIM = 0.10
#: Side of a picture [px]: sharp at 2.4 inch in print and on a screen of high density.
SIZE_PX = 480


def isosurface(
    volume: Any,
    *,
    level: float | None = None,
    pixel_size_nm: float | None = None,
    symmetry: str = "C1",
    colour: str = PLAIN_COLOUR,
    views: Sequence[View] | None = None,
    half_width_nm: float | None = None,
) -> Figure:
    """Shaded views of the surface where a volume crosses a level.

    Parameters
    ----------
    volume : array_like of float, shape (z, y, x)
        Density; the centre is at index N//2.
    level : float, optional
        Density of the surface [-]; half of that inside by default.
    pixel_size_nm : float, optional
        Voxel size [nm]; the first view has a scale bar where it is known.
    symmetry : str
        Point group, whose axes are looked along.
    colour : str
        Colour of the surface.
    views : sequence of View, optional
        Other directions to look from.
    half_width_nm : float, optional
        Half the width of each picture, for models on one scale [nm, or voxels without pixel size]; as the model needs by default.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        `volume` is not 3D.

    References
    ----------
    Rays, shading: Levoy, IEEE Comput. Graph. Appl. 8 (1988) 29.

    Examples
    --------
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=10, voxel_size_nm=0.8)
    >>> figure = ns.report.isosurface(cube, level=0.5, pixel_size_nm=0.8, symmetry="O")
    >>> [axes.get_title() for axes in figure.axes]
    ['4-fold axis', '3-fold axis', '2-fold axis', 'oblique']
    """
    shown = list(standard_views(symmetry) if views is None else views)
    surface = surface_of(volume, level)
    half_width = (1 + RIM) * surface.radius if half_width_nm is None else half_width_nm / (pixel_size_nm or 1.0)
    figure = canvas(2.3 * len(shown), 2.75)
    grid = figure.subplots(1, len(shown), squeeze=False)[0]
    for axes, view in zip(grid, shown, strict=True):
        draw(axes, surface.picture(view.rotation, half_width=half_width, size_px=SIZE_PX, colour=colour))
        axes.set_title(view.name, fontsize=10, color=INK, pad=2)
    if pixel_size_nm is not None:
        draw_dark_bar(grid[0], 2 * half_width * pixel_size_nm)
    return figure


def surface_of(volume: Any, level: float | None = None) -> Surface:
    """The surface of a volume at a level; at half of the density inside where none is given.

    Parameters
    ----------
    volume : array_like of float, shape (z, y, x)
        Density.
    level : float, optional
        Level; also one that is not finite counts as none.

    Returns
    -------
    Surface

    Raises
    ------
    ShapeError
        `volume` is not 3D.
    """
    data = np.asarray(volume, np.float32)
    if data.ndim != 3:
        raise ShapeError(f"volume: expected (z, y, x), found shape {data.shape}")
    chosen = half_density(data) if level is None or not np.isfinite(level) else float(level)
    return Surface(data, chosen)


def half_density(volume: NDArray[np.float32]) -> float:
    """Half of the density inside: of the median of what is above half the peak.

    Parameters
    ----------
    volume : numpy.ndarray of float32, shape (z, y, x)
        Density.

    Returns
    -------
    float
    """
    return float(np.median(volume[volume >= volume.max() / 2])) / 2


def draw(axes: Any, picture: NDArray[np.uint8]) -> None:
    """Show a picture without frame.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes.
    picture : numpy.ndarray of uint8, shape (y, x, 4)
        RGBA.
    """
    axes.imshow(picture, interpolation="antialiased")
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def draw_dark_bar(axes: Any, width_nm: float) -> None:
    """A scale bar for white paper, under the picture.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes that show a picture.
    width_nm : float
        Width of the picture [nm].
    """
    length = bar_length_nm(width_nm)
    axes.plot(
        [0.02, 0.02 + length / width_nm],
        [-0.02, -0.02],
        transform=axes.transAxes,
        color=INK,
        linewidth=2.2,
        solid_capstyle="butt",
        clip_on=False,
    )
    axes.text(0.02, -0.04, bar_text(length), transform=axes.transAxes, ha="left", va="top", fontsize=9, color=INK)
