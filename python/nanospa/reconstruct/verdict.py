"""Whether to believe a model: how far the images prefer it to its best other basin."""

from __future__ import annotations

import math
from collections.abc import Collection
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["confident", "doubtful", "not determined", "sphere", "under-determined"]

#: Images below which a model is under-determined, however well it fits.
FEWEST = 20
#: Paired z over the images above which a model is believed, and above which it is doubtful.
CONFIDENT, DOUBTFUL = 5.0, 3.0
#: Flags of a model that cannot be the particles' shape, however clearly the images prefer it; and of one that need not be.
DENIED = frozenset({"symmetry", "mixed"})
UNSURE = frozenset({"biased_views"})


def paired_z(scores: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """Mean margin of the images' scores, and that margin over its standard error."""
    margins = np.asarray(scores, np.float64) - others
    error = margins.std(ddof=1) / np.sqrt(margins.size)
    mean = float(margins.mean())
    # Margins that do not scatter are those of copies of one image.
    return mean, mean / float(error) if error > 1e-6 * abs(mean) else math.nan


def verdict(z: float, flags: Collection[str] = ()) -> Verdict:
    """Label of a paired z; a model that its flags deny, or that has no rival, is not determined."""
    if not z >= DOUBTFUL or DENIED.intersection(flags):
        return "not determined"
    return "confident" if z >= CONFIDENT and not UNSURE.intersection(flags) else "doubtful"
