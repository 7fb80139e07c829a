"""One particle: its image, its outline, every property."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas
from nanospa.report.contrast import grey
from nanospa.report.palette import PLAIN_COLOUR, cluster_colour
from nanospa.report.scale_bar import draw_scale_bar
from nanospa.schema import as_image, pixel_size_pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Lines of properties in one column of the card.
_LINES = 24


def particle_card(
    image: Any,
    outlines: Sequence[Any],
    properties: Mapping[str, str],
    *,
    cluster: int | None = None,
    pixel_size_nm: Any = None,
    title: str = "",
) -> Figure:
    """Card of a particle: image with outline on the left, properties on the right.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Part of the frame around the particle.
    outlines : sequence of array_like of float, shape (point, 2) each
        Outlines (y, x) of the particle in that part [px].
    properties : mapping of str to str
        Name with unit, and value, of every property to print.
    cluster : int, optional
        Cluster, negative = outlier.
    pixel_size_nm : float, (float, float) or None
        Pixel size or a pair (y, x) of them [nm]; a scale bar is drawn where it is known.
    title : str
        Text above the image.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> square = np.array([[1, 1], [1, 5], [5, 5], [5, 1], [1, 1]])
    >>> figure = ns.report.particle_card(np.eye(8), [square], {"area [px]": "16"}, cluster=0)
    >>> len(figure.axes)
    2
    """
    pixels = as_image(image, finite=False)
    lines = list(properties.items())
    n_columns = max(1, -(-len(lines) // _LINES))
    figure = canvas(3.4 + 2.6 * n_columns, 3.8)
    axes, text = figure.subplots(1, 2, width_ratios=[3.4, 2.6 * n_columns])
    pair = pixel_size_pair(pixel_size_nm)
    axes.imshow(grey(pixels), cmap="gray", vmin=0, vmax=255, interpolation="nearest", aspect=1.0 if pair is None else pair[0] / pair[1])
    for outline in outlines:
        y, x = np.asarray(outline, float).T
        axes.plot(x, y, color=PLAIN_COLOUR if cluster is None else cluster_colour(cluster), linewidth=1.8)
    height, width = pixels.shape
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    axes.set_title(title, fontsize=9, parse_math=False)
    if pair is not None:
        draw_scale_bar(axes, (height, width), pair[1])
    text.set_axis_off()
    for i, (name, value) in enumerate(lines):
        column, line = divmod(i, _LINES)
        at = (column / n_columns, 1 - (line + 0.5) / _LINES)
        text.text(*at, f"{name}", transform=text.transAxes, fontsize=6.5, va="center", parse_math=False)
        text.text(
            (column + 0.95) / n_columns, at[1], value, transform=text.transAxes, fontsize=6.5, va="center", ha="right", parse_math=False
        )
    return figure
