"""Tables of a run from the records of its items, in item order: they can be remade at any time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.io.records import decode_record, stack_columns
from nanospa.io.store import Store
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.settings import Settings
from nanospa.pipeline.stages import TRUTH_PREFIX
from nanospa.pipeline.summary import Failure
from nanospa.schema import frames as frame_schema
from nanospa.schema import particles as particle_schema
from nanospa.schema.store import FRAME_TABLE, PARTICLES, POPULATION, STATUS, TRUTH

if TYPE_CHECKING:
    import xarray as xr

#: Columns of the frame table that say where a frame comes from, beside those of the schema.
_OWN = {
    "source_frame": "position in the source file",
    "fingerprint": "size and time of the source file, or what the frame was made from",
    "corrected": "whether the labels were edited by hand",
    "warnings": "what the stages said about the frame",
}


def frame_table(store: Store, frames: Sequence[Frame]) -> xr.Dataset:
    """Frame table from the frames and the records of the stages."""
    n = len(frames)
    sizes = np.array([f.pixel_size_nm or (np.nan, np.nan) for f in frames]).reshape(n, 2)
    columns: dict[str, Any] = {
        "stack": np.array([f.stack for f in frames], dtype=object),
        "index": np.array([f.index for f in frames], np.int32),
        "source": np.array([f.source for f in frames], dtype=object),
        "source_frame": np.array([f.source_frame for f in frames], np.int32),
        "height_px": np.array([f.shape[0] for f in frames], np.int32),
        "width_px": np.array([f.shape[1] for f in frames], np.int32),
        "pixel_size_y_nm": sizes[:, 0],
        "pixel_size_x_nm": sizes[:, 1],
        "fingerprint": np.array([f.fingerprint for f in frames], dtype=object),
    }
    said: list[list[str]] = [[] for _ in frames]
    records = {stage: _values(store, stage, n) for stage in ("input", "segment", "measure")}
    for stage in records:
        for row, values in enumerate(records[stage]):
            said[row] += values.get("warnings", [])
    acquired = [values.get("acquired", {}) for values in records["input"]]
    if any(acquired):
        for column in (*frame_schema.ORIGIN, *frame_schema.ACQUIRED):
            if any(column.name in values for values in acquired):
                columns[column.name] = _column(column, [values.get(column.name) for values in acquired], unknown=-1)
    if any(records["segment"]):
        for column in frame_schema.SEGMENTATION:
            columns[column.name] = _column(column, [values.get(column.name) for values in records["segment"]])
    if any(records["measure"]):
        flags = [values.get("flags", {}) for values in records["measure"]]
        for column in frame_schema.FLAGS:
            columns[column.name] = _column(column, [values.get(column.name) for values in flags])
        columns["corrected"] = np.array([bool(values.get("corrected")) for values in records["measure"]])
        counted = [m.get("n_particles", s.get("n_particles", 0)) for m, s in zip(records["measure"], records["segment"], strict=True)]
        columns["n_particles"] = np.array(counted, np.int32)
    columns["warnings"] = np.array(["; ".join(texts) for texts in said], dtype=object)
    return _dataset(columns, "frame", frame_schema.column)


def write_frame_table(store: Store, frames: Sequence[Frame]) -> None:
    """Write the frame table as the records have it now."""
    store.write_table(FRAME_TABLE, frame_table(store, frames))


def write_particles(store: Store, frames: Sequence[Frame], settings: Settings, digest: str) -> None:
    """Write particles, population figures and, for simulated frames, the truth."""
    from nanospa import measure

    parts: list[dict[str, NDArray[Any]]] = []
    truths: list[dict[str, NDArray[Any]]] = []
    done = store.journal.entries("measure")
    brought = store.journal.records("input")
    for frame, text in zip(frames, store.journal.records("measure"), strict=False):
        if not done[frame.row] or not text:
            continue
        columns = decode_record(text)[1]
        own = {name: values for name, values in columns.items() if not name.startswith(TRUTH_PREFIX)}
        parts.append({"frame": np.full(own["label"].size, frame.row, np.int32), **own})
        truth = {name: values for name, values in columns.items() if name.startswith(TRUTH_PREFIX)}
        if truth:
            truth = {**decode_record(brought[frame.row])[1], **truth}
            n = next(iter(truth.values())).size
            truths.append({"frame": np.full(n, frame.row, np.int32), **{k.removeprefix(TRUTH_PREFIX): v for k, v in truth.items()}})
    columns = stack_columns(parts)
    if not columns:
        columns = {"frame": np.zeros(0, np.int32), "label": np.zeros(0, np.int32)}
    columns["duplicate"] = np.zeros(columns["frame"].size, bool)
    if columns["frame"].size and "stage_y_um" in (places := frame_table(store, frames)):
        columns["duplicate"] = measure.overlapping(columns, places)
    if truths:
        store.write_table(TRUTH, _dataset(stack_columns(truths), "particle", particle_schema.column))
    table = _dataset(columns, "particle", particle_schema.column)
    if "radial_profile" in table:
        n = table.sizes["radius"]
        attributes = {"units": particle_schema.RADIUS.unit, "long_name": particle_schema.RADIUS.description}
        table = table.assign_coords(radius=("radius", (np.arange(n) + 0.5) / n, attributes))
    store.write_table(PARTICLES, table, digest=digest)
    figures = population(table, settings.measure.confidence)
    if figures is not None:
        store.write_table(POPULATION, figures)


def population(particles: Any, confidence: float) -> xr.Dataset | None:
    """Figures of the size distribution by number and by volume; None without a whole particle."""
    import xarray as xr

    from nanospa import measure

    name = next((n for n in ("equivalent_diameter_nm", "equivalent_diameter_px") if n in particles), None)
    if name is None:
        return None
    counted = ~particles["touches_border"].to_numpy().astype(bool) & ~particles["duplicate"].to_numpy().astype(bool)
    values = particles[name].to_numpy()[counted]
    values = values[np.isfinite(values) & (values > 0)]
    if values.size == 0:
        return None
    kinds = ("number", "volume")
    figures = [measure.population(values, weights=kind, confidence=confidence) for kind in kinds]
    unit = name.rpartition("_")[2]
    return xr.Dataset(
        {key: ("weights", np.array([figure[key] for figure in figures], np.float64)) for key in figures[0]},
        coords={"weights": ("weights", np.array(kinds, dtype=object))},
    ).assign_attrs(column=name, units=unit)


def write_status(store: Store, failed: Sequence[Failure]) -> None:
    """Write the table of the items that failed; an empty one says that none did."""
    names = ("stage", "item", "source", "kind", "message")
    columns = {name: np.array([getattr(f, name) for f in failed], dtype=np.int32 if name == "item" else object) for name in names}
    store.write_table(STATUS, _dataset(columns, "failure", lambda _: None))


def _values(store: Store, stage: str, n: int) -> list[dict[str, Any]]:
    """Values of every item's record; empty where the item is not done."""
    done = store.journal.entries(stage)
    if done.size < n:
        done = np.append(done, np.zeros(n - done.size, np.uint64))
    if not done.any():
        return [{} for _ in range(n)]
    texts = store.journal.records(stage)
    return [decode_record(texts[i])[0] if done[i] and texts[i] else {} for i in range(n)]


def _column(column: particle_schema.Column, values: list[Any], *, unknown: int = 0) -> NDArray[Any]:
    if column.dtype == "str":
        return np.array(["" if value is None else str(value) for value in values], dtype=object)
    empty = np.nan if column.dtype.startswith("float") else unknown
    return np.array([empty if value is None else value for value in values], dtype=column.dtype)


def _dataset(columns: dict[str, Any], dim: str, lookup: Any) -> xr.Dataset:
    """Dataset with the units and meanings of the schema, in the schema's order and then by name."""
    import xarray as xr

    order = [c.name for c in (*frame_schema.FRAME_COLUMNS, *particle_schema.PARTICLE_COLUMNS)] if dim in ("frame", "particle") else []
    if dim == "particle":
        order = [c.name for c in particle_schema.PARTICLE_COLUMNS]
    rank = {name: i for i, name in enumerate(order)}
    variables = {}
    for name in sorted(columns, key=lambda n: (rank.get(n, len(rank)), n)) if order else columns:
        found = lookup(name)
        attributes = {"units": found.unit, "long_name": found.description} if found is not None else {}
        if name in _OWN and not attributes:
            attributes = {"units": "1", "long_name": _OWN[name]}
        values = columns[name]
        variables[name] = ([dim, "radius"] if values.ndim == 2 else [dim], values, attributes)
    return xr.Dataset(variables)
