"""A grid without end under a simulated microscope, and its image along any scan."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa import _core, _threads
from nanospa.errors import InvalidValueError, ShapeError, UnknownNameError
from nanospa.schema import pixel_size_pair
from nanospa.simulate.atoms import SYMBOLS
from nanospa.simulate.grid_particles import GridParticles
from nanospa.simulate.holes import EDGE_NM, Holes
from nanospa.simulate.materials import MATERIALS, known_material
from nanospa.simulate.patches import Patches
from nanospa.simulate.placement import TRUTH_FRACTION
from nanospa.simulate.probe import Probe
from nanospa.simulate.scan import Scan
from nanospa.simulate.settings import chosen
from nanospa.simulate.specimen_settings import SPECIMENS, SpecimenSettings
from nanospa.simulate.truth_table import consecutive, particle_table, truth_table
from nanospa.simulate.waves import at, blurred, grain_waves, long_waves

if TYPE_CHECKING:
    import pandas as pd

#: Independent random streams of a specimen.
FILM, HOLES, PARTICLES, ABUNDANCE, HEIGHT = range(5)

#: Waves of the film's slow variation and grain, of the density and of the height.
N_SLOW, N_GRAIN, N_ABUNDANCE, N_HEIGHT = 24, 128, 24, 12


class VirtualSpecimen:
    """A grid without end: carbon film with particles, the same at a place whatever was looked at before.

    Places are stage coordinates (y, x) in nanometres; in an image x increases with the column and y with the row.

    Parameters
    ----------
    settings : SpecimenSettings or str, optional
        Settings, or a name of `nanospa.simulate.SPECIMENS`; by default those of `SpecimenSettings`.
    **overrides
        Fields of `SpecimenSettings`.

    Raises
    ------
    SettingsError
        An unknown field, a value outside its range, or more particles than there is room for.

    Examples
    --------
    >>> import nanospa as ns
    >>> specimen = ns.simulate.VirtualSpecimen("slater2020", seed=3)
    >>> fraction = specimen.image(centre_nm=(0, 0), pixel_size_nm=0.8, shape=(128, 128))
    >>> fraction.shape, fraction.dtype
    ((128, 128), dtype('float32'))
    """

    def __init__(self, settings: SpecimenSettings | str | None = None, **overrides: Any) -> None:
        self.settings = given = chosen(SpecimenSettings, SPECIMENS, settings, overrides)
        film, abundance, height = (
            np.random.default_rng(np.random.SeedSequence(given.seed, spawn_key=(stream,))) for stream in (FILM, ABUNDANCE, HEIGHT)
        )
        self._film = np.concatenate(
            [
                long_waves(N_SLOW, given.slow_length_nm, given.slow_variation, film),
                grain_waves(N_GRAIN, given.grain_nm, given.grain, film),
            ]
        )
        self._holes = Holes(given.seed, HOLES, given.hole_diameter_nm, given.hole_share)
        self._density = long_waves(N_ABUNDANCE, 2 * given.aggregation_length_nm, 1.0, abundance)
        self._bumps = long_waves(N_HEIGHT, 1000 * given.bump_length_um, given.bump_height_nm, height)
        # The density's distribution over a large area, for its mean and the room that particles find.
        side = np.linspace(0, 40 * given.aggregation_length_nm, 48)
        relative = self._raw_abundance(*(p.ravel() for p in np.meshgrid(side, side, indexing="ij")))
        self._mean_abundance = float(relative.mean())
        abundances = np.quantile(relative / self._mean_abundance, np.linspace(0, 1, 65))
        self._particles = GridParticles(given, PARTICLES, self._holes, self._abundance, abundances)
        self._patches = Patches(given.seed)

    def __repr__(self) -> str:
        names = ", ".join(p.name for p in self.settings.populations)
        return f"VirtualSpecimen(seed={self.settings.seed}, populations={names})"

    def height_nm(self, y_nm: Any, x_nm: Any) -> NDArray[np.float64]:
        """Height of the specimen, which is the defocus that brings a place into focus.

        Parameters
        ----------
        y_nm, x_nm : float or array_like of float, same shape
            Places [nm].

        Returns
        -------
        numpy.ndarray of float64, same shape
            Height [nm].

        Examples
        --------
        >>> import nanospa as ns
        >>> specimen = ns.simulate.VirtualSpecimen(tilt_rad=(0.01, 0), bump_height_nm=0)
        >>> float(specimen.height_nm(500.0, 0.0))
        5.0
        """
        y, x = np.broadcast_arrays(np.asarray(y_nm, dtype=np.float64), np.asarray(x_nm, dtype=np.float64))
        slope_y, slope_x = self.settings.tilt_rad
        return np.asarray(slope_y * y + slope_x * x + at(self._bumps, y, x))

    def particles(self, y0_nm: float, x0_nm: float, y1_nm: float, x1_nm: float) -> pd.DataFrame:
        """The particles with their centre in a rectangle.

        Parameters
        ----------
        y0_nm, x0_nm, y1_nm, x1_nm : float
            Rectangle, its ends y1, x1 excluded [nm].

        Returns
        -------
        pandas.DataFrame
            One row a particle: id (the same wherever the particle turns up), population, material, shape, size_nm, shape_parameter, y_nm,
            x_nm, height_nm, stretch_x … stretch_z, rotation_xx … rotation_zz (row by row).

        Examples
        --------
        >>> import nanospa as ns
        >>> table = ns.simulate.VirtualSpecimen("slater2020").particles(0, 0, 1000, 1000)
        >>> sorted(table["population"].unique())
        ['Au', 'Pd', 'PtNi']
        """
        found = self._particles.near(y0_nm, x0_nm, y1_nm, x1_nm, margin=False)
        heights = self.height_nm(*np.array([(p.y_nm, p.x_nm) for p in found]).reshape(-1, 2).T)
        return particle_table(found, heights)

    def image(
        self,
        *,
        centre_nm: tuple[float, float],
        pixel_size_nm: float | tuple[float, float],
        shape: tuple[int, int],
        rotation: float = 0.0,
        defocus_nm: float = 0.0,
        probe: Probe | None = None,
        line_shift_nm: Any = None,
        column_shift_nm: Any = None,
        threads: int | None = None,
    ) -> NDArray[np.float32]:
        """The fraction of the beam that reaches the detector, pixel by pixel of a scan.

        Thickness × atoms per volume × cross-section (∝ Z^1.7), the particles' and the film's added, convolved with the probe and averaged
        over a pixel, evaluated at the place where each pixel truly lies. The probe is Gaussian; its width follows from the defocus
        against the specimen's height, at every particle, and for the film at the centre of the scan. Below the pixel size
        `SpecimenSettings.atomic_below_nm` particles are the sum of their atoms, thermal displacement included.

        Parameters
        ----------
        centre_nm : (float, float)
            Place (y, x) of the scan's centre [nm].
        pixel_size_nm : float or (float, float)
            Pixel size, or sizes (y, x) [nm].
        shape : (int, int)
            Pixels (y, x).
        rotation : float
            Rotation of the scan: its lines run along (cos, sin) of (x, y) [rad].
        defocus_nm : float
            Defocus as set; a place is in focus where it equals `height_nm` [nm].
        probe : Probe, optional
            Probe; by default that of `Probe`.
        line_shift_nm : array_like of float, shape (y, 2), optional
            Displacement (y, x) of every line: drift, jitter [nm].
        column_shift_nm : array_like of float, shape (x,), optional
            Displacement of every column along the lines: flyback [nm].
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        numpy.ndarray of float32, shape (y, x)
            Fraction of the beam [-].

        Raises
        ------
        InvalidValueError, PixelSizeError, ShapeError
            A number is outside its range, or displacements do not fit the shape.

        Examples
        --------
        >>> import nanospa as ns
        >>> specimen = ns.simulate.VirtualSpecimen("slater2020")
        >>> scan = {"centre_nm": (300, 200), "pixel_size_nm": 0.4, "shape": (256, 256)}
        >>> counts = ns.simulate.detect(specimen.image(**scan, defocus_nm=10), electrons_per_pixel=1600, seed_key=1)
        >>> labels, table = specimen.truth(**scan)
        >>> int(labels.max()) == len(table)
        True
        """
        scan = _scan(centre_nm, pixel_size_nm, shape, rotation, line_shift_nm, column_shift_nm)
        probe = Probe() if probe is None else probe
        if not math.isfinite(defocus_nm):
            raise InvalidValueError(f"defocus_nm: expected a finite number, found {defocus_nm!r}")
        y0, x0, y1, x1 = scan.bounds_nm
        # Between the corners the specimen bulges by no more than its bumps.
        corners = self.height_nm([y0, y0, y1, y1], [x0, x1, x0, x1])
        widest = probe.sigma(float(np.abs(defocus_nm - corners).max()) + 4 * self.settings.bump_height_nm + 10)
        reach = 4 * math.hypot(widest, scan.pixel_sigma_nm)
        found = self._particles.near(y0 - reach, x0 - reach, y1 + reach, x1 + reach)
        places = np.array([(p.y_nm, p.x_nm) for p in found]).reshape(-1, 2)
        values, placed = [], np.empty((len(found), 4))
        atomic = scan.pixel_nm < self.settings.atomic_below_nm
        for k, (particle, height) in enumerate(zip(found, self.height_nm(*places.T), strict=True)):
            sigma = math.hypot(probe.sigma(defocus_nm - height), scan.pixel_sigma_nm)
            if atomic:
                coefficients, spacing = self._patches.atomic(particle, sigma)
                level = 1.0
            else:
                coefficients, spacing = self._patches.blurred(particle, sigma, scan.pixel_nm)
                level = known_material(particle.specimen.population.material).scattered_per_nm
            values.append(coefficients)
            placed[k] = *places[k], spacing, level
        film_sigma = math.hypot(probe.sigma(defocus_nm - float(self.height_nm(*scan.centre_nm))), scan.pixel_sigma_nm)
        return _core.specimen_image(
            scan.rows,
            scan.columns,
            self.settings.carbon_nm * MATERIALS["C"].scattered_per_nm,
            blurred(self._film, film_sigma),
            self._holes.near(y0, x0, y1, x1),
            math.hypot(EDGE_NM, film_sigma),
            values,
            placed,
            _threads.resolve(threads),
        )

    def truth(
        self,
        *,
        centre_nm: tuple[float, float],
        pixel_size_nm: float | tuple[float, float],
        shape: tuple[int, int],
        rotation: float = 0.0,
        line_shift_nm: Any = None,
        column_shift_nm: Any = None,
        threads: int | None = None,
    ) -> tuple[NDArray[np.int32], pd.DataFrame]:
        """What truly is where in an image of the same scan.

        A pixel belongs to a particle where its projected thickness is above 5 % of its largest, to the thicker one where two overlap.

        Parameters
        ----------
        centre_nm : (float, float)
            Place (y, x) of the scan's centre [nm].
        pixel_size_nm : float or (float, float)
            Pixel size, or sizes (y, x) [nm].
        shape : (int, int)
            Pixels (y, x).
        rotation : float
            Rotation of the scan [rad].
        line_shift_nm : array_like of float, shape (y, 2), optional
            Displacement (y, x) of every line [nm].
        column_shift_nm : array_like of float, shape (x,), optional
            Displacement of every column along the lines [nm].
        threads : int, optional
            Threads to use; see `nanospa.threads`.

        Returns
        -------
        labels : numpy.ndarray of int32, shape (y, x)
            0 is background; labels are consecutive, in the order of the ids.
        table : pandas.DataFrame
            One row a label, with the columns of `SimulatedFrame.table` (rotations are those in the image), id, y_nm and x_nm.

        Raises
        ------
        PixelSizeError, ShapeError
            The pixel size is not positive, or displacements do not fit the shape.

        Examples
        --------
        >>> import nanospa as ns
        >>> labels, table = ns.simulate.VirtualSpecimen("empty").truth(centre_nm=(0, 0), pixel_size_nm=1, shape=(8, 8))
        >>> int(labels.max()), len(table)
        (0, 0)
        """
        scan = _scan(centre_nm, pixel_size_nm, shape, rotation, line_shift_nm, column_shift_nm)
        found = self._particles.near(*scan.bounds_nm)
        values, placed = [], np.empty((len(found), 4))
        for k, particle in enumerate(found):
            thickness, spacing = self._patches.thickness(particle, scan.pixel_nm / 2)
            values.append(thickness)
            placed[k] = particle.y_nm, particle.x_nm, spacing, TRUTH_FRACTION * float(thickness.max())
        labels = _core.specimen_labels(scan.rows, scan.columns, values, placed, _threads.resolve(threads))
        labels, kept = consecutive(labels, len(found))
        thickest = np.array([float(values[k - 1].max()) for k in kept])
        return labels, truth_table([found[k - 1] for k in kept], labels, scan, thickest)

    def atoms(self, particle_id: int) -> pd.DataFrame:
        """The atoms of a particle, where they are on the specimen.

        Parameters
        ----------
        particle_id : int
            Number out of `particles` or `truth`.

        Returns
        -------
        pandas.DataFrame
            One row an atom: element, z_nm (along the beam, from the particle's centre), y_nm, x_nm. There are as many as the particle's
            volume holds; the outermost layer is filled in part.

        Raises
        ------
        UnknownNameError
            No particle has that number.

        Examples
        --------
        >>> import nanospa as ns
        >>> specimen = ns.simulate.VirtualSpecimen("atomic")
        >>> first = specimen.particles(0, 0, 200, 200).iloc[0]
        >>> set(specimen.atoms(first["id"])["element"]) == {first["material"]}
        True
        """
        import pandas as pd

        particle = self._particles.numbered(int(particle_id))
        if particle is None:
            raise UnknownNameError(f"particle_id: expected the id of a particle, found {particle_id!r}")
        offsets, numbers = self._patches.atoms(particle)
        x, y, z = offsets.T
        symbols = [SYMBOLS[n] for n in numbers.tolist()]
        return pd.DataFrame({"element": symbols, "z_nm": z, "y_nm": particle.y_nm + y, "x_nm": particle.x_nm + x})

    def _raw_abundance(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        slope = 2 * self.settings.aggregation
        return np.asarray(np.clip(1 + slope * at(self._density, y, x), 0, 1 + 2 * slope))

    def _abundance(self, y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._raw_abundance(y, x) / self._mean_abundance


def _scan(
    centre_nm: tuple[float, float],
    pixel_size_nm: float | tuple[float, float],
    shape: tuple[int, int],
    rotation: float,
    line_shift_nm: Any,
    column_shift_nm: Any,
) -> Scan:
    sizes = pixel_size_pair(pixel_size_nm)
    if sizes is None:
        raise InvalidValueError("pixel_size_nm: expected a number > 0, found None")
    if len(shape) != 2 or min(shape) < 1:
        raise ShapeError(f"shape: expected two integers >= 1, found {shape!r}")
    return Scan(centre_nm, sizes, shape, rotation, line_shift_nm, column_shift_nm)
