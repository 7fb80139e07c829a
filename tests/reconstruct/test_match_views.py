"""Rings and their matching: against plain sums, and against known turns, shifts and mirrors."""

import nanospa as ns
import numpy as np
import pytest
from nanospa import reconstruct as rc

from tests.reconstruct.stacks import random_rotations, stack
from tests.reference import match_views as reference
from tests.reference import rings as reference_rings

SHIFTS = np.array([(x, y) for y in (-1, 0, 1) for x in (-1, 0, 1)], float)

#: Shifts that go further, so that every true one lies between two of them.
WIDE = np.array([(x, y) for y in range(-2, 3) for x in range(-2, 3)], float)


def blob(n, seed, *, centrosymmetric=False):
    """A lopsided smooth volume well inside the box."""
    rng = np.random.default_rng(seed)
    z, y, x = np.meshgrid(*[np.arange(n) - n // 2] * 3, indexing="ij")
    out = np.zeros((n, n, n))
    for _ in range(6):
        c = rng.uniform(-0.18 * n, 0.18 * n, 3)
        for sign in (1, -1) if centrosymmetric else (1,):
            out += np.exp(-((x - sign * c[0]) ** 2 + (y - sign * c[1]) ** 2 + (z - sign * c[2]) ** 2) / (0.007 * n * n))
    return out.astype(np.float32)


def angle_between(a, b, period_deg=360.0):
    d = (np.degrees(a) - np.degrees(b)) % period_deg
    return np.minimum(d, period_deg - d)


@pytest.mark.parametrize("centrosymmetric", [False, True])
def test_spectra_are_the_plain_sums(centrosymmetric):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(2, 16, 16))
    radii, weights, shifts = [1, 2.5, 6], np.array([1, 0.5, 2]), [(0, 0), (1.3, -0.7)]
    found = rc.rings(images, radii=radii, n_angles=24, shifts=shifts, weights=weights, centrosymmetric=centrosymmetric)
    assert found.spectra.shape == (2, 2, 3, 7 if centrosymmetric else 13)
    for i, image in enumerate(images):
        samples = [reference_rings.image_samples(image, radii, 24, shift) for shift in shifts]
        norm = np.sqrt(reference_rings.inner(samples[0], samples[0], radii, weights))
        for j in range(2):
            expected = reference_rings.spectra(samples[j], norm, radii, weights, centrosymmetric)
            assert np.abs(found.spectra[i, j] - expected).max() < 1e-3
    volume = blob(16, 1)
    rotations = random_rotations(3, 2)
    views = rc.view_rings(rc.FourierVolume.of(volume), rotations, found)
    for view, rotation in zip(views, rotations, strict=True):
        samples = reference_rings.view_samples(volume, rotation, radii, 24)
        kept = samples.real + 0j if centrosymmetric else samples
        norm = np.sqrt(reference_rings.inner(kept, kept, radii, weights))
        assert np.abs(view - reference_rings.spectra(samples, norm, radii, weights, centrosymmetric)).max() < 1e-3


def test_norms():
    images = np.random.default_rng(1).normal(size=(3, 20, 20))
    whole = rc.rings(images, n_angles=40, shifts=[(0, 0), (3, 2)])
    assert np.allclose((abs(whole.spectra) ** 2).sum((2, 3)), 1, atol=1e-5)
    # Of noise about half the power is in even harmonics; the norm does not hide that.
    even = rc.rings(images, n_angles=40, shifts=[(0, 0), (3, 2)], centrosymmetric=True)
    power = (abs(even.spectra) ** 2).sum((2, 3))
    assert power.max() < 0.8
    assert np.array_equal((abs(rc.rings(np.zeros((1, 8, 8))).spectra)), np.zeros((1, 1, 3, 37)))


@pytest.mark.parametrize("centrosymmetric", [False, True])
@pytest.mark.parametrize("n_angles", [16, 20, 36])
def test_scores_are_the_plain_definition(centrosymmetric, n_angles):
    volume = blob(16, 3, centrosymmetric=centrosymmetric)
    rotations = random_rotations(3, 4)
    images = np.random.default_rng(5).normal(size=(2, 16, 16)) * 0.5
    images[1] += rc.project(volume, rotations[:1], shifts=[[1, 0]])[0]
    radii, weights = [1, 2, 4, 5], np.array([1, 2, 1, 0.5])
    rings = rc.rings(images, radii=radii, n_angles=n_angles, shifts=SHIFTS[::2], weights=weights, centrosymmetric=centrosymmetric)
    views = rc.view_rings(rc.FourierVolume.of(volume), rotations, rings)
    matches = rc.match_views(rings, views, interpolate=False)
    assert matches.scores.shape == (2, 6)
    mirrored = np.diag([-1.0, 1, -1]) @ rotations
    for i, image in enumerate(images):
        for j, rotation in enumerate([*rotations, *mirrored]):
            plain = reference.correlations(image, volume, rotation, radii, weights, n_angles, SHIFTS[::2], centrosymmetric)
            assert matches.scores[i, j] == pytest.approx(plain.max(), abs=2e-3)
            at = round(matches.angles[i, j] / (2 * np.pi) * n_angles)
            assert plain[matches.shift_indices[i, j], at] == pytest.approx(plain.max(), abs=2e-3)
            assert np.array_equal(matches.shifts[i, j], SHIFTS[::2][matches.shift_indices[i, j]])


@pytest.mark.parametrize("centrosymmetric", [False, True])
def test_a_known_turn_and_shift_are_found(centrosymmetric):
    n, n_angles = 32, 72
    volume = blob(n, 6, centrosymmetric=centrosymmetric)
    fourier = rc.FourierVolume.of(volume)
    rotations = random_rotations(20, 7)
    rng = np.random.default_rng(8)
    angles, shifts = rng.uniform(0, 2 * np.pi, 20), rng.uniform(-1.4, 1.4, (20, 2))
    poses = np.stack([reference.in_plane(a) @ r for a, r in zip(angles, rotations, strict=True)])
    images = rc.project(fourier, poses, shifts=shifts)
    rings = rc.rings(images, radii=np.arange(1, 12), n_angles=n_angles, shifts=WIDE, centrosymmetric=centrosymmetric)
    views = rc.view_rings(fourier, rotations, rings)
    matches = rc.match_views(rings, views, mirror=False, candidates=np.arange(20)[:, None])
    step = 360 / n_angles
    assert angle_between(matches.angles[:, 0], angles, 180 if centrosymmetric else 360).max() < 0.1 * step
    assert np.abs(matches.shifts[:, 0] - shifts).max() < 0.1
    assert matches.scores.min() > 0.985
    # All views: each image finds its own, with the pose that made it.
    found, moved, scores = rc.match_views(rings, views).best(rotations)
    assert rc.orientation_distance(found, poses, "C1", in_plane_two_fold=centrosymmetric).max() < 0.1 * step
    assert np.abs(moved - shifts).max() < 0.1
    assert np.allclose(scores, matches.scores[:, 0])


def test_interpolation_beats_the_grid():
    volume = blob(32, 9)
    fourier = rc.FourierVolume.of(volume)
    rotations = random_rotations(12, 10)
    poses = np.stack([reference.in_plane(np.radians(2.5 + 30 * i)) @ r for i, r in enumerate(rotations)])
    images = rc.project(fourier, poses, shifts=np.full((12, 2), 0.4))
    rings = rc.rings(images, radii=np.arange(1, 10), n_angles=72, shifts=SHIFTS)
    views = rc.view_rings(fourier, rotations, rings)
    candidates = np.arange(12)[:, None]
    coarse = rc.match_views(rings, views, candidates=candidates, interpolate=False)
    fine = rc.match_views(rings, views, candidates=candidates)
    assert np.all(fine.scores > coarse.scores)
    truth = np.radians(2.5 + 30 * np.arange(12))
    assert angle_between(coarse.angles[:, 0], truth).min() > 2.4
    assert angle_between(fine.angles[:, 0], truth).max() < 0.6


def test_the_view_from_behind_is_the_mirrored_one():
    volume = blob(24, 11)
    fourier = rc.FourierVolume.of(volume)
    rotations = random_rotations(6, 12)
    # Flipped in x about index n // 2: what is on the border goes elsewhere, and is empty.
    flipped = np.roll(rc.project(fourier, rotations)[:, :, ::-1], 1, axis=2)
    rings = rc.rings(flipped, radii=np.arange(1, 10), n_angles=96)
    views = rc.view_rings(fourier, rotations, rings)
    matches = rc.match_views(rings, views)
    assert np.array_equal(matches.scores.argmax(1), 6 + np.arange(6))
    found, _, scores = matches.best(rotations)
    assert rc.orientation_distance(found, np.diag([-1.0, 1, -1]) @ rotations, "C1").max() < 0.2
    assert scores.min() > 0.999
    assert rc.match_views(rings, views, mirror=False).scores.max() < 0.999


def test_a_cube_looks_the_same_after_a_half_turn():
    data = stack("cube", 12, box=32, seed=3, shift_px=0)
    fourier = rc.FourierVolume.of(data.volume)
    unit = rc.asymmetric_unit("O", 5)
    best = {}
    for centrosymmetric in (False, True):
        rings = rc.rings(data.images, radii=np.arange(1, 13), n_angles=96, centrosymmetric=centrosymmetric)
        rotations, _, best[centrosymmetric] = rc.match_views(rings, rc.view_rings(fourier, unit, rings)).best(unit)
        distance = rc.orientation_distance(rotations, data.rotations, "O", in_plane_two_fold=True)
        assert np.median(distance) < 2.5
        assert distance.max() < 5
    assert np.allclose(best[True], best[False], atol=3e-3)


def test_candidates_are_columns_of_the_full_search():
    volume = blob(16, 13)
    rotations = random_rotations(5, 14)
    images = rc.project(volume, random_rotations(4, 15))
    rings = rc.rings(images, n_angles=24, shifts=SHIFTS)
    views = rc.view_rings(rc.FourierVolume.of(volume), rotations, rings)
    everything = rc.match_views(rings, views)
    chosen = np.array([[0, 9, -1], [5, 4, 3], [-1, 7, 7], [-1, -1, -1]])
    some = rc.match_views(rings, views, candidates=chosen)
    for i in range(4):
        for j, view in enumerate(chosen[i]):
            if view < 0:
                assert some.scores[i, j] == -np.inf
            else:
                assert some.scores[i, j] == everything.scores[i, view]
                assert some.angles[i, j] == everything.angles[i, view]
                assert np.array_equal(some.shifts[i, j], everything.shifts[i, view])
    rotations_top, shifts_top, scores_top = everything.top(3, rotations)
    assert rotations_top.shape == (4, 3, 3, 3)
    assert shifts_top.shape == (4, 3, 2)
    assert np.array_equal(scores_top, -np.sort(-everything.scores, 1)[:, :3])
    assert np.array_equal(rotations_top[:, 0], everything.best(rotations)[0])


def test_same_for_any_threads():
    images = np.random.default_rng(16).normal(size=(9, 20, 20))
    volume, rotations = blob(20, 17), random_rotations(7, 18)
    got = []
    for threads in (1, 2, 3):
        rings = rc.rings(images, shifts=SHIFTS, threads=threads)
        views = rc.view_rings(rc.FourierVolume.of(volume), rotations, rings, threads=threads)
        matches = rc.match_views(rings, views, threads=threads)
        got.append((rings.spectra, views, matches.scores, matches.angles, matches.shifts))
    for other in got[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(got[0], other, strict=True))


def test_bad_input():
    images = np.ones((2, 8, 8))
    rings = rc.rings(images, n_angles=8)
    views = np.zeros((1, *rings.spectra.shape[2:]), np.complex64)
    fourier = rc.FourierVolume.of(np.ones((10, 10, 10)))
    for kind, name, call in [
        (ns.errors.ShapeError, "images", lambda: rc.rings(images[0])),
        (ns.errors.ShapeError, "images", lambda: rc.rings(np.ones((1, 7, 7)))),
        (ns.errors.NonFiniteError, "images", lambda: rc.rings(np.full((1, 8, 8), np.nan))),
        (ns.errors.InvalidValueError, "n_angles", lambda: rc.rings(images, n_angles=10)),
        (ns.errors.InvalidValueError, "radii", lambda: rc.rings(images, radii=[1, 4])),
        (ns.errors.ShapeError, "radii", lambda: rc.rings(images, radii=[])),
        (ns.errors.ShapeError, "shifts", lambda: rc.rings(images, shifts=[1, 2, 3])),
        (ns.errors.NonFiniteError, "shifts", lambda: rc.rings(images, shifts=[(0, np.inf)])),
        (ns.errors.ShapeError, "weights", lambda: rc.rings(images, weights=[1, 1])),
        (ns.errors.InvalidValueError, "weights", lambda: rc.rings(images, weights=[0, 0, 0])),
        (ns.errors.ShapeError, "fourier_volume", lambda: rc.view_rings(fourier, np.eye(3), rings)),
        (ns.errors.ShapeError, "views", lambda: rc.match_views(rings, views[:, :2])),
        (ns.errors.InvalidValueError, "candidates", lambda: rc.match_views(rings, views, candidates=[[0], [2]])),
        (ns.errors.ShapeError, "candidates", lambda: rc.match_views(rings, views, candidates=[[0]])),
        (ns.errors.ShapeError, "view_rotations", lambda: rc.match_views(rings, views).best(np.stack([np.eye(3)] * 2))),
        (ns.errors.InvalidValueError, "k", lambda: rc.match_views(rings, views).top(3, np.eye(3))),
    ]:
        with pytest.raises(kind, match=name):
            call()
