"""Tables of what truly is on a specimen and in an image of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from nanospa.simulate.grid_particles import GridParticle
from nanospa.simulate.population import Specimen
from nanospa.simulate.scan import Scan

if TYPE_CHECKING:
    import pandas as pd


def consecutive(labels: NDArray[np.int32], n: int) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """Labels out of 1 … n numbered anew without gaps, and the old label of each."""
    kept = np.flatnonzero(np.bincount(labels.ravel(), minlength=n + 1)[1:]) + 1
    dense = np.zeros(n + 1, dtype=np.int32)
    dense[kept] = np.arange(1, kept.size + 1)
    return dense[labels], kept


def kind_columns(specimens: list[Specimen]) -> dict[str, Any]:
    """Population, shape and size of particles."""
    return {
        "population": [s.population.name for s in specimens],
        "shape": [s.population.shape for s in specimens],
        "size_nm": np.array([s.size_nm for s in specimens], dtype=np.float64),
        "shape_parameter": np.array([s.shape_parameter for s in specimens], dtype=np.float64),
    }


def pose_columns(specimens: list[Specimen], turn: NDArray[np.float64] | None = None) -> dict[str, Any]:
    """Stretch and rotation of particles, as seen after a further rotation."""
    columns = {f"stretch_{axis}": np.array([s.stretch[i] for s in specimens], dtype=np.float64) for i, axis in enumerate("xyz")}
    rotations = np.array([s.rotation for s in specimens], dtype=np.float64).reshape(-1, 3, 3)
    if turn is not None:
        rotations = turn @ rotations
    for i, row in enumerate("xyz"):
        columns |= {f"rotation_{row}{column}": rotations[:, i, j] for j, column in enumerate("xyz")}
    return columns


def contact_columns(labels: NDArray[np.int32], n: int) -> dict[str, Any]:
    """Area of labels 1 … n, and whether they touch the border or each other (8-connected)."""
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    touching = np.zeros(n + 1, dtype=bool)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        a = labels[: labels.shape[0] - dy, max(-dx, 0) : labels.shape[1] - max(dx, 0)]
        b = labels[dy:, max(dx, 0) : labels.shape[1] + min(dx, 0)]
        meet = (a != b) & (a > 0) & (b > 0)
        touching[a[meet]] = touching[b[meet]] = True
    return {
        "area_px": np.bincount(labels.ravel(), minlength=n + 1)[1:],
        "touches_border": np.isin(np.arange(1, n + 1), border),
        "touches_particle": touching[1:],
    }


def particle_table(particles: list[GridParticle], heights: NDArray[np.float64]) -> pd.DataFrame:
    """One row a particle of the specimen."""
    import pandas as pd

    specimens = [p.specimen for p in particles]
    return pd.DataFrame(
        {
            "id": np.array([p.id for p in particles], dtype=np.int64),
            "material": [s.population.material for s in specimens],
            **kind_columns(specimens),
            "y_nm": np.array([p.y_nm for p in particles], dtype=np.float64),
            "x_nm": np.array([p.x_nm for p in particles], dtype=np.float64),
            "height_nm": heights,
            **pose_columns(specimens),
        }
    )


def truth_table(particles: list[GridParticle], labels: NDArray[np.int32], scan: Scan, thickest: NDArray[np.float64]) -> pd.DataFrame:
    """One row a label of an image."""
    import pandas as pd

    specimens = [p.specimen for p in particles]
    y, x = np.array([(p.y_nm, p.x_nm) for p in particles]).reshape(-1, 2).T
    y_px, x_px = scan.pixels(y, x)
    cos, sin = math.cos(scan.rotation), math.sin(scan.rotation)
    # The scan turned one way shows the specimen turned the other way.
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    contact = contact_columns(labels, len(particles))
    return pd.DataFrame(
        {
            "label": np.arange(1, len(particles) + 1, dtype=np.int32),
            **kind_columns(specimens),
            "y_px": y_px,
            "x_px": x_px,
            **pose_columns(specimens, turn),
            "area_px": contact["area_px"],
            "thickness_max_nm": thickest,
            "touches_border": contact["touches_border"],
            "touches_particle": contact["touches_particle"],
            "id": np.array([p.id for p in particles], dtype=np.int64),
            "y_nm": y,
            "x_nm": x,
        }
    )
