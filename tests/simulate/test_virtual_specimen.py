"""The virtual specimen: the same at a place whatever was asked before, and its truth."""

import nanospa as ns
import numpy as np
import pytest
from nanospa.testing import check_labels

SCAN = {"centre_nm": (340.0, 300.0), "pixel_size_nm": 0.8, "shape": (200, 240)}


@pytest.fixture(scope="module")
def specimen():
    return ns.simulate.VirtualSpecimen("slater2020", seed=2)


def test_what_lies_at_a_place_does_not_depend_on_what_was_asked(specimen):
    whole = specimen.particles(0, 0, 900, 900)
    fresh = ns.simulate.VirtualSpecimen("slater2020", seed=2)
    parts = [fresh.particles(y, x, y + 300, x + 450) for y in (600, 0, 300) for x in (450, 0)]
    together = np.concatenate([p["id"] for p in parts])
    assert len(together) == len(whole) > 100 and whole["id"].is_unique
    assert set(together) == set(whole["id"])
    image = fresh.image(**SCAN)
    assert np.array_equal(image, specimen.image(**SCAN))
    assert np.array_equal(image, specimen.image(**SCAN, threads=3))
    other = ns.simulate.VirtualSpecimen("slater2020", seed=3).particles(0, 0, 900, 900)
    assert not set(other["y_nm"]) & set(whole["y_nm"])


def test_truth_is_complete(specimen):
    labels, table = specimen.truth(**SCAN)
    check_labels(labels, SCAN["shape"])
    assert len(table) == labels.max() > 5
    assert np.array_equal(table["area_px"], np.bincount(labels.ravel())[1:])
    assert set(ns.simulate.frame(shape=(64, 64), n_particles=1).table.columns) <= set(table.columns)
    reached = specimen.particles(240, 180, 440, 420)
    assert set(table.loc[~table["touches_border"], "id"]) <= set(reached["id"])
    y, x = (SCAN["centre_nm"][a] + (table[c] - (SCAN["shape"][a] - 1) / 2) * 0.8 for a, c in enumerate(("y_px", "x_px")))
    np.testing.assert_allclose(y, table["y_nm"])
    np.testing.assert_allclose(x, table["x_nm"])
