"""Where particles lie in a frame: apart from each other, or in pairs that just touch."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import InvalidValueError
from nanospa.simulate.particle import body_matrix
from nanospa.simulate.population import Specimen
from nanospa.simulate.shapes import enclosing_radius

#: A pixel belongs to a particle where its projected thickness is above this fraction of its largest: the outline a microscopist
#: would draw, without the last percent of a wedge-shaped edge that no noise level shows.
TRUTH_FRACTION = 0.05

#: Lines along each side of a pixel.
SUPERSAMPLING = 2

#: Free space between particles that do not touch [nm].
GAP_NM = 1.0

#: Largest overlap of two touching particles, as a fraction of the smaller one's area.
OVERLAP = 0.02

#: Positions tried for a particle before the frame counts as full.
TRIES = 3000


@dataclass(frozen=True)
class Placed:
    """A particle, its thickness in a patch whose first pixel is `corner` of the unbounded image plane, and its truth pixels.

    `reach_px` is the radius of the circle about the centre that holds the truth pixels.
    """

    specimen: Specimen
    thickness: NDArray[np.float32]
    mask: NDArray[np.bool_]
    area_px: int
    reach_px: float
    offset: tuple[float, float]
    corner: tuple[int, int]

    @property
    def centre(self) -> tuple[float, float]:
        """Position (y, x) of the particle's centre [px]."""
        return self.corner[0] + self.offset[0], self.corner[1] + self.offset[1]

    def at(self, y: float, x: float) -> Placed:
        """The same particle as near to a position as whole pixels go."""
        return replace(self, corner=(round(y - self.offset[0]), round(x - self.offset[1])))


def place(specimens: list[Specimen], n_pairs: int, shape: tuple[int, int], pixel_size_nm: float, rng: np.random.Generator) -> list[Placed]:
    """Positions for all specimens: the last `n_pairs` each touch one of the others, a different one each."""
    loose = [projected(specimen, pixel_size_nm, rng) for specimen in specimens]
    free, late = loose[: len(loose) - n_pairs], loose[len(loose) - n_pairs :]
    gap_px = GAP_NM / pixel_size_nm
    placed: list[Placed] = []
    # The larger ones first: they find no room later.
    for particle in sorted(free, key=lambda p: p.reach_px, reverse=True):
        placed.append(_apart(particle, placed, shape, gap_px, rng))
    for particle, i in zip(late, rng.permutation(len(free))[:n_pairs], strict=True):
        placed.append(_touching(particle, placed[i], placed, shape, gap_px, rng))
    return placed


def projected(specimen: Specimen, pixel_size_nm: float, rng: np.random.Generator) -> Placed:
    """The specimen's thickness with its centre at a random place within a pixel, not yet placed."""
    radius = enclosing_radius(specimen.population.shape, specimen.shape_parameter) * specimen.size_nm / 2 * max(specimen.stretch)
    half = math.ceil(radius / pixel_size_nm) + 1
    offset = (half + rng.random() - 0.5, half + rng.random() - 0.5)
    thickness = _core.thickness(
        specimen.population.shape,
        specimen.shape_parameter,
        body_matrix(size_nm=specimen.size_nm, rotation=specimen.rotation, stretch=specimen.stretch),
        (2 * half + 1, 2 * half + 1),
        offset,
        (pixel_size_nm, pixel_size_nm),
        SUPERSAMPLING,
        1,
    )
    mask = thickness > TRUTH_FRACTION * thickness.max()
    y, x = np.nonzero(mask)
    reach = float(np.hypot(y - offset[0], x - offset[1]).max()) + 1
    return Placed(specimen, thickness, mask, y.size, reach, offset, (0, 0))


def _clear(particle: Placed, others: list[Placed], gap_px: float) -> bool:
    return all(math.dist(particle.centre, o.centre) > particle.reach_px + o.reach_px + gap_px for o in others)


def _apart(particle: Placed, placed: list[Placed], shape: tuple[int, int], gap_px: float, rng: np.random.Generator) -> Placed:
    for _ in range(TRIES):
        candidate = particle.at(rng.random() * shape[0] - 0.5, rng.random() * shape[1] - 0.5)
        if _clear(candidate, placed, gap_px):
            return candidate
    raise _full(shape)


def _touching(
    particle: Placed, partner: Placed, placed: list[Placed], shape: tuple[int, int], gap_px: float, rng: np.random.Generator
) -> Placed:
    others = [o for o in placed if o is not partner]
    for _ in range(TRIES):
        candidate = slide(particle, partner, rng.random() * 2 * math.pi)
        inside = all(-0.5 <= c < n - 0.5 for c, n in zip(candidate.centre, shape, strict=True))
        if inside and _clear(candidate, others, gap_px):
            return candidate
    raise _full(shape)


def slide(particle: Placed, partner: Placed, angle: float) -> Placed:
    """The particle slid towards its partner from the direction of `angle` until the outlines touch."""

    def at(distance: float) -> Placed:
        return particle.at(partner.centre[0] + distance * math.sin(angle), partner.centre[1] + distance * math.cos(angle))

    near, far = 0.0, particle.reach_px + partner.reach_px
    limit = OVERLAP * min(partner.area_px, particle.area_px)
    while far - near > 0.5:
        middle = (near + far) / 2
        if _overlap(at(middle), partner) > limit:
            near = middle
        else:
            far = middle
    return at(far)


def _overlap(a: Placed, b: Placed) -> int:
    """Pixels that belong to both."""
    y0, x0 = (max(p, q) for p, q in zip(a.corner, b.corner, strict=True))
    y1, x1 = (min(p + n, q + m) for p, q, n, m in zip(a.corner, b.corner, a.mask.shape, b.mask.shape, strict=True))
    if y1 <= y0 or x1 <= x0:
        return 0
    first, second = (p.mask[y0 - p.corner[0] : y1 - p.corner[0], x0 - p.corner[1] : x1 - p.corner[1]] for p in (a, b))
    return int((first & second).sum())


def _full(shape: tuple[int, int]) -> InvalidValueError:
    return InvalidValueError(
        f"n_particles: expected a number that fits into a frame of shape {shape} without overlap, found no room in {TRIES} tries"
    )
