import numpy as np
import pytest
from nanospa.errors import InvalidValueError, ShapeError
from nanospa.reconstruct import Symmetry, orientation_distance, symmetry_rotations, view_distance
from nanospa.simulate import random_rotation

NAMES = ["C1", "C3", "D2", "D5", "T", "O", "I"]


def rotations(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([random_rotation(rng) for _ in range(n)])


@pytest.mark.parametrize("two_fold", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_metric_modulo_the_group(name, two_fold):
    a, b, c = rotations(60, 1), rotations(60, 2), rotations(60, 3)

    def distance(p, q):
        return orientation_distance(p, q, name, in_plane_two_fold=two_fold)

    g = symmetry_rotations(name)
    h = np.random.default_rng(4).integers(len(g), size=60)
    assert distance(a, a).max() < 1e-5
    assert distance(a, a @ g[h]).max() < 1e-5
    np.testing.assert_allclose(distance(a, b), distance(b, a), atol=1e-5)
    np.testing.assert_allclose(distance(a @ g[h], b), distance(a, b), atol=1e-5)
    assert (distance(a, c) <= distance(a, b) + distance(b, c) + 1e-5).all()
    assert distance(a, b).max() > 10
    turned = np.diag([-1.0, -1, 1]) @ a
    assert (distance(a, turned).max() < 1e-5) == two_fold


def test_against_the_angle_of_each_product():
    a, b = rotations(20, 5), rotations(20, 6)
    for name in NAMES:
        slow = [
            min(np.arccos(np.clip((np.trace(q.T @ p @ g) - 1) / 2, -1, 1)) for g in symmetry_rotations(name))
            for p, q in zip(a, b, strict=True)
        ]
        np.testing.assert_allclose(orientation_distance(a, b, name), np.degrees(slow), atol=1e-5)


def test_mirror_planes_of_the_shape():
    a = rotations(40, 9)
    reversed_beam = np.diag([1.0, 1, -1])
    for name in ("D2", "D5", "D6", "T", "O", "I"):
        s = Symmetry.of(name)
        alike = reversed_beam @ a @ s.reflections[-1]
        assert orientation_distance(a, alike, name, reflections=True).max() < 1e-5
        # With an inversion centre among the mirrors' products, they are the half turn in plane.
        has_centre = np.abs(s.reflections + np.eye(3)).max(axis=(1, 2)).min() < 1e-9
        assert has_centre == (name not in ("D5", "T"))
        by_half_turn = orientation_distance(a, alike, name, in_plane_two_fold=True)
        assert (by_half_turn.max() < 1e-5) == has_centre
    with pytest.raises(InvalidValueError, match="reflections"):
        orientation_distance(a, a, "C4", reflections=True)


def test_view_distance():
    a = rotations(50, 10)
    spin = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    assert view_distance(a, spin @ a, "C1").max() < 1e-5
    assert view_distance(a, np.diag([-1.0, 1, -1]) @ a, "C1").max() < 1e-5
    assert view_distance(a, rotations(50, 11), "I").max() < 37.4
    assert (view_distance(a, rotations(50, 11), "O") <= orientation_distance(a, rotations(50, 11), "O") + 1e-6).all()


def test_sizes():
    a = rotations(5)
    assert orientation_distance(a, np.eye(3), "O").shape == (5,)
    assert orientation_distance(np.zeros((0, 3, 3)), np.zeros((0, 3, 3)), "O").shape == (0,)
    with pytest.raises(ShapeError, match=r"b: expected as many orientations as a \(5\) or one, found 4"):
        orientation_distance(a, a[:4], "O")
