"""The result in a few lines, the truth beside it where it is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nanospa.report.quantity import text, unit, words
from nanospa.report.run_view import RunView


def summary(view: RunView) -> dict[str, Any]:
    """Rows of name, result and truth.

    Parameters
    ----------
    view : RunView
        Store.

    Returns
    -------
    dict
        ``rows`` (name, result, truth), ``has_truth``.
    """
    rows: list[tuple[str, str, str]] = [("frames", text(view.n_frames), "")]
    truth = view.truth
    n_true = None if truth is None else next(iter(truth.sizes.values()), 0)
    rows.append(("particles", text(view.n_particles), "" if n_true is None else text(int(n_true))))
    if view.n_frames:
        rows.append(
            ("particles a frame", text(view.n_particles / view.n_frames), "" if n_true is None else text(int(n_true) / view.n_frames))
        )
    size = view.column("equivalent_diameter")
    if size is not None and view.n_particles:
        values = view.particles[size].values
        low, middle, high = np.nanpercentile(values, [10, 50, 90]) if np.isfinite(values).any() else (np.nan,) * 3
        rows.append((f"{words(size)} D10 · D50 · D90 [{unit(view.particles, size)}]", f"{text(low)} · {text(middle)} · {text(high)}", ""))
    groups = view.clusters
    if groups is not None and groups.size:
        n_populations = (
            "" if truth is None or "population" not in truth else f"{np.unique(truth['population'].values.astype(str)).size} populations"
        )
        rows.append(("clusters", text(int(np.unique(groups[groups >= 0]).size)), n_populations))
        rows.append(("particles in clusters", f"{int((groups >= 0).sum()):,} ({100 * (groups >= 0).mean():.1f} %)", ""))
    rows += _against_truth(view)
    return {"rows": rows, "has_truth": truth is not None}


#: What the pipeline stores of the comparison with the truth, and how to say it.
_TRUTH_NAMES = {
    "found_fraction": "true particles found (IoU ≥ 0.5) [%]",
    "mean_iou": "mean IoU of found particles",
    "purity": "purity of the clusters [%]",
}


def _against_truth(view: RunView) -> list[tuple[str, str, str]]:
    compared = view.attributes.get("truth")
    if not isinstance(compared, Mapping):
        return []
    rows = []
    for key, value in compared.items():
        name = _TRUTH_NAMES.get(str(key), words(str(key)))
        percent = name.endswith("[%]") and isinstance(value, (int, float))
        rows.append((name, text(100 * value) if percent else text(value), ""))
    return rows
