"""The Zarr store of a run: opened, created and checked here; stacks, tables and the journal stand beside it."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nanospa.errors import StoreError, StoreSchemaError, UnknownNameError
from nanospa.io import store_table
from nanospa.io.store_journal import Journal
from nanospa.io.store_stacks import Stacks
from nanospa.io.store_volumes import Volumes
from nanospa.schema.store import ATTRIBUTES, SCHEMA_VERSION, SURVEYS

if TYPE_CHECKING:
    import xarray as xr

#: How often and how long a reader waits for a process that makes a stack longer [s].
ATTEMPTS, WAIT_S = 10, 0.05


def open(store: str | Path) -> xr.DataTree:
    """Open a store for reading.

    Nothing is loaded: arrays are read when they are used. Plain ``xarray.open_datatree(store, engine="zarr")`` gives the same tree.

    Parameters
    ----------
    store : str or Path
        Folder of the store.

    Returns
    -------
    xarray.DataTree
        Groups frames/<stack>, frame_table, particles, particle_images, population, …; the settings are in ``attrs["nanospa"]``.

    Raises
    ------
    StoreError
        There is no store, or a process was killed while frames and labels grew; whatever writes into the store next mends that.
    StoreSchemaError
        It is not a nanospa store, or of another schema.

    Examples
    --------
    >>> import nanospa as ns, tempfile
    >>> from nanospa.io.store import Store
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> _ = Store.create(path)
    >>> ns.open(path).attrs["nanospa"]["schema_version"]
    1
    """
    import xarray as xr

    Store.open(store)
    for _ in range(ATTEMPTS):
        try:
            return xr.open_datatree(str(store), engine="zarr", consolidated=False, chunks=None)
        except ValueError as error:
            if "not aligned" not in str(error):
                raise
        # A session that runs makes room for frames and then for their labels.
        time.sleep(WAIT_S)
    raise StoreError(
        f"{store}: labels and frames are not of one length, as a process that was killed leaves them; "
        f"nanospa acquire --store {store} goes on with the session, nanospa run --store {store} keeps what there is"
    )


class Store:
    """A store on a local disk: `stacks` (images and labels), `volumes`, tables, `journal`.

    Use `create`, `open` or `ensure`; every write is atomic for the file system, and arrays are written through one helper that
    refuses blocks off shard boundaries.
    """

    def __init__(self, path: Path, root: Any) -> None:
        self.path = path
        self.root = root

    @classmethod
    def create(cls, path: str | Path) -> Store:
        """Make an empty store.

        Parameters
        ----------
        path : str or Path
            Folder that does not exist or is empty.

        Returns
        -------
        Store

        Raises
        ------
        StoreError
            There is something already, or the place cannot be written.
        """
        import zarr

        path = Path(path)
        try:
            if has_store(path):
                raise StoreError(f"{path}: expected no file or an empty folder to create a store in, found something")
            attributes = {
                "schema_version": SCHEMA_VERSION,
                # Not imported: the package's root is above every layer.
                "nanospa_version": sys.modules["nanospa"].__version__,
                # Nothing about the machine: the same data make the same store.
                "provenance": {"python": platform.python_version(), "zarr": version("zarr"), "numpy": version("numpy")},
            }
            # In one write: a process killed here leaves a store or none.
            root = zarr.open_group(str(path), mode="w", zarr_format=3, attributes={ATTRIBUTES: attributes})
        except StoreError:
            raise
        except OSError as error:
            raise StoreError(f"{path}: a store cannot be created here ({error})") from error
        return cls(path, root)

    @classmethod
    def open(cls, path: str | Path, *, writable: bool = False) -> Store:
        """Open an existing store.

        Parameters
        ----------
        path : str or Path
            Folder of the store.
        writable : bool
            Whether it is going to be written.

        Returns
        -------
        Store

        Raises
        ------
        StoreError
            There is none, or it is read-only and `writable`.
        StoreSchemaError
            It is not a nanospa store, or of another schema; nothing is changed.
        """
        import zarr

        path = Path(path)
        if not path.exists():
            raise StoreError(f"{path}: no such store")
        try:
            root = zarr.open_group(str(path), mode="r+" if writable else "r", zarr_format=3)
        except PermissionError as error:
            raise StoreError(f"{path}: the store cannot be opened ({error})") from error
        except Exception as error:
            # A foreign folder or damaged metadata, whatever zarr makes of it.
            raise StoreSchemaError(f"{path}: expected a nanospa store, found none ({type(error).__name__}: {error})") from error
        attributes = root.attrs.get(ATTRIBUTES)
        found = attributes.get("schema_version") if isinstance(attributes, Mapping) else None
        if found is None:
            raise StoreSchemaError(f"{path}: expected a nanospa store, found a Zarr group without the attribute {ATTRIBUTES!r}")
        if found != SCHEMA_VERSION:
            raise StoreSchemaError(
                f"{path}: expected a store of schema {SCHEMA_VERSION}, found schema {found!r}; "
                "give another --store, or use the version that made it"
            )
        if writable:
            cls._probe(path)
            store_table.recover(path)
            for stacks in (Stacks(root), Stacks(root, SURVEYS)):
                stacks.mend()
        return cls(path, root)

    @classmethod
    def attach(cls, path: str | Path) -> Store:
        """The store for a worker of a run: opened for writing without checks and repairs, which its client has made.

        Parameters
        ----------
        path : str or Path
            Folder of the store.

        Returns
        -------
        Store
        """
        import zarr

        try:
            return cls(Path(path), zarr.open_group(str(path), mode="r+", zarr_format=3))
        except Exception as error:
            raise StoreError(f"{path}: the store cannot be opened ({type(error).__name__}: {error})") from error

    @classmethod
    def ensure(cls, path: str | Path) -> Store:
        """Open a store for writing; create it where there is none.

        Parameters
        ----------
        path : str or Path
            Folder of the store.

        Returns
        -------
        Store

        Raises
        ------
        StoreError, StoreSchemaError
            As `create` and `open`.
        """
        path = Path(path)
        try:
            there = has_store(path)
        except OSError as error:
            raise StoreError(f"{path}: the store cannot be opened ({error})") from error
        return cls.open(path, writable=True) if there else cls.create(path)

    @staticmethod
    def _probe(path: Path) -> None:
        """Permissions lie on network disks and for root: only writing tells."""
        probe = path / ".writable"
        try:
            probe.write_bytes(b"")
            probe.unlink()
        except OSError as error:
            raise StoreError(f"{path}: the store is read-only ({error})") from error

    @property
    def attributes(self) -> dict[str, Any]:
        """Our attributes: schema_version, nanospa_version, settings, …"""
        # Read again every time: another process may have written.
        import zarr

        found: Any = zarr.open_group(str(self.path), mode="r", zarr_format=3).attrs[ATTRIBUTES]
        return dict(found)

    def set_attributes(self, **values: Any) -> None:
        """Add to our attributes.

        Parameters
        ----------
        **values
            JSON values by name.
        """
        self.root.attrs[ATTRIBUTES] = {**self.attributes, **values}

    @cached_property
    def stacks(self) -> Stacks:
        """Stacks of frames and their label images."""
        return Stacks(self.root)

    @cached_property
    def surveys(self) -> Stacks:
        """Stacks of the survey images of an acquisition."""
        return Stacks(self.root, SURVEYS)

    @cached_property
    def volumes(self) -> Volumes:
        """Reconstructions."""
        return Volumes(self.path, self.root)

    @cached_property
    def journal(self) -> Journal:
        """What is done, and the records of it."""
        return Journal(self.root)

    def tables(self) -> list[str]:
        """Names of the tables there are.

        Returns
        -------
        list of str
        """
        return sorted(name for name, group in self.root.groups() if "table" in group.attrs.get(ATTRIBUTES, {}))

    def write_table(self, name: str, table: xr.Dataset, **attributes: Any) -> None:
        """Replace a table as a whole.

        Parameters
        ----------
        name : str
            Name of the table.
        table : xarray.Dataset
            Columns; the variables' attributes (units, long_name) are kept.
        **attributes
            JSON values to keep with it.
        """
        try:
            store_table.write_table(self.path, name, table, {"table": name, **attributes})
        except OSError as error:
            raise StoreError(f"{self.path}: table {name!r} cannot be written ({error})") from error

    def write_column(self, table: str, name: str, values: Any, **attributes: Any) -> None:
        """Add a column to a table, or replace it.

        Parameters
        ----------
        table, name : str
            Table and column.
        values : array_like of the table's number of rows
            One value a row, shape (row,).
        **attributes
            units, long_name.
        """
        group = self.root[table]
        first = next(iter(group.arrays()))[1]
        store_table.write_column(group, name, values, [first.metadata.dimension_names[0]], attributes)

    def read_table(self, name: str, columns: Sequence[str] | None = None) -> xr.Dataset:
        """A table, in memory.

        Parameters
        ----------
        name : str
            Name of the table.
        columns : sequence of str, optional
            Columns to read, as far as there are; all by default.

        Returns
        -------
        xarray.Dataset

        Raises
        ------
        UnknownNameError
            There is no such table.
        """
        if not self.has(name):
            raise UnknownNameError(f"{self.path}: expected a table {name!r}, found {', '.join(self.tables()) or 'none'}")
        try:
            return store_table.read_table(self.root[name], columns)
        except (ValueError, OSError, RuntimeError) as error:
            raise StoreError(f"{self.path}: table {name!r} is damaged ({type(error).__name__}: {error})") from error

    def read_attributes(self, name: str) -> dict[str, Any]:
        """Attributes of ours that a table or group has.

        Parameters
        ----------
        name : str
            Name of the group.

        Returns
        -------
        dict
        """
        return dict(self.root[name].attrs.get(ATTRIBUTES, {}))

    def has(self, name: str) -> bool:
        """Whether there is a table or group of that name.

        Parameters
        ----------
        name : str
            Name.

        Returns
        -------
        bool
        """
        return name in self.root


def has_store(path: str | Path) -> bool:
    """Whether there is something where a store is to be: not an empty folder, nor one with what a killed process has begun to write.

    Parameters
    ----------
    path : str or Path
        Folder of the store.

    Returns
    -------
    bool
    """
    path = Path(path)
    return path.exists() and not (path.is_dir() and all(each.suffix == ".partial" for each in path.iterdir()))
