"""Global thresholds against scikit-image and what they are defined by."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import assume, given
from nanospa.schema import as_image
from nanospa.segment.threshold import METHODS
from nanospa.testing import images
from skimage import filters

from tests.reference import threshold as twin


def peer(image, method):
    return getattr(filters, f"threshold_{method}")(image)


def particles(dtype, seed=0, shape=(260, 300)):
    """Two populations of pixels on an uneven background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    bright = np.hypot(y % 65 - 32, x % 60 - 30) < 12 + 5 * np.sin(x)
    image = 60 + 20 * np.sin(y / 90) + 110 * bright + rng.normal(0, 8, shape)
    return (image.clip(0, 255) * (4 if dtype == "u2" else 1)).astype(dtype)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["u1", "u2", "f8"])
@pytest.mark.parametrize("seed", range(3))
def test_equals_skimage(method, dtype, seed):
    image = particles(dtype, seed)
    got = ns.segment.threshold(image, method)
    assert isinstance(got, float)
    np.testing.assert_allclose(got, float(peer(image, method)), rtol=1e-12)
    assert got == ns.segment.threshold(np.repeat(image, 2, axis=1)[:, ::2], method, threads=3)


@pytest.mark.parametrize("method", METHODS)
def test_float32(method):
    image = particles("f4")
    np.testing.assert_allclose(ns.segment.threshold(image, method), peer(image, method), atol=1e-5 * np.ptp(image))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("levels", [7, 200, 60000])
def test_li_of_quantised_floats(dtype, levels):
    # scikit-image stops at half the smallest step between values: on coarse values that is felt.
    image = (np.round(particles("f8") / 255 * levels) / levels).astype(dtype)
    np.testing.assert_allclose(ns.segment.threshold(image, "li"), peer(image, "li"), atol=1e-5)


@given(images(min_side=1))
def test_li_twin(image):
    pixels = as_image(image)
    levels = np.unique(pixels.astype(np.float64) - float(pixels.min()))
    assume(levels.size > 1)
    tolerance = 0.5 if pixels.dtype.kind == "u" else np.diff(levels).min() / 2
    got = ns.segment.threshold(image, "li")
    np.testing.assert_allclose(got, twin.li(pixels, tolerance), atol=1e-5 * levels[-1])


@given(images(min_side=1))
def test_inside_the_range(image):
    pixels = as_image(image)
    for method in set(METHODS) - {"minimum"}:
        t = ns.segment.threshold(image, method)
        assert pixels.min() <= t <= pixels.max()


@given(images(min_side=1, dtypes=("uint8", "float64")))
def test_otsu_is_the_best_bin(image):
    assume(image.min() < image.max())
    counts, centres = twin.histogram(image)
    binned = np.repeat(centres, counts)
    best = min(twin.otsu_variance(binned, c) for c in centres[:-1])
    got = twin.otsu_variance(binned, ns.segment.threshold(image, "otsu"))
    np.testing.assert_allclose(got, best, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_constant_image_is_its_own_threshold(method):
    for dtype in ("u1", "u2", "f4", "f8", "i4"):
        assert ns.segment.threshold(np.full((5, 6), 37, dtype), method) == 37


def test_hardly_any_range():
    image = np.array([[1, 1 + 2e-16, 1, 1]])
    assert ns.segment.threshold(image, "otsu") == 1
    assert 1 <= ns.segment.threshold(image, "li") <= 1 + 3e-16


def test_number_passes_through():
    assert ns.segment.threshold(np.zeros((2, 2)), 4) == 4.0
    with pytest.raises(ns.errors.InvalidValueError, match="nan"):
        ns.segment.threshold(np.zeros((2, 2)), float("nan"))


def test_bad_input():
    with pytest.raises(ns.errors.UnknownNameError, match="'huang'"):
        ns.segment.threshold(np.zeros((2, 2)), "huang")
    with pytest.raises(ns.errors.EmptyInputError, match="image"):
        ns.segment.threshold(np.zeros((0, 2)), "li")
    with pytest.raises(ns.errors.NonFiniteError):
        ns.segment.threshold(np.array([[1, np.inf]]), "li")
    with pytest.raises(ns.errors.InvalidValueError, match="two maxima"):
        ns.segment.threshold(np.array([[1, 2, 3]], np.uint8), "minimum")
