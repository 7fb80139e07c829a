"""Particle images made ready for the search: background, centre, mask, size, noise."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import EmptyInputError, InvalidValueError, PixelSizeError, ShapeError
from nanospa.reconstruct.border import cut_by_border, soft_masks
from nanospa.reconstruct.centre import centroids, combined, match_profile, twofold_centres
from nanospa.reconstruct.centrosymmetry import is_centrosymmetric, odd_share
from nanospa.reconstruct.coarse import coarse
from nanospa.reconstruct.fourier_crop import fourier_crop, noise_factors
from nanospa.reconstruct.noise import background, shrunk, signal_deviation
from nanospa.reconstruct.prepared import Prepared, circle
from nanospa.reconstruct.radial_profile import distances, enclosing_radius, gyration_ball_radius, mean_profile
from nanospa.reconstruct.size_normalisation import intensity_scales
from nanospa.schema import as_image, keeps_calibration, pixel_size_pair

#: Fewest images of a stack.
MIN_IMAGES = 3

#: Farthest that a particle is looked for from the centre of its image, in boxes.
REACH = 0.1

#: Farthest that a centroid may lie from the match with the mean particle, in boxes.
CENTROID_REACH = 0.05

#: Share of the pixels outside the particles below which the corners of the boxes serve as background.
FEWEST_OUTSIDE = 0.05

#: Passes over centre, radius and background.
PASSES = 4

#: Low-pass of the images compared with themselves, and how far their centres are sought, in pixels of a box of 64.
TWOFOLD_LOW_PASS_PX = 1.5
TWOFOLD_REACH_PX = 3.0

#: Share of images that touch the border above which the stack is said to be in too small a box.
CUT_SHARE = 0.05


@keeps_calibration("images")
def prepare(
    images: Any,
    *,
    pixel_size_nm: Any = None,
    masks: Any = None,
    box: int | None = None,
    normalise_size: bool = True,
    centrosymmetric: bool | str = "auto",
) -> Prepared:
    """Make the images of one cluster's particles ready for the search.

    Background and noise come from the pixels around the particles, centres from their centroids and, in noise, from the match with the mean
    particle, sizes from the integrated intensity. Nothing here needs orientations.

    Parameters
    ----------
    images : array_like of real dtype, shape (image, y, x)
        Square images, particles bright; a DataArray gives its own pixel size. Odd boxes lose their last row and column.
    pixel_size_nm : float
        Pixel size [nm].
    masks : array_like of bool, shape (image, y, x), optional
        Where each particle is, from a segmentation; widened and softened, they remove neighbours.
    box : int, optional
        Side of the prepared images, even, at most that of the images; by default theirs [px].
    normalise_size : bool
        Whether to bring all particles to the mean size.
    centrosymmetric : bool or "auto"
        Whether the shape has an inversion centre; "auto" asks the images.

    Returns
    -------
    Prepared

    Raises
    ------
    ShapeError
        Not a stack of square images, or masks of another shape.
    DtypeError, NonFiniteError
        Images that cannot be used.
    EmptyInputError
        Fewer than three images, or nothing in them.
    PixelSizeError
        No pixel size, or a different one along y and x.
    InvalidValueError
        A constant image, particles darker than the background, or a box out of range.

    References
    ----------
    Integrated intensity as volume: T. J. A. Slater et al., "Automated single-particle reconstruction of heterogeneous inorganic
    nanoparticles", Microscopy and Microanalysis 26, 1168 (2020).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> views = [ns.simulate.random_rotation(np.random.default_rng(i)) for i in range(5)]
    >>> images = [ns.simulate.particle("cube", size_nm=10, pixel_size_nm=0.8, box_px=32, rotation=r, shift_px=(1.5, 0.5)) for r in views]
    >>> prepared = ns.reconstruct.prepare(np.stack(images), pixel_size_nm=0.8)
    >>> prepared.shifts.mean(axis=0).round(1), prepared.centrosymmetric
    (array([1.5, 0.5]), True)
    """
    stack, size_nm = _checked(images, pixel_size_nm)
    count, n = len(stack), stack.shape[-1]
    if box is not None and not 4 <= box <= n:
        raise InvalidValueError(f"box: expected an even number of 4 … {n}, found {box!r}")
    regions = _checked_masks(masks, stack.shape) if masks is not None else None
    notes: list[str] = []

    centres = np.zeros((count, 2))
    radius = 0.47 * n - 2
    ones = np.ones(count)
    level = sigma = np.zeros(count)
    flat = stack
    widest = float(n)
    for _ in range(PASSES):
        radii = distances(n, centres)
        outside = radii > radius + 2
        if outside.mean() < FEWEST_OUTSIDE:
            outside = distances(n, np.zeros((1, 2))) > 0.47 * n
            outside = np.broadcast_to(outside, stack.shape)
        if regions is not None:
            free = outside & ~regions
            # A mask that leaves no background cannot say where it is.
            outside = np.where((free.sum(axis=(1, 2)) < 8)[:, None, None], outside, free)
        level, sigma, _ = background(stack, outside)
        pixels = outside.sum(axis=(1, 2))
        level = shrunk(level, float(np.mean(sigma**2 / np.maximum(pixels, 1))))
        flat = np.asarray(stack - level[:, None, None].astype(np.float32))
        if regions is not None:
            flat *= soft_masks(regions)
        noise = float(np.sqrt(np.mean(sigma**2)))
        profile, rings = mean_profile(flat, distances(n, centres))
        # Before they are centred the particles take the most room: what grows afterwards is neighbours.
        radius = widest = min(enclosing_radius(profile, rings, noise), widest)
        if profile[: max(2, round(radius / 2))].mean() <= 0:
            raise _no_particles(profile, rings, noise)
        matched = match_profile(flat, profile, radius, reach=REACH * n)
        window = np.full(count, min(radius + 1, n / 2 - 1))
        found = centroids(flat, matched, window, CENTROID_REACH * n)
        errors = _centre_errors(profile, radius, noise)
        low_pass = TWOFOLD_LOW_PASS_PX * n / 64
        turned = twofold_centres(flat, combined(found, [matched], errors[:2]), radius, TWOFOLD_REACH_PX * n / 64, low_pass)
        centres = combined(found, [matched, turned], errors)

    radii = distances(n, centres)
    intensities = _integrated(flat, radii, np.full(count, radius))
    area = math.pi * radius**2
    deviations = sigma * math.sqrt(area + area**2 / max(float(np.mean(pixels)), 1.0))
    if float(np.median(intensities)) <= 0:
        raise _no_particles(profile, rings, noise)
    scales = ones
    if normalise_size:
        for _ in range(2):
            scales = intensity_scales(intensities, deviations)
            profile, rings = mean_profile(np.asarray(flat / scales[:, None, None], np.float32), distances(n, centres, scales))
            radius = min(enclosing_radius(profile, rings, noise), 1.2 * widest)
            intensities = _integrated(flat, radii, radius * np.maximum(scales, 1.0))
    cut = cut_by_border(flat, noise)
    if cut.mean() > CUT_SHARE:
        notes.append(f"{int(cut.sum())} of {count} particles (or neighbours that touch them) reach the border: a larger box is needed")
    if profile[-1] > max(0.03 * profile.max(), 5 * noise / math.sqrt(max(rings[-1], 1))):
        notes.append("the particles' intensity does not end before the border: neighbours are near (give masks) or the box is too small")
    deviating = (scales <= 0.5) | (scales >= 2)
    if deviating.any():
        notes.append(f"{int(deviating.sum())} of {count} particles are less than half or more than twice the mean size")

    side = n if box is None else box
    ready = fourier_crop(flat, side, shifts=centres, scales=scales)
    ready /= scales[:, None, None].astype(np.float32)
    ratio = side / n
    ready *= circle(side, radius * ratio)
    pixel_noise = sigma * noise_factors(n, side, scales) / scales
    inside = distances(n, centres) <= (radius * np.maximum(scales, 1))[:, None, None]
    signal = signal_deviation(flat, inside, noise)
    snr = (signal / noise) ** 2 if noise > 0 else math.inf
    prepared = Prepared(
        images=ready,
        pixel_size_nm=size_nm / ratio,
        shifts=centres * ratio,
        scales=scales,
        intensities=intensities * ratio**2,
        noise=pixel_noise,
        # Stretched by 1 / s, divided by s: white noise keeps its pixel's variance over s², in s² as many frequencies.
        noise_density=sigma * ratio / scales**2,
        snr=snr,
        radius_px=radius * ratio,
        ball_radius_px=gyration_ball_radius(profile, radius) * ratio,
        centrosymmetric=True,
        cut=cut,
        warnings=tuple(notes),
    )
    small = coarse(ready, prepared.circle(), prepared.radius_px, prepared.ball_radius_px)
    odd, odd_error = odd_share(small, prepared.noise_density * small.images.shape[-1] / side)
    symmetric = is_centrosymmetric(odd, odd_error) if centrosymmetric == "auto" else bool(centrosymmetric)
    return replace(prepared, centrosymmetric=symmetric, odd_share=odd, odd_share_error=odd_error)


def _checked(images: Any, pixel_size_nm: Any) -> tuple[NDArray[np.float32], float]:
    sizes = pixel_size_pair(pixel_size_nm)
    if sizes is None:
        raise PixelSizeError("pixel_size_nm: expected a number > 0, found None")
    if not math.isclose(sizes[0], sizes[1], rel_tol=1e-3):
        raise PixelSizeError(f"pixel_size_nm: expected square pixels, found {sizes[0]} along y and {sizes[1]} along x")
    stack = as_image(images, "images", ndim=3)
    if stack.shape[1] != stack.shape[2]:
        raise ShapeError(f"images: expected square images, found shape {stack.shape}")
    if len(stack) < MIN_IMAGES:
        raise EmptyInputError(f"images: expected at least {MIN_IMAGES} images, found {len(stack)}")
    if stack.shape[1] < 8:
        raise ShapeError(f"images: expected a box of at least 8 px, found shape {stack.shape}")
    even = stack.shape[1] // 2 * 2
    flat = stack[:, :even, :even].astype(np.float32)
    constant = np.flatnonzero(flat.max(axis=(1, 2)) == flat.min(axis=(1, 2)))
    if len(constant) == len(flat):
        raise EmptyInputError("images: expected a particle in each, found every image constant")
    if constant.size:
        raise InvalidValueError(f"images: expected a particle in each, found image {constant[0]} constant ({constant.size} in all)")
    return flat, sizes[0]


def _checked_masks(masks: Any, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    from nanospa.schema.arrays import as_mask

    regions = as_mask(masks, "masks", ndim=3)
    even = shape[-1]
    if regions.shape[0] != shape[0] or regions.shape[1] // 2 * 2 != even or regions.shape[2] // 2 * 2 != even:
        raise ShapeError(f"masks: expected the images' shape {shape}, found {regions.shape}")
    regions = regions[:, :even, :even]
    empty = np.flatnonzero(~regions.any(axis=(1, 2)))
    if empty.size:
        raise InvalidValueError(f"masks: expected a particle in each, found mask {empty[0]} empty ({empty.size} in all)")
    return regions


def _no_particles(profile: NDArray[np.float64], rings: NDArray[np.float64], noise: float) -> InvalidValueError:
    inner = slice(0, max(2, len(profile) // 3))
    mean = float((profile[inner] * rings[inner]).sum() / rings[inner].sum())
    if mean < -3 * noise / math.sqrt(rings[inner].sum()):
        return InvalidValueError("images: expected particles brighter than their background, found darker ones (bright field?)")
    return InvalidValueError("images: expected particles brighter than their background, found nothing above the noise")


def _integrated(images: NDArray[np.float32], radii: NDArray[np.float32], radius: NDArray[np.float64]) -> NDArray[np.float64]:
    window = np.clip(radius[:, None, None].astype(np.float32) + 1 - radii, 0, 1)
    return np.asarray((images * window).sum(axis=(1, 2), dtype=np.float64))


def _centre_errors(profile: NDArray[np.float64], radius: float, noise: float) -> list[float]:
    """Standard errors per axis [px] of centroid, match with the profile and two-fold centre, from the noise alone."""
    if noise == 0:
        return [0.0, 0.0, 0.0]
    r = np.arange(len(profile), dtype=np.float64)
    ring = 2 * np.pi * np.maximum(r, 1 / 8) * (r <= radius)
    mass = float((profile * ring).sum())
    slope = np.gradient(profile)
    # Along one axis: ⟨x²⟩ = r²/2 on a ring, and ⟨(∂T/∂x)²⟩ = (dT/dr)²/2.
    centroid = noise * math.sqrt(float((ring * r * r).sum()) / 2) / max(mass, 1e-12)
    matched = noise / math.sqrt(float((ring * slope**2).sum()) / 2)
    return [centroid, matched, matched]
