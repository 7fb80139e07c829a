"""Projections against direct sums, real space and each other."""

import nanospa as ns
import numpy as np
import pytest

from tests.reference.project import project as twin

MIRROR = np.diag([-1.0, 1.0, -1.0])


def rotations(n, seed=0):
    return np.stack([ns.simulate.random_rotation(np.random.default_rng([seed, i])) for i in range(n)])


def ball(n, radius, seed=None):
    """A soft ball off the centre, or noise inside it."""
    p = np.arange(n) - n // 2
    r = np.sqrt((p[:, None, None] - 1.0) ** 2 + (p[:, None] + 2.0) ** 2 + p**2)
    inside = 1 / (1 + np.exp(1.5 * (r - radius)))
    return inside if seed is None else inside * np.random.default_rng(seed).normal(size=(n, n, n))


def difference(a, b):
    return np.linalg.norm(a - b) / np.linalg.norm(b)


@pytest.mark.parametrize("n", [4, 10, 16])
def test_twin(n):
    rng = np.random.default_rng(n)
    volume = rng.normal(size=(n, n, n))
    views, shifts, scales = rotations(5), rng.normal(0, 2, (5, 2)), rng.uniform(0.8, 1.3, 5)
    got = ns.reconstruct.project(volume, views, shifts=shifts, scales=scales)
    assert got.dtype == np.float32 and got.shape == (5, n, n)
    assert difference(got, twin(volume, views, shifts, scales)) < 1.2e-3
    assert difference(ns.reconstruct.project(volume, views), twin(volume, views)) < 1.2e-3


def test_sums_along_the_axes():
    volume = ball(32, 9)
    x_up, y_up = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]]), np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    got = ns.reconstruct.project(volume, [np.eye(3), x_up, y_up])
    # Image x is the volume's z, seen along x; image y is the volume's z, seen along y.
    expected = [volume.sum(0), volume.sum(2).T, volume.sum(1)]
    assert difference(got, np.stack(expected)) < 2e-3


def test_real_space():
    cube = ns.simulate.volume("cube", size_nm=8, voxel_size_nm=0.4, box_px=48, supersampling=4)
    views = rotations(4, seed=1)
    got = ns.reconstruct.project(cube, views)
    expected = np.stack([ns.simulate.projection(cube, view) for view in views])
    for a, b in zip(got, expected, strict=True):
        assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.999
    # Nothing is lost: trilinear sampling is what wavers.
    assert np.allclose(got.sum((1, 2)), cube.sum(), rtol=1e-3)


def test_opposite_views_are_mirror_images():
    volume, views = ball(24, 7, seed=3), rotations(6, seed=2)
    seen, behind = ns.reconstruct.project(volume, views), ns.reconstruct.project(volume, MIRROR @ views)
    # Pixel 0 has no mate in an even box; the ball keeps clear of it.
    assert difference(behind[:, :, 1:], seen[:, :, :0:-1]) < 1e-4


def test_shifts_move_the_content():
    volume, views = ball(32, 6), rotations(3, seed=4)
    still = ns.reconstruct.project(volume, views)
    moved = ns.reconstruct.project(volume, views, shifts=[(3, -2)] * 3)
    assert difference(moved, np.roll(still, (-2, 3), (1, 2))) < 1e-4


def test_scales_enlarge_the_particle():
    small, large = (ns.simulate.volume("octahedron", size_nm=size, voxel_size_nm=0.5, box_px=40, supersampling=4) for size in (10, 12))
    views = rotations(3, seed=5)
    got = ns.reconstruct.project(small, views, scales=[1.2] * 3)
    assert difference(got, ns.reconstruct.project(large, views)) < 0.03


def test_leading_axes_and_transforms():
    volume, views = ball(16, 4), rotations(6, seed=6)
    flat = ns.reconstruct.project(volume, views)
    fourier = ns.reconstruct.FourierVolume.of(volume)
    assert np.array_equal(ns.reconstruct.project(fourier, views.reshape(2, 3, 3, 3)), flat.reshape(2, 3, 16, 16))
    assert np.array_equal(ns.reconstruct.project(fourier, views[0]), flat[0])
    assert ns.reconstruct.project(fourier, views[0], scales=1.1, shifts=(1, 0)).shape == (16, 16)
    assert ns.reconstruct.project(fourier, np.zeros((0, 3, 3))).shape == (0, 16, 16)


def test_same_for_any_threads():
    volume, views = ball(32, 9, seed=7), rotations(11, seed=7)
    one = ns.reconstruct.project(volume, views, threads=1)
    assert all(np.array_equal(one, ns.reconstruct.project(volume, views, threads=n)) for n in (2, 3, 7))


def test_bad_input():
    volume, views = np.ones((8, 8, 8)), rotations(2)
    with pytest.raises(ns.errors.ShapeError, match="rotations"):
        ns.reconstruct.project(volume, np.eye(2))
    with pytest.raises(ns.errors.InvalidValueError, match=r"rotations.*\(1,\)"):
        ns.reconstruct.project(volume, [np.eye(3), np.diag([1, 1, -1])])
    with pytest.raises(ns.errors.InvalidValueError, match="rotations"):
        ns.reconstruct.project(volume, np.full((1, 3, 3), np.nan))
    with pytest.raises(ns.errors.ShapeError, match="shifts"):
        ns.reconstruct.project(volume, views, shifts=np.zeros((3, 2)))
    with pytest.raises(ns.errors.NonFiniteError, match="shifts"):
        ns.reconstruct.project(volume, views, shifts=np.full((2, 2), np.inf))
    with pytest.raises(ns.errors.InvalidValueError, match="scales"):
        ns.reconstruct.project(volume, views, scales=[1, 0])
    with pytest.raises(ns.errors.ShapeError, match="volume"):
        ns.reconstruct.project(np.ones((8, 8, 9)), views)
