"""Where an acquisition went: surveys on the stage, the path between them, what became of their tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.report.canvas import canvas, plain_axes
from nanospa.report.contrast import grey
from nanospa.report.palette import INK, TILE_COLOURS
from nanospa.report.quantity import texts

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Longest side of the map [inch].
_LONGEST_INCH = 6.4
#: Positions that are numbered; more would cover the map.
_MOST_NUMBERS = 60


def stage_map(tiles: Any, surveys: Any = None, events: Any = None, pictures: Sequence[Any] | None = None) -> Figure:
    """Map of an acquisition in stage coordinates: y goes down, as the rows of an image do.

    Parameters
    ----------
    tiles : xarray.Dataset or None
        Table of the tiles, as `nanospa.acquire.event_tables` gives it.
    surveys : xarray.Dataset, optional
        Table of the surveys: their outlines.
    events : xarray.Dataset, optional
        Table of the events: the path, and positions that were skipped.
    pictures : sequence of array_like of real dtype, shape (y, x) each, optional
        Picture of each survey, or None for a survey without one, drawn under the tiles.

    Returns
    -------
    matplotlib.figure.Figure

    Examples
    --------
    >>> import xarray as xr
    >>> import nanospa as ns
    >>> columns = {"stage_y_um": [0.1], "stage_x_um": [0.1], "height_um": [0.2], "width_um": [0.2], "state": ["imaged"]}
    >>> tiles = xr.Dataset({name: ("row", values) for name, values in columns.items()})
    >>> ns.report.stage_map(tiles).axes[0].get_xlabel()
    'stage x [µm]'
    """
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Patch, Rectangle
    from matplotlib.patheffects import Normal, Stroke

    boxes = [b for table in (tiles, surveys) if (b := rectangles(table)) is not None]
    (path, numbers), missed = stage_path(events, surveys), skipped_positions(events)
    corners = [np.concatenate([b[:, :2], b[:, :2] + b[:, 2:]]) for b in boxes]
    points = np.concatenate([*corners, path, missed, np.empty((0, 2))])
    points = points[np.isfinite(points).all(axis=1)]
    low, high = (points.min(axis=0), points.max(axis=0)) if len(points) else (np.zeros(2), np.ones(2))
    margin = 0.04 * max(float((high - low).max()), 1e-3)
    extent = high - low + 2 * margin
    scale = _LONGEST_INCH / float(extent.max())
    figure = canvas(max(3.6, extent[1] * scale + 0.7), max(2.4, extent[0] * scale + 1.0))
    axes = figure.add_subplot()
    axes.set(xlabel="stage x [µm]", ylabel="stage y [µm]", aspect="equal")
    axes.set(xlim=(low[1] - margin, high[1] + margin), ylim=(high[0] + margin, low[0] - margin))
    plain_axes(axes)
    outlines = rectangles(surveys)
    if outlines is not None:
        for box, picture in zip(outlines, pictures or (), strict=False):
            if picture is not None and np.isfinite(box).all():
                edges = (box[1], box[1] + box[3], box[0] + box[2], box[0])
                axes.imshow(grey(np.asarray(picture)), extent=edges, cmap="gray", vmin=0, vmax=255, interpolation="antialiased", zorder=1)
        drawn = [Rectangle((b[1], b[0]), b[3], b[2]) for b in outlines if np.isfinite(b).all()]
        axes.add_collection(
            PatchCollection(drawn, facecolor="none", edgecolor=INK if not pictures else "#FFFFFFB0", linewidth=1.0, zorder=4)
        )
    handles: list[Any] = []
    for state, rows in by_state(tiles).items():
        cells = rectangles(tiles)
        assert cells is not None  # there are rows
        drawn = [Rectangle((b[1], b[0]), b[3], b[2]) for b in cells[rows] if np.isfinite(b).all()]
        look: dict[str, Any] = {"facecolor": (TILE_COLOURS[state], fill_of(state)), "edgecolor": TILE_COLOURS[state], "linewidth": 0.8}
        axes.add_collection(PatchCollection(drawn, zorder=2 if state == "empty" else 3, **look))
        handles.append(Patch(label=f"{state} ({rows.size:,})", **look))
    if len(path):
        # A light rim: the path crosses dark pictures and the white of the page.
        rim = [Stroke(linewidth=2.6, foreground="white"), Normal()]
        line: dict[str, Any] = {"color": INK, "linewidth": 1.0, "marker": "o", "markersize": 3.5, "zorder": 5}
        handles += axes.plot(path[:, 1], path[:, 0], label="path of the stage", path_effects=rim, **line)
        letters: dict[str, Any] = {
            "fontsize": 8,
            "color": INK,
            "path_effects": [Stroke(linewidth=2.2, foreground="white"), Normal()],
            "zorder": 6,
        }
        for number, (y, x) in zip(numbers, path, strict=True):
            if number == numbers[0] or len(path) <= _MOST_NUMBERS:
                axes.annotate(str(number), (x, y), xytext=(4, 4), textcoords="offset points", **letters)
    if len(missed):
        mark: dict[str, Any] = {"color": TILE_COLOURS["skipped"], "markersize": 9, "markeredgecolor": "white", "linestyle": "none"}
        handles += axes.plot(missed[:, 1], missed[:, 0], "X", zorder=6, label=f"positions skipped ({len(missed):,})", **mark)
    if handles:
        figure.legend(handles=handles, loc="outside upper center", ncols=3, fontsize=8, frameon=False)
    return figure


def fill_of(state: str) -> float:
    """How much of what lies under a tile its colour hides.

    Parameters
    ----------
    state : str
        What became of the tile.

    Returns
    -------
    float
        Opacity, 0 … 1 [-].
    """
    return {"imaged": 0.16, "empty": 0.06, "skipped": 0.45}.get(state, 0.3)


def by_state(tiles: Any) -> dict[str, NDArray[np.intp]]:
    """Rows of the tiles of each fate, in the order of the legend.

    Parameters
    ----------
    tiles : xarray.Dataset or None
        Table of the tiles.

    Returns
    -------
    dict of str to numpy.ndarray of int, shape (row,)
    """
    if tiles is None or "state" not in tiles or rectangles(tiles) is None:
        return {}
    states = texts(tiles, "state")
    found = {state: np.flatnonzero(states == state) for state in TILE_COLOURS}
    return {state: rows for state, rows in found.items() if rows.size}


def rectangles(table: Any) -> NDArray[np.float64] | None:
    """Upper left corner and size of tiles or surveys in stage coordinates.

    Parameters
    ----------
    table : xarray.Dataset or None
        Table of tiles or of surveys.

    Returns
    -------
    numpy.ndarray of float64, shape (row, 4), or None
        y, x, height, width [µm]; None where the table does not say them.
    """
    if table is None or not {"stage_y_um", "stage_x_um"} <= set(table):
        return None
    centres = [np.asarray(table[f"stage_{axis}_um"].values, float) for axis in "yx"]
    if {"height_um", "width_um"} <= set(table):
        sizes = [np.asarray(table[name].values, float) for name in ("height_um", "width_um")]
    elif {"height_px", "width_px", "pixel_size_y_nm", "pixel_size_x_nm"} <= set(table):
        pairs = (("height_px", "pixel_size_y_nm"), ("width_px", "pixel_size_x_nm"))
        sizes = [np.asarray(table[n].values, float) * np.asarray(table[size].values, float) / 1000 for n, size in pairs]
    else:
        return None
    return np.stack([centres[0] - sizes[0] / 2, centres[1] - sizes[1] / 2, *sizes], axis=1)


def stage_path(events: Any, surveys: Any = None) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Where the stage stopped, in order.

    Parameters
    ----------
    events : xarray.Dataset or None
        Table of the events.
    surveys : xarray.Dataset, optional
        Table of the surveys, whose centres stand for the stops where no moves are told.

    Returns
    -------
    path : numpy.ndarray of float64, shape (stop, 2)
        Position (y, x) [µm].
    numbers : numpy.ndarray of int64, shape (stop,)
        Number of the position in the raster.
    """
    for table in (events, surveys):
        if table is None or not {"stage_y_um", "stage_x_um"} <= set(table) or (table is events and "kind" not in table):
            continue
        path = np.stack([np.asarray(table[f"stage_{axis}_um"].values, float) for axis in "yx"], axis=1)
        rows = np.isfinite(path).all(axis=1)
        if table is events:
            rows &= texts(table, "kind") == "move"
        if rows.any():
            numbers = np.asarray(table["position"].values, np.int64) if "position" in table else np.arange(len(path))
            return path[rows], numbers[rows]
    return np.empty((0, 2)), np.empty(0, np.int64)


def skipped_positions(events: Any) -> NDArray[np.float64]:
    """Positions of the raster that were left out.

    Parameters
    ----------
    events : xarray.Dataset or None
        Table of the events, with the raster among its attributes.

    Returns
    -------
    numpy.ndarray of float64, shape (position, 2)
        Where they lie (y, x) [µm].
    """
    if events is None or not {"kind", "what", "position"} <= set(events):
        return np.empty((0, 2))
    left = (texts(events, "kind") == "skip") & (texts(events, "what") == "position")
    numbers = np.asarray(events["position"].values, int)[left]
    raster = np.stack([np.asarray(events.attrs.get(f"raster_{axis}_um") or [], float) for axis in "yx"], axis=1)
    known: NDArray[np.float64] = raster[numbers[(numbers >= 0) & (numbers < len(raster))]]
    return known
