"""Intervals against scipy's bootstrap, and against those of a mean."""

import numpy as np
import pytest
import scipy.stats

from sctrpn_jax.metrics import intervals, one_pass


def test_the_pooled_interval_is_scipys():
    rng = np.random.default_rng(0)
    counts = rng.integers(20, 900, 40).astype(float)
    totals = counts * rng.uniform(0.2, 0.9, 40)
    expected = scipy.stats.bootstrap(
        (totals, counts),
        lambda t, c, axis=-1: t.sum(axis=axis) / c.sum(axis=axis),
        paired=True,
        method='percentile',
        n_resamples=10_000,
        rng=np.random.default_rng(1),
    ).confidence_interval
    found = intervals.pooled_interval(totals, counts)
    assert found == pytest.approx((expected.low, expected.high), abs=0.004)
    assert found == intervals.pooled_interval(totals, counts)
    assert intervals.pooled_interval(np.append(totals, 0.0), np.append(counts, 0.0)) == found
    assert intervals.pooled_interval(totals[:1], counts[:1]) is None


def test_any_score_can_be_resampled():
    values = np.random.default_rng(0).uniform(0, 1, 30)
    found = intervals.resampled_interval(lambda chosen: values[chosen].mean(), 30, samples=10_000)
    assert found == pytest.approx(one_pass.bootstrap_interval(values), abs=1e-9)
    assert intervals.resampled_interval(lambda chosen: 1.0, 1) is None
    assert intervals.resampled_interval(lambda chosen: np.nan, 5) is None
    assert intervals.resampled_interval(lambda c: np.nan if 0 in c else 0.5, 5, samples=200) == (0.5, 0.5)
