"""Segmentation: from an image to a label image."""

from __future__ import annotations

import warnings as python_warnings
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import NanospaWarning, SettingsError
from nanospa.schema import as_image, keeps_calibration
from nanospa.segment.auto import AutoResult, auto
from nanospa.segment.distance_transform import distance_transform
from nanospa.segment.erode import erode
from nanospa.segment.local_threshold import local_threshold
from nanospa.segment.polarity import guess_polarity
from nanospa.segment.rolling_ball import rolling_ball
from nanospa.segment.seeds import seeds
from nanospa.segment.settings import LOCAL_THRESHOLDS, SegmentSettings, resolved
from nanospa.segment.threshold import threshold as global_threshold
from nanospa.segment.watershed import watershed


class MaskSource(Protocol):
    """What tells particle pixels from others, as a trained `PixelClassifier` does."""

    def mask(self, image: NDArray[Any], *, threads: int | None = None) -> NDArray[np.bool_]:
        """Mask of the particle pixels, shape (y, x)."""
        ...


@dataclass(frozen=True)
class Segmentation:
    """A label image and how it came about.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (y, x)
        0 is background; labels are consecutive.
    polarity : {"bright", "dark"}
        Whether particles were taken as brighter or darker than what surrounds them.
    threshold : float or None
        Global threshold [intensity after background removal and smoothing]; None where there was no single one.
    background : str
        What was removed: "none", "tophat" or "rolling_ball".
    scores : numpy.ndarray of float32, shape (region,), or None
        How distinct each region is, by label; None where the method gives none.
    scale_range_px : tuple of float or None
        Smallest and largest scale looked at [px]; None where the method has no scales.
    n_removed_small : int
        Regions removed because of their area.
    n_removed_border : int
        Regions removed at the image's border.
    warnings : tuple of str
        What the user should know.
    """

    labels: NDArray[np.int32]
    polarity: Literal["bright", "dark"] = "bright"
    threshold: float | None = None
    background: str = "none"
    scores: NDArray[np.float32] | None = None
    scale_range_px: tuple[float, float] | None = None
    n_removed_small: int = 0
    n_removed_border: int = 0
    warnings: tuple[str, ...] = ()


@keeps_calibration("image")
def segment(
    image: Any,
    *,
    settings: SegmentSettings | str | dict[str, Any] | None = None,
    classifier: MaskSource | None = None,
    threads: int | None = None,
    **overrides: Any,
) -> NDArray[np.int32]:
    """Label image of the particles in an image.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    settings : SegmentSettings, str or dict, optional
        Settings or the name of a preset ("auto", "slater2020", "particlespy-0.5.1"); automatic by default.
    classifier : MaskSource, optional
        What tells particle pixels, for ``method="trained"``.
    threads : int, optional
        Threads to use; see `nanospa.threads`.
    **overrides
        Fields of `SegmentSettings` that replace those of `settings`.

    Returns
    -------
    numpy.ndarray of int32, shape (y, x)
        0 is background; particles are 1, 2, … without a gap.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    SettingsError, UnknownNameError
        Settings are not valid, or no such preset.

    Warns
    -----
    NanospaWarning
        The image is constant, or particles were lost or kept whole against the settings.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168, section Image Segmentation: the preset "slater2020".

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> y, x = np.mgrid[:60, :90]
    >>> image = ((y - 30) ** 2 + (x - 25) ** 2 < 300) | ((y - 30) ** 2 + (x - 55) ** 2 < 300)
    >>> labels = ns.segment.segment(image, method="threshold", polarity="bright", watershed=True)
    >>> labels[30, 25], labels[30, 55], labels.max()
    (np.int32(1), np.int32(2), np.int32(2))
    """
    result = segment_with_report(image, settings=settings, classifier=classifier, threads=threads, **overrides)
    for text in result.warnings:
        # Past the decorator: the caller's line.
        python_warnings.warn(text, NanospaWarning, stacklevel=3)
    return result.labels


@keeps_calibration("image")
def segment_with_report(
    image: Any,
    *,
    settings: SegmentSettings | str | dict[str, Any] | None = None,
    classifier: MaskSource | None = None,
    threads: int | None = None,
    **overrides: Any,
) -> Segmentation:
    """As `segment`, with what was decided on the way.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    settings : SegmentSettings, str or dict, optional
        Settings or the name of a preset; automatic by default.
    classifier : MaskSource, optional
        What tells particle pixels, for ``method="trained"``.
    threads : int, optional
        Threads to use; see `nanospa.threads`.
    **overrides
        Fields of `SegmentSettings` that replace those of `settings`.

    Returns
    -------
    Segmentation
        Labels, polarity, threshold, scores, what was removed, and warnings as text.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    SettingsError, UnknownNameError
        Settings are not valid, or no such preset.

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> image = np.zeros((40, 40))
    >>> image[10:20, 10:20] = 1
    >>> report = ns.segment.segment_with_report(image, method="threshold", gaussian_sigma_px=0, polarity="bright")
    >>> report.polarity, report.labels.max(), report.n_removed_small
    ('bright', np.int32(1), 0)
    """
    chosen = resolved(settings, overrides)
    array = as_image(image)
    n_threads = _threads.resolve(threads)
    extent = _core.extent(array, n_threads)
    if extent is None or extent[0] == extent[1]:
        return Segmentation(np.zeros(array.shape, np.int32), warnings=(no_particles(extent),))
    if chosen.method == "auto":
        return _auto(array, chosen, n_threads)
    polarity = chosen.polarity
    if chosen.method == "trained":
        if classifier is None:
            raise SettingsError("classifier: expected a PixelClassifier with method 'trained', found None")
        mask = np.asarray(classifier.mask(array, threads=n_threads), dtype=np.bool_)
        return regions(mask, chosen, threads=n_threads)
    if polarity == "auto":
        polarity = guess_polarity(array.astype(np.float32, copy=False))
    mask, level = particle_mask(array, chosen.model_copy(update={"polarity": polarity}), highest=extent[1], threads=n_threads)
    found = regions(mask, chosen, threads=n_threads)
    return replace(found, polarity=polarity, threshold=level, background=chosen.background)


def filtered(image: NDArray[Any], settings: SegmentSettings, *, highest: float, threads: int) -> NDArray[Any]:
    """Image without background, smoothed, particles bright; `settings.polarity` is decided and `highest` the brightest pixel.

    In the peer's meaning dark particles are still dark.
    """
    if settings.polarity == "dark" and settings.compatibility == "nanospa":
        # Turned before the background is removed: a dark particle is a peak then, and the removal expects peaks.
        image = turned(image, highest)
    if settings.background == "tophat":
        image = _core.tophat(image, settings.background_size_px, threads)
    elif settings.background == "rolling_ball":
        image = image - rolling_ball(image, settings.background_size_px, threads=threads)
    return _core.gaussian(image, settings.gaussian_sigma_px, threads) if settings.gaussian_sigma_px > 0 else image


def particle_mask(
    image: NDArray[Any], settings: SegmentSettings, *, highest: float, threads: int
) -> tuple[NDArray[np.bool_], float | None]:
    """Mask of the particle pixels, and the global threshold if there is one; arguments as those of `filtered`."""
    image = filtered(image, settings, highest=highest, threads=threads)
    if settings.polarity == "dark" and settings.compatibility != "nanospa":
        image = turned(image, image.max())
    if settings.threshold in LOCAL_THRESHOLDS:
        return local_threshold(image, settings.threshold, settings.local_size_px, threads=threads), None
    level = global_threshold(image, settings.threshold, threads=threads)
    return above(image, level), level


def regions(mask: NDArray[np.bool_], settings: SegmentSettings, *, threads: int) -> Segmentation:
    """From a mask to particles: components, splitting, selection."""
    labels, n = _core.label(mask.view(np.uint8), 8, threads)
    del mask
    n_seedless = 0
    if settings.watershed and n:
        radius, separation = settings.erosion_radius_px, settings.seed_separation_px
        if settings.compatibility == "nanospa":
            n, n_seedless = _core.split(labels, n, radius, separation, settings.min_area_px, settings.keep_eroded, threads)
        else:
            labels, n, n_seedless = _split_as_particlespy(labels, settings, threads)
    texts = []
    if n_seedless:
        fate = "stay whole" if settings.compatibility == "nanospa" and settings.keep_eroded else "are lost"
        texts.append(f"erosion_radius_px: {n_seedless} regions vanish in an erosion of {settings.erosion_radius_px} px and {fate}")
    _, n_small, n_border = _core.select(labels, n, settings.min_area_px, settings.clear_border, threads)
    return Segmentation(labels, n_removed_small=n_small, n_removed_border=n_border, warnings=tuple(texts))


def _split_as_particlespy(labels: NDArray[np.int32], settings: SegmentSettings, threads: int) -> tuple[NDArray[np.int32], int, int]:
    mask = labels > 0
    distance = distance_transform(erode(mask, settings.erosion_radius_px, threads=threads), threads=threads)
    markers = seeds(distance, labels, settings.seed_separation_px, meaning="particlespy-0.5.1", threads=threads)
    flooded = watershed(distance, markers, mask, descending=True, ties="particlespy-0.5.1")
    large = np.bincount(labels.ravel()) >= settings.min_area_px
    large[0] = False
    large[labels[markers > 0]] = False
    return flooded, int(markers.max(initial=0)), int(large.sum())


def _auto(image: NDArray[Any], settings: SegmentSettings, threads: int) -> Segmentation:
    return of_auto(auto(image, polarity=settings.polarity, min_area_px=settings.min_area_px, threads=threads), settings)


def of_auto(found: AutoResult, settings: SegmentSettings) -> Segmentation:
    """What the automatic method, or a trained `Rescorer`, found, as a `Segmentation`; regions at the border go if settings say so."""
    labels, kept = found.labels, np.ones(found.score.size, np.bool_)
    if settings.clear_border:
        edges = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
        kept[edges[edges > 0] - 1] = False
        labels = np.append(0, np.where(kept, np.cumsum(kept), 0)).astype(np.int32)[labels]
    return Segmentation(
        labels=labels,
        polarity="dark" if found.polarity == "dark" else "bright",
        scores=found.score[kept].astype(np.float32),
        scale_range_px=found.scale_range_px,
        n_removed_border=int(np.count_nonzero(~kept)),
    )


def no_particles(extent: tuple[float, float] | None) -> str:
    """Why an image without pixels, or whose smallest and largest pixel are the same, has no particles."""
    return "image: no pixels, so no particles" if extent is None else f"image: every pixel is {extent[0]:g}, so there are no particles"


def turned(image: NDArray[Any], highest: Any) -> NDArray[Any]:
    """Image with bright and dark exchanged; `highest` becomes 0."""
    return image.dtype.type(highest) - image  # type: ignore[no-any-return]


def above(image: NDArray[Any], level: float) -> NDArray[np.bool_]:
    """``image > level`` compared exactly, without a float64 copy of the image."""
    if image.dtype.kind == "u":
        if level < 0:
            return np.ones(image.shape, np.bool_)
        if level >= np.iinfo(image.dtype).max:
            return np.zeros(image.shape, np.bool_)
        return image > image.dtype.type(level)  # type: ignore[no-any-return]
    rounded = image.dtype.type(level)
    if float(rounded) > level:
        rounded = np.nextafter(rounded, image.dtype.type(-np.inf))
    return image > rounded  # type: ignore[no-any-return]
