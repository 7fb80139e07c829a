"""Insertion against its twin, as the adjoint of projection, and the volumes it makes."""

import nanospa as ns
import numpy as np
import pytest

from tests.reconstruct.test_project import ball, difference, rotations
from tests.reference.insert import insert as twin

GROUPS = ("C1", "C2", "C3", "C4", "C6", "D2", "D3", "D4", "D5", "T", "O", "I")


def half(grid):
    """The stored half of a twin's grid."""
    n = (len(grid) - 5) // 2
    return grid[n + 1 : -1, 1:-1, 1:-1]


@pytest.mark.parametrize("symmetry", ["C1", "D3", "T", "O"])
def test_twin(symmetry):
    rng = np.random.default_rng(1)
    images, views = rng.normal(size=(2, 8, 8)), rotations(2)
    shifts, scales, weights = rng.normal(0, 2, (2, 2)), rng.uniform(0.8, 1.2, 2), rng.uniform(0, 2, (2, 4))
    got = ns.reconstruct.insert(images, views, shifts=shifts, scales=scales, weights=weights, symmetry=symmetry)
    numerator, density = twin(images, views, ns.reconstruct.symmetry_rotations(symmetry), shifts, scales, weights)
    # The plane z = −1 is left to z = 1.
    assert not got.numerator[0].any() and not got.density[0].any()
    assert difference(got.numerator[1:], half(numerator)[1:]) < 2e-6
    assert difference(got.density[1:], half(density)[1:]) < 2e-6


@pytest.mark.parametrize("symmetry", GROUPS)
def test_adjoint_of_project(symmetry):
    rng = np.random.default_rng(2)
    n, views, shifts, scales = 16, rotations(4, seed=2), rng.normal(0, 3, (4, 2)), rng.uniform(0.8, 1.25, 4)
    volume, images = rng.normal(size=(n, n, n)), rng.normal(size=(4, n, n))
    group = ns.reconstruct.symmetry_rotations(symmetry)
    seen = [ns.reconstruct.project(volume, views @ g, shifts=shifts, scales=scales) for g in group]
    forth = np.vdot(images, np.mean(seen, axis=0, dtype=np.float64))
    back = ns.reconstruct.insert(images, views, shifts=shifts, scales=scales, symmetry=symmetry).backprojection()
    norms = np.linalg.norm(images) * np.linalg.norm(np.mean(seen, axis=0))
    assert abs(forth - np.vdot(volume, back)) < 1e-5 * norms


def permuted(grid, matrix):
    """A whole grid (z, y, x) turned by a signed permutation of the axes."""
    m = np.asarray(matrix)[::-1, ::-1]
    source = np.argmax(np.abs(m), axis=1)
    out = grid.transpose(source)
    return np.flip(out, [a for a in range(3) if m[a].sum() < 0])


def whole(grid):
    """A grid and the half that is its mirror image."""
    upper = grid[1:]
    return np.concatenate([upper[:0:-1, ::-1, ::-1].conj(), upper])


@pytest.mark.parametrize("symmetry", ["C2", "C4", "D2", "D4", "T", "O"])
@pytest.mark.parametrize("inversion", [False, True])
def test_symmetry_is_exact(symmetry, inversion):
    rng = np.random.default_rng(3)
    got = ns.reconstruct.insert(rng.normal(size=(5, 12, 12)), rotations(5), symmetry=symmetry, inversion=inversion)
    for grid in (got.numerator, got.density):
        full = whole(grid)
        for g in np.round(ns.reconstruct.symmetry_rotations(symmetry)).astype(int):
            assert np.array_equal(permuted(full, g), full)
    assert np.array_equal(got.numerator.imag, 0 * got.numerator.imag) == inversion
    assert np.array_equal(got.numerator[1], got.numerator[1, ::-1, ::-1].conj())


def test_inversion_takes_the_real_part():
    images, views = np.random.default_rng(4).normal(size=(5, 12, 12)), rotations(5)
    plain = ns.reconstruct.insert(images, views, symmetry="T")
    inverted = ns.reconstruct.insert(images, views, symmetry="T", inversion=True)
    assert difference(inverted.numerator, plain.numerator.real) < 1e-6
    volume = inverted.volume()[1:, 1:, 1:]
    assert difference(volume, volume[::-1, ::-1, ::-1]) < 1e-5


@pytest.mark.parametrize(("symmetry", "shape", "count"), [("O", "star", 40), ("D5", "decahedron", 80), ("C1", "cube", 800)])
def test_brings_the_volume_back(symmetry, shape, count):
    size, n = {"star": 9, "decahedron": 8, "cube": 6}[shape], 32
    volume = ns.simulate.volume(shape, size_nm=size, voxel_size_nm=0.5, box_px=n, supersampling=4)
    views, shifts = rotations(count, seed=5), np.random.default_rng(5).normal(0, 1, (count, 2))
    images = ns.reconstruct.project(volume, views, shifts=shifts)
    got = ns.reconstruct.insert(images, views, shifts=shifts, symmetry=symmetry).volume()
    curve = ns.reconstruct.fourier_shell_correlation(got, volume)
    assert curve.min() > 0.97 and curve[: n // 4].min() > 0.995
    assert abs(got.sum() / volume.sum() - 1) < 0.01
    seen = ns.reconstruct.project(got, views[:5], shifts=shifts[:5])
    assert difference(seen, images[:5]) < 0.05


def test_scales_bring_one_volume_back():
    n, count = 32, 60
    volume = ball(n, 7)
    views, scales = rotations(count, seed=6), np.random.default_rng(6).uniform(0.8, 1.2, count)
    images = ns.reconstruct.project(volume, views, scales=scales)
    right = ns.reconstruct.insert(images, views, scales=scales).volume()
    wrong = ns.reconstruct.insert(images, views).volume()
    assert difference(right, volume) < 0.08 < 0.12 < difference(wrong, volume)


def test_halves_add_up():
    images, views = np.random.default_rng(7).normal(size=(8, 12, 12)), rotations(8)
    whole_set = ns.reconstruct.insert(images, views, symmetry="O")
    halves = [ns.reconstruct.insert(images[i::2], views[i::2], symmetry="O") for i in (0, 1)]
    assert difference((halves[0] + halves[1]).numerator, whole_set.numerator) < 1e-6
    assert difference((halves[0] + halves[1]).volume(), whole_set.volume()) < 1e-5
    with pytest.raises(ns.errors.InvalidValueError, match="symmetry"):
        whole_set + ns.reconstruct.insert(images, views)


def test_weights_are_repetitions():
    images, views = np.random.default_rng(8).normal(size=(4, 12, 12)), rotations(4)
    twice = ns.reconstruct.insert(np.concatenate([images, images[:1]]), np.concatenate([views, views[:1]]))
    weighted = ns.reconstruct.insert(images, views, weights=[2, 1, 1, 1])
    assert difference(weighted.numerator, twice.numerator) < 1e-6
    assert difference(weighted.density, twice.density) < 1e-6
    without = ns.reconstruct.insert(images[1:], views[1:])
    assert difference(ns.reconstruct.insert(images, views, weights=[0, 1, 1, 1]).numerator, without.numerator) < 1e-6


def spectrum(volume, low, high):
    """Power between two radii."""
    n = len(volume)
    k = np.fft.fftfreq(n) * n
    radius = np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2)
    return (np.abs(np.fft.fftn(volume)) ** 2)[(radius >= low) & (radius < high)].sum()


def test_weights_by_shell_filter():
    volume, views = ball(24, 5, seed=9), rotations(60, seed=9)
    images = ns.reconstruct.project(volume, views)
    low = np.zeros((60, 12))
    low[:, :6] = 1
    filtered = ns.reconstruct.insert(images, views, weights=low).volume()
    plain = ns.reconstruct.insert(images, views).volume()
    assert spectrum(filtered, 8, 12) < 0.01 * spectrum(plain, 8, 12)
    assert np.isclose(spectrum(filtered, 0, 5), spectrum(plain, 0, 5), rtol=0.02)


def test_wiener_filter():
    """Noise five times the signal: n samples of a place keep n / (n + 5) of it."""
    views = rotations(50, seed=10)
    images = np.random.default_rng(10).normal(size=(50, 24, 24))
    inserted = ns.reconstruct.insert(images, views)
    plain, filtered = inserted.volume(), inserted.volume(noise_to_signal=5)
    assert difference(inserted.volume(noise_to_signal=np.full(12, 5.0)), filtered) < 1e-6
    # 50 slices through a shell of radius r leave 50 · 2πr / 4πr² = 25 / r samples a Fourier pixel.
    for r in (3, 6, 9):
        ratio = spectrum(filtered, r - 0.5, r + 0.5) / spectrum(plain, r - 0.5, r + 0.5)
        assert np.isclose(np.sqrt(ratio), 1 / (1 + 5 / (25 / r)), rtol=0.15)
    assert np.abs(inserted.volume(noise_to_signal=np.inf)).max() < 1e-12


def test_same_for_any_threads():
    images, views = np.random.default_rng(11).normal(size=(9, 40, 40)), rotations(9)
    one = ns.reconstruct.insert(images, views, symmetry="D3", threads=1)
    for threads in (2, 5):
        more = ns.reconstruct.insert(images, views, symmetry="D3", threads=threads)
        assert np.array_equal(one.numerator, more.numerator) and np.array_equal(one.density, more.density)
        assert np.array_equal(one.volume(threads=1), more.volume(threads=threads))
        assert np.array_equal(one.backprojection(threads=1), more.backprojection(threads=threads))


def test_nothing_inserted():
    nothing = ns.reconstruct.insert(np.zeros((0, 8, 8)), np.zeros((0, 3, 3)))
    assert not nothing.volume().any() and not nothing.backprojection().any()


def test_bad_input():
    images, views = np.ones((2, 8, 8)), rotations(2)
    with pytest.raises(ns.errors.ShapeError, match="images"):
        ns.reconstruct.insert(np.ones((2, 7, 7)), views)
    with pytest.raises(ns.errors.ShapeError, match="rotations"):
        ns.reconstruct.insert(images, views[:1])
    with pytest.raises(ns.errors.ShapeError, match="weights"):
        ns.reconstruct.insert(images, views, weights=np.ones((2, 3)))
    with pytest.raises(ns.errors.InvalidValueError, match="weights"):
        ns.reconstruct.insert(images, views, weights=[1, -1])
    with pytest.raises(ns.errors.UnknownNameError, match="symmetry"):
        ns.reconstruct.insert(images, views, symmetry="Q")
    with pytest.raises(ns.errors.NonFiniteError, match="images"):
        ns.reconstruct.insert(images * np.nan, views)
    inserted = ns.reconstruct.insert(images, views)
    with pytest.raises(ns.errors.ShapeError, match="noise_to_signal"):
        inserted.volume(noise_to_signal=np.ones(3))
    with pytest.raises(ns.errors.InvalidValueError, match="noise_to_signal"):
        inserted.volume(noise_to_signal=-1)
