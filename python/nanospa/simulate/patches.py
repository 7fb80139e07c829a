"""Particles as small images about their centres, kept for the next scan that meets them."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.elements import ELEMENTS
from nanospa.simulate.atoms import SYMBOLS, specimen_atoms
from nanospa.simulate.grid_particles import GridParticle
from nanospa.simulate.materials import Material
from nanospa.simulate.particle import body_matrix

#: Grid spacings are this times a power of √2 [nm].
SPACING_NM = 0.05

#: Variance, in squared spacings, of the cubic B-spline that a patch is evaluated with, and of the averaging over a grid cell.
SPLINE, CELL = 1 / 3, 1 / 12

#: Least blur of a patch of thickness, in its grid spacings: an edge's width then depends on where between two cells it lies by a tenth at
#: most, and not on average. Where pixels are wider than two standard deviations nobody can see that, and what the spline does is enough.
LEAST_BLUR, LEAST_UNSEEN_BLUR = 0.9, 0.65

#: Likewise of atoms: a peak is right to a hundredth.
LEAST_ATOM_BLUR = 1.15

#: Variance, in pixels, below which a Gaussian taken at whole pixels is too narrow, and three weights of the right variance do better.
THREE_WEIGHTS = 0.4

#: Bytes of patches kept.
KEPT_BYTES = 256 * 2**20

#: Particles whose atoms are kept.
KEPT_ATOMS = 256

#: How far beyond a particle's shape its outermost atoms may lie [nm].
LAYER_NM = 0.5

#: What sets blurs of atoms apart from those of thickness.
ATOMIC = 1_000_000


class Patches:
    """Thickness and atoms of particles on square grids about their centres, sharp and blurred."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._atoms: OrderedDict[int, tuple[NDArray[np.float64], NDArray[np.int64]]] = OrderedDict()
        self._kept: OrderedDict[tuple[int, int, float], NDArray[np.float32]] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Patches], tuple[int]]:
        return Patches, (self._seed,)

    def thickness(self, particle: GridParticle, largest_nm: float) -> tuple[NDArray[np.float32], float]:
        """Projected thickness [nm] and the grid spacing [nm], at most `largest_nm` where that can be."""
        return self._sharp(particle, level := _level(largest_nm)), _spacing(level)

    def blurred(self, particle: GridParticle, sigma_nm: float, pixel_nm: float) -> tuple[NDArray[np.float32], float]:
        """Coefficients of cubic B-splines whose sum is the thickness blurred by a Gaussian of `sigma_nm`, and the grid spacing [nm].

        `pixel_nm` is the pixel size of the image they are for.
        """
        level = _level(sigma_nm / (LEAST_BLUR if pixel_nm < 2 * sigma_nm else LEAST_UNSEEN_BLUR))
        spacing = _spacing(level)
        # A blur is the same to a thousandth of its width: more would only miss what is kept.
        step = round(1000 * math.log(sigma_nm / spacing))
        found = self._get((particle.id, level, step))
        if found is None:
            variance = max(math.exp(step / 500) - SPLINE - CELL, 0.0)
            found = _smoothed(np.pad(self._sharp(particle, level), math.ceil(4 * math.sqrt(variance)) + 3), variance)
            self._put((particle.id, level, step), found)
        return found, spacing

    def atomic(self, particle: GridParticle, sigma_nm: float) -> tuple[NDArray[np.float32], float]:
        """Coefficients as `blurred` gives them, of the fraction of the beam that a particle's atoms scatter to the detector.

        Every atom is a Gaussian of `sigma_nm` and its element's thermal displacement, and as strong as its cross-section.
        """
        level = _level(sigma_nm / LEAST_ATOM_BLUR)
        spacing = _spacing(level)
        step = round(1000 * math.log(sigma_nm / spacing))
        found = self._get((particle.id, level, step + ATOMIC))
        if found is None:
            offsets, numbers = self.atoms(particle)
            pads, layers = [], []
            for number in np.unique(numbers).tolist():
                own = offsets[numbers == number]
                swing = ELEMENTS[SYMBOLS[number]].displacement_nm() / spacing
                # The spline comes in twice: once to place the atoms on the grid, once to evaluate it.
                variance = max(math.exp(step / 500) + swing**2 - 2 * SPLINE, 0.0)
                half = math.ceil((particle.reach_nm + 2 * LAYER_NM) / spacing + 4 * math.sqrt(variance)) + 3
                weight = Material(((number, 1.0),), 0.0).cross_section_nm2 / spacing**2
                layers.append(_smoothed(_core.deposit(own[:, 1::-1].copy(), weight, half, spacing), variance))
                pads.append(half)
            wide = max(pads)
            found = np.sum([np.pad(layer, wide - half) for layer, half in zip(layers, pads, strict=True)], axis=0, dtype=np.float32)
            self._put((particle.id, level, step + ATOMIC), found)
        return found, spacing

    def atoms(self, particle: GridParticle) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Offsets (x, y, z) [nm] of a particle's atoms from its centre, shape (atom, 3), and their atomic numbers."""
        with self._lock:
            found = self._atoms.get(particle.id)
        if found is None:
            rng = np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=(particle.id >> 32, particle.id & (2**32 - 1))))
            found = specimen_atoms(particle.specimen, rng)
            with self._lock:
                self._atoms[particle.id] = found
                while len(self._atoms) > KEPT_ATOMS:
                    self._atoms.popitem(last=False)
        return found

    def _sharp(self, particle: GridParticle, level: int) -> NDArray[np.float32]:
        found = self._get((particle.id, level, -math.inf))
        if found is None:
            specimen, spacing = particle.specimen, _spacing(level)
            half = math.ceil(particle.reach_nm / spacing) + 1
            matrix = body_matrix(size_nm=specimen.size_nm, rotation=specimen.rotation, stretch=specimen.stretch)
            found = _core.cell_means(specimen.population.shape, specimen.shape_parameter, matrix, half, spacing)
            self._put((particle.id, level, -math.inf), found)
        return found

    def _get(self, key: tuple[int, int, float]) -> NDArray[np.float32] | None:
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
            return found

    def _put(self, key: tuple[int, int, float], patch: NDArray[np.float32]) -> None:
        with self._lock:
            if key not in self._kept:
                self._bytes += patch.nbytes
                self._kept[key] = patch
            while self._bytes > KEPT_BYTES and len(self._kept) > 1:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= gone.nbytes


def _smoothed(patch: NDArray[np.float32], variance: float) -> NDArray[np.float32]:
    """A patch with a margin of zeros convolved with a kernel of a variance, in pixels, along both axes."""
    if variance > THREE_WEIGHTS:
        return _core.gaussian(patch, math.sqrt(variance), 1)
    side, middle = np.float32(variance / 2), np.float32(1 - variance)
    rows = middle * patch
    rows[1:-1] += side * (patch[:-2] + patch[2:])
    out = middle * rows
    out[:, 1:-1] += side * (rows[:, :-2] + rows[:, 2:])
    return out


def _level(largest_nm: float) -> int:
    return max(math.floor(2 * math.log2(max(largest_nm, 1e-9) / SPACING_NM)), -6)


def _spacing(level: int) -> float:
    return SPACING_NM * math.pow(2.0, level / 2)
