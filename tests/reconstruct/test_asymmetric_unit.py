import numpy as np
import pytest
from nanospa.errors import InvalidValueError
from nanospa.reconstruct import Symmetry, asymmetric_unit, folded_directions
from nanospa.reconstruct.asymmetric_unit import fold
from scipy.spatial import cKDTree

NAMES = ["C1", "C2", "C5", "D2", "D3", "D4", "D5", "D6", "D12", "T", "O", "I"]


def directions(n, seed=0):
    d = np.random.default_rng(seed).normal(size=(n, 3))
    return d / np.linalg.norm(d, axis=1, keepdims=True)


def orbit(s, samples):
    return np.einsum("gij,nj->gni", s.both_ways, samples).reshape(-1, 3)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("step_deg", [9.0, 4.0])
def test_no_direction_is_far(name, step_deg):
    s = Symmetry.of(name)
    rotations = asymmetric_unit(name, step_deg)
    np.testing.assert_allclose(rotations @ rotations.transpose(0, 2, 1), np.broadcast_to(np.eye(3), rotations.shape), atol=1e-12)
    np.testing.assert_allclose(np.linalg.det(rotations), 1.0)
    samples = rotations[:, 2]
    chord = cKDTree(orbit(s, samples)).query(directions(20_000))[0]
    reach = np.degrees(2 * np.arcsin(chord / 2))
    assert reach.max() < 0.66 * step_deg
    # Not many more than a triangular lattice has in the area and on half the border (at most 135°), and none twice.
    lattice = s.unit_area / np.radians(step_deg) ** 2 * 2 / np.sqrt(3)
    assert len(samples) < 1.1 * lattice + 135 / step_deg + 4
    apart = np.abs(np.einsum("gij,nj,mi->gnm", s.both_ways, samples, samples)).max(axis=0) - 2 * np.eye(len(samples))
    assert np.degrees(np.arccos(min(1.0, apart.max()))) > 0.2 * step_deg


def test_numbers_for_octahedral():
    assert [len(asymmetric_unit("O", step)) for step in (9, 5, 3)] == [21, 55, 136]


@pytest.mark.parametrize("name", NAMES)
def test_folding(name):
    s = Symmetry.of(name)
    d = directions(500)
    folded = fold(d, s)
    np.testing.assert_allclose(fold(folded, s), folded, atol=1e-12)
    for h in s.both_ways[:: max(1, s.order // 6)]:
        np.testing.assert_allclose(fold(d @ h.T, s), folded, atol=1e-9)
    # A unit's share of the sphere is one over the number of its copies.
    assert (np.abs(fold(many := directions(40_000, 1), s) - many).max(axis=1) < 1e-9).mean() == pytest.approx(0.5 / s.order, rel=0.12)
    if s.corners is not None and np.abs(s.reflections + np.eye(3)).max(axis=(1, 2)).min() < 1e-9:
        assert np.linalg.solve(s.corners.T, folded.T).min() > -1e-9


def test_samples_lie_in_the_unit():
    for name in ("D2", "D4", "D5", "T", "O", "I"):
        samples = asymmetric_unit(name, 7)[:, 2]
        s = Symmetry.of(name)
        # On a border rounding may choose another of the equivalents.
        inside = 0.999 * samples + 0.001 * s.centre
        inside /= np.linalg.norm(inside, axis=1, keepdims=True)
        np.testing.assert_allclose(fold(inside, s), inside, atol=1e-9)


def test_folded_directions_of_octahedral_are_sorted():
    rotations = asymmetric_unit("C1", 11)
    folded = folded_directions(rotations, "O")
    ascending = np.sort(np.abs(rotations[:, 2]), axis=1)
    np.testing.assert_allclose(folded, ascending[:, [1, 0, 2]], atol=1e-12)


def test_step_is_checked():
    for wrong in (0.0, -3, 90, np.nan):
        with pytest.raises(InvalidValueError, match="step_deg"):
            asymmetric_unit("O", wrong)
