"""The kernels of specimen images beside their twins."""

import numpy as np
import pytest
from nanospa import _core
from nanospa.simulate.detect import _key
from nanospa.simulate.scan import Scan

from tests.reference import specimen as twin


def scene(rng, rotation):
    lines, columns = rng.normal(0, 0.2, (17, 2)), np.exp(-np.arange(23) / 4.0)
    scan = Scan((3.0, -2.0), (0.5, 0.4), (17, 23), rotation, lines, columns)
    waves = np.stack([*rng.normal(0, 1, (2, 5)), rng.uniform(0, 6, 5), np.full(5, 0.2)], axis=1)
    holes = np.array([[3.0, 0.0, 1.5], [20.0, 0.0, 2.0]])
    patches = [rng.random((n, n), dtype=np.float32) for n in (7, 12, 9)]
    placed = np.array([[3, -2, 0.6, 0.5], [6, 1, 0.3, 0.4], [-1, -6, 0.9, 0.45]])
    return scan, waves, holes, patches, placed


@pytest.mark.parametrize("rotation", [0.0, 0.6, np.pi / 2])
@pytest.mark.parametrize("threads", [1, 3])
def test_specimen_image(rotation, threads):
    scan, waves, holes, patches, placed = scene(np.random.default_rng(1), rotation)
    # The kernel leaves out where the spline reaches over the border: patches end in zeros.
    patches = [np.pad(p, 3) for p in patches]
    got = _core.specimen_image(scan.rows, scan.columns, 2.0, waves, holes, 0.4, patches, placed, threads)
    expected = twin.specimen_image(scan.rows, scan.columns, 2.0, waves, holes, 0.4, patches, placed)
    np.testing.assert_allclose(got, expected, atol=3e-6)
    assert expected.std() > 0.3


@pytest.mark.parametrize("rotation", [0.0, 0.6])
def test_specimen_labels(rotation):
    scan, _, _, patches, placed = scene(np.random.default_rng(2), rotation)
    patches = [np.pad(p, 1) for p in patches]
    got = _core.specimen_labels(scan.rows, scan.columns, patches, placed, 2)
    expected = twin.specimen_labels(scan.rows, scan.columns, patches, placed)
    assert np.array_equal(got, expected) and set(np.unique(got)) == {0, 1, 2, 3}


def test_deposit():
    points = np.random.default_rng(3).uniform(-1, 1, (20, 2))
    got = _core.deposit(points, 0.7, 12, 0.15)
    np.testing.assert_allclose(got, twin.deposit(points, 0.7, 12, 0.15), atol=1e-6)
    assert got.sum() == pytest.approx(14, rel=1e-5)


def test_cell_means():
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    matrix = (turn / np.array([[3.0], [2.5], [3.5]])).tolist()
    for shape, parameter in (("sphere", 0.0), ("cube", 9.0), ("star", 0.3), ("octahedron", 0.0)):
        got = _core.cell_means(shape, parameter, matrix, 32, 0.2)
        expected = _core.thickness(shape, parameter, matrix, (65, 65), (32, 32), (0.2, 0.2), 9, 1)
        assert np.abs(got - expected).max() < 0.2
        assert got.sum(dtype=float) == pytest.approx(expected.sum(dtype=float), rel=3e-3)


def test_detect():
    fraction = np.random.default_rng(5).choice(np.float32([0, 1e-4, 3e-3, 0.0124, 0.0126, 0.2]), (6, 40))
    key = _key((3, "a", 0.5))
    got = _core.detect(fraction, 800.0, 20.0, 100.0, 1.5, key, 2)
    assert np.array_equal(got, twin.detect(fraction, 800.0, 20.0, 100.0, 1.5, key))
    assert np.array_equal(_core.detect(fraction, 800.0, 20.0, 100.0, 0.0, key, 1), twin.detect(fraction, 800.0, 20.0, 100.0, 0.0, key))
    assert np.array_equal(got, _core.detect(fraction, 800.0, 20.0, 100.0, 1.5, key, 1))
