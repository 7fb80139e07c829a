"""Particle tables with known populations, for the tests of the cluster stage."""

import numpy as np
import pandas as pd

#: Mean and standard deviation of the columns.
COLUMNS = ("area_nm2", "intensity_max", "solidity", "intensity_std")
KINDS = {
    "a": ((300, 9000, 0.97, 1500), (40, 500, 0.004, 120)),
    "b": ((100, 2500, 0.96, 300), (10, 150, 0.006, 25)),
    "c": ((140, 4200, 0.90, 700), (15, 300, 0.012, 50)),
}


def population(sizes, seed=0, n_outliers=0):
    """A shuffled table with the column `truth`."""
    rng = np.random.default_rng(seed)
    rows = [rng.normal(*KINDS[k], size=(n, 4)) for k, n in zip(KINDS, sizes, strict=False)]
    rows.append(rng.uniform([50, 1000, 0.8, 200], [450, 11000, 0.99, 2000], size=(n_outliers, 4)))
    table = pd.DataFrame(np.concatenate(rows), columns=list(COLUMNS))
    table["truth"] = [k for k, n in zip(KINDS, sizes, strict=False) for _ in range(n)] + ["outlier"] * n_outliers
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)
