"""Gaussian filter against its twin and scipy."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import images
from scipy import ndimage

from tests.reference.gaussian import gaussian as twin


@given(images(), st.floats(0, 6))
def test_twin(image, sigma_px):
    got = ns.segment.gaussian(image, sigma_px)
    assert got.dtype == np.float32 and got.shape == image.shape
    if image.size:
        scale = max(1.0, float(np.abs(image.astype(np.float64)).max()))
        np.testing.assert_allclose(got / scale, twin(image, sigma_px) / scale, atol=2e-6)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8", ">f4", ">u2", "i2", "?"])
def test_scipy(dtype):
    image = (np.random.default_rng(0).random((70, 91)) * 200).astype(dtype)
    expected = ndimage.gaussian_filter(image.astype(np.float64), 1.7)
    np.testing.assert_allclose(ns.segment.gaussian(image, 1.7), expected, rtol=3e-6, atol=1e-4)


def test_same_for_any_threads():
    image = np.random.default_rng(1).random((300, 200), dtype=np.float32)
    one = ns.segment.gaussian(image, 3, threads=1)
    assert all(np.array_equal(one, ns.segment.gaussian(image, 3, threads=n)) for n in (2, 3, 7))


def test_keeps_calibration():
    image = xr.DataArray(np.ones((4, 6), np.float32), dims=("y", "x"), attrs={"pixel_size_nm": 0.2})
    got = ns.segment.gaussian(image, 1)
    assert isinstance(got, xr.DataArray) and got.attrs == image.attrs and got.dims == image.dims


def test_bad_input():
    with pytest.raises(ns.errors.InvalidValueError, match="sigma_px"):
        ns.segment.gaussian(np.zeros((3, 3)), -1)
    with pytest.raises(ns.errors.ShapeError, match="image"):
        ns.segment.gaussian(np.zeros(3), 1)
    with pytest.raises(ns.errors.NonFiniteError, match=r"\(1, 2\)"):
        ns.segment.gaussian(np.array([[0, 0, 0], [0, 0, np.nan]]), 1)
    with pytest.raises(ns.errors.DtypeError, match="complex"):
        ns.segment.gaussian(np.zeros((3, 3), complex), 1)
