"""Automatic segmentation: particles of any size on any support, with one setting for all images."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, NanospaWarning
from nanospa.schema import as_image
from nanospa.segment.film_edges import on_film_edge
from nanospa.segment.join_parts import join_parts
from nanospa.segment.polarity import Polarity, attenuation, guess_polarity

#: Scales an octave, and the largest scale (sigma = 64 px) unless the caller says otherwise.
PER_OCTAVE = 3
LARGEST_SIGMA_PX = 64.0

# The score of a candidate (see `scores`). The exponents were chosen on nine of the seventeen images of the ArdaGen S/TEM set (every second
# file name); the other eight measured them. Every one of them stands on a plateau: ± 50 % costs at most 0.03 of F1.
GLOBAL_NOISE = 1 / 3
SHARPNESS = 1 / 3
EVENNESS = 1.0
LARGER_PER_OCTAVE = 0.2

#: A region is kept while regions are this many times as frequent as equally distinct ones of the other sign.
KEPT_PER_MIRRORED = 6.0
#: So many mirrored candidates, at most one for four regions, are not counted: in clean frames the gaps between close particles are as
#: distinct as the particles.
FREE_MIRRORED = 3
REGIONS_PER_FREE = 4
#: Boxes that overlap a better one by more than this part of the union, or of the smaller of both, repeat it.
REPEATED_IOU, REPEATED_PART = 0.25, 0.6
#: Candidates below this score are not looked at: white noise reaches it everywhere.
LEAST_SCORE = 2.5
#: An outline lies where the profile has fallen to this part of the local contrast: the foot of the edge; higher where noise hides the foot.
#: Chosen on simulated frames (seeds 77, 601, 602: 0.05 to 0.1 differ by 0.01 of mean IoU); F1 on the nine real images hardly depends on it.
OUTLINE_LEVEL = 0.07
#: Parts of a particle are joined until nothing changes, at most so many times.
_JOINING_ROUNDS = 3
#: Coarse outlines lie on the steepest descent; people see the particle end so much further out.
BOX_MARGIN = 1.2


@dataclass(frozen=True)
class AutoResult:
    """What `auto` found.

    Parameters
    ----------
    labels : numpy.ndarray of int32, shape (y, x)
        Label image, 0 = background, labels 1 … n by falling score.
    score : numpy.ndarray of float64, shape (region,)
        How distinct each region is; comparable inside one image.
    sigma_px : numpy.ndarray of float64, shape (region,)
        Scale at which each region was found [px]; a disc's radius is about 1.6 of it.
    polarity : str
        "bright" or "dark" particles.
    cut : float
        Score of the last region kept [-]; infinity where there is none.
    scale_range_px : tuple of float
        Smallest and largest scale looked at [px].
    mirrored : int
        Equally distinct regions of the other sign: an estimate of the false ones among those kept.
    """

    labels: NDArray[np.int32]
    score: NDArray[np.float64]
    sigma_px: NDArray[np.float64]
    polarity: str
    cut: float
    scale_range_px: tuple[float, float]
    mirrored: int


@dataclass(frozen=True)
class Candidates:
    """Blobs of both signs with what is known of them: one row each of `table`, named by `nanospa.segment.CANDIDATE_COLUMNS`."""

    table: NDArray[np.float32]
    radii: NDArray[np.float32]
    image: NDArray[np.float32]
    polarity: str
    last: int

    def column(self, name: str) -> NDArray[np.float64]:
        """One column of the table as float64, shape (candidate,)."""
        return self.table[:, _COLUMN[name]].astype(np.float64)

    def boxes(self) -> NDArray[np.float32]:
        """Boxes (y0, x0, y1, x1) [px] of the outlines, shape (candidate, 4)."""
        return _boxes(self.table[:, [_COLUMN["y"], _COLUMN["x"]]], BOX_MARGIN * self.radii, self.image.shape)

    def take(self, rows: NDArray[Any]) -> Candidates:
        """The candidates of `rows` (int or bool, shape (row,)) alone."""
        return Candidates(self.table[rows], self.radii[rows], self.image, self.polarity, self.last)


CANDIDATE_COLUMNS: tuple[str, ...] = tuple(_core.blob_columns())
_COLUMN = {name: i for i, name in enumerate(CANDIDATE_COLUMNS)}


def auto(
    image: Any,
    *,
    polarity: Polarity = "auto",
    min_area_px: int = 4,
    largest_sigma_px: float = LARGEST_SIGMA_PX,
    outline_level: float = OUTLINE_LEVEL,
    kept_per_mirrored: float = KEPT_PER_MIRRORED,
    threads: int | None = None,
) -> AutoResult:
    """Find and outline particles without settings.

    Blobs of both signs are collected in a Gaussian scale space and outlined by rays and dynamic programming. A blob scores by its response
    over the noise around it and in the whole image, by the sharpness of its edge and by the evenness of the edge around it. The blobs of
    the other sign (gaps, texture, noise) tell what such scores are worth in this image: regions are kept down to the score at which
    they stop being `kept_per_mirrored` times as frequent as their mirror images, as decoys are used in proteomics. The outline is then
    followed again on the sharpest image that the noise allows and, where the surroundings are quiet, pixel by pixel to the foot of the
    edge, less what blur adds to steep edges. Faint pieces of the film beside a hole are dropped.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    polarity : {"auto", "bright", "dark"}
        Whether particles are brighter or darker than what surrounds them; "auto" decides by the skewness of the image.
    min_area_px : int
        Regions of fewer pixels are dropped.
    largest_sigma_px : float
        Largest scale looked at [px]; particles up to about four times as wide are found.
    outline_level : float
        Where the outline lies, as a part of the local contrast [-]: 0.5 is half height, the default is the foot of the edge.
    kept_per_mirrored : float
        How many times as frequent as their mirror images regions must be [-]; more keeps fewer.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    AutoResult
        Labels, and score and scale of each region.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    InvalidValueError
        A setting is outside its range.

    References
    ----------
    Lindeberg, Int. J. Comput. Vis. 30 (1998) 79 (scale selection); Elias and Gygi, Nat. Methods 4 (2007) 207 (decoys).

    Examples
    --------
    >>> import numpy as np
    >>> import nanospa as ns
    >>> y, x = np.mgrid[:128, :128]
    >>> image = 100.0 * ((y - 60) ** 2 + (x - 50) ** 2 < 12**2) + np.random.default_rng(0).normal(0, 5, (128, 128))
    >>> found = ns.segment.auto(image)
    >>> found.labels.max(), found.polarity
    (np.int32(1), 'bright')
    """
    if not 0 < outline_level < 1:
        raise InvalidValueError(f"outline_level: expected a number between 0 and 1, found {outline_level!r}")
    if not kept_per_mirrored > 1:
        raise InvalidValueError(f"kept_per_mirrored: expected a number > 1, found {kept_per_mirrored!r}")
    found = candidates(image, polarity=polarity, largest_sigma_px=largest_sigma_px, threads=threads)
    score = scores(found)
    sign = found.column("sign")
    bright, mirror = (best(found, score, sign == side) for side in (1, -1))
    mirror = mirror[~_between_better(found.boxes(), score, mirror, bright)]
    n, mirrored = cut(score[bright], score[mirror], kept_per_mirrored)
    rows = bright[:n]
    labels, left = regions(found.take(rows), outline_level, min_area_px, threads)
    rows = rows[left]
    return AutoResult(
        labels=labels,
        score=score[rows],
        sigma_px=found.column("sigma_px")[rows],
        polarity=found.polarity,
        cut=float(score[rows].min()) if rows.size else float("inf"),
        scale_range_px=(1.0, float(2.0 ** (max(found.last, 0) / PER_OCTAVE))),
        mirrored=mirrored,
    )


def candidates(
    image: Any, *, polarity: Polarity = "auto", largest_sigma_px: float = LARGEST_SIGMA_PX, threads: int | None = None
) -> Candidates:
    """Blobs of both signs, outlined and described; sign +1 is the polarity of the particles.

    Parameters
    ----------
    image : array_like of real dtype, shape (y, x)
        Image.
    polarity : {"auto", "bright", "dark"}
        Polarity of the particles.
    largest_sigma_px : float
        Largest scale [px].
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Candidates
        Table, outlines and the normalised image.

    Raises
    ------
    ShapeError, DtypeError, NonFiniteError
        `image` is not a finite real 2D array.
    InvalidValueError
        A setting is outside its range.
    """
    if polarity not in ("auto", "bright", "dark"):
        raise InvalidValueError(f"polarity: expected auto, bright or dark, found {polarity!r}")
    if not (largest_sigma_px >= 1 and np.isfinite(largest_sigma_px)):
        raise InvalidValueError(f"largest_sigma_px: expected a finite number >= 1, found {largest_sigma_px!r}")
    array = as_image(image)
    n_threads = _threads.resolve(threads)
    last = -1
    low = 0.0
    normalised = np.zeros(array.shape, np.float32)
    if array.size:
        low, high = float(array.min()), float(array.max())
        if high > low:
            # Counts start at zero: an offset taken off them would bend the logarithm of bright-field images.
            low = min(low, 0.0)
            normalised = ((array - low) / (high - low)).astype(np.float32)
            # A blob needs eight of its scales of room.
            last = int(np.floor(PER_OCTAVE * np.log2(min(largest_sigma_px, max(1.0, min(array.shape) / 8))) + 1e-9))
        else:
            warnings.warn("image: constant, no particles", NanospaWarning, stacklevel=3)
    if polarity == "auto":
        polarity = guess_polarity(normalised)
    if polarity == "dark":
        # Without a zero of the counts there is no transmission to take the logarithm of.
        normalised = 1 - normalised if low < 0 else attenuation(normalised)
    table, radii = _core.blobs(normalised, last, n_threads)
    return Candidates(table, radii, normalised, polarity, last)


def scores(found: Candidates) -> NDArray[np.float64]:
    """How distinct each candidate is: response over noise, times powers of edge sharpness and evenness.

    Parameters
    ----------
    found : Candidates
        Candidates.

    Returns
    -------
    numpy.ndarray of float64, shape (candidate,)
        Scores [-].
    """
    c = found.column
    tiny = np.finfo(np.float32).tiny
    noise = c("noise_local") ** (1 - GLOBAL_NOISE) * c("noise_median") ** GLOBAL_NOISE
    sharpness = np.maximum(c("fine_descent") / np.maximum(c("contrast"), tiny), 0.02)
    evenness = np.maximum(c("descent_p25") / np.maximum(c("descent_mean"), tiny), 0.02)
    larger = 2.0 ** (LARGER_PER_OCTAVE * c("scale_index") / PER_OCTAVE)
    shape = np.minimum(sharpness, 1.5) ** SHARPNESS * np.minimum(evenness, 1.0) ** EVENNESS
    return np.asarray(c("response") / np.maximum(noise, tiny) * shape * larger)


def best(found: Candidates, score: NDArray[np.float64], among: NDArray[np.bool_], least: float = LEAST_SCORE) -> NDArray[np.intp]:
    """Rows of the best candidates that do not repeat each other, best first.

    Parameters
    ----------
    found : Candidates
        Candidates.
    score : numpy.ndarray of float64, shape (candidate,)
        Their scores.
    among : numpy.ndarray of bool, shape (candidate,)
        Which to look at.
    least : float
        Lowest score looked at [-].

    Returns
    -------
    numpy.ndarray of int, shape (row,)
        Rows of the table.
    """
    rows = np.flatnonzero(among & (score > least))
    rows = rows[np.argsort(-score[rows], kind="stable")]
    return rows[_core.suppress(found.boxes()[rows], REPEATED_IOU, REPEATED_PART)]


def cut(score: NDArray[np.float64], mirrored: NDArray[np.float64], kept_per_mirrored: float = KEPT_PER_MIRRORED) -> tuple[int, int]:
    """How many of the sorted scores to keep, from the scores of mirrored candidates.

    Parameters
    ----------
    score, mirrored : numpy.ndarray of float64, shape (candidate,)
        Scores of candidates and of those of the other sign, falling.
    kept_per_mirrored : float
        Times as frequent as mirrored ones candidates must be [-].

    Returns
    -------
    tuple of int
        Number kept, number of mirrored candidates with equal or better scores.
    """
    if not score.size:
        return 0, 0
    better = np.searchsorted(-mirrored, -score, side="right")
    n_kept = np.arange(1, score.size + 1)
    free = np.minimum(FREE_MIRRORED, n_kept // REGIONS_PER_FREE)
    gain = n_kept - kept_per_mirrored * np.maximum(better - free, 0)
    n = int(gain.argmax()) + 1
    if gain[n - 1] <= 0:
        return 0, 0
    return n, int(better[n - 1])


def regions(found: Candidates, outline_level: float, min_area_px: int, threads: int | None) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Label image of candidates in the order given, and the rows that are left of them.

    Parameters
    ----------
    found : Candidates
        Candidates to draw.
    outline_level : float
        Part of the local contrast at which outlines lie [-].
    min_area_px : int
        Smallest area.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    labels : numpy.ndarray of int32, shape (y, x)
        Label image.
    rows : numpy.ndarray of int, shape (region,)
        Candidate of each label.
    """
    seeds = np.ascontiguousarray(found.table[:, [_COLUMN[n] for n in ("sign", "y", "x", "scale_index", "contrast")]])
    n_threads = _threads.resolve(threads)
    radii = _core.outlines(found.image, seeds, found.radii, outline_level, n_threads)
    labels = _core.paint(found.image.shape, np.ascontiguousarray(seeds[:, 1:3]), radii)
    labels = _core.refine(found.image, labels, outline_level, n_threads)
    # What was joined may reach further, and then touch its next part.
    for _ in range(_JOINING_ROUNDS):
        joined = join_parts(found.image, labels, threads=n_threads)
        if np.array_equal(joined, labels):
            break
        labels = _core.refine(found.image, joined, outline_level, n_threads)
    area = np.bincount(labels.ravel(), minlength=len(seeds) + 1)[1:]
    kept = area >= max(1, min_area_px)
    edges = on_film_edge(found.image, labels)
    kept[: edges.size] &= ~edges
    rows = np.flatnonzero(kept)
    renumber = np.zeros(len(seeds) + 1, np.int32)
    renumber[rows + 1] = np.arange(1, rows.size + 1)
    return renumber[labels], rows


def _between_better(
    boxes: NDArray[np.float32], score: NDArray[np.float64], mirror: NDArray[np.intp], bright: NDArray[np.intp]
) -> NDArray[np.bool_]:
    """Whether a mirrored candidate touches two better ones of the right sign: it is the gap between them, not a chance find."""
    out = np.zeros(mirror.size, bool)
    for k, row in enumerate(mirror):
        better = boxes[bright[: np.searchsorted(-score[bright], -score[row])]]
        y0, x0, y1, x1 = boxes[row]
        touching = (better[:, 0] < y1) & (better[:, 2] > y0) & (better[:, 1] < x1) & (better[:, 3] > x0)
        out[k] = np.count_nonzero(touching) > 1
    return out


def _boxes(centres: NDArray[np.float32], radii: NDArray[np.float32], shape: tuple[int, ...]) -> NDArray[np.float32]:
    angle = np.arange(radii.shape[1]) * (2 * np.pi / max(1, radii.shape[1]))
    if not len(centres):
        return np.zeros((0, 4), np.float32)
    y = centres[:, :1] + radii * np.sin(angle)
    x = centres[:, 1:] + radii * np.cos(angle)
    low = [np.maximum(v.min(1), 0) for v in (y, x)]
    high = [np.minimum(v.max(1) + 1, n) for v, n in ((y, shape[0]), (x, shape[1]))]
    return np.stack(low + high, 1).astype(np.float32)
