"""Following regions to the foot of their edge: against the twin, and on particles with known outlines."""

import nanospa as ns
import numpy as np
import pytest
from nanospa import _core
from nanospa.testing import check_labels
from scipy import ndimage

from tests.reference.refine import refine as twin


def scene(seed, noise):
    """Discs and squares of several heights on noise, and labels that miss their rims or touch each other."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:150, :170]
    image, labels = rng.normal(0, noise, y.shape), np.zeros(y.shape, np.int32)
    for own in range(1, 9):
        cy, cx, radius = rng.integers(10, 140), rng.integers(10, 160), rng.integers(5, 26)
        shape = np.hypot(y - cy, x - cx) if own % 2 else np.maximum(abs(y - cy), abs(x - cx))
        image += rng.uniform(20, 100) * np.clip((radius - shape) / rng.uniform(0.5, 6), 0, 1)
        labels[(shape < radius - 2) & (labels == 0)] = own
    return image.astype(np.float32), ns.segment.label(labels > 0, 4)[0]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("noise", [0.5, 3.0, 40.0])
def test_twin(seed, noise):
    image, labels = scene(seed, noise)
    got, expected = _core.refine(image, labels, 0.1, 1), twin(image, labels, 0.1)
    # The kernel compares in float32: single pixels on the level may differ.
    assert np.count_nonzero(got != expected) <= 3
    assert all(np.array_equal(got, _core.refine(image, labels, 0.1, threads)) for threads in (2, 3))


def test_outlines_of_simulated_particles():
    frame = ns.simulate.frame(shape=(512, 512), n_particles=3, seed=12)
    rough = ndimage.binary_erosion(frame.labels > 0, iterations=3) * frame.labels
    got = _core.refine(frame.image, rough, 0.07, 1)
    check_labels(got)
    for own in range(1, frame.labels.max() + 1):
        a, b, before = got == own, frame.labels == own, rough == own
        assert (a & b).sum() / (a | b).sum() > max(0.92, before.sum() / b.sum())


def test_outlines_are_even():
    """Noise must not lengthen the perimeter: circularity of simulated particles as that of their true outlines."""
    frame = ns.simulate.frame(settings="slater2020", shape=(512, 512), n_particles=4, seed=12)
    rough = ndimage.binary_erosion(frame.labels > 0, iterations=3) * frame.labels
    got, true = (
        ns.measure.measure(frame.image, labels).set_coords("label").swap_dims(particle="label").circularity
        for labels in (_core.refine(frame.image, rough, 0.07, 1), frame.labels)
    )
    assert abs(got / true - 1).max() < 0.1


def test_refuses():
    image, labels = scene(0, 1.0)
    with pytest.raises(ns.errors.InvalidValueError, match="level"):
        _core.refine(image, labels, 0.0, 1)
    with pytest.raises(ns.errors.ShapeError, match="labels"):
        _core.refine(image[1:], labels, 0.1, 1)
    assert _core.refine(image, np.zeros_like(labels), 0.1, 1).max() == 0
