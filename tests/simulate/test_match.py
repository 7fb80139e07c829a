"""Matching of regions with true particles."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nanospa.testing import label_images


@given(label_images(), st.integers(0, 2**32 - 1))
def test_twin(truth, seed):
    rng = np.random.default_rng(seed)
    labels = np.where(rng.random(truth.shape) < 0.8, (truth * 3) % 17, rng.integers(0, 4, truth.shape)).astype(np.int32)
    found, iou, false = ns.simulate.match(truth, labels)
    names = [n for n in np.unique(labels) if n]
    for i in range(truth.max(initial=0)):
        values = {n: ((truth == i + 1) & (labels == n)).sum() / ((truth == i + 1) | (labels == n)).sum() for n in names}
        best = max(values.values(), default=0)
        assert iou[i] == pytest.approx(best)
        assert found[i] == (next(n for n in names if values[n] == best) if best > 0.5 else 0)
    assert set(false) == set(names) - set(found)
    assert len(set(found) - {0}) == (found > 0).sum()


def test_the_truth_matches_itself():
    frame = ns.simulate.frame(shape=(256, 256), n_particles=5)
    found, iou, false = ns.simulate.match(frame.labels, frame.labels)
    assert np.array_equal(found, np.arange(1, 6)) and (iou == 1).all() and false.size == 0


def test_numbers_of_labels_do_not_matter():
    truth = np.array([[1, 1, 0], [2, 2, 0]])
    few, many = np.array([[4, 4, 0], [9, 0, 0]]), np.array([[4, 4, 0], [2_000_000_000, 0, 0]])
    assert ns.simulate.match(truth, few).iou.tolist() == ns.simulate.match(truth, many).iou.tolist() == [1, 0.5]


def test_bad_input():
    with pytest.raises(ns.errors.ShapeError, match="labels"):
        ns.simulate.match(np.zeros((3, 3), int), np.zeros((3, 4), int))
    with pytest.raises(ns.errors.InvalidValueError, match="iou"):
        ns.simulate.match(np.zeros((3, 3), int), np.zeros((3, 3), int), iou=0.3)
