"""The segmentation pipeline: its settings, its order, what it reports."""

import nanospa as ns
import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from nanospa.segment import PRESETS, SegmentSettings, segment, segment_with_report
from nanospa.testing import check_labels
from skimage import filters, morphology

CLASSICAL = {"method": "threshold", "polarity": "bright", "gaussian_sigma_px": 0}


def frame(shape=(160, 200), n=14, seed=0, noise=3.0, radii=(6, 12)):
    """Discs on a sloping background, and their truth as a mask."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[: shape[0], : shape[1]]
    mask = np.zeros(shape, bool)
    for cy, cx, r in zip(rng.uniform(0, shape[0], n), rng.uniform(0, shape[1], n), rng.uniform(*radii, n), strict=True):
        mask |= (y - cy) ** 2 + (x - cx) ** 2 < r**2
    return (100 + 0.3 * x + 80 * mask + rng.normal(0, noise, shape)).astype(np.float32), mask


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "f8"])
def test_steps_are_the_kernels(dtype):
    image = frame()[0].astype(dtype)
    got = segment(
        image, method="threshold", polarity="bright", background="tophat", background_size_px=41, watershed=True, erosion_radius_px=2
    )
    smoothed = ns.segment.gaussian(ns.segment.tophat(image, 41), 1)
    mask = smoothed > np.float64(ns.segment.threshold(smoothed, "li"))
    labels, _ = ns.segment.label(mask, 8)
    distance = ns.segment.distance_transform(ns.segment.erode(mask, 2))
    markers = ns.segment.seeds(distance, labels, 10)
    flooded = ns.segment.watershed(distance, markers, mask, descending=True)
    seeded = np.isin(labels, np.unique(labels[markers > 0])) & mask
    check_labels(got, image.shape)
    for number in range(1, int(markers.max()) + 1):
        region = flooded == number
        if region.sum() >= 5:
            assert np.unique(got[region]).size == 1
    # Whatever no marker reached in whole-frame flooding is a region of its own, or a corner that joined its neighbour.
    assert np.array_equal(got[seeded] > 0, flooded[seeded] > 0) or (flooded[seeded] == 0).sum() < 20
    assert int(got.max()) >= int(markers.max()) - 2


@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(2, 9))
def test_splitting_by_component_is_splitting_the_frame(seed, radius, separation):
    rng = np.random.default_rng(seed)
    mask = morphology.dilation(rng.random((40, 46)) < 0.03, morphology.disk(3))
    image = mask.astype(np.float32)
    got = (
        segment(
            image,
            **CLASSICAL,
            threshold=0.5,
            watershed=True,
            erosion_radius_px=radius,
            seed_separation_px=separation,
            keep_eroded=False,
            min_area_px=1,
        )
        if mask.any() and not mask.all()
        else np.zeros(mask.shape, np.int32)
    )
    labels, _ = ns.segment.label(mask, 8)
    distance = ns.segment.distance_transform(ns.segment.erode(mask, radius)) * mask
    flooded = ns.segment.watershed(distance, ns.segment.seeds(distance, labels, separation), mask, descending=True)
    if mask.all():
        return
    assert got.max() == np.unique(flooded[flooded > 0]).size
    # The same partition: as many pairs as labels.
    assert np.unique(np.stack([got.ravel(), flooded.ravel()]), axis=1).shape[1] == np.unique(flooded).size


@pytest.mark.parametrize("threshold", ["li", "otsu", "yen", "isodata", "mean", "triangle", 150.0, 150])
def test_thresholds(threshold):
    image, _ = frame()
    report = segment_with_report(image, **CLASSICAL, threshold=threshold, min_area_px=1)
    if isinstance(threshold, str):
        assert report.threshold == ns.segment.threshold(image, threshold)
    np.testing.assert_array_equal(report.labels > 0, image > np.float64(report.threshold))


@pytest.mark.parametrize("dtype", ["u1", "f4"])
@pytest.mark.parametrize("level", [-1.0, 0.0, 99.5, 100.0, 100.0000001, 254.9999999, 255.0, 1e9])
def test_a_number_is_compared_exactly(dtype, level):
    image = np.array([[0, 50, 99, 100, 101, 254, 255]]).astype(dtype)
    got = segment(image, **CLASSICAL, threshold=level, min_area_px=1) > 0
    np.testing.assert_array_equal(got, image.astype(np.float64) > level)


def test_dark_is_bright_of_the_turned_image():
    image, _ = frame()
    settings = {"method": "threshold", "background": "tophat", "background_size_px": 41, "watershed": True}
    dark = segment((400 - image).astype(np.float32), polarity="dark", **settings)
    np.testing.assert_array_equal(dark > 0, segment(image, polarity="bright", **settings) > 0)


def test_small_particles_are_kept_and_reported():
    image = np.zeros((60, 90), np.float32)
    image[10:50, 5:45] = 1  # survives
    image[20:26, 60:66] = 1  # does not
    settings = {**CLASSICAL, "watershed": True, "erosion_radius_px": 5}
    kept = segment_with_report(image, **settings)
    assert kept.labels.max() == 2 and "1 regions vanish" in kept.warnings[0] and "stay whole" in kept.warnings[0]
    lost = segment_with_report(image, **settings, keep_eroded=False)
    assert lost.labels.max() == 1 and "are lost" in lost.warnings[0]
    with pytest.warns(ns.errors.NanospaWarning, match="vanish"):
        segment(image, **settings)
    assert not segment_with_report(image, **settings, min_area_px=37).warnings


def test_border_and_area():
    image = np.zeros((30, 40), np.float32)
    image[0:5, 3:8] = image[10:15, 10:15] = 1
    image[20, 20] = 1
    report = segment_with_report(image, **CLASSICAL, clear_border=True, min_area_px=2)
    assert (report.labels.max(), report.n_removed_border, report.n_removed_small) == (1, 1, 1)
    assert segment(image, **CLASSICAL, min_area_px=25).max() == 2
    assert segment(image, **CLASSICAL, min_area_px=26).max() == 0


def test_constant_and_empty_images_are_no_particles():
    for image in (np.full((5, 6), 7.0), np.zeros((0, 4), np.uint8)):
        with pytest.warns(ns.errors.NanospaWarning, match="no particles"):
            labels = segment(image)
        assert labels.shape == image.shape and not labels.any()


def test_a_ball_removes_a_slope():
    image, mask = frame(noise=0.5)
    image += 2 * np.arange(image.shape[1], dtype=np.float32)
    settings = {"method": "threshold", "polarity": "bright", "threshold": "otsu", "background_size_px": 40}

    def overlap(background):
        got = segment(image, background=background, **settings) > 0
        return (got & mask).sum() / (got | mask).sum()

    assert overlap("rolling_ball") > 0.8 > 0.5 > overlap("none")


@pytest.mark.parametrize("method", ["local", "niblack", "sauvola", "otsu_local"])
def test_local_thresholds(method):
    image, _ = frame()
    report = segment_with_report(image, **CLASSICAL, threshold=method, local_size_px=31, min_area_px=1)
    assert report.threshold is None
    np.testing.assert_array_equal(report.labels > 0, ns.segment.local_threshold(image, method, 31))


def test_settings():
    assert segment(frame()[0], settings="slater2020", background_size_px=51, erosion_radius_px=2).max() > 3
    assert PRESETS["slater2020"].erosion_radius_px == 10 and PRESETS["auto"] == SegmentSettings()
    for bad in (
        {"colour": 1},
        {"threshold": "median"},
        {"erosion_radius_px": -1},
        {"gaussian_sigma_px": float("nan")},
        {"local_size_px": 20},
    ):
        with pytest.raises(ns.errors.SettingsError, match=next(iter(bad))):
            segment(np.eye(4), **bad)
    with pytest.raises(ns.errors.UnknownNameError, match="slater2020"):
        segment(np.eye(4), settings="slater2021")
    with pytest.raises(ns.errors.SettingsError, match="classifier"):
        segment(np.eye(4), method="trained")
    assert SegmentSettings(**PRESETS["slater2020"].model_dump()) == PRESETS["slater2020"]


def test_bad_images():
    for image, error in (
        (np.ones((2, 2, 2)), ns.errors.ShapeError),
        (np.array([[0, np.nan]]), ns.errors.NonFiniteError),
        (np.array([["a", "b"]]), ns.errors.DtypeError),
    ):
        with pytest.raises(error, match="image"):
            segment(image, **CLASSICAL)


def test_same_for_any_threads():
    image, _ = frame((700, 600), n=150)
    settings = {
        **CLASSICAL,
        "threshold": "otsu",
        "watershed": True,
        "erosion_radius_px": 1,
        "background": "tophat",
        "background_size_px": 61,
    }
    one = segment_with_report(image, **settings, threads=1).labels
    for threads in (2, 5):
        np.testing.assert_array_equal(one, segment_with_report(image, **settings, threads=threads).labels)


def test_keeps_calibration():
    image = xr.DataArray(frame()[0], dims=("y", "x"), attrs={"pixel_size_nm": 0.2})
    labels = segment(image, **CLASSICAL)
    assert isinstance(labels, xr.DataArray) and labels.attrs == image.attrs
    np.testing.assert_array_equal(labels, segment(image.to_numpy(), **CLASSICAL))


def test_otsu_agrees_with_scikit_image():
    image, _ = frame()
    np.testing.assert_array_equal(segment(image, **CLASSICAL, threshold="otsu", min_area_px=1) > 0, image > filters.threshold_otsu(image))


def test_automatic_is_the_default():
    image, mask = frame(noise=4.0, seed=3)
    report = segment_with_report(image)
    check_labels(report.labels, image.shape)
    found = report.labels > 0
    assert report.labels.max() >= 5 and (found & mask).sum() / (found | mask).sum() > 0.5
    assert report.scores.shape == (report.labels.max(),) and report.polarity == "bright" and report.scale_range_px is not None
    inside = segment_with_report(image, clear_border=True)
    check_labels(inside.labels, image.shape)
    edges = np.concatenate([inside.labels[0], inside.labels[-1], inside.labels[:, 0], inside.labels[:, -1]])
    assert not edges.any() and inside.n_removed_border > 0 and inside.scores.size == inside.labels.max()
    assert segment_with_report(400 - image, method="threshold").polarity == "dark"


def test_trained_takes_the_mask():
    class Bright:
        def mask(self, image, *, threads=None):
            return image > 140

    image, _ = frame()
    np.testing.assert_array_equal(segment(image, method="trained", classifier=Bright(), min_area_px=1) > 0, image > 140)
