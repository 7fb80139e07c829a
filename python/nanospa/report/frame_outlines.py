"""A frame with the outlines of its particles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.report.canvas import canvas
from nanospa.report.contrast import grey
from nanospa.report.palette import PLAIN_COLOUR, cluster_colour
from nanospa.report.scale_bar import draw_scale_bar
from nanospa.schema import as_image, pixel_size_pair

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Longest side of the figure [inch].
_LONGEST_INCH = 7.0


def frame_outlines(
    image: Any, outlines: Sequence[Any], *, clusters: Any = None, pixel_size_nm: Any = None, numbers: Any = None, title: str = ""
) -> Figure:
    """A frame in grey with the outline of every particle in the colour of its cluster.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Frame.
    outlines : sequence of array_like of float, shape (point, 2) each
        Outlines (y, x) [px], as `nanospa.measure.outlines` gives them.
    clusters : array_like of int, shape (particle,), optional
        Cluster of each outline, negative = outlier; one colour for all without it.
    pixel_size_nm : float, (float, float) or None
        Pixel size or a pair (y, x) of them [nm]; a scale bar is drawn where it is known.
    numbers : array_like of int, shape (particle,), optional
        Number to write at each outline.
    title : str
        Text above the frame.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> square = np.array([[1, 1], [1, 5], [5, 5], [5, 1], [1, 1]])
    >>> figure = ns.report.frame_outlines(np.zeros((8, 8)), [square], clusters=[0], pixel_size_nm=0.5)
    >>> len(figure.axes)
    1
    """
    from matplotlib.collections import LineCollection
    from matplotlib.patheffects import Normal, Stroke

    pixels = as_image(image, finite=False)
    height, width = pixels.shape
    pair = pixel_size_pair(pixel_size_nm)
    scale = _LONGEST_INCH / max(height, width, 1)
    figure = canvas(max(1.5, width * scale), max(1.5, height * scale) + (0.3 if title else 0.0))
    axes = figure.add_subplot()
    axes.imshow(grey(pixels), cmap="gray", vmin=0, vmax=255, interpolation="antialiased", aspect=1.0 if pair is None else pair[0] / pair[1])
    colours = [
        PLAIN_COLOUR if clusters is None else cluster_colour(int(c)) for c in (np.arange(len(outlines)) if clusters is None else clusters)
    ]
    lines = LineCollection([np.asarray(o, float)[:, ::-1] for o in outlines], colors=colours, linewidths=1.4)
    # A dark rim under the line keeps every colour visible on bright and on dark ground.
    lines.set_path_effects([Stroke(linewidth=2.6, foreground="black", alpha=0.7), Normal()])
    axes.add_collection(lines)
    if numbers is not None:
        for outline, number in zip(outlines, numbers, strict=True):
            y, x = np.asarray(outline, float).mean(axis=0)
            axes.text(x, y, str(number), color="white", fontsize=7, ha="center", va="center")
    axes.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5), xticks=[], yticks=[])
    if pair is not None:
        draw_scale_bar(axes, (height, width), pair[1])
    if title:
        axes.set_title(title, fontsize=9, parse_math=False)
    return figure
