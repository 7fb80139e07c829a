"""Automatic segmentation: invariants on any image, accuracy on simulated frames, F1 on real ones where they are there."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given, settings
from nanospa.testing import check_labels, images
from scipy import ndimage

from benches.bench_auto import catalyst_rows, f1


def discs(shape, circles, contrast=200.0, background=60.0, seed=0):
    """Poisson image of flat discs on a sloping background, and its labels."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    labels = np.zeros(shape, np.int32)
    for i, (cy, cx, r) in enumerate(circles):
        labels[(np.hypot(y - cy, x - cx) < r) & (labels == 0)] = i + 1
    clean = background + 40 * x / shape[1] + contrast * (labels > 0)
    return np.random.default_rng(seed).poisson(ndimage.gaussian_filter(clean, 1.0)).astype(np.uint16), labels


def matched_iou(truth, found):
    """Per true region the best intersection over union."""
    n, m = truth.max(), found.max()
    common = np.histogram2d(truth.ravel(), found.ravel(), bins=(np.arange(n + 2), np.arange(m + 2)))[0]
    inter = common[1:, 1:]
    union = common[1:].sum(1)[:, None] + common[:, 1:].sum(0)[None] - inter
    return (inter / union).max(1) if m else np.zeros(n)


CIRCLES = [(60, 60, 25), (60, 200, 40), (180, 70, 31), (190, 190, 28), (300, 300, 50), (310, 120, 35), (120, 320, 30), (180, 318, 29)]


@settings(max_examples=30)
@given(images(max_side=40))
@pytest.mark.filterwarnings("ignore:image. constant")
def test_any_image(image):
    found = ns.segment.auto(image)
    check_labels(found.labels, image.shape)
    n = int(found.labels.max(initial=0))
    assert found.score.shape == found.sigma_px.shape == (n,)
    assert np.all(np.diff(found.score) <= 0)


@pytest.mark.filterwarnings("ignore:image. constant")
@pytest.mark.parametrize("shape", [(0, 0), (0, 5), (1, 1), (1, 300), (3, 2)])
def test_tiny(shape):
    found = ns.segment.auto(np.arange(np.prod(shape), dtype=np.float32).reshape(shape))
    assert found.labels.shape == shape and found.labels.max(initial=0) == 0


def test_constant_warns():
    with pytest.warns(ns.errors.NanospaWarning, match="constant"):
        found = ns.segment.auto(np.full((64, 64), 7, np.uint8))
    assert found.labels.max() == 0 and found.cut == np.inf


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("polarity", ["bright", "dark"])
def test_noise_has_no_particles(seed, polarity):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(256, 256)) if seed % 2 else rng.poisson(20, (200, 311))
    assert ns.segment.auto(image, polarity=polarity).labels.max() == 0


@pytest.mark.parametrize("contrast", [200.0, 60.0])
def test_large_flat_particles_stay_whole(contrast):
    image, truth = discs((380, 380), CIRCLES, contrast)
    found = ns.segment.auto(image)
    iou = matched_iou(truth, found.labels)
    assert found.polarity == "bright"
    assert found.labels.max() == len(CIRCLES)
    assert iou.min() > 0.85 and iou.mean() > 0.9
    half = ns.segment.auto(image, outline_level=0.5)
    assert matched_iou(truth, half.labels).mean() > 0.95


def test_dark_particles_are_found_as_well():
    image, truth = discs((380, 380), CIRCLES)
    # Particles that transmit about half.
    inverted = (image.max() + 300 - image.astype(np.int32)).astype(np.uint16)
    found = ns.segment.auto(inverted)
    assert found.polarity == "dark"
    assert found.labels.max() == len(CIRCLES) and matched_iou(truth, found.labels).mean() > 0.9


def test_polarity_mirrors():
    """An image and the bright-field image that attenuates by it give the same regions."""
    image, _ = discs((200, 200), CIRCLES[:4])
    bright = image / image.max()
    transmitted = np.exp(-bright * np.log(5))
    a = ns.segment.auto(bright)
    b = ns.segment.auto(transmitted)
    assert (a.polarity, b.polarity) == ("bright", "dark")
    assert np.mean(a.labels != b.labels) < 1e-3


def test_same_for_any_threads():
    image, _ = discs((200, 300), CIRCLES[:4])
    one = ns.segment.auto(image, threads=1)
    for n in (2, 3):
        other = ns.segment.auto(image, threads=n)
        assert np.array_equal(one.labels, other.labels) and np.array_equal(one.score, other.score)


def test_scale_of_values_does_not_matter():
    image, _ = discs((200, 200), CIRCLES[:4])
    a = ns.segment.auto(image.astype(np.float32))
    b = ns.segment.auto(image.astype(np.float64) * 1000.0)
    assert np.mean(a.labels != b.labels) < 1e-3


def test_bad_settings():
    image = np.zeros((9, 9))
    image[4, 4] = 1
    for name, value in [("polarity", "up"), ("outline_level", 1.0), ("kept_per_mirrored", 1.0), ("largest_sigma_px", 0.5)]:
        with pytest.raises(ns.errors.InvalidValueError, match=name):
            ns.segment.auto(image, **{name: value})


def test_f1_on_real_supported_catalysts(shared_data):
    """Boxes drawn by people (ArdaGen S/TEM set); the settings were chosen on every second image, the others measured them."""
    folder = shared_data / "arda_stem"
    if not folder.is_dir():
        pytest.skip("arda_stem not among the test data")
    rows = catalyst_rows(folder, lambda image: ns.segment.auto(image).labels)
    chosen, held = rows[::2], rows[1::2]
    assert f1(rows, 0) >= 0.70 and f1(rows, 1) >= 0.63
    assert f1(chosen, 0) >= 0.65 and f1(held, 0) >= 0.73
    assert f1(chosen, 1) >= 0.58 and f1(held, 1) >= 0.67
