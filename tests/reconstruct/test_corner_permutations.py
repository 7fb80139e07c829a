from itertools import permutations

import numpy as np
import pytest
from nanospa.reconstruct import Symmetry, align_orientations, corner_permutations, orientation_distance, view_distance
from nanospa.reconstruct.asymmetric_unit import rotations_to
from nanospa.reconstruct.corner_permutations import fold_orientations, inequivalent_orders, permuted
from nanospa.simulate import random_rotation

ORDERS = [order for order in permutations(range(3)) if order != (0, 1, 2)]
MIRRORED = ["D3", "D4", "D5", "T", "O", "I"]


def rotations(n, seed=0):
    rng = np.random.default_rng(seed)
    return np.stack([random_rotation(rng) for _ in range(n)])


def same(group):
    return {"reflections": True, "in_plane_two_fold": group in ("O", "I", "D4")}


@pytest.mark.parametrize("name", MIRRORED)
def test_proper_and_modulo_the_group(name):
    s = Symmetry.of(name)
    a = rotations(80)
    for order in ORDERS:
        p = permuted(a, s, order)
        np.testing.assert_allclose(p @ p.transpose(0, 2, 1), np.broadcast_to(np.eye(3), p.shape), atol=1e-9)
        np.testing.assert_allclose(np.linalg.det(p), 1.0)
        # Orientations that give the same image of a particle with the mirror planes are taken to such again.
        again = permuted(a @ s.rotations[-1], s, order)
        assert orientation_distance(p, again, name, **same(name)).max() < 1e-3
        reversed_beam = np.diag([1.0, 1, -1]) @ a @ s.reflections[-1]
        assert orientation_distance(p, permuted(reversed_beam, s, order), name, **same(name)).max() < 1e-3


@pytest.mark.parametrize("name", MIRRORED)
def test_corners_go_where_they_are_sent(name):
    s = Symmetry.of(name)
    for order in ORDERS:
        for corner in range(3):
            if name in ("D3", "D5", "T") and s.folds.count(s.folds[corner]) == 2:
                continue  # a corner and its opposite fold to either of the two equal ones
            start = rotations_to(0.999 * s.corners[[corner]] + 0.001 * s.corners.mean(axis=0))
            start[0] = np.linalg.qr(start[0].T)[0].T * np.sign(np.diag(np.linalg.qr(start[0].T)[1]))[:, None]
            start = rotations_to(start[:, 2])
            end = rotations_to(s.corners[[order[corner]]])
            assert view_distance(permuted(start, s, order), end, name)[0] < 1.0


def test_permutations_form_the_symmetric_group():
    # Directions exactly; the axes of the image, which are fitted, exactly where an exchange is undone.
    for name in ("O", "I", "D4"):
        s = Symmetry.of(name)
        a = rotations(100)
        np.testing.assert_array_less(orientation_distance(permuted(a, s, (0, 1, 2)), a, name, in_plane_two_fold=True), 1e-3)
        for p in ORDERS:
            inverse = tuple(int(i) for i in np.argsort(p))
            back = permuted(permuted(a, s, p), s, inverse)
            assert orientation_distance(back, a, name, in_plane_two_fold=True).max() < 1e-3
            for q in ORDERS:
                both = tuple(q[i] for i in p)
                found = permuted(permuted(a, s, p), s, q)
                assert view_distance(found, permuted(a, s, both), name).max() < 1e-3


def test_against_one_orientation_at_a_time():
    s = Symmetry.of("O")
    a = rotations(30, 3)
    for name, found in corner_permutations(a, "O"):
        order = [["2", "3", "4"].index(c) for c in name.split(" → ")[1].split()]
        for rotation, result in zip(a, found, strict=True):
            # By hand: every mirror image of the direction; the one with no negative coordinate.
            for m in s.reflections:
                folded = rotation @ m
                shares = np.linalg.solve(s.corners.T, folded[2])
                if shares.min() >= -1e-12:
                    break
            target = s.corners[order]
            direction = shares @ target / np.linalg.norm(shares @ target)
            assert view_distance(result, rotations_to(direction[None]), "O")[0] < 1e-4
            # Of all turns about the new direction, with or without a reflection, none brings the corners' projections closer.
            wanted = (folded[:2] @ s.corners.T).ravel()

            def misfit(axes, wanted=wanted, target=target):
                return np.linalg.norm((axes @ target.T).ravel() - wanted)

            basis = rotations_to(direction[None])[0, :2]
            angles = np.radians(np.arange(0, 360, 1.0))
            turns = [np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]) for t in angles]
            least = min(misfit(turn @ flip @ basis) for turn in turns for flip in (np.eye(2), np.diag([1, -1])))
            # The result's triangle may be another one: any element of the full group may stand between.
            here = min(misfit(result[:2] @ m) for m in s.reflections)
            assert here <= least + 1e-9


@pytest.mark.parametrize(
    ("name", "number"), [("O", 5), ("I", 5), ("T", 2), ("D3", 2), ("D5", 2), ("D6", 2), ("D2", 0), ("C4", 0), ("C1", 0)]
)
def test_only_what_the_normaliser_does_not_undo(name, number):
    found = corner_permutations(rotations(60), name)
    assert len(found) == number == len(inequivalent_orders(Symmetry.of(name)))
    assert all(r.shape == (60, 3, 3) for _, r in found)


@pytest.mark.parametrize("name", ["D4", "D6"])
def test_the_others_are_the_same_model_turned(name):
    a = rotations(80)
    s = Symmetry.of(name)
    kept = [a, *(permuted(a, s, order) for order in inequivalent_orders(s))]
    for order in ORDERS:
        p = permuted(a, s, order)
        distances = [align_orientations(p, k, name, in_plane_two_fold=True).median_deg for k in kept]
        assert sorted(distances)[0] < 1e-3
        assert sorted(distances)[1] > 5


def test_exchanged_models_are_other_models():
    a = rotations(200)
    for name in ("O", "I", "D4", "D5"):
        for p in (permuted(a, Symmetry.of(name), order) for order in inequivalent_orders(Symmetry.of(name))):
            assert align_orientations(a, p, name, in_plane_two_fold=True).median_deg > 5


def test_folded_orientations_point_into_the_triangle():
    for name in MIRRORED:
        s = Symmetry.of(name)
        folded = fold_orientations(rotations(100), s)
        assert np.linalg.solve(s.corners.T, folded[:, 2].T).min() > -1e-9


def test_one_and_none():
    assert corner_permutations(np.eye(3), "O")[0][1].shape == (1, 3, 3)
    assert corner_permutations(np.zeros((0, 3, 3)), "O")[0][1].shape == (0, 3, 3)
