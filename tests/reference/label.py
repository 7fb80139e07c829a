"""Connected components written out: flood every component from its first pixel."""

import itertools

import numpy as np

#: How many axes a neighbour may differ in.
AXES = {4: 1, 8: 2, 6: 1, 18: 2, 26: 3}


def label(mask, connectivity):
    mask = np.asarray(mask) != 0
    labels = np.zeros(mask.shape, np.int32)
    steps = [s for s in itertools.product((-1, 0, 1), repeat=mask.ndim) if 0 < np.abs(s).sum() <= AXES[connectivity]]
    n = 0
    for start in zip(*np.nonzero(mask), strict=True):
        if labels[start]:
            continue
        n += 1
        labels[start] = n
        front = [start]
        while front:
            at = front.pop()
            for step in steps:
                to = tuple(a + s for a, s in zip(at, step, strict=True))
                if all(0 <= t < size for t, size in zip(to, mask.shape, strict=True)) and mask[to] and not labels[to]:
                    labels[to] = n
                    front.append(to)
    return labels, n
