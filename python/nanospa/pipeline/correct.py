"""Take labels that were edited by hand back into a store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nanospa.errors import InvalidValueError
from nanospa.io.store import Store
from nanospa.pipeline.frame_source import frames_of
from nanospa.pipeline.session_lock import unless_acquiring
from nanospa.schema.arrays import as_labels
from nanospa.schema.store import CORRECTED


def correct(store: str | Path, frame: int, labels: Any) -> None:
    """Keep the labels of a frame as somebody edited them: from now on they count instead of those found.

    They are kept beside the labels found, at frames/<stack>/labels/particles_corrected, and survive new settings. Measure the store again
    afterwards: only the corrected frames are measured anew.

    Parameters
    ----------
    store : str or Path
        Folder of the store.
    frame : int
        Row of the frame table.
    labels : array_like of int, shape (y, x)
        The whole label image of the frame, 0 = background; labels need not be consecutive. All 0 says: there is no particle.

    Raises
    ------
    StoreError, StoreSchemaError
        No store that can be written, or one that is being acquired into.
    InvalidValueError
        No such frame, or negative labels.
    ShapeError, DtypeError
        Not a label image of the frame's shape.

    Examples
    --------
    >>> import nanospa as ns, numpy as np, tempfile
    >>> path = tempfile.mkdtemp() + "/run.zarr"
    >>> simulated = {"n_frames": 1, "shape": (64, 64), "n_particles": 1}
    >>> summary = ns.pipeline.run({"simulate": simulated, "segment": {"method": "threshold"}}, path, scheduler="sync")
    >>> ns.pipeline.correct(path, 0, np.zeros((64, 64), int))
    >>> ns.pipeline.run(None, path, scheduler="sync").n_particles
    0
    """
    with unless_acquiring(Path(store)):
        opened = Store.open(store, writable=True)
        frames = frames_of(opened)
        if not 0 <= frame < len(frames):
            raise InvalidValueError(f"frame: expected a row 0 … {len(frames) - 1} of the frame table, found {frame}")
        place = frames[frame]
        edited = as_labels(labels, shape=place.shape)
        opened.stacks.ensure_labels(place.stack, CORRECTED)
        opened.stacks.write(place.stack, place.index, edited, CORRECTED)
