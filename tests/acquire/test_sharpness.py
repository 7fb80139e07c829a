"""Sharpness of the autocorrelation and of a lattice."""

from itertools import pairwise

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa import _core
from nanospa.acquire.sharpness import band_powers, bands, curvature_deviation, spectrum
from nanospa.errors import DtypeError, InvalidValueError, NonFiniteError, ShapeError


def blobs(shape=(192, 192), seed=0):
    """Squares of a few sizes on a flat ground."""
    rng = np.random.default_rng(seed)
    image = np.full(shape, 20.0, np.float32)
    for _ in range(8):
        side = int(rng.integers(10, 30))
        y, x = (int(rng.integers(0, n - side)) for n in shape)
        image[y : y + side, x : x + side] += rng.uniform(20, 100)
    return image


@given(st.floats(0.01, 100), st.floats(-1e3, 1e3), st.integers(0, 5))
def test_gain_counts_twice_and_offset_not_at_all(gain, offset, seed):
    image = blobs(seed=seed).astype(np.float64)
    assert ns.acquire.sharpness(gain * image + offset) == pytest.approx(gain**2 * ns.acquire.sharpness(image), rel=1e-2)


def test_falls_with_blur():
    values = [ns.acquire.sharpness(_core.gaussian(blobs(), sigma, 1)) for sigma in (0.5, 1.0, 2.0, 4.0, 8.0)]
    assert all(a > 1.05 * b for a, b in pairwise(values))


def test_noise_has_no_sharpness():
    """Shot noise adds nothing on average, and as much to either side as it is said to."""
    rng = np.random.default_rng(2)
    where = bands((192, 192))
    deviations = []
    for electrons in (1.0, 30.0, 1000.0):
        for _ in range(30):
            found = spectrum(rng.poisson(electrons, (192, 192)).astype(np.float32))
            powers = band_powers(found, found, where)
            weights = where.counts[where.sharp] * (2 * np.pi * where.frequency_px[where.sharp]) ** 2
            value = float((weights * powers[where.sharp]).sum() / where.counts[where.sharp].sum())
            deviations.append(value / curvature_deviation(powers, found.noise, where))
    assert abs(np.mean(deviations)) < 0.35
    assert 0.75 < np.std(deviations) < 1.3


def test_noise_leaves_the_sharpness_of_an_image_as_it_is():
    image = _core.gaussian(blobs(), 1.0, 1)
    rng = np.random.default_rng(3)
    noisy = [ns.acquire.sharpness(rng.poisson(image)) for _ in range(20)]
    assert np.mean(noisy) == pytest.approx(ns.acquire.sharpness(image), rel=0.05)


def test_a_bright_particle_cut_by_the_border_is_not_sharp():
    """A blurred disc half outside of the field counts little more than the same disc does inside of it."""
    y, x = np.mgrid[:256, :256]
    inside, cut = (
        ns.acquire.sharpness(_core.gaussian((np.hypot(y - 128, x - c) < 30).astype(np.float32), 8.0, 1)[:, 64:]) for c in (160, 64)
    )
    sharp = ns.acquire.sharpness(_core.gaussian((np.hypot(y - 128, x - 160) < 30).astype(np.float32), 1.0, 1)[:, 64:])
    assert cut < 1.5 * inside < 0.1 * sharp


@pytest.mark.parametrize(
    ("image", "error"),
    [
        (np.zeros((20, 20)), ShapeError),
        (np.zeros((4, 64, 64)), ShapeError),
        (np.full((64, 64), np.nan), NonFiniteError),
        (np.zeros((64, 64), complex), DtypeError),
    ],
)
@pytest.mark.parametrize("metric", [ns.acquire.sharpness, ns.acquire.lattice_sharpness])
def test_no_image_is_refused(metric, image, error):
    with pytest.raises(error):
        metric(image)


def test_a_constant_image_has_none():
    assert ns.acquire.sharpness(np.full((80, 100), 7, np.uint16)) == 0
    assert ns.acquire.lattice_sharpness(np.full((80, 100), 7, np.uint16)) == 0


def lattice(amplitude, seed=1, n=256):
    y, x = np.mgrid[:n, :n]
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n)) + amplitude * (np.cos(0.9 * x + 0.4 * y) + np.cos(0.9 * y - 0.4 * x))


def test_spots_of_a_lattice_are_counted():
    assert ns.acquire.lattice_spots(lattice(0.5)).n == 2
    assert ns.acquire.lattice_sharpness(lattice(0.2)) < ns.acquire.lattice_sharpness(lattice(0.4))


@pytest.mark.parametrize("seed", range(10))
def test_noise_has_no_spots(seed):
    assert ns.acquire.lattice_sharpness(np.random.default_rng(seed).poisson(4, (256, 256))) == 0


@given(st.floats(0.1, 50), st.floats(-100, 100))
def test_lattice_sharpness_knows_neither_gain_nor_offset(gain, offset):
    image = lattice(0.4, n=128)
    assert ns.acquire.lattice_sharpness(gain * image + offset) == pytest.approx(ns.acquire.lattice_sharpness(image), rel=1e-3)


def test_spacings_too_large_for_a_lattice_are_no_spots():
    y, x = np.mgrid[:256, :256]
    fringes = np.cos(0.4 * x + 0.2 * y)  # 14 px: 0.7 nm at 0.05 nm a pixel
    assert ns.acquire.lattice_spots(fringes).n == 1
    assert ns.acquire.lattice_spots(fringes + 0.01 * lattice(0.0), pixel_size_nm=0.05).n == 0


@pytest.mark.parametrize("pixel_size_nm", [0.0, -1.0, float("nan"), 0.3])
def test_a_pixel_size_without_a_lattice_is_refused(pixel_size_nm):
    with pytest.raises(InvalidValueError, match="pixel_size_nm"):
        ns.acquire.lattice_sharpness(np.zeros((64, 64)), pixel_size_nm=pixel_size_nm)
