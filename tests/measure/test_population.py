"""Population figures against known distributions: values, coverage of the intervals, size of the test."""

import nanospa as ns
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

MU, SIGMA = np.log(10), 0.2


def truth(weights):
    mu = MU + (3 * SIGMA**2 if weights == "volume" else 0)
    d10, d50, d90 = (np.exp(mu + SIGMA * stats.norm.ppf(q)) for q in (0.1, 0.5, 0.9))
    mean = np.exp(mu + SIGMA**2 / 2)
    return {
        "D10": d10,
        "D50": d50,
        "median": d50,
        "D90": d90,
        "lognormal_D10": d10,
        "lognormal_D50": d50,
        "lognormal_D90": d90,
        "mean": mean,
        "std": mean * np.sqrt(np.exp(SIGMA**2) - 1),
        "lognormal_mu": mu,
        "lognormal_median": d50,
        "lognormal_sigma": SIGMA,
    }


@pytest.mark.parametrize("weights", ["number", "volume"])
def test_large_sample_reaches_the_truth(weights):
    found = ns.measure.population(np.random.default_rng(0).lognormal(MU, SIGMA, 200_000), weights=weights)
    for name, value in truth(weights).items():
        assert found[name] == pytest.approx(value, rel=0.02), name
    assert found["n"] == 200_000 and found["lognormal_p"] > 0.01


@pytest.mark.parametrize("weights", ["number", "volume"])
@pytest.mark.parametrize("confidence", [0.8, 0.95])
def test_intervals_hold_the_truth_as_often_as_they_say(weights, confidence):
    rng = np.random.default_rng(1)
    samples = [ns.measure.population(rng.lognormal(MU, SIGMA, 200), weights=weights, confidence=confidence) for _ in range(400)]
    # Three standard deviations of the share of 400 samples, and what the documentation admits for spreads.
    slack = 3 * np.sqrt(confidence * (1 - confidence) / 400)
    for name, value in truth(weights).items():
        low, high = (np.array([s[f"{name}_{end}"] for s in samples]) for end in ("low", "high"))
        known = np.isfinite(low) & np.isfinite(high)
        assert known.mean() > 0.95, name
        share = np.mean((low <= value)[known] & (value <= high)[known])
        admitted = {"std": 0.2 if weights == "volume" else 0.05, "mean": 0.02}.get(name, 0.0)
        assert confidence - slack - admitted <= share <= confidence + slack + 0.03, (name, share)


def test_goodness_of_fit_rejects_at_its_level():
    rng = np.random.default_rng(2)
    null = [ns.measure.population(rng.lognormal(MU, SIGMA, 80))["lognormal_p"] for _ in range(500)]
    assert 0.02 < np.mean(np.array(null) < 0.05) < 0.08
    two = np.append(rng.lognormal(np.log(8), 0.1, 100), rng.lognormal(np.log(16), 0.1, 100))
    assert ns.measure.population(two)["lognormal_p"] < 1e-4


def test_agrees_with_scipy():
    x = np.random.default_rng(3).lognormal(MU, SIGMA, 60)
    found = ns.measure.population(x)
    low, high = stats.t.interval(0.95, x.size - 1, x.mean(), stats.sem(x))
    assert [found["mean_low"], found["mean_high"]] == pytest.approx([low, high])
    assert found["std"] == pytest.approx(x.std(ddof=1))
    exact = stats.quantile_test(x, p=0.5).confidence_interval(0.95)
    assert [found["D50_low"], found["D50_high"]] == pytest.approx([exact.low, exact.high])
    assert found["lognormal_sigma"] == pytest.approx(np.log(x).std(ddof=1))


def test_small_samples_say_so():
    one = ns.measure.population([5.0])
    assert one["mean"] == one["D10"] == one["D90"] == 5 and np.isnan(one["mean_low"]) and np.isnan(one["lognormal_sigma"])
    five = ns.measure.population([4.0, 5, 6, 7, 8])
    assert np.isnan(five["D10_low"]) and np.isnan(five["D90_high"]) and five["D50"] == pytest.approx(6)
    flat = ns.measure.population([3.0] * 20, weights="volume")
    assert flat["std"] == 0 and flat["mean"] == pytest.approx(3) and flat["n_effective"] == pytest.approx(20)


@given(st.lists(st.floats(1e-3, 1e4), min_size=1, max_size=40), st.sampled_from(["number", "volume"]), st.floats(0.01, 100))
def test_scales_with_the_unit(values, weights, unit):
    a, b = ns.measure.population(values, weights=weights), ns.measure.population(np.array(values) * unit, weights=weights)
    assert min(values) * (1 - 1e-9) <= a["D10"] <= a["D50"] <= a["D90"] <= max(values) * (1 + 1e-9)
    for name in ("mean", "D10", "D50", "D90", "D50_low"):
        assert b[name] == pytest.approx(a[name] * unit, rel=1e-6, nan_ok=True)


def test_interval_without_end():
    found = ns.measure.population([1.0, 125.0], weights="volume")
    assert found["lognormal_D90_high"] == np.inf
    assert np.isfinite(found["lognormal_D50"])


def test_bad_input():
    for error, match, call in (
        (ns.errors.EmptyInputError, "values", lambda: ns.measure.population([])),
        (ns.errors.NonFiniteError, "values", lambda: ns.measure.population([1, np.nan])),
        (ns.errors.InvalidValueError, "values", lambda: ns.measure.population([1, 0])),
        (ns.errors.InvalidValueError, "weights", lambda: ns.measure.population([1], weights="area")),
        (ns.errors.InvalidValueError, "confidence", lambda: ns.measure.population([1], confidence=1)),
    ):
        with pytest.raises(error, match=match):
            call()
