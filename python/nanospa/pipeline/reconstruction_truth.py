"""What simulated particles truly are, beside the volume that was made of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.simulate.shapes import body_volume

#: Columns of the truth table that are needed.
COLUMNS = ("frame", "found_label", "population", "shape", "shape_parameter", "size_nm", "stretch_x", "stretch_y", "stretch_z")


def true_volumes(truth: Any) -> NDArray[np.float64]:
    """Volume of every true particle [nm³]; NaN where its shape is not known by a formula."""
    bodies = np.array(
        [
            _body(str(shape), float(parameter))
            for shape, parameter in zip(truth["shape"].to_numpy(), truth["shape_parameter"].to_numpy(), strict=True)
        ]
    )
    stretch = np.prod([truth[f"stretch_{axis}"].to_numpy() for axis in "xyz"], axis=0)
    volumes: NDArray[np.float64] = bodies * (truth["size_nm"].to_numpy() / 2) ** 3 * stretch
    return volumes


def rows_of(truth: Any, frames: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.int64]:
    """Row of the truth table that each found particle is; −1 where it is none."""
    keys = zip(truth["frame"].to_numpy().tolist(), truth["found_label"].to_numpy().tolist(), strict=True)
    known = {key: row for row, key in enumerate(keys) if key[1] > 0}
    return np.array([known.get(key, -1) for key in zip(frames.tolist(), labels.tolist(), strict=True)], np.int64)


def truth_of_cluster(truth: Any, rows: NDArray[np.int64]) -> dict[str, Any]:
    """Dominant population and shape of particles and their mean volume; empty where none of them is a true one."""
    matched = rows[rows >= 0]
    if not matched.size:
        return {}
    population = truth["population"].to_numpy().astype(str)[matched]
    names, counts = np.unique(population, return_counts=True)
    dominant = str(names[counts.argmax()])
    shape = truth["shape"].to_numpy().astype(str)[matched][population == dominant][0]
    return {
        "truth_population": dominant,
        "truth_shape": str(shape),
        "truth_share": float(counts.max() / rows.size),
        "truth_volume_nm3": float(np.nanmean(true_volumes(truth)[matched])),
    }


def _body(shape: str, parameter: float) -> float:
    try:
        return body_volume(shape, parameter)
    except KeyError:
        return float("nan")
