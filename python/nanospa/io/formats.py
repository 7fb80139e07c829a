"""Which file format is read and written by what: one explicit table, imported lazily.

Packages outside nanospa add formats through the entry-point group ``nanospa.formats``: the entry point's name is the format's name and
it points at a `Format`.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from nanospa.errors import InvalidValueError, MissingExtraError, UnknownFormatError

if TYPE_CHECKING:
    import pandas as pd

ENTRY_POINTS = "nanospa.formats"


@dataclass(frozen=True)
class Format:
    """A file format.

    `module` has ``read(path, frame) -> ImageFile``, may have ``describe(path) -> Description``, and has ``write(path, image)`` where
    `writes` is true. `extra` names the extra of nanospa that reading needs, `requires` the module that it brings.
    """

    name: str
    extensions: tuple[str, ...]
    module: str
    writes: bool = False
    extra: str | None = None
    requires: str | None = None

    def load(self) -> ModuleType:
        """Import the module that reads and writes this format."""
        if self.requires is not None:
            try:
                importlib.import_module(self.requires)
            except ImportError as error:
                raise MissingExtraError(
                    f"format {self.name!r}: reading it needs the extra [{self.extra}]: pip install 'nanospa[{self.extra}]' ({error})"
                ) from error
        return importlib.import_module(self.module)


#: The formats nanospa itself knows. An extension stands once.
TABLE: tuple[Format, ...] = (
    Format("TIFF", (".tif", ".tiff"), "nanospa.io.tiff", writes=True),
    Format("MRC", (".mrc", ".mrcs", ".map", ".rec", ".st"), "nanospa.io.mrc", writes=True),
    Format("NPY", (".npy",), "nanospa.io.npy", writes=True),
    Format("PNG", (".png",), "nanospa.io.picture", writes=True),
    Format("JPEG", (".jpg", ".jpeg"), "nanospa.io.picture"),
    Format("EMD/HDF5", (".emd", ".h5", ".hdf5"), "nanospa.io.emd", writes=True),
    Format("OME-Zarr", (".zarr",), "nanospa.io.ome_zarr_image", writes=True),
    Format("DigitalMicrograph", (".dm3", ".dm4"), "nanospa.io.rosettasciio", extra="em", requires="rsciio"),
    Format("TIA", (".ser",), "nanospa.io.rosettasciio", extra="em", requires="rsciio"),
    Format("HyperSpy", (".hspy",), "nanospa.io.rosettasciio", extra="em", requires="rsciio"),
)


def find(path: str | Path) -> Format:
    """Format of a file, by its extension."""
    suffix = Path(path).suffix.lower()
    for row in TABLE:
        if suffix in row.extensions:
            return row
    for row in plugins():
        if suffix in row.extensions:
            return row
    known = " ".join(sorted(e for row in TABLE for e in row.extensions))
    raise UnknownFormatError(f"{path}: expected a file with one of the extensions {known}, found {suffix or 'no extension'!r}")


def plugins() -> list[Format]:
    """Formats of other installed packages."""
    found = []
    for point in entry_points(group=ENTRY_POINTS):
        row = point.load()
        if not isinstance(row, Format):
            raise InvalidValueError(
                f"entry point {point.name!r} of {ENTRY_POINTS}: expected a nanospa.io.Format, found {type(row).__name__}"
            )
        found.append(row)
    return found


def extensions() -> frozenset[str]:
    """Every extension that can be read."""
    return frozenset(e for row in (*TABLE, *plugins()) for e in row.extensions)


def formats() -> pd.DataFrame:
    """Table of the file formats.

    Returns
    -------
    pandas.DataFrame
        One row a format: name, extensions, reads, writes, extra (needed for reading, empty for the core), available (whether it can be
        read now).

    Examples
    --------
    >>> import nanospa as ns
    >>> table = ns.io.formats().set_index("name")
    >>> table.loc["TIFF", "extensions"], bool(table.loc["TIFF", "writes"])
    ('.tif .tiff', True)
    """
    import importlib.util

    import pandas as pd

    return pd.DataFrame(
        [
            {
                "name": row.name,
                "extensions": " ".join(row.extensions),
                "reads": True,
                "writes": row.writes,
                "extra": row.extra or "",
                "available": row.requires is None or importlib.util.find_spec(row.requires) is not None,
            }
            for row in (*TABLE, *plugins())
        ]
    )
