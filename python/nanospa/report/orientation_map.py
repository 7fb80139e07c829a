"""Where in the asymmetric unit the particles were seen from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import canvas
from nanospa.report.palette import INK

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Directions, with their equivalents, that a place's density is taken from, and the least width of that smoothing [deg].
_COUNTED, _LEAST_DEG = 30, 4.0
#: Places along the longer side of the map at which the density is worked out; it is smooth over several of them.
_FINE = 90
#: The scale ends here unless the densest place exceeds it.
_DENSEST = 2.5


def orientation_map(rotations: Any, symmetry: str = "C1") -> Figure:
    """View directions in the asymmetric unit, in stereographic projection, over their density.

    Opposite directions give mirror images of each other and are not told apart. The density is smoothed as far as the number of images asks
    for, and is 1 everywhere where all directions are equally frequent.

    Parameters
    ----------
    rotations : array_like of float, shape (image, 3, 3)
        Orientations, p_image = R p_volume.
    symmetry : str
        Point group of the particle.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    UnknownNameError, ShapeError, InvalidValueError
        No such group; not rotations.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> seen = [ns.simulate.random_rotation(np.random.default_rng(i)) for i in range(50)]
    >>> figure = ns.report.orientation_map(seen, "O")
    >>> len(figure.axes)
    2
    """
    from matplotlib.path import Path

    from nanospa.reconstruct import Symmetry, folded_directions

    group = Symmetry.of(symmetry)
    directions = folded_directions(rotations, group)
    outline = _outline(group)
    border = _flat(outline)
    low, high = border.min(axis=0), border.max(axis=0)
    step = float((high - low).max()) / _FINE
    x, y = (np.arange(a - step, b + 2 * step, step) for a, b in zip(low, high, strict=True))
    density = _density(_lifted(*np.meshgrid(x, y)), directions, group)
    figure = canvas(4.4, 3.3)
    axes = figure.subplots()
    top = max(_DENSEST, float(density.max()))
    extent = (x[0] - step / 2, x[-1] + step / 2, y[0] - step / 2, y[-1] + step / 2)
    shown = axes.imshow(density, origin="lower", extent=extent, cmap="Blues", vmin=0, vmax=top, interpolation="bilinear")
    shown.set_clip_path(Path(np.vstack([border, border[:1]])), axes.transData)
    axes.plot(*np.vstack([border, border[:1]]).T, color=INK, linewidth=1.0, zorder=3)
    axes.plot(*_flat(directions).T, "o", color=INK, markersize=3.2, markeredgecolor="white", markeredgewidth=0.5, zorder=4, clip_on=False)
    middle = border.mean(axis=0)
    for name, corner in _corners(group):
        at = _flat(corner[None])[0]
        away = (at - middle) / max(float(np.hypot(*(at - middle))), 1e-9)
        side = "center" if abs(away[0]) < 0.35 else "left" if away[0] > 0 else "right"
        axes.annotate(
            name, at, 7 * away, textcoords="offset points", ha=side, va="bottom" if away[1] > 0.2 else "top", fontsize=9, color=INK
        )
    axes.set_aspect("equal")
    axes.set_axis_off()
    room = float((high - low).max())
    axes.set(xlim=(low[0] - 0.17 * room, high[0] + 0.17 * room), ylim=(low[1] - 0.09 * room, high[1] + 0.09 * room))
    bar = figure.colorbar(shown, ax=axes, shrink=0.75, pad=0.03)
    bar.set_label("density over that of even coverage [-]", fontsize=9)
    bar.ax.tick_params(labelsize=9)
    bar.outline.set_visible(False)
    return figure


def _density(places: NDArray[np.float64], directions: NDArray[np.float64], group: Any) -> NDArray[np.float64]:
    """Density of directions, with all that are equivalent to them, over that of as many spread evenly."""
    same = np.einsum("hij,nj->hni", group.both_ways, directions).reshape(-1, 3)
    # Of a von Mises-Fisher kernel exp(κ (cos - 1)), whose mean over the sphere is about 1/(2 κ).
    kappa = min(max(len(same) / _COUNTED, 2.0), 1 / np.radians(_LEAST_DEG) ** 2)
    even = len(same) * (1 - np.exp(-2 * kappa)) / (2 * kappa)
    density = np.zeros(places.shape[:-1])
    for row, line in enumerate(places):
        density[row] = np.exp(kappa * (np.minimum(line @ same.T, 1) - 1)).sum(axis=-1) / max(even, 1e-12)
    return density


def _outline(group: Any) -> NDArray[np.float64]:
    """Border of the region that `folded_directions` folds into, as unit vectors in order."""
    n = int(group.name[1:] or 0)
    z = np.array([0.0, 0, 1])
    if group.name == "T":
        return _arcs(np.array([z, [1, 0, 1], [1, 1, 1], [0, 1, 1]], float))
    if group.name[0] == "C":
        equator = _equator(0, 2 * np.pi / n)
        return equator if n == 1 else np.vstack([_arcs(np.array([z, equator[0]]))[:-1], equator, _arcs(np.array([equator[-1], z]))[:-1]])
    if group.name[0] == "D" and n % 2:
        equator = _equator(-np.pi / 2 / n, np.pi / 2 / n)
        return np.vstack([_arcs(np.array([z, equator[0]]))[:-1], equator, _arcs(np.array([equator[-1], z]))[:-1]])
    return _arcs(group.corners[np.argsort([-fold for fold in group.folds], kind="stable")])


def _equator(start: float, stop: float) -> NDArray[np.float64]:
    angles = np.linspace(start, stop, 121)
    return np.stack([np.cos(angles), np.sin(angles), np.zeros_like(angles)], axis=1)


def _arcs(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Great circles from corner to corner, back to the first."""
    weights = np.linspace(0, 1, 40, endpoint=False)[:, None]
    unit = corners / np.linalg.norm(corners, axis=1, keepdims=True)
    points = np.vstack([(1 - weights) * a + weights * b for a, b in zip(unit, np.roll(unit, -1, axis=0), strict=True)])
    return np.asarray(points / np.linalg.norm(points, axis=1, keepdims=True))


def _corners(group: Any) -> list[tuple[str, NDArray[np.float64]]]:
    """Axes to be named on the map."""
    z = np.array([0.0, 0, 1])
    if group.name[0] == "C":
        return [("z" if group.name == "C1" else f"{group.name[1:]}-fold", z)]
    if group.name == "T":
        return [("2-fold", z), ("3-fold", np.array([1.0, 1, 1]) / np.sqrt(3))]
    if group.name[0] == "D" and int(group.name[1:]) % 2:
        return [(f"{group.name[1:]}-fold", z), ("2-fold", np.array([1.0, 0, 0]))]
    return [(f"{fold}-fold", corner) for fold, corner in zip(group.folds, group.corners, strict=True)]


def _flat(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Stereographic projection from -z."""
    return np.asarray(directions[:, :2] / (1 + directions[:, 2:]))


def _lifted(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    """Its inverse."""
    square = x**2 + y**2
    return np.stack([2 * x, 2 * y, 1 - square], axis=-1) / (1 + square)[..., None]
