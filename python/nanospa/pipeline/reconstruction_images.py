"""Images of the particles of a cluster for its reconstruction, all on one box and at one pixel size.

A task does one frame: it reads image and labels and gives back the cut-outs, which are small.
"""

from __future__ import annotations

import functools
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import PixelSizeError
from nanospa.io.store import Store
from nanospa.pipeline.distribute import Workers
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.stages import attached, labels_of

#: Field of the images over the greatest extent of a particle: background all around, to see how noisy it is.
FIELD = 1.3
#: Smallest box [px]: room for the search of small particles.
LEAST_BOX = 32
#: How far a label is grown, in its radii and at least in pixels: its outline runs where the intensity has fallen to a threshold.
GROWTH, LEAST_GROWTH_PX = 0.15, 3.0
#: Particles whose extent is more than this in those of the median are aggregates, and would set the size of all images.
AGGREGATE = 2.0
#: Pixels that differ in height and width by more are made square first.
ANISOTROPY = 2e-3
#: Background pixels that a plane is fitted to, at least, in each of three quadrants; fewer give one level.
LEAST_BACKGROUND = 30
_CLIPS, _SIGMAS = 4, 3.0


@dataclass(frozen=True)
class Member:
    """A particle of a cluster: its row of the particle table, where it is, and how large [px]."""

    row: int
    frame: Frame
    label: int
    centre: tuple[float, float]
    radius_px: float
    extent_px: float
    dark: bool

    @property
    def pixel_size_nm(self) -> float:
        """Side of the square of a pixel's area [nm]."""
        if self.frame.pixel_size_nm is None:
            raise PixelSizeError(f"{self.frame.source}: expected a pixel size, found none; give --pixel-size-nm or input.pixel_size_nm")
        return math.sqrt(math.prod(self.frame.pixel_size_nm))


@dataclass(frozen=True)
class Grid:
    """What all images of a cluster have in common."""

    box: int
    pixel_size_nm: float


@dataclass(frozen=True)
class ClusterImages:
    """Images (image, y, x) of the particles of a cluster, and the pixels that are theirs."""

    images: NDArray[np.float32]
    masks: NDArray[np.bool_]
    pixel_size_nm: float


def grid_of(members: Sequence[Member], largest_px: int) -> Grid:
    """Box that holds the largest particle with background around, at the coarsest pixel size; coarser where it would be too large."""
    size = max(member.pixel_size_nm for member in members)
    field = FIELD * max(member.extent_px * member.pixel_size_nm for member in members)
    box = max(smooth_even(math.ceil(field / size)), LEAST_BOX)
    return Grid(box, size) if box <= largest_px else Grid(largest_px, field / largest_px)


def smooth_even(n: int) -> int:
    """The next even number without prime factors above 5, for the Fourier transforms."""
    n += n % 2
    while not _smooth(n):
        n += 2
    return n


def _smooth(n: int) -> bool:
    for prime in (2, 3, 5):
        while n % prime == 0:
            n //= prime
    return n == 1


def without_aggregates(members: Sequence[Member]) -> list[Member]:
    """Members that are not far larger than most."""
    extents = np.array([member.extent_px * member.pixel_size_nm for member in members])
    return [member for member, extent in zip(members, extents, strict=True) if extent <= AGGREGATE * np.median(extents)]


def cluster_images(store: Store, members: Sequence[Member], grid: Grid, pool: Workers) -> ClusterImages:
    """Cut the members out of their frames; a frame is a task."""
    by_frame: dict[int, list[int]] = {}
    for number, member in enumerate(members):
        by_frame.setdefault(member.frame.row, []).append(number)
    images = np.empty((len(members), grid.box, grid.box), np.float32)
    masks = np.empty(images.shape, bool)
    task = functools.partial(_cut_frame, str(store.path.resolve()), f"{time.time_ns()}", grid)
    found = pool.map(task, ([members[number] for number in numbers] for numbers in by_frame.values()))
    for numbers, (cuts, own) in zip(by_frame.values(), found, strict=True):
        images[numbers], masks[numbers] = cuts, own
    return ClusterImages(images, masks, grid.pixel_size_nm)


def _cut_frame(path: str, token: str, grid: Grid, members: Sequence[Member]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    store, frame = attached(path, token), members[0].frame
    image = store.stacks.read(frame.stack, frame.index)
    labels, _ = labels_of(store, frame)
    assert frame.pixel_size_nm is not None
    y, x = frame.pixel_size_nm
    n = _even(grid.box * grid.pixel_size_nm / min(y, x))
    cuts, masks = (np.stack(each) for each in zip(*_cuts(image, labels, members, n), strict=True))
    if abs(y / x - 1) > ANISOTROPY:
        cuts, masks = _square(cuts, y, x, order=3), _square(masks, y, x, order=1)
        y = x = min(y, x)
    size = math.sqrt(y * x)
    scale = grid.pixel_size_nm * grid.box / (n * size)
    if n == grid.box and abs(scale - 1) < 1e-9:
        return cuts, masks > 0.5
    from nanospa.reconstruct import fourier_crop

    scales = np.full(len(cuts), scale)
    return fourier_crop(cuts, grid.box, scales=scales), fourier_crop(masks, grid.box, scales=scales) > 0.5


def _cuts(
    image: NDArray[Any], labels: NDArray[np.int32], members: Sequence[Member], box: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    for member in members:
        cut, own = cut_out(image, labels, member.label, member.centre, box, max(GROWTH * member.radius_px, LEAST_GROWTH_PX))
        yield (-cut if member.dark else cut), own.astype(np.float32)


def _even(length: float) -> int:
    return 2 * math.ceil(length / 2 - 1e-6)


def cut_out(
    image: NDArray[Any], labels: NDArray[np.int32], label: int, centre: tuple[float, float], box: int, growth_px: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Image of one particle about the pixel nearest to `centre`, without background, and the pixels that are its own.

    Its own are those of its label grown by `growth_px`, up to half way to a neighbour. What belongs to a neighbour or lies outside the
    frame is filled with values drawn from the background in the image, so that it looks like background everywhere else.
    """
    from nanospa.segment import distance_transform

    top, left = (math.floor(c + 0.5) - box // 2 for c in centre)
    rows, columns = _inside(top, box, image.shape[0]), _inside(left, box, image.shape[1])
    place = slice(rows.start - top, rows.stop - top), slice(columns.start - left, columns.stop - left)
    cut, region = np.zeros((box, box)), np.zeros((box, box), np.int32)
    cut[place], region[place] = image[rows, columns], labels[rows, columns]
    outside = np.ones((box, box), bool)
    outside[place] = False
    to_own = distance_transform(region != label, threads=1)
    others = (region != label) & (region > 0)
    to_others = distance_transform(~others, threads=1)
    own = (to_own <= growth_px) & (to_own <= to_others) & ~outside
    hidden = outside | (to_others <= growth_px) & ~own
    background = ~own & ~hidden
    plane, used = _background(cut, background)
    cut -= plane
    values = cut[used]
    # By its place: the same whatever else is in the frame.
    draw = np.random.default_rng([max(top + box, 0), max(left + box, 0), label])
    cut[hidden] = draw.choice(values, int(hidden.sum())) if values.size else 0.0
    return cut.astype(np.float32), own


def _inside(first: int, n: int, size: int) -> slice:
    return slice(min(max(first, 0), size), max(min(first + n, size), 0))


def _background(cut: NDArray[np.float64], background: NDArray[np.bool_]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Background by a plane, or a level where the background is seen on one side only; and the pixels it is made of."""
    n = cut.shape[0]
    y, x = np.mgrid[:n, :n].astype(np.float64) / n - 0.5
    used = background.copy()
    if not used.any():
        # Nothing but particles: the darkest of what is there.
        return np.full(cut.shape, cut.min()), used
    halves = (y < 0, y >= 0), (x < 0, x >= 0)
    sides = sum(int((used & a & b).sum() >= LEAST_BACKGROUND) for a in halves[0] for b in halves[1])
    terms = np.stack([np.ones_like(y), y, x] if sides >= 3 else [np.ones_like(y)], axis=-1)
    for _ in range(_CLIPS):
        rest = cut - terms @ _fitted(terms[used], cut[used])
        spread = rest[used].std()
        clipped = background & (np.abs(rest) <= _SIGMAS * spread)
        if not clipped.any() or np.array_equal(clipped, used):
            break
        used = clipped
    return terms @ _fitted(terms[used], cut[used]), used


def _fitted(terms: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares by the normal equations: a few centred terms."""
    solved: NDArray[np.float64] = np.asarray(np.linalg.solve(terms.T @ terms, terms.T @ values), np.float64)
    return solved


def _square(images: NDArray[np.float32], y_nm: float, x_nm: float, *, order: int) -> NDArray[np.float32]:
    """Images with square pixels of the smaller side, about the centre index."""
    from scipy.ndimage import affine_transform

    n = images.shape[-1]
    step = np.array([min(y_nm, x_nm) / y_nm, min(y_nm, x_nm) / x_nm])
    offset = n // 2 * (1 - step)
    return np.stack([affine_transform(image, step, offset=offset, order=order, mode="nearest") for image in images])
