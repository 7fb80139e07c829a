"""Comparison with the truth of simulated frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def compared(truth: Any, *, inside_only: bool) -> dict[str, float]:
    """Share of the true particles found with an overlap (intersection over union) above one half, and their mean overlap.

    `inside_only`: particles cut by the border are not asked for, because the segmentation drops them.
    """
    asked = np.ones(truth.sizes["particle"], bool)
    if inside_only:
        asked &= ~truth["touches_border"].to_numpy().astype(bool)
    iou = truth["iou"].to_numpy()[asked]
    found = truth["found_label"].to_numpy()[asked] > 0
    return {
        "n_true": float(asked.sum()),
        "found_fraction": float(found.mean()) if iou.size else float("nan"),
        "mean_iou": float(iou[found].mean()) if found.any() else float("nan"),
    }


def n_false(truth: Any, particles: Any) -> int:
    """Particles that count, being whole and no duplicate, and match no true particle."""
    counts = np.ones(particles.sizes["particle"], bool)
    for name in ("duplicate", "touches_border"):
        if name in particles:
            counts &= ~particles[name].to_numpy().astype(bool)
    return int((counts & (populations(truth, particles) == "")).sum())


def populations(truth: Any, particles: Any) -> NDArray[Any]:
    """True population of every particle found; empty text for what is no true particle."""
    names = np.full(particles.sizes["particle"], "", dtype=object)
    found = truth["found_label"].to_numpy()
    known = {
        (int(frame), int(label)): str(name)
        for frame, label, name in zip(truth["frame"].to_numpy(), found, truth["population"].to_numpy(), strict=True)
        if label > 0
    }
    for row, key in enumerate(zip(particles["frame"].to_numpy(), particles["label"].to_numpy(), strict=True)):
        names[row] = known.get((int(key[0]), int(key[1])), "")
    return names
