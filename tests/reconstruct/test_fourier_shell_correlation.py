"""Fourier shell correlation against its definition."""

import nanospa as ns
import numpy as np
import pytest

from tests.reconstruct.test_project import ball

RNG = np.random.default_rng(0)


def twin(a, b):
    """Written out with full transforms."""
    n = len(a)
    k = np.fft.fftfreq(n) * n
    shell = np.round(np.sqrt(k[:, None, None] ** 2 + k[:, None] ** 2 + k**2)).astype(int)
    A, B = np.fft.fftn(a), np.fft.fftn(b)
    out = []
    for r in range(n // 2):
        p, q = A[shell == r], B[shell == r]
        out.append((p * q.conj()).sum().real / np.sqrt((np.abs(p) ** 2).sum() * (np.abs(q) ** 2).sum()))
    return np.array(out)


@pytest.mark.parametrize("n", [4, 10, 16, 22])
def test_twin(n):
    a = RNG.normal(size=(n, n, n))
    b = a + RNG.normal(size=(n, n, n))
    assert np.allclose(ns.reconstruct.fourier_shell_correlation(a, b), twin(a, b), atol=1e-6)


def test_mask_multiplies():
    a, b = RNG.normal(size=(2, 12, 12, 12))
    mask = ball(12, 4)
    masked = ns.reconstruct.fourier_shell_correlation(a, b, mask=mask)
    assert np.allclose(masked, twin(a * mask, b * mask), atol=1e-6)


def test_same_for_any_threads():
    a, b = RNG.normal(size=(2, 16, 16, 16))
    one = ns.reconstruct.fourier_shell_correlation(a, b, threads=1)
    assert np.array_equal(one, ns.reconstruct.fourier_shell_correlation(a, b, threads=3))


def test_empty_volume():
    assert not ns.reconstruct.fourier_shell_correlation(np.zeros((8, 8, 8)), np.ones((8, 8, 8))).any()


def test_resolution():
    find = ns.reconstruct.resolution_nm
    curve = [1, 0.9, 0.6, 0.4, 0.1, 0.2, 0.05, 0]
    # Between shells 2 and 3, and between 3 and 4; what comes back later does not count.
    assert np.isclose(find(curve, box=16, pixel_size_nm=0.5, threshold=0.5), 16 * 0.5 / 2.5)
    assert np.isclose(find(curve, box=16, pixel_size_nm=0.5), 16 * 0.5 / (3 + 0.257 / 0.3))
    assert np.isclose(find(np.ones(8), box=16, pixel_size_nm=0.5), 16 * 0.5 / 7)
    assert find([1, 0, 0], box=6, pixel_size_nm=1) == np.inf
    assert np.isclose(find([1, 1, np.nan, 1], box=8, pixel_size_nm=1), 8)


def test_bad_input():
    cube = np.ones((8, 8, 8))
    with pytest.raises(ns.errors.ShapeError, match="b: "):
        ns.reconstruct.fourier_shell_correlation(cube, np.ones((10, 10, 10)))
    with pytest.raises(ns.errors.ShapeError, match="mask"):
        ns.reconstruct.fourier_shell_correlation(cube, cube, mask=np.ones((8, 8, 6)))
    with pytest.raises(ns.errors.ShapeError, match="fsc"):
        ns.reconstruct.resolution_nm([1], box=8, pixel_size_nm=1)
    with pytest.raises(ns.errors.PixelSizeError, match="pixel_size_nm"):
        ns.reconstruct.resolution_nm([1, 1], box=8, pixel_size_nm=0)
    with pytest.raises(ns.errors.InvalidValueError, match="box"):
        ns.reconstruct.resolution_nm([1, 1], box=0, pixel_size_nm=1)
