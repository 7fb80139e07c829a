"""Particle images with their orientations for RELION (3.1 and later) and EMAN2: an MRC stack and a STAR file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import InvalidValueError, PixelSizeError, ShapeError, UnknownFormatError
from nanospa.io.image_file import ImageFile
from nanospa.io.mrc import write as write_mrc
from nanospa.io.star import write_star

_ANGSTROM_PER_NM = 10.0
#: Contrast of the specimen in the optics table: all of it is amplitude, there is no phase contrast in HAADF.
_AMPLITUDE_CONTRAST = 1.0
#: Background whose standard deviation is below this share of the image's is no noise, but a mask.
_NO_NOISE = 1e-3


def write_relion_particles(
    path: str | Path,
    images: Any,
    *,
    pixel_size_nm: float,
    euler_angles_deg: Any = None,
    shifts_px: Any = None,
    half_sets: Any = None,
    correlations: Any = None,
    normalise: bool = True,
    voltage_kV: float = 300.0,
    spherical_aberration_mm: float = 0.0,
) -> list[Path]:
    """Write particle images as ``.mrcs`` and their table as ``.star`` beside it.

    The images keep their contrast: bright particles on a dark ground, as RELION wants them. There is no contrast transfer function in HAADF
    images: run RELION without ``--ctf``. Voltage and spherical aberration are asked for by RELION's reader and have no effect then.

    Parameters
    ----------
    path : str or Path
        ``.star`` file; the stack has the same name with the ending ``.mrcs``. The names of images in it have no folder: start RELION there.
    images : array_like of float, shape (image, y, x)
        Square images.
    pixel_size_nm : float
        Pixel size [nm]; in the files it is in Å.
    euler_angles_deg : array_like of float, shape (image, 3), optional
        Angles rot, tilt and psi of each image in RELION's convention [deg]; see `nanospa.reconstruct.euler_angles`.
    shifts_px : array_like of float, shape (image, 2), optional
        Displacement (dx, dy) of the particle from the centre, index N//2 [px]. RELION's origin is the shift that undoes it: it has the
        opposite sign, in Å.
    half_sets : array_like of int, shape (image,), optional
        Half-set of each image, 0 or 1; 1 and 2 in the file.
    correlations : array_like of float, shape (image,), optional
        Correlation of each image with the model, kept as the figure of merit.
    normalise : bool
        Whether to bring the background of each image, outside of the largest circle, to mean 0 and standard deviation 1, as RELION checks;
        images whose background is no noise stay as they are.
    voltage_kV : float
        Acceleration voltage [kV].
    spherical_aberration_mm : float
        Spherical aberration [mm].

    Returns
    -------
    list of Path
        The ``.star`` and the ``.mrcs`` file.

    Raises
    ------
    UnknownFormatError
        `path` does not end in ``.star``.
    ShapeError
        The images are not square, or there is not one value an image.
    PixelSizeError, InvalidValueError
        No pixel size; a value that is not finite, or a name with white space.

    References
    ----------
    Zivanov et al., IUCrJ 7 (2020) 253: RELION 3.1 and its optics groups. Heymann, Chagoyen, Belnap, J. Struct. Biol. 151 (2005) 196: Euler
    angles and shifts.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import numpy as np
    >>> import nanospa as ns
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> made = ns.io.write_relion_particles(folder / "cubes.star", np.zeros((3, 32, 32), np.float32), pixel_size_nm=0.4)
    >>> [path.name for path in made]
    ['cubes.star', 'cubes.mrcs']
    """
    path = Path(path)
    if path.suffix.lower() != ".star":
        raise UnknownFormatError(f"{path}: expected .star, found {path.suffix!r}")
    stack = np.asarray(images, np.float32)
    if stack.ndim != 3 or stack.shape[1] != stack.shape[2] or not stack.size:
        raise ShapeError(f"images: expected (image, y, x) with square images, found shape {stack.shape}")
    if not (np.isfinite(pixel_size_nm) and pixel_size_nm > 0):
        raise PixelSizeError(f"pixel_size_nm: expected a number > 0, found {pixel_size_nm!r}")
    if not np.isfinite(stack).all():
        raise InvalidValueError(f"images: expected finite numbers, found {int((~np.isfinite(stack)).sum())} that are not")
    n, box = len(stack), stack.shape[1]
    size_A = pixel_size_nm * _ANGSTROM_PER_NM
    stack_path = path.with_suffix(".mrcs")
    particles: dict[str, Any] = {
        "rlnImageName": [f"{i:06d}@{stack_path.name}" for i in range(1, n + 1)],
        # One name for all: RELION fits one scale and one noise spectrum a micrograph, and a few particles a frame are too few for that.
        "rlnMicrographName": [stack_path.name] * n,
        "rlnOpticsGroup": np.ones(n, np.int64),
    }
    if euler_angles_deg is not None:
        angles = _columns("euler_angles_deg", euler_angles_deg, (n, 3))
        particles |= dict(zip(("rlnAngleRot", "rlnAngleTilt", "rlnAnglePsi"), angles.T, strict=True))
    if shifts_px is not None:
        origins = -_columns("shifts_px", shifts_px, (n, 2)) * size_A
        particles |= {"rlnOriginXAngst": origins[:, 0], "rlnOriginYAngst": origins[:, 1]}
    if half_sets is not None:
        particles["rlnRandomSubset"] = _columns("half_sets", half_sets, (n,)).astype(np.int64) + 1
    particles["rlnClassNumber"] = np.ones(n, np.int64)
    if correlations is not None:
        particles["rlnParticleFigureOfMerit"] = _columns("correlations", correlations, (n,))
    optics = {
        "rlnOpticsGroupName": ["opticsGroup1"],
        "rlnOpticsGroup": [1],
        "rlnImagePixelSize": [size_A],
        "rlnImageSize": [box],
        "rlnImageDimensionality": [2],
        "rlnVoltage": [float(voltage_kV)],
        "rlnSphericalAberration": [float(spherical_aberration_mm)],
        "rlnAmplitudeContrast": [_AMPLITUDE_CONTRAST],
    }
    write_star(path, {"optics": optics, "particles": particles})
    pair = (float(pixel_size_nm), float(pixel_size_nm))
    write_mrc(stack_path, ImageFile(normalised(stack) if normalise else stack, ("frame", "y", "x"), pair))
    return [path, stack_path]


def normalised(images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images with a background, outside of the largest circle, of mean 0 and standard deviation 1.

    Parameters
    ----------
    images : numpy.ndarray of float32, shape (image, y, x)
        Images.

    Returns
    -------
    numpy.ndarray of float32, shape (image, y, x)
        As they are where a background is no noise: such images have been masked, or have none.
    """
    box = images.shape[-1]
    offset = np.arange(box) - box // 2
    outside = np.hypot(*np.meshgrid(offset, offset)) > box // 2
    background = images[:, outside].astype(np.float64)
    mean, spread = background.mean(axis=1), background.std(axis=1)
    if (spread <= _NO_NOISE * images.std(axis=(1, 2))).any():
        return images
    return np.asarray((images - mean[:, None, None]) / spread[:, None, None], np.float32)


def _columns(name: str, values: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = np.asarray(values, np.float64)
    if array.shape != shape:
        raise ShapeError(f"{name}: expected shape {shape}, found {array.shape}")
    return array
