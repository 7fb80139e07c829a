"""Rolling ball against its twin and scikit-image."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.schema import as_image
from nanospa.testing import images
from skimage import restoration

from tests.reference.rolling_ball import rolling_ball as twin


def scenes():
    """Noise, slopes, particles: what bounds have to cope with."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[:130, :150]
    slope = 300 + 0.6 * x - 0.3 * y + 40 * np.sin(y / 20)
    particles = 500.0 * (np.hypot(y % 43 - 20, x % 50 - 25) < 11)
    yield "smooth", slope
    yield "particles", slope + particles
    yield "noise", rng.normal(0, 30, slope.shape)
    yield "all", slope + particles + rng.normal(0, 30, slope.shape)
    yield "steps", np.round(slope / 50) * 50
    yield "bowl", -np.sqrt(np.clip(90.0**2 - (y - 60) ** 2 - (x - 70) ** 2, 0, None))


@given(images(max_side=30), st.floats(0.5, 40), st.sampled_from([0.0, 0.1, 1.0, 30.0]))
def test_twin(image, radius_px, intensity_scale):
    got = ns.segment.rolling_ball(image, radius_px, intensity_scale=intensity_scale)
    assert got.dtype == np.float32 and got.shape == image.shape
    expected = twin(as_image(image), radius_px, intensity_scale)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-6 * (1 + radius_px * intensity_scale))


@pytest.mark.parametrize(("name", "image"), list(scenes()), ids=lambda v: v if isinstance(v, str) else "")
@pytest.mark.parametrize("radius", [3, 25, 60])
def test_skimage(name, image, radius):
    expected = restoration.rolling_ball(image, radius=radius, workers=1)
    # float32 here, float64 there: half a step of float32 at the largest value met.
    atol = np.spacing(np.float32(np.abs(image).max() + radius))
    got = ns.segment.rolling_ball(image, radius)
    np.testing.assert_allclose(got, expected, rtol=0, atol=atol)
    assert np.array_equal(got, ns.segment.rolling_ball(image.T, radius).T)
    assert np.all(got <= image.astype(np.float32))


def test_intensity_scale_is_skimages_ellipsoid():
    image = dict(scenes())["all"]
    kernel = restoration.ellipsoid_kernel((41, 41), 20 * 2.5)
    expected = restoration.rolling_ball(image, kernel=kernel, workers=1)
    np.testing.assert_allclose(ns.segment.rolling_ball(image, 20, intensity_scale=2.5), expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
def test_same_for_any_threads_and_layout(dtype):
    image = (np.random.default_rng(1).random((211, 190)) * 200).astype(dtype)
    one = ns.segment.rolling_ball(image, 17, threads=1)
    assert all(np.array_equal(one, ns.segment.rolling_ball(image, 17, threads=n)) for n in (2, 5))
    assert np.array_equal(ns.segment.rolling_ball(np.repeat(image, 2, axis=1)[:, ::2], 17), one)


def test_bad_input():
    for radius in (0, -1, np.nan, np.inf):
        with pytest.raises(ns.errors.InvalidValueError, match="radius_px"):
            ns.segment.rolling_ball(np.zeros((3, 3)), radius)
    with pytest.raises(ns.errors.InvalidValueError, match="intensity_scale"):
        ns.segment.rolling_ball(np.zeros((3, 3)), 3, intensity_scale=-1)
