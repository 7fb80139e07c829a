"""Warnings: what was dropped, cut or not to be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from nanospa.report.run_view import RunView

#: Failures, and frames with warnings, that are listed one by one.
MOST_MESSAGES = 20
#: Flags of a frame and what they mean, for one frame and for several.
_FRAME_FLAGS = {
    "blur": ("is out of focus", "are out of focus"),
    "charging": ("shows jumps between lines, as on a charging specimen", "show jumps between lines, as on a charging specimen"),
    "drift": ("is displaced more than the limit against the frame before", "are displaced more than the limit against the frame before"),
    "saturated": ("has saturated pixels", "have saturated pixels"),
}


def notices(view: RunView) -> list[str]:
    """Sentences about particles and frames that need care.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    list of str
    """
    particles, frames = view.particles, view.frame_table
    failures = _failures(view)
    # The run's own list repeats what the table of failures says with the item's name.
    found = [
        w
        for w in map(str, view.attributes.get("warnings") or [])
        if not any(f.endswith(w.partition("failed: ")[2] or "\0") for f in failures)
    ]
    found += failures
    if view.n_particles == 0:
        found.append("No particle was found.")
    else:
        total = view.n_particles
        found += _count(particles, "touches_border", total, "touch the border of their frame: their size and shape are those of a part.")
        found += _count(particles, "duplicate", total, "lie in an overlapping frame and are counted there.")
        if "saturated_fraction" in particles:
            n = int((np.nan_to_num(particles["saturated_fraction"].values) > 0).sum())
            found += [f"{n:,} of {total:,} particles have saturated pixels: their intensities are lower limits."] if n else []
        if view.column("equivalent_diameter") == "equivalent_diameter_px" and not any("pixel size" in w for w in found):
            found.append("The pixel size is unknown: sizes are in pixels.")
    if frames is not None:
        n_frames = int(frames.sizes["frame"])
        for name, meaning in (("n_removed_small", "smaller than the least area"), ("n_removed_border", "touching the border")):
            if name in frames and (n := int(np.nan_to_num(frames[name].values).sum())):
                found.append(f"{n:,} regions were dropped as {meaning}.")
        for name, (one, several) in _FRAME_FLAGS.items():
            if name in frames and (n := int(np.asarray(frames[name].values, bool).sum())):
                found.append(f"{n:,} of {n_frames:,} frames {one if n == 1 else several}.")
        if "n_particles" in frames and (n := int((frames["n_particles"].values == 0).sum())):
            found.append(f"{n:,} of {n_frames:,} frames {'has' if n == 1 else 'have'} no particle.")
        if "warnings" in frames:
            said = [(i, str(w)) for i, w in enumerate(frames["warnings"].values) if str(w)]
            found += [f"Frame {i}: {words}" for i, words in said[:MOST_MESSAGES]]
            found += (
                [f"… and {len(said) - MOST_MESSAGES:,} more frames with warnings; the frame table has all."]
                if len(said) > MOST_MESSAGES
                else []
            )
    return found


def _failures(view: RunView) -> list[str]:
    status = view.status
    if status is None or not {"stage", "item", "source", "message"} <= set(status):
        return []
    n = int(status.sizes["failure"])
    rows = zip(*(status[name].values[:MOST_MESSAGES] for name in ("stage", "item", "source", "message")), strict=True)
    said = [f"{stage} failed for item {item} ({Path(str(source)).name}): {message}" for stage, item, source, message in rows]
    return said + ([f"… and {n - MOST_MESSAGES:,} more items failed; the table status has all."] if n > MOST_MESSAGES else [])


def _count(table: Any, name: str, total: int, what: str) -> list[str]:
    n = int(np.asarray(table[name].values, bool).sum()) if name in table else 0
    return [f"{n:,} of {total:,} particles {what}"] if n else []
