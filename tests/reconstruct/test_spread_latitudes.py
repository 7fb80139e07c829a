import numpy as np
import pytest
from nanospa.reconstruct import euler_angles, orientation_distance, rotations_from_euler, spread_latitudes
from nanospa.simulate import random_rotation

N = 400


def rotations(seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([random_rotation(rng) for _ in range(N)])


def above(r):
    """Beam reversed where it points below the equator: proper, with the angles' meaning kept."""
    return np.where(r[:, 2:, 2:] < 0, np.diag([-1.0, 1, -1]) @ r, r)


def crowded(r):
    """The same images with the axis leaning half as far."""
    angles = euler_angles(r)
    angles[:, 1] /= 2
    return rotations_from_euler(angles)


@pytest.mark.parametrize("name", ["C4", "D2", "D5"])
def test_undoes_crowding(name):
    truth = above(rotations())
    found = spread_latitudes(crowded(truth), name)
    np.testing.assert_allclose(found @ found.transpose(0, 2, 1), np.broadcast_to(np.eye(3), found.shape), atol=1e-9)
    np.testing.assert_allclose(np.linalg.det(found), 1.0)
    assert np.median(orientation_distance(crowded(truth), truth, name)) > 25
    # The heights of 400 random directions are even to within their scatter.
    assert np.median(orientation_distance(found, truth, name)) < 3


def test_order_and_azimuth_are_kept():
    truth = above(rotations(1))
    before, after = euler_angles(truth), euler_angles(spread_latitudes(truth, "D6"))
    np.testing.assert_array_equal(np.argsort(before[:, 1]), np.argsort(after[:, 1]))
    np.testing.assert_allclose(after[:, [0, 2]], before[:, [0, 2]], atol=1e-6)
    np.testing.assert_allclose(np.sort(np.cos(np.radians(after[:, 1]))), (np.arange(N) + 0.5) / N, atol=1e-9)


def test_from_below():
    below = rotations(2)
    assert np.median(orientation_distance(spread_latitudes(below, "D4"), below, "D4", reflections=True)) < 3


def test_nothing_to_do():
    r = rotations(3)
    np.testing.assert_array_equal(spread_latitudes(r, "O"), r)
    assert spread_latitudes(r[:0], "D4").shape == (0, 3, 3)
