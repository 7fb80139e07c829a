"""Plan of the particle images: one block of particles a shard, whatever frames they are in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from nanospa.io.chunks import compressors
from nanospa.io.store import Store
from nanospa.pipeline.fingerprint import entry
from nanospa.pipeline.frame_source import Frame
from nanospa.pipeline.settings import MeasureSettings
from nanospa.schema.store import ATTRIBUTES, PARTICLE_IMAGES, PARTICLES

#: Particles a shard and a chunk.
SHARD, CHUNK = 256, 16


@dataclass(frozen=True)
class Block:
    """The particles of one shard: a stand-in frame whose row is the block's number, and the parts of frames they are in."""

    frame: Frame
    entry: int
    extra: dict[str, Any]


def plan(store: Store, frames: Sequence[Frame], settings: MeasureSettings) -> list[Block]:
    """Make the array where it is not the one wanted, and say what goes into each of its shards."""
    from nanospa import measure

    boxes = [f"bbox_{edge}_px" for edge in ("y0", "x0", "y1", "x1")]
    table = store.read_table(PARTICLES, ("frame", "centroid_y_px", "centroid_x_px", *boxes))
    n = table.sizes.get("particle", 0)
    if n == 0 or "bbox_y0_px" not in table:
        if store.has(PARTICLE_IMAGES):
            del store.root[PARTICLE_IMAGES]
        store.journal.forget("images")
        return []
    box = settings.box_px or measure.box_size(table)
    made = hashlib.sha256(f"{table.attrs.get('digest')}:{box}:{settings.masked}".encode()).hexdigest()[:16]
    if not store.has(PARTICLE_IMAGES) or store.read_attributes(PARTICLE_IMAGES).get("digest") != made:
        _make(store, n, box, made)
    rows = table["frame"].to_numpy()
    # The table is in frame order: each frame's particles are one run of rows.
    starts = np.concatenate([[0], np.flatnonzero(np.diff(rows)) + 1])
    stops = np.append(starts[1:], n)
    blocks = []
    for number, first in enumerate(range(0, n, SHARD)):
        last = min(first + SHARD, n)
        touched = np.flatnonzero((starts < last) & (stops > first))
        parts = [(frames[int(rows[starts[k]])], max(first - int(starts[k]), 0), min(last, int(stops[k])) - int(starts[k])) for k in touched]
        frame = Frame(number, "", number, f"particles {first} … {last - 1}", 0, (box, box), None)
        blocks.append(Block(frame, entry("images", made, number), {"first": first, "box_px": box, "frames": parts}))
    return blocks


def _make(store: Store, n: int, box: int, made: str) -> None:
    store.journal.forget("images")
    if store.has(PARTICLE_IMAGES):
        del store.root[PARTICLE_IMAGES]
    group = store.root.create_group(PARTICLE_IMAGES)
    shard = min(SHARD, -(-n // CHUNK) * CHUNK)
    group.create_array(
        "image",
        shape=(n, box, box),
        chunks=(CHUNK, box, box),
        shards=(shard, box, box),
        dtype="float32",
        compressors=compressors(np.dtype("float32")),
        dimension_names=["particle", "y", "x"],
        attributes={"units": "intensity", "long_name": "particle, background removed, centred on its centroid"},
    )
    group.attrs[ATTRIBUTES] = {"digest": made, "box_px": box}
