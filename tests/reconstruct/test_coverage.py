import numpy as np
import pytest
from nanospa.errors import EmptyInputError
from nanospa.reconstruct import coverage_weights, folded_directions, orientation_map, orientation_statistics
from nanospa.reconstruct.asymmetric_unit import rotations_to

NAMES = ["C1", "C3", "D2", "D5", "T", "O", "I"]


def evenly(n, seed):
    d = np.random.default_rng(seed).normal(size=(n, 3))
    return rotations_to(d / np.linalg.norm(d, axis=1, keepdims=True))


def near_poles(n, seed, degrees=15.0):
    """Directions within about this of the 4-fold axes of O, all the same way round."""
    rng = np.random.default_rng(seed)
    d = np.array([0, 0, 1.0]) + np.radians(degrees) / 1.5 * rng.normal(size=(n, 3))
    return rotations_to(d / np.linalg.norm(d, axis=1, keepdims=True))


@pytest.mark.parametrize("name", NAMES)
def test_map_of_even_directions(name):
    found = orientation_map(evenly(20_000, 0), name, 12)
    assert found.counts.sum() == 20_000
    assert found.expected.sum() == pytest.approx(1)
    mean = 20_000 * found.expected
    assert np.abs((found.counts - mean) / np.sqrt(mean)).max() < 5.5


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [20, 100, 500])
def test_even_directions_are_found_even(name, n):
    found = [orientation_statistics(evenly(n, seed), name) for seed in range(40)]
    assert np.mean([f.evenness for f in found]) > 0.85
    assert np.mean([f.coverage for f in found]) > 0.93
    p = np.array([f.p_value for f in found])
    # Uniform over 0 … 1 where chance alone is at work.
    assert (p < 0.05).sum() <= 7
    assert 0.3 < p.mean() < 0.7


@pytest.mark.parametrize("n", [50, 200])
def test_one_sided_directions_are_found_uneven(n):
    found = orientation_statistics(near_poles(n, 0), "O")
    assert found.p_value < 0.01
    assert found.evenness < 0.75
    assert found.coverage < 0.95
    assert found.effective_views == pytest.approx(n * found.evenness)
    one = orientation_statistics(np.repeat(np.eye(3)[None], n, axis=0), "O")
    assert one.evenness < 0.1
    assert one.coverage < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_even_directions_keep_their_weight(name):
    for n in (20, 100, 1000):
        weights = coverage_weights(evenly(n, 1), name)
        assert weights.mean() == pytest.approx(1)
        assert weights.min() > 0.3
        # What they cost: images of equal noise count for less by this.
        assert (weights**2).mean() < 1.15


def test_weights_even_out():
    mixed = np.concatenate([near_poles(300, 2, 10), evenly(100, 3)])
    weights = coverage_weights(mixed, "O")
    assert weights.max() <= 4.0 + 1e-9
    assert weights.mean() == pytest.approx(1, abs=1e-3)
    height = folded_directions(mixed, "O")[:, 2]
    even = folded_directions(evenly(20_000, 4), "O")[:, 2].mean()
    assert abs(np.average(height, weights=weights) - even) < 0.4 * abs(height.mean() - even)


def test_few():
    np.testing.assert_array_equal(coverage_weights(evenly(2, 0), "O"), [1.0, 1.0])
    with pytest.raises(EmptyInputError, match="two or more, found 1"):
        orientation_statistics(np.eye(3), "O")
