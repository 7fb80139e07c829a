"""Poses refined on images whose poses are known."""

import nanospa as ns
import numpy as np
import pytest
from nanospa import reconstruct as rc

from tests.reconstruct.stacks import random_rotations, stack
from tests.reconstruct.test_match_views import blob
from tests.reference.refine_poses import correlation


def turned(rotations, deg, seed):
    """Rotations turned by an angle about random axes."""
    axes = np.random.default_rng(seed).normal(size=(len(rotations), 3))
    axes /= np.linalg.norm(axes, axis=1)[:, None]
    cross = np.cross(axes[:, None], -np.eye(3)[None])
    a = np.radians(deg)
    return (np.eye(3) + np.sin(a) * cross + (1 - np.cos(a)) * cross @ cross) @ rotations


def moved(shifts, px, seed):
    return shifts + np.random.default_rng(seed).uniform(-px, px, np.shape(shifts))


def angles(a, b):
    """Angle between rotations [deg], exact where it is small."""
    d = np.asarray(a) @ np.swapaxes(b, -1, -2)
    half = np.sqrt(np.maximum(3 - np.trace(d, axis1=-2, axis2=-1), 0)) / 2
    return np.degrees(2 * np.arcsin(np.minimum(half, 1)))


@pytest.fixture(scope="module")
def lopsided():
    volume = blob(32, 1)
    fourier = rc.FourierVolume.of(volume)
    rotations = random_rotations(30, 2)
    shifts = np.random.default_rng(3).uniform(-2, 2, (30, 2))
    return volume, fourier, rotations, shifts, rc.project(fourier, rotations, shifts=shifts)


def test_correlations_are_the_plain_definition():
    volume = blob(16, 4)
    images = np.random.default_rng(5).normal(size=(3, 16, 16)) + rc.project(volume, random_rotations(3, 6))
    rotations, shifts = turned(random_rotations(3, 6), 10, 7), np.array([[0.3, -1], [2, 0], [0, 0.5]])
    fourier = rc.FourierVolume.of(volume)
    weights, scales = np.linspace(1, 0.2, 8), np.array([1, 1.1, 0.8])
    cases = [({}, 7, None, [1, 1, 1]), ({"radii_max": 4.5, "weights": weights, "scales": scales}, 4.5, weights, scales)]
    for options, radius, w, sizes in cases:
        got = rc.correlations(fourier, images, rotations, shifts, **options)
        expected = [correlation(volume, *pose[:3], radius, w, pose[3]) for pose in zip(images, rotations, shifts, sizes, strict=True)]
        assert np.abs(got - expected).max() < 2e-3


def test_correlation_is_that_of_pixels():
    # All Fourier samples but the origin: what np.corrcoef gives of images that hold nothing beyond the circle.
    p = np.arange(32) - 16
    r = np.sqrt(p[:, None, None] ** 2 + p[:, None] ** 2 + p**2)
    volume = 1 / (1 + np.exp(2 * (r - 7))) * (1 + 0.3 * p / 16)
    rotations = random_rotations(4, 8)
    images = rc.project(volume, rotations)
    other = rc.project(volume, turned(rotations, 40, 9))
    got = rc.correlations(rc.FourierVolume.of(volume), other, rotations)
    expected = [np.corrcoef(a.ravel(), b.ravel())[0, 1] for a, b in zip(images, other, strict=True)]
    assert np.abs(got - expected).max() < 1e-4


@pytest.mark.parametrize("deg", [3, 9])
def test_known_poses_come_back(lopsided, deg):
    _, fourier, rotations, shifts, images = lopsided
    poses = rc.refine_poses(fourier, images, turned(rotations, deg, 10), moved(shifts, 1, 11))
    assert angles(poses.rotations, rotations).max() < 0.05
    assert np.abs(poses.shifts - shifts).max() < 0.01
    assert poses.scores.min() > 0.99999
    assert np.array_equal(poses.scales, np.ones(30))
    assert np.abs(poses.rotations @ np.swapaxes(poses.rotations, 1, 2) - np.eye(3)).max() < 1e-12
    assert np.linalg.det(poses.rotations).min() > 0


def test_scores_are_correlations(lopsided):
    _, fourier, rotations, shifts, images = lopsided
    noisy = images + np.random.default_rng(12).normal(size=images.shape) * images.std()
    weights = np.linspace(1, 0.1, 16)
    options = {"radii_max": 12, "weights": weights}
    start = turned(rotations, 5, 13)
    poses = rc.refine_poses(fourier, noisy, start, shifts, **options)
    again = rc.correlations(fourier, noisy, poses.rotations, poses.shifts, **options)
    assert np.array_equal(poses.scores, again)
    # Never worse than the start, and for noise better than the truth.
    assert np.all(poses.scores >= rc.correlations(fourier, noisy, start, shifts, **options))
    assert np.all(poses.scores > rc.correlations(fourier, noisy, rotations, shifts, **options) - 1e-4)


def test_nothing_better_lies_near(lopsided):
    volume, fourier, rotations, shifts, images = lopsided
    noisy = (images + np.random.default_rng(14).normal(size=images.shape) * images.std())[:3]
    poses = rc.refine_poses(fourier, noisy, rotations[:3], shifts[:3], radii_max=10, iterations=30)
    for i in range(3):
        best = correlation(volume, noisy[i], poses.rotations[i], poses.shifts[i], 10)
        assert best == pytest.approx(poses.scores[i], abs=1e-3)
        for seed in range(4):
            near = turned(poses.rotations[i : i + 1], 1.0, seed)[0]
            assert correlation(volume, noisy[i], near, poses.shifts[i], 10) < best + 1e-5
            assert correlation(volume, noisy[i], poses.rotations[i], moved(poses.shifts[i], 0.3, seed), 10) < best + 1e-5


def test_sizes_come_back(lopsided):
    _, fourier, rotations, shifts, _ = lopsided
    sizes = np.random.default_rng(15).uniform(0.85, 1.15, 30)
    images = rc.project(fourier, rotations, shifts=shifts, scales=sizes)
    poses = rc.refine_poses(fourier, images, turned(rotations, 3, 16), moved(shifts, 0.5, 17), fit_scale=True, radii_max=10)
    assert np.abs(poses.scales / sizes - 1).max() < 1e-3
    assert angles(poses.rotations, rotations).max() < 0.1
    given = rc.refine_poses(fourier, images, rotations, shifts, scales=sizes, radii_max=10)
    assert np.array_equal(given.scales, sizes)
    assert given.scores.min() > 0.9999


def test_noise_costs_what_it_must():
    data = stack("cube", 40, seed=18, snr=1.0)
    fourier = rc.FourierVolume.of(data.volume)
    from_truth = rc.refine_poses(fourier, data.images, data.rotations, data.shifts)
    poses = rc.refine_poses(fourier, data.images, turned(data.rotations, 5, 19), moved(data.shifts, 1, 20))
    error = rc.orientation_distance(poses.rotations, data.rotations, "O", in_plane_two_fold=True)
    least = rc.orientation_distance(from_truth.rotations, data.rotations, "O", in_plane_two_fold=True)
    assert np.median(error) < 3
    assert np.median(error) < np.median(least) + 0.3
    assert np.median(np.abs(poses.shifts - data.shifts)) < 0.15


def test_stages_bring_home_from_farther(lopsided):
    _, fourier, rotations, shifts, images = lopsided
    start = turned(rotations, 25, 21)
    alone = rc.refine_poses(fourier, images, start, shifts)
    staged = rc.refine_poses(fourier, images, start, shifts, radii_max=[3, 6, 15])
    assert np.all(staged.scores >= rc.correlations(fourier, images, start, shifts))
    assert (staged.scores > 0.9999).sum() >= (alone.scores > 0.9999).sum()


def test_images_that_say_nothing_stay_put():
    p = np.arange(16) - 8
    ball = np.exp(-(p[:, None, None] ** 2 + p[:, None] ** 2 + p**2) / 8)
    fourier = rc.FourierVolume.of(ball)
    rotations = random_rotations(2, 22)
    empty = rc.refine_poses(fourier, np.zeros((2, 16, 16)), rotations, np.zeros((2, 2)))
    assert np.array_equal(empty.rotations, rotations)
    assert not empty.scores.any()
    nothing = rc.refine_poses(rc.FourierVolume.of(np.zeros((16, 16, 16))), np.ones((2, 16, 16)), rotations)
    assert not nothing.scores.any()
    # A ball's orientation means nothing; its shift does.
    round_ = rc.refine_poses(fourier, rc.project(ball, rotations, shifts=[[1, 0], [0, 0.5]]), rotations)
    assert np.abs(round_.shifts - [[1, 0], [0, 0.5]]).max() < 0.01
    assert np.isfinite(round_.rotations).all()


def test_same_for_any_threads(lopsided):
    _, fourier, rotations, shifts, images = lopsided
    got = [rc.refine_poses(fourier, images, turned(rotations, 3, 23), shifts, threads=t, iterations=4) for t in (1, 2, 3)]
    for other in got[1:]:
        for field in ("rotations", "shifts", "scales", "scores"):
            assert np.array_equal(getattr(got[0], field), getattr(other, field))


def test_bad_input(lopsided):
    _, fourier, rotations, shifts, images = lopsided
    for kind, name, options in [
        (ns.errors.ShapeError, "images", {"images": images[:, 1:, 1:]}),
        (ns.errors.ShapeError, "images", {"images": images[:, :16, :16]}),
        (ns.errors.ShapeError, "rotations", {"rotations": rotations[:3]}),
        (ns.errors.InvalidValueError, "rotations", {"rotations": -rotations}),
        (ns.errors.ShapeError, "shifts", {"shifts": shifts[:, :1]}),
        (ns.errors.NonFiniteError, "shifts", {"shifts": shifts * np.nan}),
        (ns.errors.InvalidValueError, "radii_max", {"radii_max": 16}),
        (ns.errors.InvalidValueError, "radii_max", {"radii_max": [4, 0.5]}),
        (ns.errors.ShapeError, "weights", {"weights": np.ones(15)}),
        (ns.errors.InvalidValueError, "weights", {"weights": -np.ones(16)}),
        (ns.errors.InvalidValueError, "scales", {"scales": np.zeros(30)}),
        (ns.errors.InvalidValueError, "iterations", {"iterations": 0}),
    ]:
        with pytest.raises(kind, match=name):
            rc.refine_poses(**{"fourier_volume": fourier, "images": images, "rotations": rotations, "shifts": shifts} | options)
