"""Percentile bootstrap intervals of scores that are not means over sequences, as `one_pass` has them."""

from collections.abc import Callable

import numpy as np


def pooled_interval(
    totals: np.ndarray, counts: np.ndarray, level: float = 0.95, samples: int = 10_000, seed: int = 0
) -> tuple[float, float] | None:
    """Percentile bootstrap interval of sum(totals) / sum(counts) over sequences; long ones weigh more.

    Args:
      totals: [S] sum over a sequence's frames.
      counts: [S] how many frames.
      level: share of resamplings inside the interval.
      samples: resamplings.
      seed: of the resampling.

    Returns:
      (low, high); None of fewer than two sequences with frames.
    """
    totals, counts = totals[counts > 0], counts[counts > 0]
    if len(counts) < 2:
        return None
    draws = np.random.default_rng(seed).integers(0, len(counts), (samples, len(counts)))
    means = totals[draws].sum(axis=1) / counts[draws].sum(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def resampled_interval(
    score: Callable[[np.ndarray], float], count: int, level: float = 0.95, samples: int = 1000, seed: int = 0
) -> tuple[float, float] | None:
    """Interval of any score over sequences, such as EAO, computed again for each resampling.

    Args:
      score: [S] indices of the drawn sequences, some more than once, to the score; NaN where it has none.
      count: S.
      level: share of resamplings inside the interval.
      samples: resamplings.
      seed: of the resampling.

    Returns:
      (low, high); None of fewer than two sequences, or where no resampling has a score.
    """
    if count < 2:
        return None
    draws = np.random.default_rng(seed).integers(0, count, (samples, count))
    scores = np.array([score(draw) for draw in draws], np.float64)
    scores = scores[np.isfinite(scores)]
    if not len(scores):
        return None
    low, high = np.quantile(scores, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
