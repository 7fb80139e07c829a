"""White top-hat against its twin and scipy."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.schema import as_image
from nanospa.testing import images
from scipy import ndimage

from tests.reference.tophat import tophat as twin


@given(images(max_side=14), st.integers(1, 17))
def test_twin(image, size_px):
    got = ns.segment.tophat(image, size_px)
    expected = twin(as_image(image), size_px)
    assert got.dtype == expected.dtype
    assert np.array_equal(got, expected)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("shape", [(120, 150), (3, 700), (700, 1)])
def test_scipy(dtype, shape):
    image = (np.random.default_rng(0).random(shape) * 250).astype(dtype)
    for size in (1, 2, 3, 16, 31, 64, 301):
        expected = ndimage.white_tophat(image, size=size)
        assert np.array_equal(ns.segment.tophat(image, size), expected), size
        strided = np.repeat(np.repeat(image, 2, axis=0), 3, axis=1)[::2, ::3]
        assert np.array_equal(ns.segment.tophat(strided, size), expected), size


@given(images(dtypes=("uint16", "float64"), min_side=1), st.integers(1, 9))
def test_invariants(image, size_px):
    got = ns.segment.tophat(image, size_px)
    assert got.min() >= 0 and np.all(got <= image - image.min())
    # A top-hat leaves nothing wide behind: its own opening is the opening of what an opening removed.
    assert np.array_equal(ns.segment.tophat(got, size_px), got)


def test_same_for_any_threads():
    image = np.random.default_rng(1).random((300, 421), dtype=np.float32)
    one = ns.segment.tophat(image, 40, threads=1)
    assert all(np.array_equal(one, ns.segment.tophat(image, 40, threads=n)) for n in (2, 3, 7))


@pytest.mark.parametrize("size_px", [0, -3, 2.5])
def test_bad_size(size_px):
    with pytest.raises(ns.errors.InvalidValueError, match="size_px"):
        ns.segment.tophat(np.zeros((3, 3)), size_px)
