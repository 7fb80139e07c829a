"""Comparison with the truth of simulated frames."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

#: Overlap (intersection over union) from which a particle counts as found: more than half can be shared with one partner only.
FOUND_IOU = 0.5


def match(truth: NDArray[Any], labels: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Best overlap of every true particle and the label it is with.

    Parameters
    ----------
    truth : numpy.ndarray of int, shape (y, x)
        True labels 1 … n, 0 = background.
    labels : numpy.ndarray of int, shape (y, x)
        Labels found, 0 = background.

    Returns
    -------
    iou : numpy.ndarray of float64, shape (n,)
        Intersection over union with the best partner [-]; 0 without one.
    partner : numpy.ndarray of int32, shape (n,)
        Label of it where the overlap is at least 0.5, else 0.
    """
    n, m = int(truth.max(initial=0)), int(labels.max(initial=0))
    size, found = np.bincount(truth.ravel(), minlength=n + 1), np.bincount(labels.ravel(), minlength=m + 1)
    both = (truth > 0) & (labels > 0)
    pairs, shared = np.unique(truth[both].astype(np.int64) * (m + 1) + labels[both], return_counts=True)
    i, j = pairs // (m + 1), pairs % (m + 1)
    overlap = shared / (size[i] + found[j] - shared)
    iou, partner = np.zeros(n + 1), np.zeros(n + 1, np.int32)
    # The largest overlap of a particle last, so that it stays.
    order = np.lexsort((-j, overlap))
    iou[i[order]] = overlap[order]
    partner[i[order]] = j[order]
    partner[iou < FOUND_IOU] = 0
    return iou[1:], partner[1:]


def compared(truth: Any, particles: Any, *, inside_only: bool) -> dict[str, float]:
    """Share of true particles found, their mean overlap, and the purity of the clusters.

    `inside_only`: particles cut by the border are not asked for, because the segmentation drops them.
    """
    asked = np.ones(truth.sizes["particle"], bool)
    if inside_only:
        asked &= ~truth["touches_border"].to_numpy().astype(bool)
    iou = truth["iou"].to_numpy()[asked]
    found = iou >= FOUND_IOU
    result = {
        "n_true": float(asked.sum()),
        "found_fraction": float(found.mean()) if iou.size else float("nan"),
        "mean_iou": float(iou[found].mean()) if found.any() else float("nan"),
    }
    if "cluster" in particles and (particles["cluster"].to_numpy() >= 0).any():
        result["purity"] = purity(particles["cluster"].to_numpy(), populations(truth, particles))
    return result


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


def purity(clusters: NDArray[Any], names: NDArray[Any]) -> float:
    """Share of the clustered particles that belong to the commonest population of their cluster [-]; what is no true particle counts against it."""
    inside = clusters >= 0
    right = 0
    for cluster in np.unique(clusters[inside]):
        _, counts = np.unique([n for n in names[clusters == cluster] if n], return_counts=True)
        right += int(counts.max(initial=0))
    return right / int(inside.sum())
