"""Frame flags: each fault put into a simulated frame is found, and a good frame is not flagged."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from nanospa.schema import frames
from nanospa.testing import images
from scipy import ndimage

FLAGS = ("blur", "charging", "drift", "saturated")


def specimen(seed=0, size=512, blur=0.0):
    """Expected intensity of disks on a plane, blurred by the probe."""
    rng = np.random.default_rng(seed)
    yy, xx = np.mgrid[:size, :size]
    plane = np.full((size, size), 120.0)
    for _ in range(40):
        cy, cx, r = *rng.uniform(0, size, 2), rng.uniform(6, 16)
        plane += 150 * (np.hypot(yy - cy, xx - cx) < r)
    return ndimage.gaussian_filter(plane, 0.8 + blur)


def taken(plane, seed=0):
    return np.random.default_rng(seed).poisson(plane).astype(np.uint16)


def test_names_follow_the_schema():
    found = ns.measure.frame_flags(taken(specimen()))
    assert set(found) == {column.name for column in frames.FLAGS}
    for column in frames.FLAGS:
        assert isinstance(found[column.name], bool if column.dtype == "bool" else float), column.name


def test_a_good_frame_has_no_flag():
    plane = specimen()
    flags = ns.measure.frame_flags(taken(plane, 1), previous=taken(np.roll(plane, (3, -2), (0, 1)), 2))
    assert not any(flags[name] for name in FLAGS), flags


def test_blur():
    sharp, blurred = taken(specimen(), 1), taken(specimen(blur=4), 2)
    assert ns.measure.frame_flags(blurred)["focus_score"] < 0.6 * ns.measure.frame_flags(sharp)["focus_score"]
    assert ns.measure.frame_flags(blurred, previous=sharp)["blur"] and not ns.measure.frame_flags(sharp, previous=blurred)["blur"]
    assert ns.measure.frame_flags(blurred, focus_limit=0.9)["blur"]
    scores = [ns.measure.frame_flags(taken(specimen(blur=b), 3))["focus_score"] for b in (0, 1, 2, 4)]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize("dtype", ["u2", "f4"])
def test_charging(dtype):
    plane = specimen()
    plane[200:] += 15
    assert ns.measure.frame_flags(taken(plane).astype(dtype))["charging"]
    assert not ns.measure.frame_flags(taken(specimen()).astype(dtype))["charging"]


def test_drift():
    plane = specimen(size=600)
    before, after = taken(plane[40:552, 40:552], 1), taken(ndimage.shift(plane, (6.5, -30.25), order=3)[40:552, 40:552], 2)
    flags = ns.measure.frame_flags(after, previous=before)
    assert flags["drift_y_px"] == pytest.approx(6.5, abs=0.15) and flags["drift_x_px"] == pytest.approx(-30.25, abs=0.15)
    assert flags["drift"] and not ns.measure.frame_flags(after, previous=before, drift_limit=0.2)["drift"]
    for seed in range(4):
        unrelated = ns.measure.frame_flags(taken(specimen(seed)), previous=taken(specimen(seed + 10)))
        assert np.isnan(unrelated["drift_px"]) and not unrelated["drift"]


def test_saturation():
    frame = np.minimum(taken(specimen()), 255).astype(np.uint8)
    assert ns.measure.frame_flags(frame)["saturated"]
    assert not ns.measure.frame_flags(frame.astype(np.uint16))["saturated"]
    assert ns.measure.frame_flags(frame.astype(float), saturation=255)["saturated"]


@given(images(min_side=1, max_side=40))
def test_any_image(image):
    flags = ns.measure.frame_flags(image, previous=image)
    assert not flags["drift"] and flags["charging_score"] >= 0


def test_bad_input():
    with pytest.raises(ns.errors.ShapeError, match="previous"):
        ns.measure.frame_flags(np.zeros((9, 9)), previous=np.zeros((9, 8)))
    with pytest.raises(ns.errors.ShapeError, match="image"):
        ns.measure.frame_flags(np.zeros((0, 9)))
