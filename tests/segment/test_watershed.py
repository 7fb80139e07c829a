"""Seeded watershed against its twin and scikit-image."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import segmentation

from tests.reference.watershed import watershed as twin
from tests.segment.test_seeds import discs


@st.composite
def basins(draw, dtype=None):
    shape = (draw(st.integers(0, 16)), draw(st.integers(0, 16)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.sampled_from([1, 3, 40, 250]))
    landscape = rng.integers(0, levels + 1, shape)
    if draw(st.booleans()) and landscape.size:
        landscape = ndimage.uniform_filter(landscape * 1000, 3)
    markers = rng.integers(1, 5, shape) * (rng.random(shape) < 0.06)
    mask = rng.random(shape) < draw(st.sampled_from([0.5, 0.8, 1.0]))
    return landscape, markers, mask


@given(basins(), st.sampled_from(["u2", "f4", "f8", "i4"]), st.sampled_from([4, 8]))
def test_twin(basin, dtype, connectivity):
    landscape, markers, mask = basin
    landscape = landscape.astype(dtype)
    got = ns.segment.watershed(landscape, markers, mask, connectivity=connectivity)
    np.testing.assert_array_equal(got, twin(landscape, markers, mask, connectivity))
    if dtype != "u2":
        turned = ns.segment.watershed(-landscape, markers, mask, connectivity=connectivity, descending=True)
        np.testing.assert_array_equal(got, turned)


@given(st.integers(0, 2**32 - 1), st.sampled_from(["f4", "f8"]), st.sampled_from([4, 8]))
def test_scikit_image_without_ties(seed, dtype, connectivity):
    rng = np.random.default_rng(seed)
    landscape = (rng.permutation(40 * 50).reshape(40, 50) - 900).astype(dtype) / 7
    markers = np.arange(1, 2001).reshape(40, 50) * (rng.random((40, 50)) < 0.01)
    mask = rng.random((40, 50)) < 0.8
    expected = segmentation.watershed(landscape, markers, mask=mask, connectivity=1 if connectivity == 4 else 2)
    np.testing.assert_array_equal(ns.segment.watershed(landscape, markers, mask, connectivity=connectivity), expected)


def test_scikit_image_on_distances():
    """Discs that touch: what differs from scikit-image lies on ties of the distance map."""
    mask = discs()
    labels, _ = ns.segment.label(mask)
    distance = ndimage.distance_transform_edt(mask).astype(np.float32)
    markers = ns.segment.seeds(distance, labels, 8)
    got = ns.segment.watershed(distance, markers, mask, descending=True)
    expected = segmentation.watershed(-distance, markers, mask=mask)
    assert np.array_equal(got > 0, mask)
    assert np.mean(got[mask] != expected[mask]) < 2e-3


def test_markers_outside_the_mask_are_ignored():
    landscape, markers = np.zeros((2, 4)), np.array([[1, 0, 0, 2], [0, 0, 0, 0]])
    mask = np.array([[0, 1, 1, 1], [0, 0, 0, 0]])
    np.testing.assert_array_equal(ns.segment.watershed(landscape, markers, mask), [[0, 2, 2, 2], [0, 0, 0, 0]])


def test_negative_zero_is_zero():
    landscape = np.array([[0.0, -0.0, 0.0, -0.0, 0.0]])
    np.testing.assert_array_equal(ns.segment.watershed(landscape, [[1, 0, 0, 0, 2]]), [[1, 1, 1, 2, 2]])


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (4, 0), (1, 1), (1, 9), (9, 1)])
def test_tiny(shape):
    markers = np.zeros(shape, np.int32)
    assert not ns.segment.watershed(np.ones(shape), markers).any()
    if markers.size:
        markers.flat[-1] = 3
        assert (ns.segment.watershed(np.ones(shape), markers) == 3).all()


def test_strided_and_big_endian():
    rng = np.random.default_rng(0)
    landscape = rng.random((40, 60)).astype(">f4")[::2, ::-1]
    markers = (rng.integers(1, 9, (60, 40)) * (rng.random((60, 40)) < 0.02)).T[::2]
    np.testing.assert_array_equal(ns.segment.watershed(landscape, markers), twin(landscape, markers))


def test_keeps_calibration():
    image = xr.DataArray(np.zeros((3, 3)), dims=("y", "x"), attrs={"pixel_size_nm": 0.3})
    got = ns.segment.watershed(image, np.eye(3, dtype=int))
    assert isinstance(got, xr.DataArray) and got.attrs == image.attrs


def test_bad_input():
    image, markers = np.zeros((3, 3)), np.zeros((3, 3), int)
    with pytest.raises(ns.errors.ShapeError, match="markers"):
        ns.segment.watershed(image, markers[1:])
    with pytest.raises(ns.errors.ShapeError, match="mask"):
        ns.segment.watershed(image, markers, markers[1:])
    with pytest.raises(ns.errors.InvalidValueError, match="markers"):
        ns.segment.watershed(image, markers - 1)
    with pytest.raises(ns.errors.InvalidValueError, match="connectivity"):
        ns.segment.watershed(image, markers, connectivity=6)
    with pytest.raises(ns.errors.NonFiniteError, match="landscape"):
        ns.segment.watershed(image * np.nan, markers)
