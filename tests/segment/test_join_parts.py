"""Parts of one particle joined, neighbours left alone."""

import numpy as np
import pytest
from hypothesis import given
from nanospa.errors import ShapeError
from nanospa.segment.join_parts import join_parts
from nanospa.testing import label_images

Y, X = np.mgrid[:80, :120]


def disc(y, x, radius, height):
    """Projected sphere."""
    return height * np.sqrt(np.clip(1 - ((Y - y) ** 2 + (X - x) ** 2) / radius**2, 0, None))


def test_halves_and_corners_are_joined():
    plateau = 100.0 * ((abs(Y - 40) < 20) & (abs(X - 40) < 20))
    labels = np.where(plateau > 0, np.where(X < 40, 2, 1), 0)
    labels[21:26, 21:26] = 3
    rng = np.random.default_rng(0)
    joined = join_parts(rng.poisson(plateau + 5.0), labels)
    assert np.array_equal(joined > 0, labels > 0)
    assert np.unique(joined).tolist() == [0, 1]


def test_touching_particles_stay_two():
    image = disc(40, 40, 18, 100) + disc(40, 75, 18, 100)
    labels = np.where(image > 0, np.where(X < 58, 1, 2), 0)
    assert np.array_equal(join_parts(image, labels), labels)


def test_overlapping_particles_stay_two():
    image = 100.0 * (disc(40, 40, 18, 1) > 0) + 100.0 * (disc(40, 68, 18, 1) > 0)
    labels = np.where(image > 0, np.where(X < 54, 1, 2), 0)
    assert np.array_equal(join_parts(image, labels, least_share=0.1), labels)


def test_a_particle_on_a_larger_one_stays():
    image = disc(40, 60, 35, 100) + disc(40, 60, 8, 100)
    labels = np.where((Y - 40) ** 2 + (X - 60) ** 2 < 64, 2, np.where(image > 0, 1, 0))
    assert np.array_equal(join_parts(image, labels), labels)


@given(label_images())
def test_any_labels(labels):
    joined = join_parts(np.zeros(labels.shape), labels)
    assert np.array_equal(joined > 0, labels > 0)
    # Equal brightness is not brighter.
    assert np.array_equal(joined, labels)


def test_refuses_labels_of_another_image():
    with pytest.raises(ShapeError, match="labels"):
        join_parts(np.zeros((4, 4)), np.zeros((4, 5), int))
