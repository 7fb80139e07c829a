"""Train a segmentation model on frames of a store."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nanospa.errors import EmptyInputError, InvalidValueError, ShapeError, StoreError
from nanospa.io.store import Store
from nanospa.pipeline.frame_source import Frame, frames_of
from nanospa.schema.arrays import as_labels

if TYPE_CHECKING:
    from nanospa.segment import PixelClassifier, Rescorer


def train(
    store: str | Path,
    path: str | Path,
    *,
    marks: Mapping[int, Any] | None = None,
    scribbles: Mapping[int, Any] | None = None,
    threads: int | None = None,
) -> Rescorer | PixelClassifier:
    """Learn from what somebody marked in frames of a store, and save the model.

    Without marks, the frames whose labels were corrected by hand teach (see `nanospa.pipeline.correct`). Use the model with the settings
    ``segment.method="trained"`` and ``segment.model_file``.

    Parameters
    ----------
    store : str or Path
        Folder of the store.
    path : str or Path
        File to write: a `Rescorer` as JSON, a `PixelClassifier` as .npz.
    marks : mapping of int to array_like, optional
        Per row of the frame table all its particles: a label image, int of shape (y, x), or boxes, float of shape (particle, 4) with
        columns y0, x0, y1, x1 [px]. Gives a `Rescorer`.
    scribbles : mapping of int to array_like, optional
        For one row of the frame table the scribbles, int of shape (y, x): 0 nothing said, 1 background, 2 particle. Gives a
        `PixelClassifier`.
    threads : int, optional
        Threads to use; see `nanospa.threads`.

    Returns
    -------
    Rescorer or PixelClassifier

    Raises
    ------
    EmptyInputError
        Nothing is marked.
    InvalidValueError
        No such frame, both kinds of marks, or scribbles on several frames.
    ShapeError
        Marks that do not fit their frame.
    StoreError, StoreSchemaError
        No store, or the model cannot be written.

    Examples
    --------
    >>> import nanospa as ns, numpy as np, tempfile
    >>> folder = tempfile.mkdtemp()
    >>> simulated = {"n_frames": 1, "shape": (256, 256), "n_particles": 4}
    >>> _ = ns.pipeline.run({"simulate": simulated}, folder + "/run.zarr", scheduler="sync", stages=["input"])
    >>> scribbles = np.ones((256, 256), int)
    >>> scribbles[ns.open(folder + "/run.zarr")["frames/stack_000/labels/truth/image"].values[0] > 0] = 2
    >>> type(ns.pipeline.train(folder + "/run.zarr", folder + "/model.npz", scribbles={0: scribbles})).__name__
    'PixelClassifier'
    """
    from nanospa.segment import PixelClassifier, Rescorer

    opened = Store.open(store)
    frames = frames_of(opened)
    if marks and scribbles:
        raise InvalidValueError("scribbles: expected either scribbles or marks, found both")
    model: Rescorer | PixelClassifier
    if scribbles:
        if len(scribbles) != 1:
            raise InvalidValueError(f"scribbles: expected those of one frame, found {len(scribbles)} frames")
        row, drawn = next(iter(scribbles.items()))
        place = _place(frames, row)
        model = PixelClassifier.fit(opened.stacks.read(place.stack, place.index), drawn, threads=threads)
    else:
        known = marks or _corrected(opened, frames)
        if not known:
            raise EmptyInputError(
                f"{opened.path}: expected frames whose labels were corrected by hand, or marks, found none; "
                "give label images or boxes, or correct frames first"
            )
        places = [_place(frames, row) for row in known]
        truth = [_fitting(drawn, place) for drawn, place in zip(known.values(), places, strict=True)]
        model = Rescorer.fit([opened.stacks.read(p.stack, p.index) for p in places], truth, threads=threads)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        model.save(path)
    except OSError as error:
        raise StoreError(f"{path}: the model cannot be written ({error})") from error
    return model


def _place(frames: list[Frame], row: int) -> Frame:
    if not 0 <= row < len(frames):
        raise InvalidValueError(f"frame: expected a row 0 … {len(frames) - 1} of the frame table, found {row}")
    return frames[row]


def _fitting(drawn: Any, place: Frame) -> Any:
    """Boxes as they are, label images checked."""
    array = np.asarray(drawn)
    if array.ndim == 2 and array.shape[1] == 4 and (array.dtype.kind == "f" or array.shape != place.shape):
        return array.astype(np.float64)
    if array.shape != place.shape:
        raise ShapeError(
            f"marks: expected a label image of shape {place.shape} or boxes of shape (particle, 4) for frame {place.row}, "
            f"found shape {array.shape}"
        )
    return as_labels(array, "marks")


def _corrected(store: Store, frames: list[Frame]) -> dict[int, Any]:
    found = {}
    for frame in frames:
        labels = store.stacks.corrected(frame.stack, frame.index)
        if labels is not None:
            found[frame.row] = np.maximum(labels, 0)
    return found
