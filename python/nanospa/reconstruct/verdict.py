"""Whether to believe a model: how far the images prefer it to its best other basin."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Verdict = Literal["confident", "doubtful", "not determined", "sphere", "under-determined"]

#: Paired z over the images above which a model is believed, and above which it is doubtful.
CONFIDENT, DOUBTFUL = 5.0, 3.0


def paired_z(scores: NDArray[np.float64], others: NDArray[np.float64]) -> tuple[float, float]:
    """Mean margin of the images' scores, and that margin over its standard error."""
    margins = np.asarray(scores, np.float64) - others
    error = margins.std(ddof=1) / np.sqrt(margins.size)
    mean = float(margins.mean())
    return mean, mean / float(error) if error > 0 else float(np.sign(mean) * np.inf)


def verdict(z: float) -> Verdict:
    """Label of a paired z."""
    if z >= CONFIDENT:
        return "confident"
    return "doubtful" if z >= DOUBTFUL else "not determined"
