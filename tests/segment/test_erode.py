"""Erosion by a diamond against its twin, scipy and OpenCV."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import masks
from scipy import ndimage

from tests.reference.erode import erode as twin


@given(masks(max_side=40), st.integers(0, 30))
def test_twin(mask, radius_px):
    got = ns.segment.erode(mask, radius_px)
    assert got.dtype == np.bool_ and got.shape == mask.shape
    assert np.array_equal(got, twin(mask, radius_px))


@pytest.mark.parametrize("radius_px", [1, 10, 100, 253, 254, 255, 400])
def test_scipy_and_opencv(radius_px):
    cv2 = pytest.importorskip("cv2")
    mask = np.ones((500, 620), bool)
    rng = np.random.default_rng(radius_px)
    mask[rng.integers(0, 500, 3), rng.integers(0, 620, 3)] = False
    got = ns.segment.erode(mask, radius_px)
    assert np.array_equal(got, ndimage.binary_erosion(mask, iterations=radius_px, border_value=1))
    assert np.array_equal(got, cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L1, 3) > radius_px)
    assert np.array_equal(got, ns.segment.erode(mask, radius_px, threads=3))
    assert np.array_equal(got[::-1, ::2], ns.segment.erode(mask[::-1], radius_px)[:, ::2])


def test_labels_are_a_mask():
    labels = np.array([[0, 5, 5, 5], [0, 5, 7, 5], [0, 5, 5, 5]], np.int32)
    assert np.array_equal(ns.segment.erode(labels, 1), ns.segment.erode(labels > 0, 1))


def test_any_byte_of_a_bool_array_is_true():
    # A view may hold other bytes than 0 and 1.
    mask = np.array([[0, 2, 255, 1], [0, 64, 2, 128]], np.uint8).view(bool)
    assert np.array_equal(ns.segment.erode(mask, 0).view(np.uint8), [[0, 1, 1, 1]] * 2)
    assert np.array_equal(ns.segment.distance_transform(mask), [[0, 1, 2, 3]] * 2)


@pytest.mark.parametrize("radius_px", [-1, 0.5])
def test_bad_radius(radius_px):
    with pytest.raises(ns.errors.InvalidValueError, match="radius_px"):
        ns.segment.erode(np.zeros((3, 3), bool), radius_px)
    with pytest.raises(ns.errors.ShapeError, match="mask"):
        ns.segment.erode(np.zeros(3, bool), 1)
