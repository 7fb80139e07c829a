"""Whether to believe a model: how far the images prefer it to its best other basin."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["confident", "doubtful", "not determined", "sphere", "under-determined"]

#: Paired z over the images above which a model is believed, and above which it is doubtful.
CONFIDENT, DOUBTFUL = 5.0, 3.0
#: Flags of a model that cannot be the particles' shape.
DENIED = frozenset({"symmetry", "mixed"})


def paired_z(scores: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """Mean margin of the images' scores, and that margin over its standard error."""
    margins = np.asarray(scores, np.float64) - others
    error = margins.std(ddof=1) / np.sqrt(margins.size)
    mean = float(margins.mean())
    return mean, mean / float(error) if error > 0 else float(np.sign(mean) * np.inf)


def verdict(z: float, flags: Collection[str] = ()) -> Verdict:
    """Label of a paired z; a model whose symmetry or purity the images deny is doubtful at best."""
    if not z >= DOUBTFUL:
        return "not determined" if z == z else "doubtful"
    return "confident" if z >= CONFIDENT and not DENIED.intersection(flags) else "doubtful"
