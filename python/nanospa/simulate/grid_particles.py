"""Which particles lie where on a grid without end.

The plane is cut into cells; what is proposed in a cell depends on (seed, cell) only. A proposal stays unless another one with a lower mark
lies too near (the second process of Matérn): a rule that looks no farther than that distance, so that what lies at a place never depends
on what was asked before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import SettingsError
from nanospa.simulate.holes import ORIGIN, Holes
from nanospa.simulate.placement import GAP_NM, projected, slide
from nanospa.simulate.population import Population, Specimen, draw
from nanospa.simulate.rotations import zone_rotation
from nanospa.simulate.shapes import enclosing_radius
from nanospa.simulate.specimen_settings import SpecimenSettings

#: Least side of a cell [nm].
CELL_NM = 200.0

#: Pixel size at which two particles are slid together [nm].
CONTACT_NM = 0.4

#: Particles drawn of each population to learn how much room they take.
N_TRIAL = 60

#: Bits of a particle's number within its cell, and of a cell's index: 52 in all, which a float64 still holds.
NUMBER_BITS, CELL_BITS = 12, 20


@dataclass(frozen=True, eq=False)
class GridParticle:
    """A particle on the grid: its number, its centre [nm], and the radius of a ball that holds it [nm]."""

    id: int
    y_nm: float
    x_nm: float
    reach_nm: float
    specimen: Specimen


@dataclass(frozen=True, eq=False)
class _Proposal:
    """One particle, or two that touch, and the mark that decides who gives way."""

    mark: float
    members: tuple[GridParticle, ...]


class GridParticles:
    """The particles of a grid.

    `abundance` gives the local density relative to its mean at places (y, x) [nm], at most `most`.
    """

    def __init__(
        self,
        settings: SpecimenSettings,
        stream: int,
        holes: Holes,
        abundance: Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]],
        abundances: NDArray[np.float64],
    ) -> None:
        self._settings, self._stream, self._holes, self._abundance = settings, stream, holes, abundance
        self._most = float(abundances.max())
        trial = np.random.default_rng(0)
        reaches = [np.array([_reach(draw(p, trial)) for _ in range(N_TRIAL)]) for p in settings.populations]
        # Three more standard deviations than any trial: nothing drawn later is larger but by less than a cell has to spare.
        largest = max(r.max() + 3 * r.std() for r in reaches)
        self.largest_nm = 3 * float(largest)
        self._cell = max(CELL_NM, 8 * float(largest) + GAP_NM)
        self._pairs = settings.touching / (2 - settings.touching)
        wanted = settings.density_per_um2 * 1e-6 / (1 + self._pairs)
        self._rates = _rates(wanted, settings.populations, reaches, self._pairs, abundances)
        expected = float(self._rates.sum()) * self._most * self._cell**2
        if expected + 8 * math.sqrt(expected) > 2 ** (NUMBER_BITS - 1):
            raise SettingsError(f"density_per_um2: expected fewer than {2**NUMBER_BITS} particles a cell, found {settings.density_per_um2}")
        self._proposed: dict[tuple[int, int], list[_Proposal]] = {}
        self._kept: dict[tuple[int, int], list[GridParticle]] = {}

    def near(self, y0: float, x0: float, y1: float, x1: float, margin: bool = True) -> list[GridParticle]:
        """Particles with their centre in a rectangle [nm], or reaching into it, in the order of their numbers."""
        if not self._rates.any():
            return []
        far = self.largest_nm
        rows = range(math.floor((y0 - far) / self._cell), math.floor((y1 + far) / self._cell) + 1)
        columns = range(math.floor((x0 - far) / self._cell), math.floor((x1 + far) / self._cell) + 1)
        found = [p for row in rows for column in columns for p in self._in_cell(row, column)]

        def inside(p: GridParticle) -> bool:
            r = p.reach_nm if margin else 0.0
            return y0 - r <= p.y_nm < y1 + r and x0 - r <= p.x_nm < x1 + r

        return [p for p in found if inside(p)]

    def numbered(self, particle_id: int) -> GridParticle | None:
        """The particle of a number, None where there is none."""
        row = (particle_id >> (NUMBER_BITS + CELL_BITS)) - ORIGIN
        column = ((particle_id >> NUMBER_BITS) & (2**CELL_BITS - 1)) - ORIGIN
        return next((p for p in self._in_cell(row, column) if p.id == particle_id), None)

    def _in_cell(self, row: int, column: int) -> list[GridParticle]:
        """What stays of a cell's proposals."""
        kept = self._kept.get((row, column))
        if kept is not None:
            return kept
        own = self._proposals(row, column)
        around = [q for i in (-1, 0, 1) for j in (-1, 0, 1) for q in self._proposals(row + i, column + j)]
        y, x, reach, mark = np.array([(m.y_nm, m.x_nm, m.reach_nm, q.mark) for q in around for m in q.members]).reshape(-1, 4).T
        kept = []
        for proposal in own:
            lower = mark < proposal.mark
            if not any((np.hypot(y - m.y_nm, x - m.x_nm)[lower] < reach[lower] + m.reach_nm + GAP_NM).any() for m in proposal.members):
                kept += proposal.members
        self._kept[row, column] = kept
        return kept

    def _proposals(self, row: int, column: int) -> list[_Proposal]:
        found = self._proposed.get((row, column))
        if found is not None:
            return found
        settings = self._settings
        if not 0 <= row + ORIGIN < 2**CELL_BITS or not 0 <= column + ORIGIN < 2**CELL_BITS:
            return []
        rng = np.random.default_rng(np.random.SeedSequence(settings.seed, spawn_key=(self._stream, row + ORIGIN, column + ORIGIN)))
        n = min(int(rng.poisson(self._rates.sum() * self._most * self._cell**2)), 2 ** (NUMBER_BITS - 1))
        y, x = ((index + rng.random(n)) * self._cell for index in (row, column))
        thinned, marks = rng.random(n) * self._most, rng.random(n)
        kinds = rng.choice(len(self._rates), size=n, p=self._rates / self._rates.sum())
        stays = (thinned < self._abundance(y, x)) & ~self._holes.over(y, x)
        number = ((row + ORIGIN) << CELL_BITS | (column + ORIGIN)) << NUMBER_BITS
        found = []
        for k in np.nonzero(stays)[0].tolist():
            specimen = self._draw(int(kinds[k]), rng)
            first = GridParticle(number | 2 * k, float(y[k]), float(x[k]), _reach(specimen), specimen)
            members: tuple[GridParticle, ...] = (first,)
            if rng.random() < self._pairs:
                shares = np.array([p.fraction for p in settings.populations])
                kind = int(rng.choice(len(shares), p=shares / shares.sum()))
                members = (first, _touching(first, self._draw(kind, rng), rng))
            found.append(_Proposal(float(marks[k]), members))
        self._proposed[row, column] = found
        return found

    def _draw(self, kind: int, rng: np.random.Generator) -> Specimen:
        specimen = draw(self._settings.populations[kind], rng)
        if rng.random() < self._settings.on_zone:
            specimen = Specimen(specimen.population, specimen.size_nm, specimen.shape_parameter, specimen.stretch, zone_rotation(rng))
        return specimen


def _reach(specimen: Specimen) -> float:
    radius = enclosing_radius(specimen.population.shape, specimen.shape_parameter)
    return radius * specimen.size_nm / 2 * max(specimen.stretch)


def _touching(first: GridParticle, specimen: Specimen, rng: np.random.Generator) -> GridParticle:
    """A neighbour slid against a particle from a random direction."""
    still, moved = projected(first.specimen, CONTACT_NM, rng), projected(specimen, CONTACT_NM, rng)
    placed = slide(moved, still, rng.random() * 2 * math.pi)
    dy, dx = ((a - b) * CONTACT_NM for a, b in zip(placed.centre, still.centre, strict=True))
    return GridParticle(first.id + 1, first.y_nm + dy, first.x_nm + dx, _reach(specimen), specimen)


def _rates(
    wanted: float, populations: tuple[Population, ...], reaches: list[NDArray[np.float64]], pairs: float, abundances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Proposals a square nanometre of every population that leave `wanted` ones, in the populations' shares, at the mean abundance."""
    shares = np.array([p.fraction for p in populations]) / sum(p.fraction for p in populations)
    # Area that a proposal keeps free of another, mean over the sizes of both; a pair is two discs that overlap by a quarter or so.
    area = np.array([[np.mean(np.pi * (a[:, None] + b + GAP_NM) ** 2) for b in reaches] for a in reaches]) * (1 + 0.75 * pairs) ** 2
    rates: NDArray[np.float64] = wanted * shares
    for _ in range(200):
        # Of proposals with uniform marks, one with `crowd` others too near on average stays with probability (1 − exp(−crowd)) / crowd.
        crowd = np.multiply.outer(abundances, area @ rates)
        stay = (abundances[:, None] * -np.expm1(-crowd) / np.maximum(crowd, 1e-12)).mean(axis=0)
        new = wanted * shares / np.maximum(stay, 1e-12)
        if not np.all(np.isfinite(new)) or new.sum() > 50 * max(wanted, 1e-12):
            raise SettingsError(
                f"density_per_um2: expected a density that leaves the particles room, found {wanted * 1e6 * (1 + pairs):.6g}"
            )
        if np.allclose(new, rates, rtol=1e-6):
            break
        rates = new
    return rates
