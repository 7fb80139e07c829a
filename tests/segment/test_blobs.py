"""Kernels of automatic segmentation against their twins."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa import _core
from scipy import ndimage

from tests.reference import blobs as twin


def scene(seed, shape):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=shape)
    for _ in range(6):
        y, x = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        yy, xx = np.mgrid[: shape[0], : shape[1]]
        image += rng.choice([-1, 1]) * 12 * (np.hypot(yy - y, xx - x) < rng.uniform(3, 9))
    return ndimage.gaussian_filter(image, 0.8).astype(np.float32)


@pytest.mark.parametrize(("seed", "shape", "last"), [(0, (61, 78), 9), (1, (96, 64), 8), (2, (40, 41), 6)])
def test_blobs_twin(seed, shape, last):
    image = scene(seed, shape)
    table, radii = _core.blobs(image, last, 1)
    names = _core.blob_columns()
    got = {}
    for row, ring in zip(table, radii, strict=True):
        named = dict(zip(names, row, strict=True))
        got[int(named["sign"]), int(named["scale_index"]), int(named["y"]), int(named["x"])] = named, ring
    expected = twin.blobs(image, last)
    # Rounding decides only peaks at the very threshold.
    assert len(set(got) & set(expected)) >= 0.97 * len(set(got) | set(expected)) and len(got) > 10
    other_ring = 0
    for key in set(got) & set(expected):
        (a, ring_a), (b, ring_b) = got[key], expected[key]
        for name in ("response", "noise_local", "noise_mean", "noise_median"):
            assert a[name] == pytest.approx(b[name], rel=2e-3, abs=1e-4), (key, name)
        if not np.allclose(ring_a, ring_b, rtol=1e-3):
            # Two rings of nearly the same total.
            other_ring += 1
            continue
        for name in set(b) - {"response"}:
            assert a[name] == pytest.approx(b[name], rel=5e-3, abs=5e-3), (key, name)
    assert other_ring <= 0.05 * len(got)


def test_blobs_change_sign_with_the_image():
    image = scene(3, (50, 60))
    (a, ring_a), (b, ring_b) = _core.blobs(image, 6, 1), _core.blobs(-image, 6, 1)
    for sign in (1, -1):
        first, second = a[a[:, 0] == sign], b[b[:, 0] == -sign]
        np.testing.assert_array_equal(first[:, 1:], second[:, 1:])
        np.testing.assert_array_equal(ring_a[a[:, 0] == sign], ring_b[b[:, 0] == -sign])


def test_blobs_same_for_any_threads():
    image = scene(4, (120, 90))
    one = _core.blobs(image, 8, 1)
    assert all(np.array_equal(a, b) for n in (2, 3) for a, b in zip(one, _core.blobs(image, 8, n), strict=True))


@given(st.integers(0, 60), st.integers(0, 2**31), st.floats(0.05, 0.9), st.floats(0.05, 1.0))
def test_suppress_twin(n, seed, iou, contained):
    rng = np.random.default_rng(seed)
    corner, side = rng.uniform(0, 80, (n, 2)), 2 ** rng.uniform(0, 6, (n, 2))
    boxes = np.hstack([corner, corner + side]).astype(np.float32)
    expected = twin.suppress(boxes.astype(np.float64), iou, contained)
    assert _core.suppress(boxes, iou, contained).tolist() == expected


@given(st.integers(0, 6), st.integers(0, 2**31), st.integers(1, 30), st.integers(1, 30))
def test_paint_twin(n, seed, height, width):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-3, 33, (n, 2)).astype(np.float32)
    radii = rng.uniform(1, 9, (n, 16)).astype(np.float32)
    got, expected = _core.paint((height, width), centres, radii), twin.paint((height, width), centres, radii)
    # A pixel on an edge may fall on either side.
    assert np.count_nonzero(got != expected) <= 1


def test_outlines_follow_a_disc():
    y, x = np.mgrid[:80, :80]
    image = np.clip(20.5 - np.hypot(y - 40, x - 38), 0, 1).astype(np.float32)
    seeds = np.array([[1, 40, 38, 11, 1.0]], np.float32)
    radii = _core.outlines(image, seeds, np.full((1, 32), 19, np.float32), 0.5, 1)
    assert radii.shape == (1, 64)
    np.testing.assert_allclose(radii, 20, atol=0.35)
