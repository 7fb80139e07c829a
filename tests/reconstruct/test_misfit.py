"""Share of the images beyond noise that a model explains."""

import numpy as np
import pytest
from nanospa.errors import ShapeError
from nanospa.reconstruct import FourierVolume, correlations, misfit, prepare
from nanospa.reconstruct.image_energy import ImageEnergy

from .stacks import stack


@pytest.mark.parametrize("snr", [np.inf, 4.0, 1.0])
def test_the_true_volume_explains_everything(snr):
    images = stack("cube", 60, box=32, snr=snr, seed=51)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    fourier = FourierVolume.of(images.volume)
    found = misfit(
        prepared, correlations(fourier, prepared.images, images.rotations, images.shifts - prepared.shifts, radii_max=14), last=14
    )
    assert found.explained == pytest.approx(1, abs=0.02)
    assert found.images.mean() == pytest.approx(found.explained, abs=0.02)
    assert found.error < 0.02
    if np.isfinite(snr):
        assert found.images.std() == pytest.approx(np.mean(found.errors), rel=0.6)


def test_a_wrong_volume_explains_less():
    images = stack("star", 40, box=32, snr=4.0, seed=52)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    other = stack("cube", 1, box=32, seed=52).volume
    right, wrong = (
        misfit(
            prepared,
            correlations(FourierVolume.of(volume), prepared.images, images.rotations, images.shifts - prepared.shifts, radii_max=14),
            last=14,
        )
        for volume in (images.volume, other)
    )
    assert wrong.explained < right.explained - 0.02
    assert (right.explained - wrong.explained) > 5 * wrong.error


def test_energy_of_noise():
    images = stack("cube", 30, box=32, snr=2.0, seed=53)
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    clean = prepare(images.clean, pixel_size_nm=images.pixel_size_nm)
    noisy, bare = ImageEnergy.of(prepared), ImageEnergy.of(clean)
    assert np.mean(noisy.total - noisy.noise) == pytest.approx(np.mean(bare.total), rel=0.05)


def test_one_correlation_an_image():
    images = stack("cube", 5, box=32)
    with pytest.raises(ShapeError, match="correlations: expected shape"):
        misfit(prepare(images.images, pixel_size_nm=images.pixel_size_nm), np.ones(4))
