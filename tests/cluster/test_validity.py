"""DBCV and the split contrast on toy cases, against the definitions."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanospa import _core
from scipy.sparse.csgraph import minimum_spanning_tree
from scipy.spatial.distance import cdist

from tests.reference.validity import validity as twin


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(2, 4), st.floats(0, 8))
def test_twin(seed, n_features, n_clusters, distance):
    rng = np.random.default_rng(seed)
    labels = rng.integers(-1, n_clusters, 40)
    points = rng.normal(size=(40, n_features)) + distance * labels[:, None]
    if np.bincount(labels[labels >= 0], minlength=n_clusters).min() < 5:
        return
    assert ns.cluster.validity(points, labels) == pytest.approx(twin(points, labels), abs=1e-9)


def test_far_dense_clusters_are_valid_and_torn_ones_are_not():
    rng = np.random.default_rng(1)
    points = rng.normal(size=(200, 2)) + np.repeat([[0, 0], [50, 0]], 100, axis=0)
    right = np.repeat([0, 1], 100)
    torn = np.where(points[:, 1] > 0, right, right + 2)
    assert ns.cluster.validity(points, right) > 0.9
    assert ns.cluster.validity(points, torn) < 0
    assert ns.cluster.validity(points, np.tile([0, 1], 100)) < -0.5


def test_rings_are_valid_where_the_silhouette_is_not():
    from sklearn.metrics import silhouette_score

    angle = np.linspace(0, 2 * np.pi, 150, endpoint=False)
    rings = np.concatenate([r * np.stack([np.cos(angle), np.sin(angle)], axis=1) for r in (1, 4)])
    labels = np.repeat([0, 1], 150)
    assert ns.cluster.validity(rings, labels) > 0.7 > 0.3 > silhouette_score(rings, labels)


def test_outliers_gain_nothing():
    rng = np.random.default_rng(2)
    points = rng.normal(size=(200, 2)) + np.repeat([[0, 0], [50, 0]], 100, axis=0)
    labels = np.repeat([0, 1], 100)
    with_outliers = ns.cluster.validity(np.concatenate([points, rng.uniform(-200, 200, (200, 2))]), np.append(labels, [-1] * 200))
    assert with_outliers == pytest.approx(ns.cluster.validity(points, labels) / 2)


def test_degenerate_cases():
    assert ns.cluster.validity(np.zeros((5, 2)), np.zeros(5, int)) == -1
    assert ns.cluster.validity(np.zeros((5, 2)), np.full(5, -1)) == -1
    assert ns.cluster.validity(np.zeros((6, 2)), np.repeat([0, 1], 3)) == 0
    assert ns.cluster.validity(np.array([[0.0], [1], [10], [11]]), np.array([0, 0, 1, 1])) == pytest.approx(8 / 9)
    with pytest.raises(ns.errors.ShapeError, match="labels"):
        ns.cluster.validity(np.zeros((5, 2)), np.zeros(4, int))


@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.integers(1, 4))
def test_spanning_tree(seed, n, n_features):
    rng = np.random.default_rng(seed)
    points, core = rng.integers(0, 6, (n, n_features)).astype(float), rng.random(n)
    edges, lengths = _core.spanning_tree(points[:, ::-1], core)
    assert edges.shape == (n - 1, 2) and lengths.shape == (n - 1,)
    reach = np.maximum(cdist(points, points), np.maximum.outer(core, core))
    assert np.allclose(reach[edges[:, 0], edges[:, 1]], lengths)
    # Core distances are above 0, so that the sparse oracle drops no edge.
    assert lengths.sum() == pytest.approx(minimum_spanning_tree(np.triu(reach, 1)).sum())
    assert sorted(edges[:, 1]) == list(range(1, n))


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_neighbour_distance(seed, n):
    rng = np.random.default_rng(seed)
    points, k = rng.integers(0, 6, (n, 2)).astype(float), int(rng.integers(1, n))
    assert np.allclose(_core.neighbour_distance(points, k), np.sort(cdist(points, points), axis=1)[:, k])
    with pytest.raises(ns.errors.InvalidValueError, match="k"):
        _core.neighbour_distance(points, n)


@pytest.mark.parametrize("n_features", [2, 3, 5, 8])
@pytest.mark.parametrize("n", [60, 400])
def test_unimodal_samples_are_not_mixed(n_features, n):
    rng = np.random.default_rng(3)
    for _ in range(5):
        assert not ns.cluster.mixed(rng.normal(size=(n, n_features)))
        assert not ns.cluster.mixed(rng.uniform(size=(n, n_features)))


@pytest.mark.parametrize("n_features", [1, 2, 3, 5])
def test_two_peaks_are_mixed(n_features):
    rng = np.random.default_rng(4)
    for share in (80, 120, 200):
        points = rng.normal(size=(400, n_features))
        points[:share, 0] += 8
        assert ns.cluster.mixed(points)
        # A few particles between the peaks, along which a density method goes from one to the other, hide nothing.
        bridge = np.zeros((5, n_features))
        bridge[:, 0] = np.linspace(2, 6, 5)
        assert ns.cluster.mixed(np.concatenate([points, bridge]))


@pytest.mark.parametrize("seed", range(5))
def test_two_peaks_hidden_by_wide_features(seed):
    # Eight features, the gap in a direction that has little of the variance: principal components do not show it.
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(500, 8)) * [5, 5, 4, 4, 3, 3, 1, 1]
    points[:200, 7] += 6
    turn = np.linalg.qr(rng.normal(size=(8, 8)))[0]
    assert ns.cluster.mixed(points @ turn)
    points[:200, 7] -= 6
    assert not ns.cluster.mixed(points @ turn)


def test_a_part_needs_its_members():
    rng = np.random.default_rng(5)
    points = rng.normal(size=(200, 2))
    points[:15, 0] += 12
    assert not ns.cluster.mixed(points, min_members=20)
    assert ns.cluster.split_contrast(points, min_members=12) > 1.6
    assert ns.cluster.split_contrast(np.zeros((100, 2))) == 1
    with pytest.raises(ns.errors.ShapeError, match="points"):
        ns.cluster.split_contrast(np.zeros(4))
