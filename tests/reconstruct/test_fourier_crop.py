"""Band-limited resampling."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.reconstruct import fourier_crop

from tests.reconstruct import stacks


def test_twin_by_fft():
    images = np.random.default_rng(0).normal(size=(3, 24, 24)).astype(np.float32)
    spectrum = np.fft.fftshift(np.fft.fft2(np.fft.ifftshift(images, axes=(1, 2))), axes=(1, 2))[:, 4:20, 4:20]
    # The Nyquist frequency has no partner and is left out.
    spectrum[:, 0] = spectrum[:, :, 0] = 0
    expected = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(spectrum, axes=(1, 2))), axes=(1, 2)).real * (16 / 24) ** 2
    np.testing.assert_allclose(fourier_crop(images, 16), expected, atol=1e-5)


def test_shifts_and_scales_undo_those_of_particles():
    stack = stacks.stack("octahedron", 12, scales=0.12, seed=2)
    still = stacks.stack("octahedron", 12, shift_px=0, seed=2)
    found = fourier_crop(stack.images, 64, shifts=stack.shifts, scales=stack.scales) / stack.scales[:, None, None]
    assert np.corrcoef(found.ravel(), still.images.ravel())[0, 1] > 0.9998


def test_nothing_is_aliased():
    x = np.arange(32)
    wave = np.cos(2 * np.pi * 13 * x / 32)
    images = np.broadcast_to(wave, (1, 32, 32)).astype(np.float32)
    assert np.abs(fourier_crop(images, 24)).max() < 1e-5
    # Shrunk by 1.3, frequency 13 would lie beyond the Nyquist frequency 16.
    assert np.abs(fourier_crop(images, 32, scales=[1.3])).max() < 1e-5


def test_sums_and_noise():
    stack = stacks.stack("star", 6, seed=1)
    assert fourier_crop(stack.images, 40).sum() * (64 / 40) ** 2 == pytest.approx(stack.images.sum(), rel=1e-4)
    assert fourier_crop(stack.images, 80).max() == pytest.approx(stack.images.max(), rel=0.1)
    noise = np.random.default_rng(1).normal(size=(50, 64, 64)).astype(np.float32)
    assert fourier_crop(noise, 32).std() == pytest.approx(31 / 64, rel=0.01)


@pytest.mark.parametrize("box", [3, 15, 0])
def test_boxes(box):
    with pytest.raises(ns.errors.InvalidValueError, match="box"):
        fourier_crop(np.zeros((1, 16, 16)), box)
