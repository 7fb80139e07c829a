"""Segmentation of images that are too large for whole-frame filters."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, SettingsError, ShapeError
from nanospa.schema import as_image, keeps_calibration
from nanospa.segment.auto import auto
from nanospa.segment.local_threshold import local_threshold
from nanospa.segment.polarity import guess_polarity
from nanospa.segment.segment import Segmentation, above, filtered, no_particles, regions, turned
from nanospa.segment.settings import LOCAL_THRESHOLDS, SegmentSettings, resolved
from nanospa.segment.stitch_labels import stitch_labels
from nanospa.segment.threshold import threshold as global_threshold

#: Overlap of tiles of the automatic method [px]; particles up to this size are never cut.
AUTO_HALO_PX = 256


@keeps_calibration("image_like")
def segment_tiled(
    image_like: Any,
    *,
    settings: SegmentSettings | str | dict[str, Any] | None = None,
    tile_px: int = 2048,
    halo_px: int | None = None,
    threads: int | None = None,
    **overrides: Any,
) -> NDArray[np.int32]:
    """Label image of a large image or mosaic that is read tile by tile.

    With ``method="threshold"`` and a global threshold or a number, the result equals that of `segment`: filters see a tile with all the
    pixels around it that they depend on, and components are labelled and split across tiles as one. A threshold by name needs the filtered
    image in memory, a number does not. Local thresholds sum in another order, so that single pixels at the threshold may differ.
    ``method="auto"`` looks at each tile by itself (noise and score are those of the tile) and joins what it finds in
    overlapping tiles, so its result is not exactly that of one piece.

    Parameters
    ----------
    image_like : array_like of real dtype, shape (y, x)
        Anything with ``shape``, ``dtype`` and slices: a numpy array, a memory map, a zarr array.
    settings : SegmentSettings, str or dict, optional
        Settings or the name of a preset; automatic by default.
    tile_px : int
        Side of a tile [px].
    halo_px : int, optional
        Pixels read around a tile [px]; by default what the settings need. Less makes filters inexact near the tiles' edges.
    threads : int, optional
        Threads to use; see `nanospa.threads`.
    **overrides
        Fields of `SegmentSettings` that replace those of `settings`.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        0 is background; particles are 1, 2, … in the raster order of their first pixels.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image_like` is not a finite real 2D array.
    InvalidValueError
        `tile_px` is below 1 or `halo_px` below 0.
    SettingsError, UnknownNameError
        Settings are not valid, no such preset, or a method that cannot be tiled.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.zeros((50, 50), np.uint8)
    >>> image[10:30, 15:40] = 200
    >>> labels = ns.segment.segment_tiled(image, tile_px=16, method="threshold", polarity="bright", gaussian_sigma_px=0)
    >>> labels.max(), int((labels > 0).sum())
    (np.int32(1), 500)
    """
    return tiled_with_report(image_like, settings=settings, tile_px=tile_px, halo_px=halo_px, threads=threads, **overrides).labels


def tiled_with_report(
    image_like: Any,
    *,
    settings: SegmentSettings | str | dict[str, Any] | None = None,
    tile_px: int = 2048,
    halo_px: int | None = None,
    threads: int | None = None,
    **overrides: Any,
) -> Segmentation:
    """As `segment_tiled`, with what was decided on the way; the automatic method gives no scores here."""
    chosen = resolved(settings, overrides)
    shape = tuple(int(n) for n in image_like.shape)
    if len(shape) != 2:
        raise ShapeError(f"image_like: expected a 2D array, found {len(shape)}D with shape {shape}")
    if tile_px < 1 or (halo_px is not None and halo_px < 0):
        raise InvalidValueError(f"tile_px, halo_px: expected at least 1 and 0, found {tile_px} and {halo_px}")
    if chosen.method == "trained":
        raise SettingsError("method: expected 'auto' or 'threshold' for tiles, found 'trained'")
    n_threads = _threads.resolve(threads)
    tiles = Tiles(image_like, shape, tile_px, _halo(chosen) if halo_px is None else halo_px)
    extent = tiles.extent(n_threads)
    if extent is None or extent[0] == extent[1]:
        return Segmentation(np.zeros(shape, np.int32), warnings=(no_particles(extent),))
    if chosen.method == "auto":
        return _auto(tiles, chosen, n_threads)
    polarity = tiles.polarity() if chosen.polarity == "auto" else chosen.polarity
    chosen = chosen.model_copy(update={"polarity": polarity})
    mask, level = _mask(tiles, chosen, extent[1], n_threads)
    found = regions(mask, chosen, threads=n_threads)
    return replace(found, polarity=polarity, threshold=level, background=chosen.background)


class Tiles:
    """A large image in tiles with a halo."""

    def __init__(self, image: Any, shape: tuple[int, ...], tile_px: int, halo_px: int) -> None:
        self.image, self.shape, self.tile_px, self.halo_px = image, shape, tile_px, halo_px

    def read(self, y0: int, y1: int, x0: int, x1: int) -> NDArray[Any]:
        """A cut-out, checked."""
        return as_image(np.asarray(self.image[y0:y1, x0:x1]), "image_like")

    def __iter__(self) -> Iterator[tuple[tuple[slice, slice], tuple[slice, slice], NDArray[Any], tuple[int, int]]]:
        """Place of each tile in the whole, place of the tile in its cut-out, the cut-out with halo and where that begins."""
        height, width = self.shape
        for y0 in range(0, height, self.tile_px):
            for x0 in range(0, width, self.tile_px):
                y1, x1 = min(y0 + self.tile_px, height), min(x0 + self.tile_px, width)
                v0, u0 = max(y0 - self.halo_px, 0), max(x0 - self.halo_px, 0)
                cut = self.read(v0, min(y1 + self.halo_px, height), u0, min(x1 + self.halo_px, width))
                yield (slice(y0, y1), slice(x0, x1)), (slice(y0 - v0, y1 - v0), slice(x0 - u0, x1 - u0)), cut, (v0, u0)

    def extent(self, threads: int) -> tuple[float, float] | None:
        """Smallest and largest pixel."""
        bare = Tiles(self.image, self.shape, self.tile_px, 0)
        found = [e for _, _, cut, _ in bare if (e := _core.extent(cut, threads)) is not None]
        return (min(low for low, _ in found), max(high for _, high in found)) if found else None

    def polarity(self) -> Literal["bright", "dark"]:
        """Polarity of the whole, from the same box averages that `guess_polarity` would take."""
        height, width = self.shape
        side = max(1, round(min(height, width) / 512))
        strips = []
        rows = max(1, self.tile_px // side) * side
        for y0 in range(0, height - height % side, rows):
            strip = self.read(y0, min(y0 + rows, height - height % side), 0, width - width % side).astype(np.float32)
            strips.append(strip.reshape(strip.shape[0] // side, side, -1, side).mean((1, 3)))
        return guess_polarity(np.concatenate(strips))


def _halo(settings: SegmentSettings) -> int:
    """Pixels around a tile on which its filtered pixels depend."""
    if settings.method == "auto":
        return AUTO_HALO_PX
    # An opening looks twice as far as its structuring element: once for the erosion, once for the dilation.
    background = {"none": 0, "tophat": settings.background_size_px, "rolling_ball": 2 * settings.background_size_px + 2}
    local = 2 * settings.local_size_px if settings.threshold in LOCAL_THRESHOLDS else 0
    return background[settings.background] + math.ceil(4 * settings.gaussian_sigma_px) + 1 + local


def _mask(tiles: Tiles, settings: SegmentSettings, highest: float, threads: int) -> tuple[NDArray[np.bool_], float | None]:
    mask = np.zeros(tiles.shape, np.bool_)
    dark_last = settings.polarity == "dark" and settings.compatibility != "nanospa"
    if dark_last:
        # The peer turns the filtered image by its own brightest pixel.
        highest = max(float(filtered(cut, settings, highest=highest, threads=threads)[inner].max()) for _, inner, cut, _ in tiles)
    whole: NDArray[Any] | None = None
    for place, inner, cut, _ in tiles:
        image = filtered(cut, settings, highest=highest, threads=threads)
        if dark_last:
            image = turned(image, highest)
        if settings.threshold in LOCAL_THRESHOLDS:
            mask[place] = local_threshold(image, settings.threshold, settings.local_size_px, threads=threads)[inner]
        elif isinstance(settings.threshold, str):
            whole = np.empty(tiles.shape, image.dtype) if whole is None else whole
            whole[place] = image[inner]
        else:
            mask[place] = above(image[inner], settings.threshold)
    if whole is None:
        return mask, None if isinstance(settings.threshold, str) else float(settings.threshold)
    level = global_threshold(whole, settings.threshold, threads=threads)
    return above(whole, level), level


def _auto(tiles: Tiles, settings: SegmentSettings, threads: int) -> Segmentation:
    polarity = tiles.polarity() if settings.polarity == "auto" else settings.polarity
    found, origins = [], []
    for _, _, cut, origin in tiles:
        found.append(auto(cut, polarity=polarity, min_area_px=settings.min_area_px, threads=threads).labels)
        origins.append(origin)
    labels = stitch_labels(found, origins, (tiles.shape[0], tiles.shape[1]))
    _, n_small, n_border = _core.select(labels, int(labels.max(initial=0)), settings.min_area_px, settings.clear_border, threads)
    return Segmentation(labels, polarity=polarity, n_removed_small=n_small, n_removed_border=n_border)
