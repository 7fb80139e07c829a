"""A shaded picture of an isosurface: one ray a pixel through the volume, no mesh in between."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Directions towards the lights in the picture's frame (x right, y down, z away from the eye) and their strengths: key, fill, from below.
_LIGHTS = (((-0.45, -0.65, -0.62), 0.70), ((0.75, -0.05, -0.66), 0.26), ((0.1, 0.8, -0.25), 0.14))
#: Light from everywhere, taken away in hollows.
_AMBIENT = 0.36
#: Mirror-like part of the key light: strength, exponent.
_GLOSS = (0.22, 26.0)
#: How strongly hollows are darkened and tips brightened.
_HOLLOW = 1.35
#: Share of white in the colour of the surface: pure colours leave the light nothing to add.
_WHITE = 0.08
#: Standard deviation of the smoothing before a volume is drawn [voxel].
_SMOOTHED = 0.6
#: Rows of pixels at a time: 10 MB for a box of 166.
_ROWS = 32


class Surface:
    """The surface where a volume crosses a level, to be looked at from any side.

    Parameters
    ----------
    volume : numpy.ndarray of float32, shape (z, y, x)
        Density; the centre is at index N//2.
    level : float
        Density of the surface.
    radius : float, optional
        Radius about the centre outside of which nothing is shown [voxel]; the surface's own by default.
    """

    def __init__(self, volume: NDArray[np.float32], level: float, radius: float | None = None) -> None:
        from scipy.ndimage import gaussian_filter

        self.level = float(level)
        self.radius = enclosing_radius(volume, level) if radius is None else float(radius)
        # Grid and noise show at the scale of single voxels, where no volume has any detail.
        volume = gaussian_filter(_central_part(volume, self.radius), _SMOOTHED)
        self._volume = volume
        self._centre = np.array([n // 2 for n in volume.shape], np.float64)
        # Derivative of a Gaussian: noise of single voxels would show as grain. Order x, y, z.
        self._slope = [gaussian_filter(volume, 1.0, order=order) for order in ((0, 0, 1), (0, 1, 0), (1, 0, 0))]
        # How much matter is around a place: one half on a plane, more in a hollow, less on an edge.
        self._around = gaussian_filter((volume > level).astype(np.float32), max(1.0, 0.13 * self.radius))

    def picture(self, rotation: NDArray[np.float64], *, half_width: float, size_px: int, colour: str) -> NDArray[np.uint8]:
        """The surface as seen along the beam of a rotation, by parallel rays.

        Parameters
        ----------
        rotation : numpy.ndarray of float64, shape (3, 3)
            Picture = R volume on (x, y, z): rows are the picture's right, its down and the direction of sight.
        half_width : float
            Half the width of the picture [voxel].
        size_px : int
            Side of the picture [px].
        colour : str
            Colour of the surface, as matplotlib takes it.

        Returns
        -------
        numpy.ndarray of uint8, shape (y, x, 4)
            RGBA; transparent where no surface is.
        """
        points, opacity = self._first_met(rotation, half_width, size_px)
        out = np.zeros((size_px, size_px, 4), np.uint8)
        hit = opacity > 0
        if hit.any():
            out[hit, :3] = np.round(255 * _shade(self._normals(points, rotation), _sample(self._around, points), colour))
            out[..., 3] = np.round(255 * opacity)
        return out

    def _first_met(self, rotation: NDArray[np.float64], half_width: float, size_px: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Where the rays meet the surface first, (point, 3) as z, y, x [voxel], and how much of each pixel is covered."""
        from scipy.interpolate import make_interp_spline
        from scipy.ndimage import affine_transform

        reach = int(np.ceil(self.radius)) + 2
        n = 2 * reach + 1
        # Index (depth, row, column) of the turned volume → index (z, y, x) of the volume: the inverse rotation, axes reversed.
        turn = rotation.T[::-1, ::-1]
        low = float(self._volume.min())
        turned = affine_transform(self._volume, turn, self._centre - turn @ np.full(3, reach), (n, n, n), order=3, cval=low)
        at = (np.arange(size_px) - (size_px - 1) / 2) * (2 * half_width / size_px) + reach
        shown = np.flatnonzero((at >= 0) & (at <= n - 1))
        # Pixels from voxels along rows and columns: cubic splines, as weights.
        finer = make_interp_spline(np.arange(n), np.eye(n), k=3)(at[shown]).astype(np.float32)
        opacity = np.zeros((size_px, size_px))
        depths = np.zeros((size_px, size_px))
        across = turned @ finer.T
        for first in range(0, shown.size, _ROWS):
            density = np.einsum("rn,dnc->drc", finer[first : first + _ROWS], across, optimize=True)
            block = np.ix_(shown[first : first + _ROWS], shown)
            depths[block], opacity[block] = _cross(density, self.level)
        row, column = np.nonzero(opacity)
        points = np.stack([depths[row, column], at[row], at[column]], axis=1) - reach
        return points @ turn.T + self._centre, opacity

    def _normals(self, points: NDArray[np.float64], rotation: NDArray[np.float64]) -> NDArray[np.float64]:
        """Unit normals out of the matter in the picture's frame, (point, 3) as x, y, z."""
        turned = -np.stack([_sample(slope, points) for slope in self._slope], axis=1) @ rotation.T
        normals: NDArray[np.float64] = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-20)
        # A ray meets only what faces it; gradients that say otherwise come from the edge of a pixel.
        normals[:, 2] = np.minimum(normals[:, 2], 0)
        return normals


def enclosing_radius(volume: NDArray[np.float32], level: float) -> float:
    """Largest distance from the centre of a voxel of the largest body above a level.

    Parameters
    ----------
    volume : numpy.ndarray of float32, shape (z, y, x)
        Density; the centre is at index N//2.
    level : float
        Level.

    Returns
    -------
    float
        Radius [voxel], at least 1.
    """
    from scipy.ndimage import label

    bodies, n = label(volume >= level)
    if n == 0:
        return 1.0
    # Specks of noise far out would make the particle small in its picture.
    largest = bodies == 1 + int(np.bincount(bodies.ravel())[1:].argmax())
    inside = np.argwhere(largest) - [side // 2 for side in volume.shape]
    return max(1.0, float(np.sqrt((inside.astype(np.float64) ** 2).sum(axis=1).max())))


def _central_part(volume: NDArray[np.float32], radius: float) -> NDArray[np.float32]:
    """The cube about the centre that holds a radius and some voxels more."""
    half = int(np.ceil(radius)) + 4
    part = tuple(slice(max(0, n // 2 - half), min(n, n // 2 + half + 1)) for n in volume.shape)
    if any(n // 2 - s.start != (s.stop - s.start) // 2 for n, s in zip(volume.shape, part, strict=True)):
        return volume
    return np.ascontiguousarray(volume[part], dtype=np.float32)


def _cross(density: NDArray[np.float32], level: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Depth [voxel] at which each ray first reaches a level, and the share of its pixel that is covered."""
    inside = density >= level
    hit = inside.any(axis=0)
    highest = density.max(axis=0)
    step = np.where(hit, inside.argmax(axis=0), density.argmax(axis=0))
    here = np.take_along_axis(density, step[None], axis=0)[0]
    before = np.take_along_axis(density, np.maximum(step - 1, 0)[None], axis=0)[0]
    back = np.clip((here - level) / np.maximum(here - before, 1e-12), 0, 1)
    depth = step - np.where(hit & (step > 0), back, 0)
    # Rays that just miss, or just meet, cover part of their pixel: an outline without stairs.
    slope = np.hypot(*np.gradient(highest)) if min(highest.shape) > 1 else np.zeros_like(highest)
    cover = np.clip(0.5 + (highest - level) / np.maximum(slope, 1e-12), 0, 1)
    return depth.astype(np.float64), np.where(hit, np.maximum(cover, 0.5), np.where(cover > 0.02, cover, 0)).astype(np.float64)


def _shade(normals: NDArray[np.float64], occupied: NDArray[np.float64], colour: str) -> NDArray[np.float64]:
    """Colours, (point, 3) in 0 … 1."""
    from matplotlib.colors import to_rgb

    open_sky = np.clip(1 + _HOLLOW * (0.5 - occupied), 0.25, 1.25)
    light = _AMBIENT * open_sky
    for direction, strength in _LIGHTS:
        light = light + strength * np.clip(normals @ _unit(direction), 0, None) * np.sqrt(open_sky)
    # Half way between the key light and the eye, which is at -z.
    half = _unit(_unit(_LIGHTS[0][0]) + np.array([0, 0, -1]))
    gloss = _GLOSS[0] * np.clip(normals @ half, 0, None) ** _GLOSS[1]
    # Surfaces seen edge-on turn darker: outlines stand out against white paper.
    rim = 0.62 + 0.38 * np.clip(-normals[:, 2], 0, 1) ** 0.55
    albedo = (1 - _WHITE) * np.asarray(to_rgb(colour)) + _WHITE
    rgb: NDArray[np.float64] = np.clip(albedo[None, :] * (light * rim)[:, None] + gloss[:, None], 0, 1)
    return rgb


def _unit(vector: Any) -> NDArray[np.float64]:
    direction = np.asarray(vector, np.float64)
    return direction / np.linalg.norm(direction)


def _sample(volume: NDArray[np.float32], points: NDArray[np.float64]) -> NDArray[np.float64]:
    from scipy.ndimage import map_coordinates

    values: NDArray[np.float64] = map_coordinates(volume, points.T, order=1, mode="nearest").astype(np.float64)
    return values
