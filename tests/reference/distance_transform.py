"""Euclidean distance transform written out: the nearest of all background pixels."""

import numpy as np


def distance_transform(mask, sampling):
    mask = np.asarray(mask) != 0
    spacing = np.broadcast_to(sampling, mask.ndim)
    positions = np.indices(mask.shape).reshape(mask.ndim, -1).T * spacing
    background = positions[~mask.ravel()]
    out = np.full(mask.size, np.inf)
    for hole in background:
        out = np.minimum(out, ((positions - hole) ** 2).sum(axis=1))
    return out.reshape(mask.shape)
