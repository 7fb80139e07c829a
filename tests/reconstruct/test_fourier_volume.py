"""The sampled Fourier transform of a volume against direct sums."""

import nanospa as ns
import numpy as np
import pytest

from tests.reference.fourier_volume import transform


def test_direct_sum():
    rng = np.random.default_rng(0)
    volume = rng.normal(size=(20, 20, 20)).astype(np.float32)
    places = rng.uniform(-9.9, 9.9, (600, 3))
    places = places[np.linalg.norm(places, axis=1) < 9.9]
    places[:20, rng.integers(3, size=20)] = 0
    expected = transform(volume, places)
    got = ns.reconstruct.FourierVolume.of(volume).sample(places)
    assert np.linalg.norm(got - expected) < 1e-3 * np.linalg.norm(expected)


def test_a_round_particle_is_better_still():
    p = np.arange(32) - 16
    r = np.sqrt(p[:, None, None] ** 2 + p[:, None] ** 2 + p**2)
    volume = 1 / (1 + np.exp(2 * (r - 9)))
    places = np.random.default_rng(1).uniform(-8, 8, (300, 3))
    expected = transform(volume, places)
    got = ns.reconstruct.FourierVolume.of(volume).sample(places)
    assert np.linalg.norm(got - expected) < 5e-4 * np.linalg.norm(expected)


def test_same_for_any_threads():
    rng = np.random.default_rng(2)
    volume, places = rng.random((24, 24, 24), np.float32), rng.uniform(-12, 12, (5000, 3))
    one = ns.reconstruct.FourierVolume.of(volume, threads=1)
    two = ns.reconstruct.FourierVolume.of(volume, threads=2)
    assert np.array_equal(one.grid, two.grid)
    assert np.array_equal(one.sample(places, threads=1), one.sample(places, threads=2))


def test_zero_at_nyquist():
    fourier = ns.reconstruct.FourierVolume.of(np.ones((8, 8, 8)))
    assert not fourier.sample([[4, 0, 0], [0, -4, 0], [0, 0, 9], [3, 3, 0], [np.nan, 0, 0]]).any()
    assert fourier.sample(np.zeros((2, 5, 3))).shape == (2, 5)


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 10), (9, 9, 9), (2, 2, 2)])
def test_bad_shape(shape):
    with pytest.raises(ns.errors.ShapeError, match="volume"):
        ns.reconstruct.FourierVolume.of(np.zeros(shape))


def test_bad_values():
    with pytest.raises(ns.errors.NonFiniteError, match="volume"):
        ns.reconstruct.FourierVolume.of(np.full((8, 8, 8), np.nan))
    with pytest.raises(ns.errors.ShapeError, match="places"):
        ns.reconstruct.FourierVolume.of(np.ones((8, 8, 8))).sample([0, 0])
