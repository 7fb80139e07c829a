"""Sizes of particles that differ in size and in shape."""

import numpy as np
import pytest
from nanospa.reconstruct import prepare, sizes

from .stacks import data_stack, stack


def ranked(a, b):
    from scipy.stats import spearmanr

    return spearmanr(a, b)[0]


def found(images):
    prepared = prepare(images.images, pixel_size_nm=images.pixel_size_nm)
    return prepared, sizes(prepared, images.rotations, images.shifts - prepared.shifts, "O")


@pytest.mark.parametrize(("snr", "least"), [(np.inf, 0.97), (20.0, 0.94)])
def test_etched_stars(snr, least):
    images = stack("star", 100, box=32, snr=snr, seed=61, scales=0.06, parameter_spread=0.07)
    prepared, of = found(images)
    assert ranked(of.scales, images.scales) > max(least, ranked(prepared.scales, images.scales) + 0.02)
    assert of.reliability > 0.6
    assert of.coordinates.std() == pytest.approx(1)


def test_data_stars():
    images = data_stack("star", 100, snr=5.0)
    prepared, of = found(images)
    # Orientations here are the true ones; those of a search are scored in the campaign.
    assert ranked(of.scales, images.scales) >= 0.95
    assert ranked(prepared.scales, images.scales) < 0.93


@pytest.mark.parametrize("snr", [np.inf, 4.0, 1.0])
def test_particles_of_one_shape_keep_the_size_of_their_intensity(snr):
    images = stack("cube", 60, box=32, snr=snr, seed=62, scales=0.07)
    prepared, of = found(images)
    assert ranked(of.scales, images.scales) > ranked(prepared.scales, images.scales) - 0.005
    assert np.abs(of.scales / prepared.scales - 1).max() < 0.015
