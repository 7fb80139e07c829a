"""What simulated particles truly are, beside the volume that was made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nanospa.io.store import Store
from nanospa.pipeline.reconstruction_images import Member
from nanospa.schema.store import TRUTH
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


def truth_of_cluster(store: Store, members: Sequence[Member]) -> dict[str, Any]:
    """Dominant population and shape of particles and their mean volume; empty where none of them is a true one."""
    if not store.has(TRUTH):
        return {}
    truth = store.read_table(TRUTH, COLUMNS)
    keys = zip(truth["frame"].to_numpy().tolist(), truth["found_label"].to_numpy().tolist(), strict=True)
    known = {key: row for row, key in enumerate(keys) if key[1] > 0}
    rows = [known.get((member.frame.row, member.label), -1) for member in members]
    matched = np.array([row for row in rows if row >= 0], np.int64)
    if not matched.size:
        return {}
    population = truth["population"].to_numpy().astype(str)[matched]
    names, counts = np.unique(population, return_counts=True)
    dominant = str(names[counts.argmax()])
    shape = truth["shape"].to_numpy().astype(str)[matched][population == dominant][0]
    return {
        "truth_population": dominant,
        "truth_shape": str(shape),
        "truth_share": float(counts.max() / len(rows)),
        "truth_volume_nm3": float(np.nanmean(true_volumes(truth)[matched])),
    }


def _body(shape: str, parameter: float) -> float:
    try:
        return body_volume(shape, parameter)
    except KeyError:
        return float("nan")
