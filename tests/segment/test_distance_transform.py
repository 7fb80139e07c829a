"""Euclidean distance transform against its twin, scipy, edt and OpenCV."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import masks
from scipy import ndimage

from tests.reference.distance_transform import distance_transform as twin

SPACINGS = st.sampled_from([0.25, 0.7, 1.0, 1.0, 3.0])


@given(masks(max_side=24), st.tuples(SPACINGS, SPACINGS))
def test_twin_2d(mask, sampling):
    np.testing.assert_allclose(ns.segment.distance_transform(mask, sampling, squared=True), twin(mask, sampling), rtol=1e-6)


@given(masks(ndim=3, max_side=9), st.tuples(SPACINGS, SPACINGS, SPACINGS))
def test_twin_3d(mask, sampling):
    got = ns.segment.distance_transform(mask, sampling)
    assert got.dtype == np.float32 and got.shape == mask.shape
    np.testing.assert_allclose(got, np.sqrt(twin(mask, sampling)), rtol=1e-6)


@pytest.mark.parametrize("shape", [(300, 411), (70, 3000), (33, 1), (40, 50, 60)])
def test_squares_are_exact(shape):
    edt = pytest.importorskip("edt")
    rng = np.random.default_rng(0)
    for fraction in (0.5, 0.05, 1e-3):
        mask = rng.random(shape) >= fraction
        mask.flat[0] = False
        got = ns.segment.distance_transform(mask, squared=True)
        nearest = ndimage.distance_transform_edt(mask, return_distances=False, return_indices=True)
        expected = ((nearest - np.indices(shape)) ** 2).sum(axis=0)
        assert np.array_equal(got, expected)
        assert np.array_equal(got, edt.edtsq(mask))
        assert np.array_equal(np.sqrt(got), ns.segment.distance_transform(mask))


def test_opencv():
    cv2 = pytest.importorskip("cv2")
    mask = np.random.default_rng(3).random((200, 300)) > 0.01
    expected = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    np.testing.assert_allclose(ns.segment.distance_transform(mask), expected, rtol=1e-6)


@pytest.mark.parametrize("shape", [(200, 170), (20, 30, 40)])
def test_same_for_any_threads_and_layout(shape):
    mask = np.random.default_rng(1).random(shape) > 0.02
    one = ns.segment.distance_transform(mask, threads=1)
    assert all(np.array_equal(one, ns.segment.distance_transform(mask, threads=n)) for n in (2, 5))
    assert np.array_equal(ns.segment.distance_transform(mask.T), one.T)
    assert np.array_equal(ns.segment.distance_transform(mask[::-1, ::-1].astype(np.int16) * 7), one[::-1, ::-1])


def test_without_background():
    assert np.all(np.isinf(ns.segment.distance_transform(np.ones((4, 50), bool))))
    assert not ns.segment.distance_transform(np.zeros((4, 50), bool)).any()


@pytest.mark.parametrize("sampling", [0, -1.0, np.nan, (1, 2, 3), "fine", [[1, 1]]])
def test_bad_sampling(sampling):
    with pytest.raises(ns.errors.InvalidValueError, match="sampling"):
        ns.segment.distance_transform(np.zeros((3, 3), bool), sampling)
