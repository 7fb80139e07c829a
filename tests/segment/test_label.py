"""Connected components against their twin, scipy and cc3d."""

import cc3d
import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import masks
from scipy import ndimage

from tests.reference.label import label as twin


@given(masks(), st.sampled_from([4, 8]))
def test_twin_2d(mask, connectivity):
    labels, n = ns.segment.label(mask, connectivity)
    expected, n_expected = twin(mask, connectivity)
    assert n == n_expected and labels.dtype == np.int32
    np.testing.assert_array_equal(labels, expected)


@given(masks(ndim=3, max_side=9), st.sampled_from([6, 18, 26]))
def test_twin_3d(mask, connectivity):
    labels, n = ns.segment.label(mask, connectivity)
    expected, n_expected = twin(mask, connectivity)
    assert n == n_expected
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize("density", [0.2, 0.41, 0.5, 0.59, 0.8])
@pytest.mark.parametrize("connectivity", [4, 8])
def test_scipy_on_noise(density, connectivity):
    # Several blocks of lines, and lines of more than one word that are no multiple of one.
    mask = np.random.default_rng(0).random((2500, 1301)) < density
    structure = ndimage.generate_binary_structure(2, 1 if connectivity == 4 else 2)
    expected, n_expected = ndimage.label(mask, structure)
    labels, n = ns.segment.label(mask, connectivity)
    assert n == n_expected
    first = np.unique(expected, return_index=True)[1]
    rank = np.empty(n + 1, np.int32)
    rank[expected.ravel()[np.sort(first)]] = np.arange(n + 1)
    if expected[0, 0]:  # 0 is background wherever it first appears
        order = [v for v in expected.ravel()[np.sort(first)] if v]
        rank[0] = 0
        rank[order] = np.arange(1, n + 1)
    np.testing.assert_array_equal(labels, rank[expected])


@pytest.mark.parametrize("connectivity", [6, 18, 26])
@pytest.mark.parametrize("shape", [(50, 40, 33), (30, 300, 130), (1, 7, 90), (70, 1, 64)])
def test_cc3d(shape, connectivity):
    mask = np.random.default_rng(1).random(shape) < {6: 0.3, 18: 0.15, 26: 0.1}[connectivity]
    expected = cc3d.connected_components(np.ascontiguousarray(mask), connectivity=connectivity)
    labels, n = ns.segment.label(mask, connectivity)
    assert n == expected.max()
    # One to one: as many pairs as labels on either side.
    pairs = np.unique(np.stack([labels.ravel(), expected.ravel().astype(np.int64)]), axis=1)
    assert pairs.shape[1] == n + 1 if not mask.all() else n
    np.testing.assert_array_equal(labels > 0, mask)


@pytest.mark.parametrize("dtype", ["?", "u1", "i2", "f4", ">f8"])
def test_any_dtype_and_stride(dtype):
    rng = np.random.default_rng(2)
    mask = (rng.integers(0, 3, (60, 70)) * (rng.random((60, 70)) < 0.6)).astype(dtype)
    view = mask[::2, ::-3]
    np.testing.assert_array_equal(ns.segment.label(view, 4)[0], twin(view, 4)[0])


@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (5, 0), (1, 1), (0, 3, 3), (1, 1, 1)])
def test_tiny_and_full(shape):
    labels, n = ns.segment.label(np.ones(shape, bool))
    assert labels.shape == shape and n == min(labels.size, 1)


def test_same_for_any_threads():
    mask = np.random.default_rng(3).random((6000, 900)) < 0.55
    one = ns.segment.label(mask, 8, threads=1)
    for threads in (2, 5):
        labels, n = ns.segment.label(mask, 8, threads=threads)
        assert n == one[1]
        np.testing.assert_array_equal(labels, one[0])


def test_bad_input():
    with pytest.raises(ns.errors.InvalidValueError, match="connectivity: expected 4 or 8"):
        ns.segment.label(np.ones((3, 3)), 6)
    with pytest.raises(ns.errors.InvalidValueError, match="connectivity: expected 6, 18 or 26"):
        ns.segment.label(np.ones((3, 3, 3)), 8)
    with pytest.raises(ns.errors.ShapeError, match="mask"):
        ns.segment.label(np.ones(3))
    with pytest.raises(ns.errors.DtypeError, match="mask"):
        ns.segment.label(np.ones((3, 3), complex))


def test_data_array():
    labels, n = ns.segment.label(xr.DataArray(np.eye(3), dims=("y", "x")), 4)
    assert n == 3 and np.trace(labels) == 6
