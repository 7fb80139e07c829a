"""Read image files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.errors import DtypeError, EmptyInputError, InvalidValueError, NanospaError, ShapeError, UnreadableFileError
from nanospa.io.formats import find
from nanospa.io.image_file import Description, ImageFile
from nanospa.io.pixel_size import reconcile

if TYPE_CHECKING:
    import xarray as xr


def read(path: str | Path, *, pixel_size_nm: Any = None) -> xr.DataArray:
    """Image, stack or volume of a file, with its pixel size.

    Parameters
    ----------
    path : str or Path
        File of one of the formats of `nanospa.io.formats`, by its extension.
    pixel_size_nm : float, (float, float) or None
        Pixel size or a pair (y, x) [nm]; it wins over the file's own value.

    Returns
    -------
    xarray.DataArray of the file's dtype, shape (y, x), (frame, y, x) or (z, y, x)
        Attributes: pixel_size_nm (float, or a pair where y and x differ; absent if unknown) [nm], source (file name), metadata.

    Raises
    ------
    UnknownFormatError
        No format has this extension.
    MissingExtraError
        The format needs an extra that is not installed; the message names it.
    UnreadableFileError
        The file is missing, truncated or not what its name says.
    EmptyInputError
        The image has no pixels.
    ShapeError, DtypeError
        Not a real image, stack or volume.

    Warns
    -----
    NanospaWarning
        `pixel_size_nm` and the file differ by more than 1 %.

    Examples
    --------
    >>> import numpy as np, nanospa as ns, tempfile, pathlib
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "frame.tif"
    >>> ns.io.write(np.ones((4, 6), np.uint16), path, pixel_size_nm=0.2)
    >>> image = ns.io.read(path)
    >>> image.dims, round(image.attrs["pixel_size_nm"], 6)
    (('y', 'x'), 0.2)
    """
    import xarray as xr

    image = read_file(path)
    size = reconcile(image.pixel_size_nm, pixel_size_nm, source=str(path))
    attributes: dict[str, Any] = {"source": Path(path).name, "metadata": dict(image.metadata)}
    if size is not None:
        attributes["pixel_size_nm"] = size[0] if abs(size[0] - size[1]) <= 1e-6 * size[0] else size
    return xr.DataArray(image.data, dims=image.dims, attrs=attributes, name="image")


def read_file(path: str | Path, frame: int | None = None) -> ImageFile:
    """Pixels, dimensions and pixel size of a file, or of frame number `frame` of it."""
    path = Path(path)
    reader = find(path).load()
    with _naming(path):
        image: ImageFile = reader.read(path, frame)
    _check(path, image.description)
    return image


def describe(path: str | Path) -> Description:
    """Shape, dtype and pixel size of a file, without reading the pixels where the format allows it.

    Parameters
    ----------
    path : str or Path
        File.

    Returns
    -------
    Description
        With ``shape``, ``dtype``, ``dims``, ``pixel_size_nm``, ``n_frames``, ``frame_shape``.

    Raises
    ------
    UnknownFormatError, MissingExtraError, UnreadableFileError, EmptyInputError, ShapeError, DtypeError
        As `nanospa.io.read`.
    """
    path = Path(path)
    reader = find(path).load()
    with _naming(path):
        found: Description = reader.describe(path) if hasattr(reader, "describe") else reader.read(path).description
    _check(path, found)
    return found


@contextmanager
def _naming(path: Path) -> Iterator[None]:
    """Whatever goes wrong inside a reader becomes an error that names the file."""
    if not path.exists():
        raise UnreadableFileError(f"{path}: no such file")
    if path.is_file() and path.stat().st_size == 0:
        raise UnreadableFileError(f"{path}: the file is empty (0 bytes)")
    try:
        yield
    except NanospaError:
        raise
    except IndexError as error:
        raise InvalidValueError(f"{path}: no such frame ({error})") from error
    except MemoryError as error:
        raise UnreadableFileError(f"{path}: the file declares more pixels than there is memory ({error})") from error
    except Exception as error:
        # Readers of damaged files raise whatever they stumble over.
        raise UnreadableFileError(f"{path}: damaged, truncated or not of its format ({type(error).__name__}: {error})") from error


def _check(path: Path, found: Description) -> None:
    if len(found.shape) not in (2, 3) or len(found.shape) != len(found.dims):
        raise ShapeError(f"{path}: expected an image (y, x), a stack or a volume, found shape {found.shape}")
    if found.dtype.kind not in "buif":
        raise DtypeError(f"{path}: expected real pixels, found dtype {found.dtype}")
    if 0 in found.shape:
        raise EmptyInputError(f"{path}: expected an image with pixels, found shape {found.shape}")
