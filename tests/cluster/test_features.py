"""Feature matrix: columns by name, scaling, logarithm, principal components, who takes part."""

import nanospa as ns
import numpy as np
import pandas as pd
import pytest
import xarray as xr

from tests.cluster.populations import population


def test_a_feature_is_the_calibrated_column():
    table = pd.DataFrame({"area_px": [1.0, 2.0], "area_nm2": [10.0, 30.0], "feret_max_px": [3.0, 4.0], "orientation_rad": [0.0, 1.0]})
    assert [ns.cluster.column(table, f) for f in ("area", "area_px", "feret_max", "orientation")] == [
        "area_nm2",
        "area_px",
        "feret_max_px",
        "orientation_rad",
    ]
    with pytest.raises(ns.errors.UnknownNameError, match="volume"):
        ns.cluster.column(table, "volume")


def test_all_features_of_the_paper_are_measured():
    frame = ns.simulate.frame(shape=(256, 256), n_particles=3, seed=1)
    for pixel_size in (0.2, None):
        table = ns.measure.measure(frame.image, frame.labels, pixel_size_nm=pixel_size)
        assert len({ns.cluster.column(table, f) for f in ns.cluster.ALL_FEATURES}) == 8


def test_population_standard_deviation():
    table = population((40, 30))
    x, used = ns.cluster.feature_matrix(table, ("area", "solidity"))
    assert used.all() and np.allclose(x.mean(axis=0), 0) and np.allclose(x.std(axis=0, ddof=0), 1)


def test_dataset_and_data_frame_agree():
    table = population((30,))
    dataset = xr.Dataset({c: ("particle", table[c].to_numpy()) for c in ("area_nm2", "solidity")})
    assert np.array_equal(*(ns.cluster.feature_matrix(t, ("area", "solidity"))[0] for t in (table, dataset)))


def test_robust_scaling_ignores_outliers():
    values = np.random.default_rng(0).normal(5, 2, 2000)
    values[:20] = 1e6
    x, _ = ns.cluster.feature_matrix(pd.DataFrame({"area_px": values}), ("area",), scaling="robust")
    assert x[20:].std() == pytest.approx(1, abs=0.05)


def test_who_takes_part():
    table = population((20,))
    table["touches_border"], table["duplicate"] = False, False
    table.loc[0, "touches_border"] = True
    table.loc[1, "duplicate"] = True
    table.loc[2, "area_nm2"] = np.nan
    table.loc[3, "intensity_max"] = -5.0
    _, used = ns.cluster.feature_matrix(table, ("area", "intensity_max"), log=("intensity_max",))
    assert np.flatnonzero(~used).tolist() == [0, 1, 2, 3]
    _, used = ns.cluster.feature_matrix(table, ("area",), include_border=True)
    assert np.flatnonzero(~used).tolist() == [2]
    assert (ns.cluster.cluster(table, method="kmeans", n_clusters=2)[:3] == -1).all()


def test_constant_features_say_nothing():
    table = population((20,))
    table["solidity"] = 0.1 + 0.2
    x, _ = ns.cluster.feature_matrix(table, ("area", "solidity"))
    assert not x[:, 1].any() and np.isfinite(x).all()


def test_principal_components():
    rng = np.random.default_rng(0)
    a = rng.normal(size=200)
    table = pd.DataFrame({"area_px": a, "perimeter_px": a + 0.01 * rng.normal(size=200), "solidity": rng.normal(size=200)})
    x, _ = ns.cluster.feature_matrix(table, ("area", "perimeter", "solidity"), n_components=2)
    assert x.shape == (200, 2)
    assert x.var(axis=0) == pytest.approx([2, 1], rel=0.1)
    full, _ = ns.cluster.feature_matrix(table, ("area", "perimeter", "solidity"), n_components=3)
    plain, _ = ns.cluster.feature_matrix(table, ("area", "perimeter", "solidity"))
    assert np.allclose(np.linalg.norm(full, axis=1), np.linalg.norm(plain, axis=1))


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ns.errors.EmptyInputError, "features", {"features": ()}),
        (ns.errors.UnknownNameError, "mass", {"features": ("mass",)}),
        (ns.errors.InvalidValueError, "log", {"features": ("area",), "log": ("solidity",)}),
        (ns.errors.InvalidValueError, "scaling", {"features": ("area",), "scaling": "minmax"}),
        (ns.errors.InvalidValueError, "n_components", {"features": ("area",), "n_components": 2}),
    ],
)
def test_bad_input(error, match, arguments):
    with pytest.raises(error, match=match):
        ns.cluster.feature_matrix(population((5,)), **arguments)
    with pytest.raises(ns.errors.EmptyInputError, match="table"):
        ns.cluster.feature_matrix(pd.DataFrame({"area_px": [np.nan]}), ("area",))
