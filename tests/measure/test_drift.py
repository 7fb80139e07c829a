"""Drift: right where two frames show the same place, silent where they do not, on simulated frames with noise of their own."""

import numpy as np
import pytest
from nanospa import simulate
from nanospa.measure.drift import drift
from scipy import ndimage

#: Not the seed that the margin was chosen on.
SEED = 20261121


def frames(n, *, size, n_particles, seed=SEED):
    settings = {"shape": (size, size), "pixel_size_nm": 0.8, "n_particles": n_particles, "seed": seed}
    return [frame.image for frame in simulate.frames(n, **settings)]


@pytest.mark.parametrize(("n", "n_particles", "allowed"), [(150, 6, 1), (60, 2, 1)])
def test_unrelated_frames_have_no_drift(n, n_particles, allowed):
    images = frames(n, size=160, n_particles=n_particles)
    found = [drift(a, b) for a, b in zip(images, images[1:] + images[:1], strict=True)]
    # Below 1 % of 150, and at most one of 60.
    assert sum(np.isfinite(y) for y, _ in found) <= allowed


def test_the_same_place_with_other_noise():
    rng = np.random.default_rng(1)
    scale, right, n = 4.0, 0, 40
    for image in frames(n, size=220, n_particles=10):
        plane = np.maximum(ndimage.gaussian_filter(image.astype(float), 1), 0)
        y, x = rng.integers(-20, 21, 2)
        before = rng.poisson(plane[30:190, 30:190] / scale) * scale
        after = rng.poisson(plane[30 - y : 190 - y, 30 - x : 190 - x] / scale) * scale
        found = drift(before, after)
        if np.isfinite(found[0]):
            assert found == pytest.approx((y, x), abs=1.0)
            right += 1
    assert right >= 0.9 * n


def test_one_particle_or_a_common_slope_say_nothing():
    rng = np.random.default_rng(2)
    one = [rng.poisson(np.pad(np.full((20, 20), 400.0), ((y, 108 - y), (x, 108 - x))) + 100) for y, x in ((30, 40), (60, 20))]
    assert np.isnan(drift(*one)).all()
    slope = np.add.outer(np.arange(128.0), 2 * np.arange(128.0))
    assert np.isnan(drift(rng.poisson(100 + slope), rng.poisson(100 + slope))).all()
    assert np.isnan(drift(np.zeros((40, 40)), np.zeros((40, 40)))).all()


def test_large_and_oblong_frames():
    image = frames(1, size=700, n_particles=60)[0].astype(np.float32)
    assert drift(image[:640, :600], image[12:652, 30:630]) == pytest.approx((-12, -30), abs=0.3)
