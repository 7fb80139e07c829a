from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

_Image = NDArray[np.uint8] | NDArray[np.uint16] | NDArray[np.float32] | NDArray[np.float64]

def error_kinds() -> list[str]: ...
def gaussian(image: _Image, sigma_px: float, threads: int) -> NDArray[np.float32]: ...
def tophat(image: _Image, size_px: int, threads: int) -> NDArray[Any]: ...
def rolling_ball(image: _Image, radius_px: float, intensity_scale: float, threads: int) -> NDArray[np.float32]: ...
def erode(mask: NDArray[np.uint8], radius_px: int, threads: int) -> NDArray[np.uint8]: ...
def distance_transform(mask: NDArray[np.uint8], sampling: Sequence[float], squared: bool, threads: int) -> NDArray[np.float32]: ...
def extent(image: _Image, threads: int) -> tuple[float, float] | None: ...
def histogram(image: _Image, edges: Sequence[float] | None, threads: int) -> NDArray[np.uint64]: ...
def local_threshold(image: _Image, local_size_px: int, rule: str, k: float, range: float, threads: int) -> NDArray[np.bool_]: ...
def local_otsu(levels: NDArray[np.uint8], wanted: NDArray[np.uint8], local_size_px: int, threads: int) -> NDArray[np.bool_]: ...
def li(image: _Image, threads: int) -> float | None: ...
def region_property_names() -> list[str]: ...
def region_properties(
    image: _Image,
    labels: NDArray[np.int32],
    pixel_size_nm: tuple[float, float] | None,
    background_level: float | None,
    background_image: NDArray[np.float32] | None,
    saturation: float | None,
    radial_bins: int,
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...
def thickness(
    body: str,
    shape_parameter: float,
    to_body: list[list[float]],
    shape: tuple[int, int],
    centre: tuple[float, float],
    pixel_size: tuple[float, float],
    supersampling: int,
    threads: int,
) -> NDArray[np.float32]: ...
def specimen_image(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    film_mean: float,
    waves: NDArray[np.float64],
    holes: NDArray[np.float64],
    hole_edge: float,
    values: Sequence[NDArray[np.float32]],
    placed: NDArray[np.float64],
    threads: int,
) -> NDArray[np.float32]: ...
def specimen_labels(
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    values: Sequence[NDArray[np.float32]],
    placed: NDArray[np.float64],
    threads: int,
) -> NDArray[np.int32]: ...
def cell_means(body: str, shape_parameter: float, to_body: list[list[float]], half: int, spacing: float) -> NDArray[np.float32]: ...
def deposit(points: NDArray[np.float64], weight: float, half: int, spacing: float) -> NDArray[np.float32]: ...
def detect(
    fraction: NDArray[np.float32],
    electrons_per_pixel: float,
    gain: float,
    offset: float,
    read_noise: float,
    key: tuple[int, int],
    threads: int,
) -> NDArray[np.uint16]: ...
def particle_images(
    image: _Image,
    labels: NDArray[np.int32],
    box_px: int,
    masked: bool,
    background_level: float | None,
    background_image: NDArray[np.float32] | None,
    subpixel: bool,
    threads: int,
) -> NDArray[np.float32]: ...
def label(mask: NDArray[np.uint8], connectivity: int, threads: int) -> tuple[NDArray[np.int32], int]: ...
def seeds(
    distance: NDArray[np.float32], labels: NDArray[np.int32], separation_px: int, window: bool, threads: int
) -> NDArray[np.int32]: ...
def watershed(
    landscape: _Image,
    markers: NDArray[np.int32],
    mask: NDArray[np.uint8] | None,
    connectivity: int,
    descending: bool,
    peer_ties: bool,
    threads: int,
) -> NDArray[np.int32]: ...
def split(
    labels: NDArray[np.int32],
    n: int,
    erosion_radius_px: int,
    separation_px: int,
    min_area_px: int,
    keep_all: bool,
    threads: int,
) -> tuple[int, int]: ...
def select(labels: NDArray[np.int32], n: int, min_area_px: int, clear_border: bool, threads: int) -> tuple[int, int, int]: ...
def blob_columns() -> list[str]: ...
def blobs(image: _Image, last: int, threads: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]: ...
def suppress(boxes: NDArray[np.float32], iou: float, contained: float) -> NDArray[np.uintp]: ...
def outlines(
    image: _Image,
    seeds: NDArray[np.float32],
    radii: NDArray[np.float32],
    level: float,
    threads: int,
) -> NDArray[np.float32]: ...
def refine(image: _Image, labels: NDArray[np.int32], level: float, threads: int) -> NDArray[np.int32]: ...
def paint(shape: tuple[int, int], centres: NDArray[np.float32], radii: NDArray[np.float32]) -> NDArray[np.int32]: ...
def neighbour_distance(points: NDArray[np.float64], k: int) -> NDArray[np.float64]: ...
def spanning_tree(points: NDArray[np.float64], core: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]: ...
def fourier_volume(volume: NDArray[np.float32], threads: int) -> NDArray[np.complex64]: ...
def fourier_samples(grid: NDArray[np.complex64], n: int, places: NDArray[np.float32], threads: int) -> NDArray[np.complex64]: ...
def project(
    grid: NDArray[np.complex64],
    n: int,
    rotations: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scales: NDArray[np.float64],
    threads: int,
) -> NDArray[np.float32]: ...
def rings(
    images: NDArray[np.float32],
    radii: NDArray[np.float32],
    weights: NDArray[np.float32],
    n_angles: int,
    centrosymmetric: bool,
    shifts: NDArray[np.float32],
    threads: int,
) -> NDArray[np.complex64]: ...
def view_rings(
    grid: NDArray[np.complex64],
    n: int,
    rotations: NDArray[np.float64],
    radii: NDArray[np.float32],
    weights: NDArray[np.float32],
    n_angles: int,
    centrosymmetric: bool,
    threads: int,
) -> NDArray[np.complex64]: ...
def match_views(
    images: NDArray[np.complex64],
    views: NDArray[np.complex64],
    n_angles: int,
    centrosymmetric: bool,
    mirror: bool,
    interpolate: bool,
    shifts: NDArray[np.float32],
    candidates: NDArray[np.int64] | None,
    threads: int,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]]: ...
def insert(
    images: NDArray[np.float32],
    rotations: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scales: NDArray[np.float64],
    weights: NDArray[np.float32] | None,
    copies: Sequence[Any],
    operations: Sequence[Any],
    inversion: bool,
    threads: int,
) -> tuple[NDArray[np.complex64], NDArray[np.float32]]: ...
def backprojection(numerator: NDArray[np.complex64], n: int, threads: int) -> NDArray[np.float32]: ...
def accumulated_volume(
    numerator: NDArray[np.complex64],
    density: NDArray[np.float32],
    n: int,
    noise_to_signal: Sequence[float],
    threads: int,
) -> NDArray[np.float32]: ...
def shell_products(a: NDArray[np.complex64], b: NDArray[np.complex64], threads: int) -> NDArray[np.float64]: ...
def refine_poses(
    grid: NDArray[np.complex64],
    n: int,
    images: NDArray[np.float32],
    rotations: NDArray[np.float64],
    shifts: NDArray[np.float64],
    scales: NDArray[np.float64],
    radii_max: NDArray[np.float64],
    weights: NDArray[np.float32],
    fit_scale: bool,
    steps: int,
    threads: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]: ...
