"""What a store holds, read piece by piece: the report never loads all frames."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.errors import StoreError
from nanospa.report.quantity import resolve
from nanospa.schema.acquisition import DIMENSIONS
from nanospa.schema.store import (
    ACQUISITION,
    ATTRIBUTES,
    CLUSTER_QUALITY,
    CLUSTER_SCAN,
    CORRECTED,
    FOCUS_CURVES,
    FRAME_TABLE,
    FRAMES,
    LABELS,
    PARTICLE_IMAGES,
    PARTICLES,
    POPULATION,
    RECONSTRUCTIONS,
    STATUS,
    SURVEY_TABLE,
    SURVEYS,
    TILES,
    TRUTH,
    VOLUMES,
)


class RunView:
    """Read-only view of a store; every part may be absent.

    Parameters
    ----------
    tree : xarray.DataTree
        The store, as `nanospa.open` gives it.
    source : str
        What to call the store.

    Attributes
    ----------
    attributes : dict
        What the store says of itself: settings, versions, provenance.
    particles, frame_table, quality, population, truth, status : xarray.Dataset or None
        Tables.
    acquisition, survey_table, tiles, focus_curves : xarray.Dataset or None
        Tables of an acquisition.
    scans : dict of str to xarray.Dataset
        Scans of clustering parameters by method.
    reconstruction_table : xarray.Dataset or None
        One row a reconstruction, also of those that were refused.
    """

    def __init__(self, tree: Any, source: str = "") -> None:
        self.tree = tree
        self.source = source
        self.attributes: dict[str, Any] = dict(tree.attrs.get(ATTRIBUTES) or {})
        self.particles = self._table(PARTICLES, "particle")
        self.frame_table = self._table(FRAME_TABLE, "frame")
        self.scans = self._scans()
        self.quality = self._table(CLUSTER_QUALITY)
        self.population = self._table(POPULATION)
        self.truth = self._table(TRUTH, "particle")
        self.status = self._table(STATUS, "failure")
        self.acquisition, self.survey_table, self.tiles, self.focus_curves = (
            self._table(name, DIMENSIONS[name]) for name in (ACQUISITION, SURVEY_TABLE, TILES, FOCUS_CURVES)
        )
        self.reconstruction_table = self._table(RECONSTRUCTIONS)
        self._rows = self._frame_rows()

    @classmethod
    def of(cls, store: Any) -> RunView:
        """View of an open store or of one at a path.

        Parameters
        ----------
        store : str, pathlib.Path or xarray.DataTree
            Store.

        Returns
        -------
        RunView

        Raises
        ------
        StoreError
            There is no store at the path.
        """
        if isinstance(store, (str, Path)):
            from nanospa.io.store import open as open_store

            return cls(open_store(store), Path(store).name)
        if not hasattr(store, "children"):
            raise StoreError(f"store: expected a path or a DataTree, found {type(store).__name__}")
        return cls(store, store.name or "")

    @property
    def n_frames(self) -> int:
        """Frames in all stacks."""
        return len(self._rows)

    @property
    def n_particles(self) -> int:
        """Rows of the particle table."""
        return 0 if self.particles is None else int(self.particles.sizes["particle"])

    @property
    def clusters(self) -> NDArray[np.int64] | None:
        """Cluster of each particle; None before clustering."""
        if self.particles is None or "cluster" not in self.particles:
            return None
        return np.asarray(self.particles["cluster"].values, np.int64)

    def frame_source(self, frame: int) -> str:
        """File a frame came from, else its stack and position.

        Parameters
        ----------
        frame : int
            Row of the frame table.

        Returns
        -------
        str
        """
        if self.frame_table is not None and "source" in self.frame_table and (text := str(self.frame_table["source"].values[frame])):
            # What is no file is said whole: the last part alone would be a bare number.
            return Path(text).name if Path(text).suffix else text
        stack, index = self._rows[frame]
        return f"{stack}, frame {index}"

    def image(self, frame: int, window: tuple[slice, slice] | None = None) -> NDArray[Any] | None:
        """Pixels of a frame or of a part of it.

        Parameters
        ----------
        frame : int
            Row of the frame table.
        window : tuple of slice, optional
            Rows and columns; the whole frame without it.

        Returns
        -------
        numpy.ndarray or None
            Shape (y, x); None where the store has no frames.
        """
        return self._pixels(f"{FRAMES}/{{}}", frame, window)

    def labels(self, frame: int, window: tuple[slice, slice] | None = None, *, name: str = LABELS) -> NDArray[Any] | None:
        """Labels of a frame or of a part of it: those edited by hand where the frame has such.

        Parameters
        ----------
        frame : int
            Row of the frame table.
        window : tuple of slice, optional
            Rows and columns; the whole frame without it.
        name : str
            Name of the label image.

        Returns
        -------
        numpy.ndarray or None
            Shape (y, x); None where there are no labels.
        """
        edited = self.frame_table is not None and "corrected" in self.frame_table and bool(self.frame_table["corrected"].values[frame])
        if edited and name == LABELS:
            found = self._pixels(f"{FRAMES}/{{}}/labels/{CORRECTED}", frame, window)
            if found is not None:
                kept: NDArray[Any] = np.maximum(found, 0)
                return kept
        return self._pixels(f"{FRAMES}/{{}}/labels/{name}", frame, window)

    def survey_image(self, survey: int) -> NDArray[Any] | None:
        """Pixels of a survey.

        Parameters
        ----------
        survey : int
            Row of the survey table.

        Returns
        -------
        numpy.ndarray or None
            Shape (y, x); None where the store has no such picture.
        """
        table = self.survey_table
        if table is None or not {"stack", "index"} <= set(table):
            return None
        stack, index = str(table["stack"].values[survey]), int(table["index"].values[survey])
        array = _image(self.tree, f"{SURVEYS}/{stack}") if stack else None
        if array is None or array.ndim != 3 or not 0 <= index < array.shape[0]:
            return None
        return np.asarray(array[index].values)

    def pixel_size_nm(self, frame: int) -> tuple[float, float] | None:
        """Pixel size of a frame.

        Parameters
        ----------
        frame : int
            Row of the frame table.

        Returns
        -------
        tuple of float or None
            Size along y and x [nm]; None where it is unknown.
        """
        if self.frame_table is None or "pixel_size_y_nm" not in self.frame_table:
            return None
        pair = tuple(float(self.frame_table[f"pixel_size_{axis}_nm"].values[frame]) for axis in "yx")
        return (pair[0], pair[1]) if np.isfinite(pair).all() and min(pair) > 0 else None

    def particle_images(self, rows: list[int]) -> NDArray[Any] | None:
        """Images of single particles.

        Parameters
        ----------
        rows : list of int
            Rows of the particle table.

        Returns
        -------
        numpy.ndarray or None
            Shape (particle, y, x); None where the store has none.
        """
        node = self.tree.children.get(PARTICLE_IMAGES)
        if node is None:
            return None
        stacks = [v for v in node.dataset.data_vars.values() if v.ndim == 3 and v.shape[0] == self.n_particles]
        # Row by row: a fancy index would read whole shards of a large store into memory.
        return np.stack([np.asarray(stacks[0][row].values) for row in rows]) if stacks and rows else None

    def reconstructions(self) -> dict[str, Any]:
        """Reconstructions by name, each as `nanospa.schema.volumes` describes it.

        Returns
        -------
        dict of str to xarray.Dataset
            In the order of their names; arrays are read when they are used.
        """
        node = self.tree.children.get(VOLUMES)
        found = {} if node is None else {str(name): _reconstruction(node[name].to_dataset()) for name in sorted(node.children)}
        return {name: made for name, made in found.items() if "volume" in made}

    def particles_of(self, frame: int) -> NDArray[np.int64]:
        """Rows of the particle table that belong to a frame.

        Parameters
        ----------
        frame : int
            Row of the frame table.

        Returns
        -------
        numpy.ndarray of int64, shape (particle,)
        """
        if self.particles is None or "frame" not in self.particles:
            return np.empty(0, np.int64)
        return np.flatnonzero(self.particles["frame"].values == frame)

    def column(self, name: str) -> str | None:
        """Calibrated column of a quantity where there is one, else the one in pixels.

        Parameters
        ----------
        name : str
            Quantity without unit, such as ``area``.

        Returns
        -------
        str or None
            None where the particle table has neither.
        """
        return None if self.particles is None else resolve(self.particles, name)

    def _table(self, path: str, dimension: str | None = None) -> Any:
        if path not in self.tree.children:
            return None
        table = _in_order(self.tree[path].to_dataset())
        if dimension is not None and dimension not in table.sizes:
            return None
        return table.load() if table.variables else None

    def _scans(self) -> dict[str, Any]:
        """The scan that gave the clusters first, then those of the other methods that were tried."""
        names = [name for name in sorted(self.tree.children) if name == CLUSTER_SCAN or name.startswith(f"{CLUSTER_SCAN}_")]
        found = [_in_order(self.tree[name].to_dataset()) for name in names]
        return {str(table.attrs.get("method", "")): table.load() for table in found if "fraction" in table}

    def _frame_rows(self) -> list[tuple[str, int]]:
        table = self.frame_table
        if table is not None and "stack" in table and "index" in table:
            return [(str(s), int(i)) for s, i in zip(table["stack"].values, table["index"].values, strict=True)]
        stacks = self.tree[FRAMES].children if FRAMES in self.tree.children else {}
        return [(str(name), i) for name, node in stacks.items() for i in range(_n_images(node))]

    def _pixels(self, where: str, frame: int, window: tuple[slice, slice] | None) -> NDArray[Any] | None:
        stack, index = self._rows[frame]
        array = _image(self.tree, where.format(stack))
        if array is None:
            return None
        if array.ndim == 3:
            array = array[index]
        rows, columns = window or (slice(None), slice(None))
        return np.asarray(array[rows, columns].values)


def _in_order(table: Any) -> Any:
    """Table with its columns in the order they were made in, and what it says of itself among its attributes."""
    said = dict(table.attrs.get(ATTRIBUTES) or {})
    written = [name for name in said.get("columns", ()) if name in table.data_vars]
    return table[[*written, *(name for name in table.data_vars if name not in written)]].assign_attrs(said)


def _reconstruction(group: Any) -> Any:
    """A reconstruction under the names of the schema: in a store the volume is ``image`` and its images are along ``particle``."""
    said = {str(key): float("nan") if value is None else value for key, value in dict(group.attrs.get(ATTRIBUTES) or {}).items()}
    made = group.drop_attrs(deep=False).assign_attrs(said or group.attrs)
    if "volume" not in made and "image" in made.data_vars and made["image"].dims == ("z", "y", "x"):
        made = made.rename({"image": "volume"})
    if "particle" in made.dims:
        # The rows of the particle table are a variable of the same name; as an index they would follow the dimension.
        made = made.reset_index("particle") if "particle" in made.indexes else made
        made = made.rename_dims({"particle": "image"})
    if "frequency" in made.data_vars:
        made = made.set_coords("frequency")
    return made


def _n_images(node: Any) -> int:
    image = _image(node, "")
    return 0 if image is None else int(image.shape[0]) if image.ndim == 3 else 1


def _image(node: Any, path: str) -> Any:
    """Image array below a node; of a pyramid the largest level; None where there is none."""
    for name in ("image", "scale0/image"):
        try:
            return node[f"{path}/{name}" if path else name]
        except KeyError:
            continue
    return None
