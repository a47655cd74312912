"""TrackingNet's three scores by its devkit's own definitions (SilvioGiancola/TrackingNet-devkit, metrics.py).

They are areas by trapezoids over 21 thresholds, overlap is judged by `>=`, and coordinates are rounded to whole pixels
first; so no number here can be compared with one of `one_pass`.
"""

from collections.abc import Iterable

import numpy as np

from sctrpn_jax.metrics import one_pass

OVERLAP_THRESHOLDS = np.linspace(0, 1, 21)
ERROR_THRESHOLDS = np.linspace(0, 50, 21)  # pixels
NORMALIZED_THRESHOLDS = np.linspace(0, 0.5, 21)

ABOUT = (
    'TrackingNet devkit: coordinates rounded, the first frame counts as exact; success: area under overlap >= 0, 0.05 '
    '.. 1; precision: area under centre error <= 0, 2.5 .. 50 px; normalized precision: area under <= 0, 0.025 .. 0.5'
)


def score_sequence(predicted: np.ndarray, truth: np.ndarray) -> one_pass.Scores:
    """Success, precision and normalised precision of one sequence.

    Args:
      predicted: [T, 4] xywh; a row that is not finite fails at every threshold. (For the devkit a missing file
        is rows of 0, which pass `>= 0`.)
      truth: [T, 4] xywh, the same origin.

    Returns:
      `one_pass.Scores` with curves [21] over this module's thresholds, and areas 0..1 (the devkit prints percent).

    Raises:
      ValueError: shapes that do not fit.
    """
    predicted, truth = np.array(predicted, np.float64), np.asarray(truth, np.float64)
    if truth.ndim != 2 or truth.shape[-1] != 4 or predicted.shape != truth.shape or not len(truth):
        raise ValueError(
            f'boxes: got predicted {predicted.shape} and truth {truth.shape}, accepted are two of the shape [T, 4]'
        )
    predicted, truth = np.round(predicted), np.round(truth)
    predicted[~np.isfinite(predicted).all(axis=1)] = np.nan
    predicted[0] = truth[0]
    with np.errstate(invalid='ignore', divide='ignore', over='ignore'):
        overlaps = one_pass.overlap(predicted, truth)
        shift = predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
        errors = np.hypot(*shift.T)
        normalized = np.hypot(*(shift / truth[:, 2:]).T)
        # Comparisons with NaN are false.
        success = (overlaps[:, None] >= OVERLAP_THRESHOLDS).mean(axis=0)
    precision = (errors[:, None] <= ERROR_THRESHOLDS).mean(axis=0)
    return _scores(success, precision, (normalized[:, None] <= NORMALIZED_THRESHOLDS).mean(axis=0), len(truth))


def mean_scores(scores: Iterable[one_pass.Scores]) -> one_pass.Scores:
    """Mean over sequences, each of the same weight.

    Raises:
      ValueError: no sequence.
    """
    scores = list(scores)
    if not scores:
        raise ValueError('TrackingNet scores: got none, accepted is one per sequence')
    success, precision, normalized = (
        np.mean([getattr(each, name) for each in scores], axis=0)
        for name in ('success_curve', 'precision_curve', 'normalized_curve')
    )
    return _scores(success, precision, normalized, sum(each.frames for each in scores))


def _scores(success: np.ndarray, precision: np.ndarray, normalized: np.ndarray, frames: int) -> one_pass.Scores:
    # All three are taken over 0..1: the devkit scales the thresholds of precision so.
    areas = [float(np.trapezoid(curve, OVERLAP_THRESHOLDS)) for curve in (success, precision, normalized)]
    return one_pass.Scores(areas[0], areas[1], areas[2], success, precision, normalized, frames)
