"""Re-scoring trained on marked particles."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.segment.auto import candidates
from nanospa.segment.rescorer import features
from nanospa.testing import check_labels
from scipy import ndimage


def frame(seed):
    """Small sharp particles (wanted) among soft lumps of support (not wanted)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:200, :200]
    lumps = ndimage.gaussian_filter(rng.normal(size=(200, 200)), 9) * 900
    labels = np.zeros((200, 200), np.int32)
    for i in range(25):
        cy, cx = rng.uniform(8, 192, 2)
        labels[(np.hypot(y - cy, x - cx) < rng.uniform(3, 5)) & (labels == 0)] = i + 1
    clean = 100 + np.clip(lumps, -60, 60) + 60 * ndimage.gaussian_filter((labels > 0).astype(float), 0.7)
    return rng.poisson(np.maximum(clean, 1)).astype(np.uint16), labels


@pytest.fixture(scope="module")
def model():
    frames = [frame(seed) for seed in range(3)]
    return ns.segment.Rescorer.fit([f[0] for f in frames], [f[1] for f in frames], threads=1)


def test_learns_what_is_wanted(model):
    image, truth = frame(10)
    found = model.segment(image)
    check_labels(found.labels, image.shape)
    right = len(np.unique(truth[(found.labels > 0) & (truth > 0)]))
    wrong = sum(not truth[found.labels == i].any() for i in range(1, found.labels.max() + 1))
    n = len(np.unique(truth)) - 1
    assert right > 0.8 * n and wrong < 0.2 * n


def test_odds_are_those_of_scikit_learn(monkeypatch):
    import sklearn.ensemble

    made = []
    original = sklearn.ensemble.HistGradientBoostingClassifier
    monkeypatch.setattr(sklearn.ensemble, "HistGradientBoostingClassifier", lambda **k: made.append(original(**k)) or made[-1])
    image, truth = frame(0)
    model = ns.segment.Rescorer.fit([image], [truth], threads=1)
    described = features(candidates(image))
    np.testing.assert_allclose(model.odds(described), made[-1].decision_function(described), atol=1e-9)


def test_saved_is_the_same(model, tmp_path):
    image, _ = frame(11)
    model.save(tmp_path / "model.json")
    again = ns.segment.Rescorer.load(tmp_path / "model.json")
    a, b = model.segment(image), again.segment(image)
    assert np.array_equal(a.labels, b.labels) and np.array_equal(a.score, b.score)
    (tmp_path / "model.json").write_text("{}")
    with pytest.raises(ns.errors.UnreadableFileError, match=r"model\.json"):
        ns.segment.Rescorer.load(tmp_path / "model.json")


def test_nothing_to_find(model):
    with pytest.warns(ns.errors.NanospaWarning, match="constant"):
        assert model.segment(np.zeros((50, 50))).labels.max() == 0


def test_bad_truth():
    image, _ = frame(0)
    with pytest.raises(ns.errors.ShapeError, match="truth"):
        ns.segment.Rescorer.fit([image], [])
    with pytest.raises(ns.errors.ShapeError, match="boxes"):
        ns.segment.Rescorer.fit([image], [np.zeros((3, 5))])
    with pytest.raises(ns.errors.InvalidValueError, match="y1 > y0"):
        ns.segment.Rescorer.fit([image], [np.array([[5, 5, 4, 9]])])
    with pytest.raises(ns.errors.EmptyInputError, match="truth"):
        ns.segment.Rescorer.fit([image], [np.zeros((0, 4))])
