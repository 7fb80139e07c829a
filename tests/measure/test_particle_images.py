"""Particle images against their twin and against particles of known position."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nanospa.testing import images, label_images

from tests.reference.particle_images import particle_images as twin


@given(label_images(max_side=12), st.integers(1, 9), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 99))
@settings(max_examples=40)
def test_twin(labels, box_px, masked, local, subpixel, seed):
    image = np.random.default_rng(seed).integers(0, 200, labels.shape).astype(np.uint8)
    got = ns.measure.particle_images(
        image, labels, box_px=box_px, masked=masked, background="local" if local else "none", subpixel=subpixel
    )
    expected = twin(image, labels, box_px, masked, local, subpixel)
    assert got.dtype == np.float32 and got.shape == expected.shape
    np.testing.assert_allclose(got, expected, atol=1e-3)


@given(images(), st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_no_panic(image, seed, box_px):
    labels = np.random.default_rng(seed).integers(0, 4, image.shape)
    got = ns.measure.particle_images(image, labels, box_px=box_px)
    assert got.shape == (np.unique(labels[labels > 0]).size, box_px, box_px) and np.isfinite(got).all()


def test_centred_to_a_fraction_of_a_pixel():
    """Gaussian blobs at known fractions of a pixel: their intensity centroids come out at the middle of the box."""
    yy, xx = np.mgrid[:60, :300]
    image, labels = np.full((60, 300), 20.0), np.zeros((60, 300), int)
    for k in range(5):
        blob = 100 * np.exp(-((yy - 30 - 0.2 * k) ** 2 + (xx - 30 - 60 * k + 0.15 * k) ** 2) / (2 * 4**2))
        image += blob
        labels[blob > 20] = k + 1
    offsets = {}
    for subpixel in (True, False):
        cut = ns.measure.particle_images(image, labels, box_px=32, background=20.0, masked=False, subpixel=subpixel)
        iy, ix = np.mgrid[-16:16, -16:16]
        offsets[subpixel] = max(abs(np.sum(c * i) / np.sum(c)) for c in cut for i in (iy, ix))
    assert offsets[True] < 0.2 < offsets[False]


def test_masks_neighbours_and_keeps_the_scale():
    image, labels = np.full((40, 60), 5.0), np.zeros((40, 60), int)
    labels[15:24, 20:29], labels[15:24, 31:40] = 1, 2
    image += 10.0 * labels
    alone = ns.measure.particle_images(image, labels, box_px=30)
    assert alone[0].sum() == pytest.approx(10 * 81) and alone[1].sum() == pytest.approx(20 * 81)
    both = ns.measure.particle_images(image, labels, box_px=30, masked=False)
    assert both[0].sum() == pytest.approx(10 * 81 + 20 * 8 * 9, rel=0.02)


def test_same_for_any_threads():
    rng = np.random.default_rng(0)
    labels = np.kron(np.arange(100).reshape(10, 10), np.ones((20, 20), int))
    image = rng.random(labels.shape, dtype=np.float32)
    one = ns.measure.particle_images(image, labels, box_px=24, threads=1)
    assert all(np.array_equal(one, ns.measure.particle_images(image, labels, box_px=24, threads=n)) for n in (2, 5))


def test_box_size_holds_the_particles():
    labels = np.zeros((100, 100), int)
    labels[10:41, 20:25] = 1
    labels[60:64, 60:64] = 2
    table = ns.measure.region_properties(labels, labels)
    side = ns.measure.box_size(table, share=1.0)
    assert side == 40 and side % 2 == 0
    cut = ns.measure.particle_images(labels, labels, box_px=side, background=0.0, subpixel=False)
    assert cut[0].sum() == 31 * 5 and cut[1].sum() == 2 * 16
    assert ns.measure.box_size(table, share=0.5, margin_px=1) == 6
    assert ns.measure.box_size(ns.measure.measure(labels, labels), share=1.0) == side


def test_bad_input():
    image, labels = np.zeros((4, 5)), np.ones((4, 5), int)
    for error, match, call in (
        (ns.errors.InvalidValueError, "box_px", lambda: ns.measure.particle_images(image, labels, box_px=0)),
        (ns.errors.InvalidValueError, "box_px", lambda: ns.measure.particle_images(image, labels, box_px=10**6)),
        (ns.errors.InvalidValueError, "background", lambda: ns.measure.particle_images(image, labels, box_px=4, background="ring")),
        (ns.errors.ShapeError, "labels", lambda: ns.measure.particle_images(image, labels.T, box_px=4)),
        (ns.errors.EmptyInputError, "table", lambda: ns.measure.box_size(ns.measure.region_properties(image, labels * 0))),
        (ns.errors.InvalidValueError, "share", lambda: ns.measure.box_size({}, share=0)),
    ):
        with pytest.raises(error, match=match):
            call()
