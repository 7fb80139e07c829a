"""The table of reconstructions and what they add to the particle table, from the journal's records: they can be remade at any time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.io.records import decode_record
from nanospa.io.store import Store
from nanospa.pipeline.reconstruction_plan import Group
from nanospa.pipeline.summary import Failure
from nanospa.schema import particles as particle_schema
from nanospa.schema.particles import Column
from nanospa.schema.reconstructions import DIM, RECONSTRUCTION_COLUMNS
from nanospa.schema.store import PARTICLES, RECONSTRUCTIONS, TRUTH

STAGE = "reconstruct"


def write_reconstructions(store: Store, found: Sequence[Group], failed: Sequence[Failure]) -> None:
    """Write a row for every cluster that was reconstructed, tried or refused, and the columns of their particles."""
    import xarray as xr

    names = [column.name for column in particle_schema.RECONSTRUCTED]
    particles = store.read_table(PARTICLES, ("frame", *names))
    sizes = {column.name: np.full(particles.sizes.get("particle", 0), np.nan) for column in particle_schema.RECONSTRUCTED}
    rows = []
    broken = {failure.item for failure in failed if failure.stage == STAGE}
    for group, record in zip(found, records(store, len(found)), strict=True):
        if record is None and group.cluster not in broken:
            continue
        values, columns = record or ({"verdict": "failed", "flags": []}, {})
        members = np.array([member.row for member in group.members], np.int64)
        if columns:
            sizes["size_scale"][members] = columns["scale"]
            sizes["volume_nm3"][members] = values.get("volume_nm3", np.nan) * columns["volume_ratio"]
        row = {
            "name": group.name if columns else "",
            "cluster": group.cluster,
            "n_images": len(members),
            "n_left_out": group.n_left_out,
            "symmetry": group.settings.symmetry,
            **values,
            "flags": ", ".join(values.get("flags", ())),
        }
        rows.append(row)
    # Only of simulated particles there is a truth.
    kept = [column for column in RECONSTRUCTION_COLUMNS if store.has(TRUTH) or not column.name.startswith("truth_")]
    variables = {column.name: (DIM, _column(column, rows), _attributes(column)) for column in kept}
    store.write_table(RECONSTRUCTIONS, xr.Dataset(variables))
    if np.isnan(sizes["size_scale"]).all():
        _drop(store, columns_only=True)
        return
    for column in particle_schema.RECONSTRUCTED:
        old = particles[column.name].to_numpy() if column.name in particles else None
        if old is None or not np.array_equal(old, sizes[column.name], equal_nan=True):
            store.write_column(PARTICLES, column.name, sizes[column.name], **_attributes(column))


def forget_reconstructions(store: Store) -> None:
    """Remove every volume and what the tables say of them."""
    for name in store.volumes.names():
        store.volumes.remove(name)
    store.journal.forget(STAGE)
    _drop(store)


def _drop(store: Store, *, columns_only: bool = False) -> None:
    paths = [f"{PARTICLES}/{column.name}" for column in particle_schema.RECONSTRUCTED]
    for path in paths if columns_only else [RECONSTRUCTIONS, *paths]:
        if store.has(path):
            del store.root[path]


def records(store: Store, n: int) -> list[tuple[dict[str, Any], dict[str, NDArray[Any]]] | None]:
    """Values and columns of each of `n` clusters; None for one that is not done."""
    done = store.journal.entries(STAGE)
    texts = store.journal.records(STAGE) if done.any() else []
    return [decode_record(texts[item]) if item < done.size and done[item] and texts[item] else None for item in range(n)]


def _column(column: Column, rows: Sequence[Mapping[str, Any]]) -> NDArray[Any]:
    if column.dtype == "str":
        return np.array([str(row.get(column.name, "")) for row in rows], dtype=object)
    empty: Any = np.nan if column.dtype.startswith("float") else 0
    values = [row.get(column.name) for row in rows]
    return np.array([empty if value is None else value for value in values], dtype=column.dtype)


def _attributes(column: Column) -> dict[str, str]:
    return {"units": column.unit, "long_name": column.description}
