"""Seeds against their twin and scikit-image."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import label_images
from scipy import ndimage
from skimage.feature import peak_local_max

from tests.reference.seeds import seeds as twin


@st.composite
def distance_maps(draw):
    labels = draw(label_images(max_side=18))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    if draw(st.booleans()):
        distance = ndimage.distance_transform_edt(labels > 0) if labels.size else np.zeros(labels.shape)
    else:
        distance = rng.integers(0, draw(st.sampled_from([1, 2, 5, 200])) + 1, labels.shape)
    return distance.astype(np.float32), labels


@given(distance_maps(), st.integers(1, 9), st.sampled_from(["distance", "particlespy-0.5.1"]))
def test_twin(maps, separation_px, meaning):
    got = ns.segment.seeds(*maps, separation_px, meaning=meaning)
    np.testing.assert_array_equal(got, twin(*maps, separation_px, meaning))


def discs(size=400, n=60, seed=0):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size]
    mask = np.zeros((size, size), bool)
    for cy, cx, r in zip(*rng.uniform(0, size, (2, n)), rng.uniform(5, 25, n), strict=True):
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < r**2
    return mask


def test_scikit_image():
    labels, _ = ns.segment.label(discs())
    rng = np.random.default_rng(1)
    # Random values without ties: there, both meanings of a maximum are the same.
    distance = (ndimage.distance_transform_edt(labels > 0) + 1e-3 * rng.random(labels.shape)).astype(np.float32)
    for separation_px in (3, 8, 21):
        expected = peak_local_max(distance, footprint=np.ones((2 * separation_px - 1,) * 2), labels=labels, exclude_border=False)
        got = np.argwhere(ns.segment.seeds(distance, labels, separation_px))
        assert set(map(tuple, got)) == set(map(tuple, expected))


def test_particlespy_window():
    # The documented behaviour: with a window of 40, peaks 19 px apart are one, peaks 21 px apart are two.
    labels = np.ones((60, 100), np.int32)
    for gap, n in [(19, 1), (21, 2)]:
        distance = np.zeros((60, 100), np.float32)
        distance[30, 30], distance[30, 30 + gap] = 5, 4
        assert ns.segment.seeds(distance, labels, 40, meaning="particlespy-0.5.1").max() == n
        assert ns.segment.seeds(distance, labels, 20).max() == n


def test_a_rod_has_one_seed():
    y, x = np.mgrid[:80, :80]
    mask = (np.abs(y - x) < 9) & (y + x > 30) & (y + x < 130)
    distance = ndimage.distance_transform_edt(mask)
    # The oblique ridge has many equal maxima that share no edge.
    assert ns.segment.seeds(distance, mask.astype(np.int32), 5).max() == 1


def test_same_for_any_threads():
    labels, _ = ns.segment.label(discs(seed=3))
    distance = ndimage.distance_transform_edt(labels > 0)
    one = ns.segment.seeds(distance, labels, 7, threads=1)
    assert one.max() > 10
    np.testing.assert_array_equal(one, ns.segment.seeds(distance, labels, 7, threads=4))


def test_bad_input():
    distance, labels = np.ones((4, 4), np.float32), np.ones((4, 4), np.int32)
    for separation_px in (0, -3, 2.5):
        with pytest.raises(ns.errors.InvalidValueError, match="separation_px"):
            ns.segment.seeds(distance, labels, separation_px)
    with pytest.raises(ns.errors.InvalidValueError, match="meaning"):
        ns.segment.seeds(distance, labels, 3, meaning="other")
    with pytest.raises(ns.errors.ShapeError, match="labels"):
        ns.segment.seeds(distance, labels[1:], 3)
    with pytest.raises(ns.errors.NonFiniteError, match="distance"):
        ns.segment.seeds(distance * np.inf, labels, 3)
