"""Trainable pixel segmentation on simulated frames and, where they are there, on real scribbles."""

import nanospa as ns
import numpy as np
import pytest

from tests.segment.test_auto import CIRCLES, discs


def scribbled(seed=0):
    image, truth = discs((220, 220), CIRCLES[:4], 120.0, seed=seed)
    scribbles = np.zeros(image.shape, np.uint8)
    scribbles[55:65, 50:70] = 2
    scribbles[182:198, 186:194] = 2
    scribbles[100:130, 5:30] = 1
    scribbles[5:14, 90:150] = 1
    return image, truth, scribbles


def test_learns_and_carries_over(tmp_path):
    image, truth, scribbles = scribbled()
    classifier = ns.segment.PixelClassifier.fit(image, scribbles, threads=1)
    mask = classifier.predict(image)
    assert mask.dtype == bool and np.mean(mask == (truth > 0)) > 0.97
    # The next image is another one at four times the exposure.
    later, later_truth, _ = scribbled(seed=5)
    assert np.mean(classifier.predict(later * 4) == (later_truth > 0)) > 0.97
    labels = classifier.segment(later, min_area_px=200, watershed=False)
    assert labels.max() == 4
    classifier.save(tmp_path / "forest.npz")
    again = ns.segment.PixelClassifier.load(tmp_path / "forest.npz")
    assert np.array_equal(again.probabilities(later), classifier.probabilities(later))


def test_probabilities_are_those_of_the_forest():
    """Our walk through the trees against scikit-learn's."""
    from nanospa.segment.pixel_classifier import MIN_LEAF, N_TREES, SIGMAS_PX, pixel_features
    from sklearn.ensemble import RandomForestClassifier

    image, _, scribbles = scribbled()
    scribbles[150:160, 5:20] = 3
    classifier = ns.segment.PixelClassifier.fit(image, scribbles, threads=1)
    filtered = pixel_features(image, SIGMAS_PX, threads=1)
    flat = filtered.reshape(len(filtered), -1).T
    at = np.flatnonzero(scribbles)
    forest = RandomForestClassifier(N_TREES, min_samples_leaf=MIN_LEAF, class_weight="balanced", random_state=0)
    forest.fit(flat[at], scribbles.ravel()[at])
    expected = forest.predict_proba(flat).T.reshape(3, *image.shape)
    np.testing.assert_allclose(classifier.probabilities(image), expected, atol=1e-4)
    assert np.allclose(classifier.probabilities(image).sum(0), 1, atol=1e-4)


def test_bad_input(tmp_path):
    image = np.zeros((8, 8))
    with pytest.raises(ns.errors.ShapeError, match="scribbles"):
        ns.segment.PixelClassifier.fit(image, np.zeros((3, 3), int))
    with pytest.raises(ns.errors.EmptyInputError, match=r"2 \(particle\)"):
        ns.segment.PixelClassifier.fit(image, np.ones((8, 8), int))
    (tmp_path / "x.npz").write_bytes(b"nonsense")
    for name in ("x.npz", "missing.npz"):
        with pytest.raises(ns.errors.UnreadableFileError, match=name):
            ns.segment.PixelClassifier.load(tmp_path / name)


def test_real_scribbles(shared_data):
    image_file = shared_data / "epsic_haadf" / "SiO2_HAADF_Image.hspy"
    mask_file = image_file.with_name("trainingmask.png")
    if not mask_file.is_file():
        pytest.skip("epsic_haadf not among the test data")
    import h5py
    from PIL import Image

    with h5py.File(image_file) as file:
        (experiment,) = file["Experiments"].values()
        image = np.asarray(experiment["data"], np.float32)
    marks = np.asarray(Image.open(mask_file))
    assert marks.shape[:2] == image.shape
    scribbles = np.zeros(image.shape, np.uint8)
    # Strokes in pure colours with soft edges; the class drawn on brighter pixels is the particles.
    strokes = [marks[..., channel] > 200 for channel in range(3)]
    strokes = sorted((where for where in strokes if where.any()), key=lambda where: image[where].mean())
    assert len(strokes) == 2
    for value, where in enumerate(strokes, 1):
        scribbles[where] = value
    mask = ns.segment.PixelClassifier.fit(image, scribbles, threads=1).predict(image)
    assert mask[scribbles == 2].mean() > 0.95 and mask[scribbles == 1].mean() < 0.05
