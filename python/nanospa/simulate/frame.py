"""Simulated HAADF frames with their truth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core
from nanospa.errors import InvalidValueError
from nanospa.simulate.background import film
from nanospa.simulate.materials import MATERIALS, known_material
from nanospa.simulate.placement import Placed, place
from nanospa.simulate.population import Population, Specimen, draw
from nanospa.simulate.settings import PRESETS, SimulateSettings, chosen
from nanospa.simulate.truth_table import consecutive, contact_columns, kind_columns, pose_columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class SimulatedFrame:
    """A frame and what is truly in it.

    Attributes
    ----------
    image : numpy.ndarray of uint16, shape (y, x)
        Detector counts.
    labels : numpy.ndarray of int32, shape (y, x)
        Truth: 0 is background; a pixel belongs to a particle where its projected thickness is above 5 % of its largest, to the
        thicker one where two overlap. Labels are consecutive.
    table : pandas.DataFrame
        One row a particle: label, population, shape, size_nm, shape_parameter, stretch_x, stretch_y, stretch_z, y_px, x_px,
        rotation_xx … rotation_zz (row by row), area_px, thickness_max_nm, touches_border, touches_particle.
    pixel_size_nm : float
        Pixel size [nm].
    """

    image: NDArray[np.uint16]
    labels: NDArray[np.int32]
    table: pd.DataFrame
    pixel_size_nm: float


def frame(*, index: int = 0, settings: SimulateSettings | str | None = None, **overrides: Any) -> SimulatedFrame:
    """A simulated HAADF frame with its truth.

    The signal is projected: thickness × atoms per volume × Z^1.7 (Z^1.7 averaged over an alloy), on a carbon film with slow and
    grainy variations, blurred by the probe; the electrons that arrive are Poisson distributed, the detector adds noise, gain and
    offset. Particles lie apart in uniformly random orientation, but for the share that touches another with little overlap.

    Parameters
    ----------
    index : int
        Number of the frame in its series: the frame depends on (seed, index) only.
    settings : SimulateSettings or str, optional
        Settings or the name of a preset; by default those of `SimulateSettings`.
    **overrides
        Fields of `SimulateSettings`: shape, pixel_size_nm, populations (a tuple or the name of a mixture), n_particles, touching,
        electrons_per_pixel, probe_sigma_nm, carbon_nm, gain, offset, read_noise, seed.

    Returns
    -------
    SimulatedFrame
        Image, truth labels, truth table and pixel size.

    Raises
    ------
    SettingsError
        An unknown field, or a value outside its range.
    InvalidValueError
        So many particles that they find no room.

    References
    ----------
    Slater et al., Microsc. Microanal. 26 (2020) 1168: the mixture "slater2020".

    Examples
    --------
    >>> import nanospa as ns
    >>> simulated = ns.simulate.frame(shape=(256, 256), n_particles=4, seed=1)
    >>> simulated.image.dtype, int(simulated.labels.max()), len(simulated.table)
    (dtype('uint16'), 4, 4)
    """
    given = chosen(SimulateSettings, PRESETS, settings, overrides)
    if index < 0:
        raise InvalidValueError(f"index: expected an integer >= 0, found {index!r}")
    # Separate streams, so that another dose or background leaves the specimen as it is.
    what, background, noise = (np.random.default_rng(np.random.SeedSequence(given.seed, spawn_key=(index, stream))) for stream in range(3))
    n = given.n_particles if isinstance(given.n_particles, int) else int(what.poisson(given.n_particles))
    n_pairs = min(int(what.binomial(n, given.touching / 2)), n // 2)
    specimens = _draw_specimens(given.populations, n, what)
    placed = place(specimens, n_pairs, given.shape, given.pixel_size_nm, what)
    scattered, labels, visible = _project(placed, given.shape)
    scattered += film(given.shape, given.pixel_size_nm, given.carbon_nm, background) * np.float32(MATERIALS["C"].scattered_per_nm)
    image = _detect(scattered, given, noise)
    return SimulatedFrame(image, labels, _table(visible, labels), given.pixel_size_nm)


def frames(n: int | None = None, *, settings: SimulateSettings | str | None = None, **overrides: Any) -> Iterator[SimulatedFrame]:
    """Simulated frames 0, 1, …, n − 1 of a series.

    Parameters
    ----------
    n : int, optional
        Number of frames; by default that of the settings.
    settings : SimulateSettings or str, optional
        Settings or the name of a preset, e.g. "slater2020".
    **overrides
        Fields of `SimulateSettings`, see `frame`.

    Yields
    ------
    SimulatedFrame
        Each made when it is asked for.

    Raises
    ------
    SettingsError
        An unknown field, or a value outside its range.

    Examples
    --------
    >>> import nanospa as ns
    >>> [int(f.labels.max()) for f in ns.simulate.frames(3, shape=(200, 200), n_particles=2)]
    [2, 2, 2]
    """
    given = chosen(SimulateSettings, PRESETS, settings, overrides)
    return (frame(index=i, settings=given) for i in range(given.n_frames if n is None else n))


def _draw_specimens(populations: tuple[Population, ...], n: int, rng: np.random.Generator) -> list[Specimen]:
    shares = np.array([p.fraction for p in populations])
    kinds = rng.choice(len(populations), size=n, p=shares / shares.sum())
    return [draw(populations[k], rng) for k in kinds]


def _project(placed: list[Placed], shape: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.int32], list[Placed]]:
    """Fraction of the beam scattered to the detector, truth labels, and the particles that have a truth pixel, in label order."""
    scattered = np.zeros(shape, dtype=np.float32)
    thickest = np.zeros(shape, dtype=np.float32)
    labels = np.zeros(shape, dtype=np.int32)
    # In reading order of their centres, so that labels say nothing about how the frame was made.
    placed = sorted(placed, key=lambda p: p.centre)
    for label, particle in enumerate(placed, start=1):
        y, x = particle.corner
        top, left = max(-y, 0), max(-x, 0)
        part = particle.thickness[top : max(shape[0] - y, 0), left : max(shape[1] - x, 0)]
        mask = particle.mask[top : max(shape[0] - y, 0), left : max(shape[1] - x, 0)]
        window = slice(y + top, y + top + part.shape[0]), slice(x + left, x + left + part.shape[1])
        scattered[window] += part * np.float32(known_material(particle.specimen.population.material).scattered_per_nm)
        wins = mask & (part > thickest[window])
        labels[window][wins] = label
        thickest[window][wins] = part[wins]
    labels, kept = consecutive(labels, len(placed))
    return scattered, labels, [placed[k - 1] for k in kept]


def _detect(scattered: NDArray[np.float32], settings: SimulateSettings, rng: np.random.Generator) -> NDArray[np.uint16]:
    blurred = _core.gaussian(scattered, settings.probe_sigma_nm / settings.pixel_size_nm, 1)
    electrons = rng.poisson(blurred * settings.electrons_per_pixel).astype(np.float32)
    electrons += settings.read_noise * rng.standard_normal(settings.shape, dtype=np.float32)
    counts: NDArray[np.uint16] = np.rint(settings.offset + settings.gain * electrons).clip(0, np.iinfo(np.uint16).max).astype(np.uint16)
    return counts


def _table(placed: list[Placed], labels: NDArray[np.int32]) -> pd.DataFrame:
    import pandas as pd

    specimens = [p.specimen for p in placed]
    contact = contact_columns(labels, len(placed))
    columns: dict[str, Any] = {
        "label": np.arange(1, len(placed) + 1, dtype=np.int32),
        **kind_columns(specimens),
        "y_px": np.array([p.centre[0] for p in placed]),
        "x_px": np.array([p.centre[1] for p in placed]),
        **pose_columns(specimens),
        "area_px": contact["area_px"],
        "thickness_max_nm": np.array([float(p.thickness.max()) for p in placed]),
        "touches_border": contact["touches_border"],
        "touches_particle": contact["touches_particle"],
    }
    return pd.DataFrame(columns)
