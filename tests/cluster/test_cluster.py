"""The clustering methods: what they find, numbering, seeds, options."""

import nanospa as ns
import numpy as np
import pytest
from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS
from sklearn.metrics import adjusted_rand_score

from tests.cluster.populations import population

OPTIONS = {
    "kmeans": {"n_clusters": 3},
    "dbscan": {"eps": 0.35, "min_samples": 5},
    "optics": {"extraction": "dbscan", "eps": 0.35, "min_samples": 5},
    "hdbscan": {"min_cluster_size": 30},
    "gaussian_mixture": {"n_clusters": 3},
}


@pytest.mark.parametrize("method", OPTIONS)
def test_separate_populations_are_found(method):
    table = population((120, 100, 80))
    labels = ns.cluster.cluster(table, method=method, **OPTIONS[method])
    assert labels.dtype == np.int32
    members = np.bincount(labels[labels >= 0])
    assert np.all(np.diff(members) <= 0), "numbered by falling number of members"
    clustered = labels >= 0
    assert clustered.mean() > 0.85
    assert adjusted_rand_score(table["truth"][clustered], labels[clustered]) > 0.98


@pytest.mark.parametrize("method", OPTIONS)
def test_reproducible(method):
    table = population((60, 50, 40), n_outliers=20)
    first, second = (ns.cluster.cluster(table, method=method, seed=3, **OPTIONS[method]) for _ in range(2))
    assert np.array_equal(first, second)


@pytest.mark.parametrize(
    ("method", "peer", "options"),
    [
        ("dbscan", DBSCAN(eps=0.3, min_samples=6), {"eps": 0.3, "min_samples": 6}),
        ("optics", OPTICS(min_samples=8, xi=0.05, min_cluster_size=20), {"min_samples": 8}),
        ("hdbscan", HDBSCAN(min_cluster_size=25, min_samples=10, copy=True), {"min_cluster_size": 25}),
    ],
)
def test_the_partition_is_scikit_learns(method, peer, options):
    table = population((60, 50, 40), n_outliers=30)
    x, _ = ns.cluster.feature_matrix(table, ns.cluster.PAPER_FEATURES)
    assert adjusted_rand_score(peer.fit_predict(x), ns.cluster.cluster(table, method=method, **options)) == 1


def test_number_of_clusters_from_members():
    table = population((120, 100, 80))
    assert ns.cluster.cluster(table, method="kmeans", members=50).max() + 1 == 6
    assert ns.cluster.cluster(table, method="kmeans", members=10_000).max() == 0


def test_mixture_outliers():
    labels = ns.cluster.cluster(population((120, 100, 80)), method="gaussian_mixture", outlier_fraction=0.1)
    assert (labels == -1).mean() == pytest.approx(0.1, abs=0.01)


def test_too_few_particles_have_no_cluster():
    for method in OPTIONS:
        assert (ns.cluster.cluster(population((2,)), method=method) == -1).all()


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (ns.errors.UnknownNameError, "kmeans", {"method": "k-means"}),
        (ns.errors.InvalidValueError, "epsilon_max", {"method": "dbscan", "epsilon_max": 3}),
        (ns.errors.InvalidValueError, "eps", {"method": "dbscan", "eps": -1}),
        (ns.errors.InvalidValueError, "members", {"method": "kmeans", "members": 0}),
        (ns.errors.InvalidValueError, "extraction", {"method": "optics", "extraction": "valley"}),
        (ns.errors.InvalidValueError, "eps", {"method": "optics", "extraction": "dbscan"}),
        (ns.errors.InvalidValueError, "outlier_fraction", {"method": "gaussian_mixture", "outlier_fraction": 1}),
    ],
)
def test_bad_input(error, match, arguments):
    with pytest.raises(error, match=match):
        ns.cluster.cluster(population((50,)), **arguments)
