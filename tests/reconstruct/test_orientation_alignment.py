import numpy as np
import pytest
from nanospa.errors import EmptyInputError, ShapeError
from nanospa.reconstruct import Symmetry, align_orientations, orientation_distance, symmetry_rotations
from nanospa.reconstruct.symmetry import rotation_about
from nanospa.simulate import random_rotation

HALF_TURN = np.diag([-1.0, -1, 1])


def rotations(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([random_rotation(rng) for _ in range(n)])


def disturbed(a, group, seed, *, two_fold=False, wrong=0, degrees=3.0):
    """Other equivalents, small errors and some orientations at random."""
    rng = np.random.default_rng(seed)
    out = a @ symmetry_rotations(group)[rng.integers(Symmetry.of(group).order, size=len(a))]
    out = np.stack([rotation_about(rng.normal(size=3), np.radians(degrees)) @ r for r in out])
    if two_fold:
        out = np.where(rng.random(len(a))[:, None, None] < 0.5, HALF_TURN @ out, out)
    out[:wrong] = rotations(wrong, seed + 1) if wrong else out[:0]
    return out


@pytest.mark.parametrize("two_fold", [False, True])
@pytest.mark.parametrize("hand", [False, True])
@pytest.mark.parametrize("name", ["D2", "D3", "D4", "D5", "T", "O", "I"])
def test_finite_normaliser(name, hand, two_fold):
    a = rotations(50)
    for g in Symmetry.of(name).normaliser:
        turned = (HALF_TURN @ a if hand else a) @ g
        b = disturbed(turned, name, 5, two_fold=two_fold, wrong=15)
        found = align_orientations(a, b, name, in_plane_two_fold=two_fold)
        assert found.hand == (hand and not two_fold)
        assert found.median_deg < 4
        distance = orientation_distance(found.apply(a), b, name, in_plane_two_fold=two_fold)
        assert np.median(distance) == pytest.approx(found.median_deg, abs=1e-6)
        np.testing.assert_allclose(distance[15:], 3.0, atol=1e-6)


@pytest.mark.parametrize("two_fold", [False, True])
@pytest.mark.parametrize("hand", [False, True])
@pytest.mark.parametrize("name", ["C1", "C2", "C5"])
def test_free_rotation(name, hand, two_fold):
    a = rotations(80)
    rng = np.random.default_rng(1)
    for flip in Symmetry.of(name).normaliser:
        g = random_rotation(rng) if name == "C1" else flip @ rotation_about((0, 0, 1), rng.uniform(0, 6))
        b = disturbed((HALF_TURN @ a if hand else a) @ g, name, 7, two_fold=two_fold, wrong=25)
        found = align_orientations(a, b, name, in_plane_two_fold=two_fold)
        assert found.hand == (hand and not two_fold)
        # Errors of 3° each: the rotation itself is found better than that.
        assert found.median_deg < 4
        truth = (HALF_TURN @ a if found.hand else a) @ g
        assert np.median(orientation_distance(found.apply(a), truth, name, in_plane_two_fold=two_fold)) < 1.5


def test_identity_where_nothing_is_to_be_done():
    a = rotations(30)
    for name in ("D4", "O", "C3"):
        found = align_orientations(a, a, name)
        assert not found.hand
        assert found.median_deg < 1e-5
        assert orientation_distance(found.rotation, np.eye(3), name)[0] < 1e-5


def test_different_solutions_stay_apart():
    assert align_orientations(rotations(200), rotations(200, 1), "O", in_plane_two_fold=True).median_deg > 25


def test_wrong_input():
    a = rotations(4)
    with pytest.raises(ShapeError, match=r"b: expected as many orientations as a \(4\), found 3"):
        align_orientations(a, a[:3], "O")
    with pytest.raises(EmptyInputError, match="a: expected at least one"):
        align_orientations(a[:0], a[:0], "O")
