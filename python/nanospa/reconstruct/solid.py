"""The solid body in a reconstructed volume: surface, volume, area, roundness."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, InvalidValueError, PixelSizeError
from nanospa.schema import as_image, keeps_calibration, pixel_size_pair

#: Voxels at least this share of the largest depth below the surface are the interior.
DEEP_SHARE = 0.5

#: Passes over surface and interior.
PASSES = 5

#: The surface is where it holds the body's volume, if that is within these shares of the interior's density; else at half.
LEVEL_RANGE = (0.3, 0.55)

#: The blurred edge has ended where the mean density of a shell of voxels is within this share of the interior's of that farther out …
FALLEN_SHARE = 0.02

#: … and is looked for within this many voxels. Some beyond it still count as the body's surroundings.
EDGE_VOXELS = 6
RIPPLES = 4

#: Voxels around everything bright that are looked at.
MARGIN = 14

#: Levels from which it is found.
TRIAL_LEVELS = (0.5, 0.43)


@dataclass(frozen=True)
class Solid:
    """A body and its surface.

    Attributes
    ----------
    level : float
        Density at the surface, of which the mesh is the isosurface [intensity].
    density : float
        Density of the interior [intensity].
    volume_nm3 : float
        Integrated density over the density of the interior [nm³].
    area_nm2 : float
        Area of the mesh [nm²].
    equivalent_diameter_nm : float
        Diameter of the sphere of the same volume [nm].
    sphericity : float
        Area of that sphere over the area of the body, at most 1 [-].
    vertices_nm : numpy.ndarray of float32, shape (vertex, 3)
        Corners of the mesh (z, y, x): index × voxel size [nm].
    faces : numpy.ndarray of int32, shape (face, 3)
        Triangles; seen from outside, in a right-handed frame (x, y, z), their corners run anticlockwise.
    """

    level: float
    density: float
    volume_nm3: float
    area_nm2: float
    equivalent_diameter_nm: float
    sphericity: float
    vertices_nm: NDArray[np.float32]
    faces: NDArray[np.int32]


@keeps_calibration("volume")
def solid(volume: Any, pixel_size_nm: Any = None) -> Solid:
    """Find the body in a volume of even density.

    A blurred edge keeps the integrated density: divided by the density deep inside it gives the body's volume, whatever the resolution.
    The surface is drawn where it encloses that volume, which is near half the density; half itself would lose what the blur takes off
    edges and corners (1 … 4 %).

    Parameters
    ----------
    volume : array_like of real dtype, shape (z, y, x)
        Density, background near 0; only the largest connected body counts. A DataArray gives its own voxel size.
    pixel_size_nm : float
        Voxel size [nm].

    Returns
    -------
    Solid

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        A volume that cannot be used.
    EmptyInputError
        A constant volume, or nothing positive in it.
    PixelSizeError
        No voxel size.

    References
    ----------
    Marching cubes: T. Lewiner et al., Journal of Graphics Tools 8(2), 1 (2003), as in scikit-image. Sphericity: H. Wadell, Journal of
    Geology 43, 250 (1935).

    Examples
    --------
    >>> import nanospa as ns
    >>> cube = ns.simulate.volume("cube", size_nm=10, voxel_size_nm=0.5, shape_parameter=50)
    >>> body = ns.reconstruct.solid(cube, 0.5)
    >>> round(body.volume_nm3, -1), round(body.sphericity, 2)
    (1000.0, 0.85)
    """
    sizes = pixel_size_pair(pixel_size_nm)
    if sizes is None or sizes[0] != sizes[1]:
        raise PixelSizeError(f"pixel_size_nm: expected one number > 0, found {pixel_size_nm!r}")
    data = as_image(volume, "volume", ndim=3).astype(np.float32, copy=False)
    if min(data.shape) < 3 or not data.max() > max(float(data.min()), 0.0):
        raise EmptyInputError(f"volume: expected a body with positive density, found values {data.min()} … {data.max()} in {data.shape}")
    cropped, first = _cropped(data)
    body, background, mass = _body(cropped, interior_density(cropped))
    density = interior_density(body)
    number = mass / density
    if not number > 0:
        raise InvalidValueError("volume: expected a body with positive density, found more negative density around it than positive inside")
    # The enclosed volume is close to linear in the level: one step from two levels is enough.
    upper, lower = (_enclosed(*_surface(body, share * density)) for share in TRIAL_LEVELS)
    slope = (TRIAL_LEVELS[0] - TRIAL_LEVELS[1]) / min(upper - lower, -1e-9 * number)
    share = TRIAL_LEVELS[0] + slope * (number - upper)
    level = density * (share if LEVEL_RANGE[0] < share < LEVEL_RANGE[1] else 0.5)
    vertices, faces = _surface(body, level)
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    area = float(np.linalg.norm(across, axis=1).sum()) / 2 * sizes[0] ** 2
    volume_nm3 = number * sizes[0] ** 3
    return Solid(
        level=float(level) + background,
        density=float(density) + background,
        volume_nm3=volume_nm3,
        area_nm2=area,
        equivalent_diameter_nm=(6 * volume_nm3 / math.pi) ** (1 / 3),
        sphericity=math.pi ** (1 / 3) * (6 * volume_nm3) ** (2 / 3) / area,
        vertices_nm=((vertices + first) * sizes[0]).astype(np.float32),
        faces=faces.astype(np.int32),
    )


def interior_density(volume: NDArray[np.float32]) -> float:
    """Density deep inside the brightest body: the median of the voxels farther from its surface than half the largest depth."""
    from scipy.ndimage import distance_transform_edt

    positive = volume[volume > 0.2 * volume.max()]
    density = float(np.quantile(positive, 0.8))
    for _ in range(PASSES):
        region = volume > density / 2
        depth = distance_transform_edt(region)
        found = float(np.median(volume[depth >= DEEP_SHARE * depth.max()]))
        # A hollow body has its density below the surface, not in its middle.
        found = max(found, float(np.median(volume[region])))
        if abs(found - density) < 1e-3 * density:
            break
        density = found
    return density


def _cropped(volume: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The part around everything bright, with a free voxel on each side that closes a body's surface at the border; index of its first."""
    bright = np.nonzero(volume > 0.2 * volume.max())
    low = [max(int(axis.min()) - MARGIN, 0) for axis in bright]
    high = [int(axis.max()) + MARGIN + 1 for axis in bright]
    part = volume[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return np.pad(part, 1), np.array(low) - 1


def _body(volume: NDArray[np.float32], density: float) -> tuple[NDArray[np.float32], float, float]:
    """The largest body above its background and alone, the background, and the integrated density above it."""
    from scipy.ndimage import distance_transform_edt, label

    bodies, count = label(volume > density / 2)
    largest = bodies == (int(np.bincount(bodies.ravel())[1:].argmax()) + 1 if count else 0)
    away = distance_transform_edt(~largest)
    # A volume without negative values has had them cut off: its noise is then positive on average outside, but as it was inside.
    clipped = float(volume.min()) >= 0
    measured = volume != 0 if not clipped else np.ones_like(largest)
    shells = [volume[(away > i) & (away <= i + 1) & measured] for i in range(2 * EDGE_VOXELS)]
    means = np.array([float(s.mean()) if s.size else 0.0 for s in shells])
    fallen = np.flatnonzero(means < means[EDGE_VOXELS:].mean() + FALLEN_SHARE * density)
    # A sharp limit in Fourier space leaves ripples around the body that add up to nothing: some of them go with it, the others average out.
    reach = (int(fallen[0]) if fallen.size else EDGE_VOXELS) + RIPPLES
    # What is exactly 0 was set so, by the free voxels or by a mask; cut-off noise is taken from nearby, before a mask fades it.
    far = (away > reach) & (away <= (reach + RIPPLES if clipped else np.inf)) & measured
    background = float(volume[far].mean()) if far.any() else 0.0
    near = away <= reach
    floor = np.where(largest, 0.0 if clipped else background, background).astype(np.float32)
    alone = np.where(near, volume - floor, np.float32(0))
    return alone, 0.0 if clipped else background, float(alone.sum(dtype=np.float64))


def _surface(volume: NDArray[np.float32], level: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Isosurface in voxels: vertices (z, y, x) and faces, turning outward in the frame (x, y, z)."""
    from skimage.measure import marching_cubes

    vertices, faces, _, _ = marching_cubes(volume, level, allow_degenerate=False)  # type: ignore[no-untyped-call]
    vertices = vertices.astype(np.float64)
    if _signed_volume(vertices, faces) < 0:
        faces = faces[:, ::-1]
    return vertices, faces


def _enclosed(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    return abs(_signed_volume(vertices, faces))


def _signed_volume(vertices: NDArray[np.float64], faces: NDArray[np.int64]) -> float:
    """Volume within a closed mesh by the divergence theorem, in the frame (x, y, z)."""
    a, b, c = (vertices[faces[:, i], ::-1] - vertices.mean(axis=0)[::-1] for i in range(3))
    return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6
