"""The first images of each cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import ShapeError
from nanospa.report.canvas import canvas
from nanospa.report.contrast import display_limits, grey
from nanospa.report.palette import cluster_colour, cluster_name
from nanospa.report.scale_bar import draw_scale_bar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Images a cluster, as in the paper's figures.
IMAGES_PER_CLUSTER = 5
#: More clusters than this make a page nobody looks through.
MOST_CLUSTERS = 24


def cluster_gallery(
    images: Any, clusters: Any, *, particles: Any = None, members: Any = None, names: Any = None, pixel_size_nm: float | None = None
) -> Figure:
    """One row a cluster with its first five images, all on the same scale and grey range.

    Parameters
    ----------
    images : array_like of real dtype, shape (particle, y, x)
        Images of particles on one box size, in the order of the table.
    clusters : array_like of int, shape (particle,)
        Cluster of each; outliers (negative) are left out.
    particles : array_like of int, shape (particle,), optional
        Number of each particle, written above its image.
    members : mapping of int to int, optional
        Members of each cluster where `images` has only some of them.
    names : mapping of int to str, optional
        What to call each cluster.
    pixel_size_nm : float, optional
        Pixel size [nm]; the first image has a scale bar where it is known.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ShapeError
        `images` is not 3D or `clusters` has another length.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> figure = ns.report.cluster_gallery(np.random.default_rng(0).random((4, 8, 8)), [0, 0, 1, -1])
    >>> len(figure.axes)
    10
    """
    stack, groups = np.asarray(images), np.asarray(clusters)
    if stack.ndim != 3 or groups.shape != stack.shape[:1]:
        raise ShapeError(
            f"images: expected (particle, y, x) with one cluster a particle, found shape {stack.shape} and clusters of shape {groups.shape}"
        )
    numbers = np.arange(groups.size) if particles is None else np.asarray(particles)
    shown = [int(c) for c in np.unique(groups[groups >= 0])][:MOST_CLUSTERS]
    figure = canvas(5.6, max(1.0, 1.15 * len(shown)))
    if not shown:
        figure.text(0.5, 0.5, "no clusters", ha="center", va="center")
        return figure
    grid = np.atleast_2d(figure.subplots(len(shown), IMAGES_PER_CLUSTER, squeeze=False))
    limits = display_limits(stack.reshape(-1, stack.shape[-1])) if stack.size else (0.0, 1.0)
    for row, cluster in zip(grid, shown, strict=True):
        rows = np.flatnonzero(groups == cluster)
        count = rows.size if members is None else members[cluster]
        for place, axes in enumerate(row):
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=cluster_colour(cluster), linewidth=1.5)
            if place < rows.size:
                axes.imshow(grey(stack[rows[place]], limits), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                axes.set_title(str(int(numbers[rows[place]])), fontsize=6, pad=1.5)
            else:
                axes.spines[:].set_visible(False)
        row[0].set_ylabel(f"{cluster_name(cluster) if names is None else names[cluster]}\nn = {count:,}", fontsize=8)
    if pixel_size_nm is not None:
        draw_scale_bar(grid[0, 0], stack.shape[1:], float(pixel_size_nm), font_size=6.5)
    return figure
