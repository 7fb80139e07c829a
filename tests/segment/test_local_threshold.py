"""Local thresholds against their twins and scikit-image."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from nanospa.schema import as_image
from nanospa.segment.local_threshold import METHODS
from nanospa.testing import images
from skimage import filters

from tests.reference import local_threshold as twin


def particles(dtype, shape=(140, 171)):
    rng = np.random.default_rng(0)
    y, x = np.mgrid[: shape[0], : shape[1]]
    image = 60 + 60 * np.sin(y / 60) + 70 * (np.hypot(y % 35 - 17, x % 40 - 20) < 9) + rng.normal(0, 8, shape)
    return (image.clip(0, 255) * (200 if dtype == "u2" else 1)).astype(dtype)


def differs(mask, image, surface):
    """Pixels classified otherwise than by the surface that are not on it, up to float32."""
    image = image.astype(np.float64)
    clear = np.abs(image - surface) > 2e-5 * np.abs(image).max()
    return int(np.sum((mask != (image > surface)) & clear))


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
@pytest.mark.parametrize("size", [3, 15, 51, 201])
def test_skimage(dtype, size):
    image = particles(dtype)
    double = image.astype(np.float64)
    assert differs(ns.segment.local_threshold(image, "local", size), image, filters.threshold_local(double, size)) == 0
    niblack = ns.segment.local_threshold(image, "niblack", size, k=0.3)
    assert differs(niblack, image, filters.threshold_niblack(double, size, 0.3)) == 0
    half_range = {"u1": 127.5, "u2": 32767.5}.get(dtype, np.ptp(double) / 2)
    sauvola = ns.segment.local_threshold(image, "sauvola", size, k=0.1)
    assert differs(sauvola, image, filters.threshold_sauvola(double, size, 0.1, half_range)) == 0
    assert np.array_equal(sauvola, ns.segment.local_threshold(image, "sauvola", size, k=0.1, dynamic_range=half_range))


@given(images(min_side=1, max_side=16), st.sampled_from([3, 5, 9, 21]), st.sampled_from([-0.5, 0.2, 1.0]))
def test_twin(image, size, k):
    pixels = as_image(image)
    assert differs(ns.segment.local_threshold(image, "niblack", size, k=k), pixels, twin.niblack(pixels, size, k)) == 0
    sauvola = ns.segment.local_threshold(image, "sauvola", size, k=k, dynamic_range=50.0)
    assert differs(sauvola, pixels, twin.sauvola(pixels, size, k, 50.0)) == 0


@given(images(min_side=1, max_side=12, dtypes=("uint8",)), st.sampled_from([3, 5, 9, 31]))
def test_otsu_twin(image, size):
    assume(image.min() < image.max())
    assert np.array_equal(ns.segment.local_threshold(image, "otsu_local", size), twin.otsu_local(image, size))


@pytest.mark.parametrize("size", [9, 41])
def test_otsu_skimage(size):
    image = particles("u1")
    local = filters.rank.otsu(image, np.ones((size, size)))
    expected = (image > local) & (image > filters.threshold_otsu(image))
    assert np.array_equal(ns.segment.local_threshold(image, "otsu_local", size), expected)
    scaled = image.astype(np.float32) * 3.7 - 200
    got = ns.segment.local_threshold((scaled - scaled.min()) * (255 / np.ptp(scaled)), "otsu_local", size)
    assert np.mean(got != ns.segment.local_threshold(scaled, "otsu_local", size)) < 1e-3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
def test_same_for_any_threads_and_layout(method, dtype):
    image = particles(dtype, (230, 170))
    one = ns.segment.local_threshold(image, method, 21, threads=1)
    assert one.dtype == np.bool_ and one.any() and not one.all()
    assert all(np.array_equal(one, ns.segment.local_threshold(image, method, 21, threads=n)) for n in (2, 5))
    assert np.array_equal(one, ns.segment.local_threshold(np.repeat(image, 2, axis=1)[:, ::2], method, 21))


@pytest.mark.parametrize("method", ["local", "niblack", "otsu_local"])
@pytest.mark.parametrize("value", [0, 0.1, 7, 1e6])
def test_flat_is_background(method, value):
    image = np.full((60, 70), value)
    assert not ns.segment.local_threshold(image, method, 11).any()
    assert not ns.segment.local_threshold(image.astype(np.float32), method, 11).any()


def test_bad_input():
    image = np.zeros((5, 5))
    for size in (2, 4, 1, 3.5):
        with pytest.raises(ns.errors.InvalidValueError, match="local_size_px"):
            ns.segment.local_threshold(image, "local", size)
    with pytest.raises(ns.errors.UnknownNameError, match="'bernsen'"):
        ns.segment.local_threshold(image, "bernsen", 3)
    with pytest.raises(ns.errors.InvalidValueError, match="dynamic_range"):
        ns.segment.local_threshold(image, "sauvola", 3, dynamic_range=0)
    with pytest.raises(ns.errors.InvalidValueError, match="k:"):
        ns.segment.local_threshold(image, "niblack", 3, k=np.nan)
