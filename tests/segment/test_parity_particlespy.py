"""The peer's own outputs on two real images, reproduced."""

import json

import nanospa as ns
import numpy as np
import pytest
from scipy import ndimage

CASES = [
    "jeol_li_plain",
    "jeol_li_ws",
    "jeol_otsu",
    "jeol_th_li",
    "jeol_th_local",
    "jeol_th_mean",
    "jeol_th_minimum",
    "jeol_th_niblack",
    "sio2_otsu_ws_rb100",
]
#: Settings of the peer and what they are called here.
FIELDS = {
    "threshold": "threshold",
    "gaussian": "gaussian_sigma_px",
    "min_size": "min_area_px",
    "rb_kernel": "background_size_px",
    "watershed": "watershed",
    "watershed_size": "seed_separation_px",
    "watershed_erosion": "erosion_radius_px",
    "local_size": "local_size_px",
}


def matched(labels, expected):
    """Labels renumbered to those of `expected` that they share most pixels with."""
    n = int(expected.max()) + 1
    shared = np.zeros((labels.max() + 1, n), int)
    np.add.at(shared, (labels.ravel(), expected.ravel()), 1)
    to = np.where(shared[:, 1:].any(axis=1), shared[:, 1:].argmax(axis=1) + 1, -1)
    to[0] = 0
    return to[labels]


@pytest.mark.parametrize("case", CASES)
def test_same_labels(shared_data, case):
    stored = np.load(shared_data / "parity_particlespy" / f"{case}.npz")
    parameters = json.loads(str(stored["parameters"]))
    settings = {FIELDS[name]: value for name, value in parameters.items()}
    if "rb_kernel" in parameters:
        settings["background"] = "tophat"
    image, expected = stored["image"], stored["labels"]

    # Each step by itself on the peer's input, so that a difference has a place.
    if "rb_kernel" in parameters:
        np.testing.assert_array_equal(ns.segment.tophat(image, parameters["rb_kernel"]), stored["background"])
    smoothed = ns.segment.gaussian(stored["background"], parameters.get("gaussian", 0))
    np.testing.assert_allclose(smoothed, stored["smoothed"], rtol=2e-6, atol=1e-6 * float(image.max()))

    before = ns.segment.segment(
        image, settings="particlespy-0.5.1", **{**settings, "watershed": False, "clear_border": False, "min_area_px": 1}
    )
    # The Gaussian mean of the local threshold is summed in another order: one pixel lies within 1e-6 of it.
    rounded = np.count_nonzero((before > 0) != (stored["labels_before_watershed"] > 0))
    assert rounded <= (parameters["threshold"] == "local")
    if not rounded:
        np.testing.assert_array_equal(before, stored["labels_before_watershed"])

    report = ns.segment.segment_with_report(image, settings="particlespy-0.5.1", **settings)
    assert report.labels.max() == np.unique(expected).size - 1
    moved = matched(report.labels, expected) != expected
    assert moved.sum() <= 0.005 * np.count_nonzero(expected)
    if not parameters.get("watershed"):
        assert not moved.any()
    # What moved lies on a tie: beside a pixel of the peer's label and one of ours, at the same height of the flooded landscape.
    mask = stored["labels_before_watershed"] > 0
    eroded = ns.segment.erode(mask, parameters.get("watershed_erosion", 0))
    height = ns.segment.distance_transform(eroded)
    for y, x in np.argwhere(moved):
        window = (slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2))
        cross = ndimage.generate_binary_structure(2, 1)[: expected[window].shape[0], : expected[window].shape[1]]
        around = np.unique(height[window][cross & mask[window]], return_counts=True)[1]
        assert (around > 1).any()
