"""Particles seen in two frames of a mosaic."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError

#: Two copies of one particle have areas within this factor, unless one is cut off by the border.
AREA_FACTOR = 2.0
#: How far from the centre of a whole particle a piece of it may lie, in radii of its area: the corner of a square.
CUT_REACH = 1.25


def overlapping(table: Any, frame_table: Any, *, tolerance: float = 0.5) -> NDArray[np.bool_]:
    """Which particles are already counted in an overlapping frame of the mosaic.

    Centres are placed on the stage with each frame's position and pixel size. Two particles of different frames are one and the same
    where their centres lie nearer than a share of the smaller one's diameter and their areas agree. A piece that the border cuts off has
    its centre anywhere inside the whole particle: for it the larger one's diameter counts, and a quarter more for corners; a particle may
    be cut into several pieces. Of all copies the one that does not
    touch the border stays, then the one farthest from it, then the one of the earliest frame; the others are duplicates.

    Parameters
    ----------
    table : xarray.Dataset, pandas.DataFrame or mapping
        Particle table with ``frame``, centroids, ``equivalent_diameter_px`` and ``touches_border``.
    frame_table : xarray.Dataset, pandas.DataFrame or mapping
        Frame table with stage positions (of the frame centres, along the image's rows and columns), pixel sizes and sizes.
    tolerance : float
        Largest distance of two copies in diameters of the smaller one, of the larger one where the border cuts one off [-].

    Returns
    -------
    numpy.ndarray of bool, shape (particle,)
        True for the copies that should not be counted. All False where positions or pixel sizes are unknown.

    Raises
    ------
    InvalidValueError
        `tolerance` is not positive, or a particle's frame is not in the frame table.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> frames = dict(stage_y_um=[0, 0], stage_x_um=[0, 0.08], pixel_size_y_nm=[1, 1], pixel_size_x_nm=[1, 1],
    ...               height_px=[100, 100], width_px=[100, 100])
    >>> table = dict(frame=[0, 0, 1], centroid_y_px=[50, 30, 50.4], centroid_x_px=[88, 20, 8.3],
    ...              equivalent_diameter_px=[10, 10, 11], touches_border=[False, False, False])
    >>> ns.measure.overlapping(table, frames)
    array([False, False,  True])
    """
    from scipy.spatial import cKDTree

    if not tolerance > 0:
        raise InvalidValueError(f"tolerance: expected a number > 0, found {tolerance!r}")
    frame = np.asarray(table["frame"], dtype=np.int64)
    duplicate = np.zeros(frame.size, dtype=bool)
    if frame.size == 0:
        return duplicate
    origin = {axis: np.asarray(frame_table[f"stage_{axis}_um"], dtype=np.float64) * 1e3 for axis in "yx"}
    size = {axis: np.asarray(frame_table[f"pixel_size_{axis}_nm"], dtype=np.float64) for axis in "yx"}
    if frame.min() < 0 or frame.max() >= origin["y"].size:
        raise InvalidValueError(f"table: expected frames 0 … {origin['y'].size - 1}, found {frame.min()} … {frame.max()}")
    extent = {"y": np.asarray(frame_table["height_px"], float), "x": np.asarray(frame_table["width_px"], float)}
    centre = {axis: np.asarray(table[f"centroid_{axis}_px"], dtype=np.float64) for axis in "yx"}
    place = np.stack([origin[a][frame] + (centre[a] - (extent[a][frame] - 1) / 2) * size[a][frame] for a in "yx"], axis=1)
    diameter = np.asarray(table["equivalent_diameter_px"], dtype=np.float64) * np.sqrt(size["y"] * size["x"])[frame]
    border = np.asarray(table["touches_border"], dtype=bool)
    known = np.flatnonzero(np.isfinite(place).all(axis=1) & np.isfinite(diameter))
    if known.size < 2:
        return duplicate

    # Each looks as far as its own size allows: one huge particle does not widen the search of all.
    near = cKDTree(place[known]).query_ball_point(place[known], tolerance * CUT_REACH * diameter[known])
    i = known[np.repeat(np.arange(known.size), [len(others) for others in near])]
    j = known[np.concatenate([np.asarray(others, dtype=np.int64) for others in near])]
    apart = frame[i] != frame[j]
    i, j = i[apart], j[apart]
    distance = np.hypot(*(place[i] - place[j]).T)
    small, large = np.minimum(diameter[i], diameter[j]), np.maximum(diameter[i], diameter[j])
    cut = border[i] | border[j]
    alike = (large**2 <= AREA_FACTOR * small**2) | cut
    match = (distance <= tolerance * np.where(cut, CUT_REACH * large, small)) & alike
    clearance = np.min([np.minimum(centre[a], extent[a][frame] - 1 - centre[a]) * size[a][frame] for a in "yx"], axis=0)

    group = _Groups(frame)
    for k in np.flatnonzero(match)[np.argsort(distance[match], kind="stable")]:
        group.join(int(i[k]), int(j[k]))
    for members in group.all():
        best = min(members, key=lambda p: (border[p], -clearance[p], frame[p]))
        duplicate[[p for p in members if p != best]] = True
    # Further pieces of a particle that is whole in another frame. A small piece does not see it, but is seen.
    duplicate[j[match & border[j] & ~border[i]]] = True
    return duplicate


class _Groups:
    """Copies of one particle: at most one of each frame."""

    def __init__(self, frame: NDArray[np.int64]) -> None:
        self._frame = frame
        self._members: dict[int, list[int]] = {}

    def join(self, a: int, b: int) -> None:
        first, second = self._members.get(a, [a]), self._members.get(b, [b])
        if first is second or {int(self._frame[p]) for p in first} & {int(self._frame[p]) for p in second}:
            return
        merged = first + second
        for p in merged:
            self._members[p] = merged

    def all(self) -> list[list[int]]:
        return list({id(members): members for members in self._members.values()}.values())
