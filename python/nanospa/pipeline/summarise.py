"""From a store and what happened to the numbers of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nanospa.io.records import decode_record
from nanospa.io.store import Store
from nanospa.pipeline import tables
from nanospa.pipeline.acquired_summary import acquisition_of, single_particles, without_image
from nanospa.pipeline.frame_source import ACQUIRED, ARRAY, SIMULATED
from nanospa.pipeline.settings import Settings
from nanospa.pipeline.summary import Failure, Summary
from nanospa.pipeline.truth import compared, n_false
from nanospa.schema.store import CLUSTER_QUALITY, FRAME_TABLE, PARTICLES, RECONSTRUCTIONS, TRUTH

#: Warnings listed one by one; the frame table has all.
_MOST = 10


def summarise(
    store: Store,
    settings: Settings,
    *,
    n_frames: int,
    failed: list[Failure],
    seconds: dict[str, float],
    n_done: dict[str, int],
    n_skipped: dict[str, int],
) -> Summary:
    """Numbers of a run; writes the status table, and the times, warnings and truth into the store's attributes."""
    session = acquisition_of(store)
    missing, nothing = without_image(store, session) if "acquire" in n_done else (None, None)
    failed = sorted([*failed, *([missing] if missing else [])], key=lambda f: (f.stage, f.item, f.source))
    tables.write_status(store, failed)
    told = [*warnings_of(store), *([nothing] if nothing else [])]
    truth, (single, sizes) = truth_of(store, settings), single_particles(store)
    truth |= {key: value for key, value in single.items() if np.isfinite(value)}
    store.set_attributes(
        seconds={**store.attributes.get("seconds", {}), **{k: v for k, v in seconds.items() if v >= 0}},
        warnings=[*told, *(f"{f.stage} failed: {f.message}" for f in failed[:_MOST])],
        truth=truth,
        **({"sizes": list(sizes)} if sizes else {}),
    )
    labels = np.zeros(0, np.int32)
    n_particles = n_counted = 0
    if store.has(PARTICLES):
        table = store.read_table(PARTICLES, ("frame", "cluster", "touches_border", "duplicate"))
        n_particles = n_counted = table.sizes.get("particle", 0)
        if "touches_border" in table:
            n_counted -= int((table["touches_border"].to_numpy().astype(bool) | table["duplicate"].to_numpy().astype(bool)).sum())
        labels = table["cluster"].to_numpy() if "cluster" in table else labels
    return Summary(
        store=str(store.path),
        n_frames=n_frames,
        n_particles=n_particles,
        n_counted=n_counted,
        n_clusters=int(np.unique(labels[labels >= 0]).size),
        n_in_clusters=int((labels >= 0).sum()),
        n_done=n_done,
        n_skipped=n_skipped,
        failed=tuple(failed),
        seconds=seconds,
        warnings=tuple(told),
        truth=truth,
        acquisition=session,
        sizes=sizes,
        reconstructions=reconstructions_of(store),
    )


def reconstructions_of(store: Store) -> tuple[dict[str, Any], ...]:
    """Rows of the table of reconstructions."""
    if not store.has(RECONSTRUCTIONS):
        return ()
    table = store.read_table(RECONSTRUCTIONS)
    columns = {str(name): table[name].to_numpy().tolist() for name in table}
    return tuple(dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True))


def warnings_of(store: Store) -> list[str]:
    """What a user should know about the frames."""
    if not store.has(FRAME_TABLE):
        return []
    table = store.read_table(FRAME_TABLE, ("warnings", "source", "pixel_size_y_nm"))
    said = _said(table) if "warnings" in table else []
    found = said[:_MOST]
    if len(said) > _MOST:
        found.append(f"{len(said) - _MOST} more warnings in the frame table")
    if table.sizes["frame"] and not np.isfinite(table["pixel_size_y_nm"].to_numpy()).any():
        found.append("the pixel size is unknown: sizes are in pixels only; give --pixel-size-nm or input.pixel_size_nm")
    for stage in ("cluster", "reconstruct"):
        for text in store.journal.records(stage) if stage in store.journal.stages() else ():
            found += decode_record(text)[0]["warnings"] if text else []
    stacks = list(store.stacks)
    if len({s.shape for s in stacks}) > 1:
        found.append(
            "frames differ in shape and are kept in several stacks: "
            + ", ".join(f"{s.n_frames} of {s.shape[0]} × {s.shape[1]} px" for s in stacks)
        )
    return found


def _said(table: Any) -> list[str]:
    """Warnings of frames, each once, with the frame or how many say it."""
    where: dict[str, list[str]] = {}
    for row, (texts, source) in enumerate(zip(table["warnings"].to_numpy(), table["source"].to_numpy(), strict=True)):
        named = not str(source).startswith((SIMULATED, ARRAY, ACQUIRED))
        name = f"frame {row} ({Path(str(source)).name})" if named else f"frame {row}"
        for text in str(texts).split("; "):
            if text:
                where.setdefault(text, []).append(name)
    return [f"{names[0]}: {text}" if len(names) == 1 else f"{len(names)} frames, first {names[0]}: {text}" for text, names in where.items()]


def truth_of(store: Store, settings: Settings) -> dict[str, float]:
    """Comparison with the truth of simulated frames; empty for others."""
    if not store.has(TRUTH) or not store.has(PARTICLES):
        return {}
    clear = bool(getattr(settings.segment, "clear_border", False))
    truth = store.read_table(TRUTH, ("frame", "population", "touches_border", "iou", "found_label", "id"))
    # Images of a session overlap: what one cuts is whole in the next.
    found = compared(truth, inside_only=clear or "id" in truth)
    found["n_false"] = float(n_false(truth, store.read_table(PARTICLES, ("frame", "label", "duplicate", "touches_border"))))
    purity = store.read_attributes(CLUSTER_QUALITY).get("purity") if store.has(CLUSTER_QUALITY) else None
    if purity is not None and store.has(f"{PARTICLES}/cluster"):
        found["purity"] = float(purity)
    return {key: value for key, value in found.items() if np.isfinite(value)}
