"""All models of a run on one scale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import canvas
from nanospa.report.isosurface import RIM, draw, draw_dark_bar, surface_of
from nanospa.report.palette import INK, cluster_colour
from nanospa.report.verdict_words import VERDICT_COLOURS, VERDICTS
from nanospa.report.views import standard_views

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Models in a gallery; more are cut off.
MOST_MODELS = 24
#: Models beside each other.
_ACROSS = 4
#: Side of a picture [px].
SIZE_PX = 440


def model_gallery(reconstructions: Mapping[str, Any]) -> Figure:
    """Oblique view of every model, all on one scale, with its name and verdict.

    Parameters
    ----------
    reconstructions : mapping of str to xarray.Dataset
        Reconstructions by name: `volume` (z, y, x), attributes `pixel_size_nm`, `level`, `verdict`, `cluster`.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> ball = ns.simulate.volume("sphere", size_nm=10, voxel_size_nm=0.8)
    >>> made = xr.Dataset({"volume": (("z", "y", "x"), ball)}, attrs={"pixel_size_nm": 0.8, "verdict": "sphere"})
    >>> ns.report.model_gallery({"cluster_000": made}).axes[0].get_title()
    'cluster 0'
    """
    pictures, width_nm = gallery_pictures(reconstructions)
    n = max(len(pictures), 1)
    across = min(n, _ACROSS)
    figure = canvas(2.3 * across, 2.95 * -(-n // across))
    grid = figure.subplots(-(-n // across), across, squeeze=False).ravel()
    for axes in grid[len(pictures) :]:
        axes.set_axis_off()
    for axes, (name, picture) in zip(grid, pictures.items(), strict=False):
        attributes = reconstructions[name].attrs
        draw(axes, picture)
        axes.set_title(model_name(name), fontsize=10.5, color=INK, pad=2)
        verdict = str(attributes.get("verdict", ""))
        said = VERDICTS.get(verdict, (verdict, ""))[0].lower()
        axes.set_xlabel(said, fontsize=9.5, color=VERDICT_COLOURS.get(verdict, INK), labelpad=12)
    if pictures:
        draw_dark_bar(grid[0], width_nm)
    return figure


def gallery_pictures(reconstructions: Mapping[str, Any]) -> tuple[dict[str, NDArray[np.uint8]], float]:
    """Pictures of the models on one scale.

    Parameters
    ----------
    reconstructions : mapping of str to xarray.Dataset
        Reconstructions by name.

    Returns
    -------
    dict of str to numpy.ndarray of uint8, shape (y, x, 4)
        RGBA, at most `MOST_MODELS`.
    float
        Width of each picture [nm].
    """
    surfaces, sizes, colours = {}, {}, {}
    for name, made in list(reconstructions.items())[:MOST_MODELS]:
        surfaces[name] = surface_of(made["volume"].values, _level(made.attrs))
        sizes[name] = float(made.attrs.get("pixel_size_nm") or 1.0)
        colours[name] = model_colour(name, made.attrs)
    half_nm = max(((1 + RIM) * surfaces[name].radius * sizes[name] for name in surfaces), default=1.0)
    oblique = standard_views("C1")[-1].rotation
    made_of = {
        name: surface.picture(oblique, half_width=half_nm / sizes[name], size_px=SIZE_PX, colour=colours[name])
        for name, surface in surfaces.items()
    }
    return made_of, 2 * half_nm


def model_name(name: str) -> str:
    """Name of a model for a reader.

    Parameters
    ----------
    name : str
        Such as ``cluster_003``.

    Returns
    -------
    str
        Such as ``cluster 3``.
    """
    head, _, number = name.rpartition("_")
    return f"{head.replace('_', ' ')} {int(number)}" if head and number.isdigit() else name.replace("_", " ")


def model_colour(name: str, attributes: Mapping[str, Any]) -> str:
    """Colour of a model: that of its cluster.

    Parameters
    ----------
    name : str
        Such as ``cluster_003``.
    attributes : mapping of str to object
        Attributes of the reconstruction; `cluster` is taken where it is there.

    Returns
    -------
    str
        Hexadecimal RGB.
    """
    number = attributes.get("cluster")
    if number is None:
        last = name.rpartition("_")[2]
        number = int(last) if last.isdigit() else 0
    return cluster_colour(int(number))


def _level(attributes: Mapping[str, Any]) -> float | None:
    level = attributes.get("level")
    return None if level is None else float(level)
