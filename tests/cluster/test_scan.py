"""Scans, the best over methods, quality figures and settings."""

import json

import nanospa as ns
import numpy as np
import pytest
from nanospa.cluster import PRESETS, ClusterSettings

from tests.cluster.populations import population


@pytest.fixture(scope="module")
def table():
    return population((150, 110, 90), n_outliers=30)


@pytest.mark.parametrize("method", ["dbscan", "optics", "hdbscan"])
def test_the_best_set_is_pure_and_covers(table, method):
    found = ns.cluster.scan(table, method=method)
    i = found.attrs["best"]
    figures = ns.cluster.quality(table, found["cluster"].values, truth=table["truth"])
    assert figures["purity"].min() >= 0.95 and figures["members"].min() >= 20
    assert figures.attrs["n_clustered"] / len(table) > 0.7
    assert found["n_counted"][i] == figures.attrs["n_clustered"] and found["n_mixed"][i] == 0
    assert found["fraction"][i] == pytest.approx(figures.attrs["n_clustered"] / len(table))
    assert (found["n_in_range"] <= found["n_pooled"]).all() and (found["n_counted"] + found["n_mixed"] <= found["n_pooled"]).all()
    # The stored parameters give the stored labels.
    again = ns.cluster.cluster(
        table, method=method, **{k: v for k, v in json.loads(found.attrs["best_parameters"]).items() if v is not None}
    )
    small = np.flatnonzero(np.bincount(again[again >= 0]) < 20)
    assert np.array_equal(np.where(np.isin(again, small), -1, again), found["cluster"].values)


def test_truth_is_not_looked_at(table):
    other = table.assign(truth=np.random.default_rng(0).permutation(table["truth"]))
    assert ns.cluster.scan(table, method="dbscan").identical(ns.cluster.scan(other, method="dbscan"))


def test_the_grid_is_scanned_in_order(table):
    found = ns.cluster.scan(table, method="dbscan", grid={"eps": [0.1, 0.3], "min_samples": [5, 10, 20]})
    assert found["eps"].values.tolist() == [0.1] * 3 + [0.3] * 3
    assert found["min_samples"].values.tolist() == [5, 10, 20] * 2
    for i in range(6):
        labels = ns.cluster.cluster(table, method="dbscan", eps=float(found.eps[i]), min_samples=int(found.min_samples[i]))
        sizes = np.bincount(labels[labels >= 0])
        assert found["n_clusters"][i] == (sizes >= 20).sum()
        assert found["n_in_range"][i] == sizes[(sizes >= 20) & (sizes <= 200)].sum()


def test_a_mixed_cluster_loses():
    # At a large radius everything is one cluster: most particles "clustered", and worthless.
    table = population((150, 110, 90))
    found = ns.cluster.scan(table, method="dbscan", grid={"eps": [0.35, 3.0], "min_samples": [5]})
    assert found["n_pooled"].values[1] == 350 and found["n_mixed"].values[1] == 350
    assert found.attrs["best"] == 0 and found["n_mixed"].values[0] == 0


def test_above_the_range():
    table = population((260, 110))
    counts = ns.cluster.scan(table, method="dbscan")
    rejects = ns.cluster.scan(table, method="dbscan", above="reject")
    assert counts["fraction"][counts.best] > 0.9
    assert np.bincount(rejects["cluster"].values[rejects["cluster"].values >= 0]).max() <= 200 or rejects["n_counted"].max() <= 110
    assert (rejects["n_counted"] <= rejects["n_in_range"]).all()


def test_best_over_methods(table):
    found = ns.cluster.best(table)
    assert set(found.scans) == {"dbscan", "optics", "hdbscan"} and found.method in found.scans
    winner = found.scans[found.method]
    assert np.array_equal(found.labels, winner["cluster"].values)
    top = max(int(s["n_counted"][s.best]) for s in found.scans.values())
    assert int(winner["n_counted"][winner.best]) >= top - 0.01 * len(table)


def test_nothing_to_cluster():
    few = population((8,))
    for method in ns.cluster.METHODS:
        assert (ns.cluster.scan(few, method=method)["cluster"] == -1).all()
    found = ns.cluster.cluster_with_report(few)
    assert (found.labels == -1).all() and found.quality.attrs["n_outliers"] == 8


def test_what_is_no_true_particle_is_an_impurity():
    table = population((100, 100))
    truth = table["truth"].to_numpy().astype(object)
    labels = np.where(truth == "a", 0, 1)
    truth[np.flatnonzero(labels == 1)] = ""
    truth[np.flatnonzero(labels == 0)[:60]] = ""
    figures = ns.cluster.quality(table, labels, truth=truth)
    assert figures["population"].values.tolist() == ["a", ""], "a cluster of false particles is of no population"
    assert figures["purity"].values.tolist() == [0.4, 0] and figures.attrs["purity"] == 0.2


def test_quality_figures():
    table = population((100, 100))
    truth = table["truth"].to_numpy()
    labels = np.where(truth == "a", 0, 1)
    labels[np.flatnonzero(truth == "b")[:10]] = 0
    labels[np.flatnonzero(truth == "b")[10:15]] = -1
    figures = ns.cluster.quality(table, labels, truth=truth)
    assert figures["members"].values.tolist() == [110, 85]
    assert figures["purity"].values == pytest.approx([100 / 110, 1])
    assert figures["population"].values.tolist() == ["a", "b"]
    assert figures.attrs["purity"] == pytest.approx(185 / 195)
    assert figures.attrs["n_outliers"] == 5 and figures.attrs["n_excluded"] == 0
    from sklearn.metrics import silhouette_score

    x, _ = ns.cluster.feature_matrix(table, ns.cluster.PAPER_FEATURES)
    assert figures.attrs["silhouette"] == pytest.approx(silhouette_score(x[labels >= 0], labels[labels >= 0]))
    assert figures["silhouette"][1] > figures["silhouette"][0]
    with pytest.raises(ns.errors.ShapeError, match="labels"):
        ns.cluster.quality(table, labels[:5])
    with pytest.raises(ns.errors.ShapeError, match="truth"):
        ns.cluster.quality(table, labels, truth=["a"])


def test_logarithms_belong_to_the_default_features():
    assert ClusterSettings().logarithms == ns.cluster.AUTO_LOG
    assert ClusterSettings(features=("area",)).logarithms == () == ClusterSettings(log=()).logarithms
    assert ClusterSettings(features=("area",), log=("area",)).logarithms == ("area",)


def test_the_example_has_valid_settings():
    from pathlib import Path

    settings = ns.pipeline.Settings.from_yaml(Path(__file__).resolve().parents[2] / "examples" / "slater2020" / "settings.yaml")
    assert settings.simulate is not None and settings.simulate.n_frames == 136
    assert settings.cluster == PRESETS["slater2020"]


def test_settings():
    table = population((120, 100, 80))
    for name in PRESETS:
        assert ClusterSettings(**PRESETS[name].model_dump(mode="json")) == PRESETS[name]
    found = ns.cluster.cluster_with_report(table, settings="slater2020", truth=table["truth"])
    assert found.method == "dbscan" and set(found.scans) == {"dbscan"} and set(found.parameters) == {"eps", "min_samples"}
    assert found.quality.attrs["purity"] > 0.95
    fixed = ns.cluster.cluster_with_report(table, settings=ClusterSettings(method="kmeans", options={"n_clusters": 4}))
    assert fixed.labels.max() == 3 and not fixed.scans
    with pytest.raises(ns.errors.SettingsError, match="slater2020"):
        ns.cluster.cluster_with_report(table, settings="paper")
    for wrong in [
        {"method": "kmeans", "options": {"eps": 1}},
        {"members": (30, 20)},
        {"log": ("feret",)},
        {"options": {"eps": 1}},
        {"speed": 1},
    ]:
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ClusterSettings(**wrong)


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ns.errors.UnknownNameError, "method", {"method": "meanshift"}),
        (ns.errors.InvalidValueError, "members", {"members": (20, 10)}),
        (ns.errors.InvalidValueError, "above", {"above": "keep"}),
        (ns.errors.InvalidValueError, "grid", {"grid": {}}),
        (ns.errors.InvalidValueError, "eps", {"grid": {"eps": [-1.0]}}),
    ],
)
def test_bad_input(table, error, match, arguments):
    with pytest.raises(error, match=match):
        ns.cluster.scan(table, **arguments)


def test_no_methods(table):
    with pytest.raises(ns.errors.EmptyInputError, match="methods"):
        ns.cluster.best(table, ())
