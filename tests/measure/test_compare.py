"""Comparison of populations: error rates on simulated batches, effect sizes against their definition."""

import nanospa as ns
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st


def batch(rng, n, shift=0.0, stretch=1.0):
    return pd.DataFrame({f"hu_{i}": rng.normal(10 + (shift if i == 1 else 0), 1 + (stretch - 1) * (i == 2), n) for i in range(1, 6)})


def test_false_alarms_stay_below_the_level():
    rng = np.random.default_rng(0)
    verdicts = [ns.measure.compare(batch(rng, 150), batch(rng, 150))["verdict"] for _ in range(150)]
    assert np.mean([(v == "different").any() for v in verdicts]) < 0.08
    assert np.mean([(v == "same").mean() for v in verdicts]) > 0.9


def test_finds_a_shift_and_a_spread():
    rng = np.random.default_rng(1)
    found = ns.measure.compare(batch(rng, 400), batch(rng, 400, shift=0.6, stretch=2.0))
    assert found["verdict"].tolist() == ["different", "different", "same", "same", "same"]
    assert found.loc["hu_1", "effect"] in ("small", "medium") and found.loc["hu_1", "cliffs_delta"] < 0
    assert found.loc["hu_2", "effect"] == "negligible", "a wider spread is no shift"


def test_small_samples_are_undecided_and_trifles_the_same():
    rng = np.random.default_rng(2)
    assert set(ns.measure.compare(batch(rng, 8), batch(rng, 8))["verdict"]) == {"undecided"}
    many = ns.measure.compare(batch(rng, 40_000), batch(rng, 40_000, shift=0.05))
    assert many.loc["hu_1", "p_corrected"] < 0.01 and set(many["verdict"]) == {"same"}


@given(st.lists(st.integers(0, 6), min_size=2, max_size=20), st.lists(st.integers(0, 6), min_size=2, max_size=20))
def test_cliffs_delta_is_its_definition(a, b):
    pairs = np.sign(np.subtract.outer(a, b))
    delta, low, high = ns.measure.cliffs_delta(a, b)
    assert delta == pytest.approx(pairs.mean())
    assert -1 <= low <= delta <= high <= 1


def test_interval_of_cliffs_delta_holds_the_truth():
    rng = np.random.default_rng(3)
    # P(a > b) - P(a < b) of two unit normals one apart.
    truth = 2 * 0.7602499389065233 - 1
    inside = 0
    for _ in range(400):
        _, low, high = ns.measure.cliffs_delta(rng.normal(1, 1, 40), rng.normal(0, 1, 60))
        inside += low <= truth <= high
    assert 0.92 < inside / 400 < 0.98


def test_columns_are_chosen():
    labels = np.kron(np.arange(36).reshape(6, 6), np.ones((9, 9), int))
    image = np.random.default_rng(4).random(labels.shape)
    table = ns.measure.measure(image, labels, pixel_size_nm=0.3)
    found = ns.measure.compare(table, table)
    assert "area_nm2" in found.index and "area_px" not in found.index and "orientation_rad" not in found.index
    assert not (found["verdict"] == "different").any()
    assert list(ns.measure.compare(table, table.to_dataframe().reset_index(), columns=["solidity"]).index) == ["solidity"]


def test_bad_input():
    a = {"area_px": [1.0, 2.0]}
    with pytest.raises(ns.errors.UnknownNameError, match="size"):
        ns.measure.compare(a, a, columns=["size"])
    with pytest.raises(ns.errors.NonFiniteError, match="area_px"):
        ns.measure.compare(a, {"area_px": [np.nan]}, columns=["area_px"])
    with pytest.raises(ns.errors.InvalidValueError, match="significance"):
        ns.measure.compare(a, a, significance=0)
