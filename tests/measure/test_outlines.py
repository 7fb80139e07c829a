"""Outlines enclose their particles."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from matplotlib.path import Path as Polygon
from nanospa.testing import label_images


@given(label_images())
def test_one_closed_outline_a_particle(labels):
    lines = ns.measure.outlines(labels)
    found = np.unique(labels[labels > 0])
    assert len(lines) == len(found)
    for line, label in zip(lines, found, strict=True):
        assert np.array_equal(line[0], line[-1])
        y, x = np.nonzero(labels == label)
        assert line[:, 0].min() >= y.min() - 0.5 and line[:, 0].max() <= y.max() + 0.5
        assert line[:, 1].min() >= x.min() - 0.5 and line[:, 1].max() <= x.max() + 0.5


def test_encloses_exactly_the_particle():
    yy, xx = np.mgrid[:50, :60]
    labels = np.zeros((50, 60), int)
    labels[np.hypot(yy - 20, xx - 0) < 12] = 4
    labels[np.hypot(yy - 30, (xx - 35) / 1.6) < 11] = 9
    labels[np.hypot(yy - 30, xx - 35) < 4] = 0
    for line, label in zip(ns.measure.outlines(labels), (4, 9), strict=True):
        inside = Polygon(line).contains_points(np.stack([yy.ravel(), xx.ravel()], 1)).reshape(labels.shape)
        filled = labels == label
        filled |= (label == 9) & (np.hypot(yy - 30, xx - 35) < 4)
        assert np.array_equal(inside, filled)


def test_the_largest_piece_counts():
    labels = np.zeros((20, 20), int)
    labels[2, 2], labels[8:15, 8:15] = 1, 1
    assert ns.measure.outlines(labels)[0].min() == 7.5


def test_labels_need_not_be_consecutive():
    labels = np.zeros((6, 9), int)
    labels[1:3, 1:4], labels[4, 6:8] = 2**31 - 1, 12
    lines = ns.measure.outlines(labels)
    assert [line.max() for line in lines] == [7.5, 3.5]


def test_bad_input():
    with pytest.raises(ns.errors.DtypeError, match="labels"):
        ns.measure.outlines(np.zeros((3, 3)))
    assert ns.measure.outlines(np.zeros((0, 4), int)) == []
