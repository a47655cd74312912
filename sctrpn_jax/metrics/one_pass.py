"""One-pass evaluation (OTB, UAV123, LaSOT): success, precision, normalised precision, and how sure a mean is.

Boxes are top-left form (x, y, w, h), 0-based. Success is the mean over 21 overlap thresholds (`>`, so exact boxes give
20/21), precision the share of frames within 20 px (`<=`); the rest is as the named convention says.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from sctrpn_jax.metrics import conventions

OVERLAP_THRESHOLDS = np.arange(21) * 0.05
ERROR_THRESHOLDS = np.arange(51.0)  # pixels
NORMALIZED_THRESHOLDS = np.arange(51) / 100
_PRECISION_AT, _NORMALIZED_AT = 20, 20  # indices of 20 px and 0.20


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Results of one sequence or of several, shares of frames in 0..1 (all NaN where no frame counts).

    Attributes:
      success: area under the success curve.
      precision: share of frames with a centre error of at most 20 px.
      normalized_precision: the same with the error over the target's size, at most 0.20; by the convention `got10k` the
        mean of its curve.
      success_curve: [21], over `OVERLAP_THRESHOLDS`.
      precision_curve: [51], over `ERROR_THRESHOLDS`.
      normalized_curve: [51], over `NORMALIZED_THRESHOLDS`.
      frames: how many were counted, of all sequences together.
    """

    success: float
    precision: float
    normalized_precision: float
    success_curve: np.ndarray
    precision_curve: np.ndarray
    normalized_curve: np.ndarray
    frames: int


def overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes [..., 4] xywh: 0..1, 0 where the union is empty, NaN where a value is."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    low = np.maximum(a[..., :2], b[..., :2])
    high = np.minimum(a[..., :2] + a[..., 2:], b[..., :2] + b[..., 2:])
    intersection = np.maximum(high - low, 0).prod(axis=-1)
    union = a[..., 2:].prod(axis=-1) + b[..., 2:].prod(axis=-1) - intersection
    return np.divide(intersection, union, out=np.where(np.isnan(union), np.nan, 0.0), where=union > 0)


def score_sequence(
    predicted: np.ndarray,
    truth: np.ndarray,
    absent: np.ndarray | None = None,
    convention: str = 'otb',
    origin: float = 0,
) -> Scores:
    """Success, precision and normalised precision of one tracked sequence.

    Args:
      predicted: [T, 4] xywh, 0-based; a row that is not finite is a miss, if the convention does not repair it.
      truth: [T, 4] xywh, 0-based; where there is none, not finite or without size.
      absent: [T] bool, frames flagged as without a visible target; None: none.
      convention: a key of `conventions.CONVENTIONS`.
      origin: number of the first pixel in the benchmark's files (`Benchmark.origin`), for conventions by which truth
        with a coordinate <= 0 in the file is invalid.

    Returns:
      `Scores`.

    Raises:
      ValueError: shapes that do not fit, or an unknown convention.
    """
    rule = conventions.convention(convention)
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if truth.ndim != 2 or truth.shape[-1] != 4 or predicted.shape != truth.shape or not len(truth):
        raise ValueError(
            f'boxes: got predicted {predicted.shape} and truth {truth.shape}, accepted are two of the shape [T, 4]'
        )
    absent = np.zeros(len(truth), bool) if absent is None else np.asarray(absent, bool)
    if absent.shape != truth.shape[:1]:
        raise ValueError(f'absent: got shape {absent.shape}, accepted is {truth.shape[:1]}')
    if rule.absent == 'ignored':
        absent = np.zeros_like(absent)
    predicted = conventions.repaired(predicted, truth, rule.repair)
    if rule.first_given:
        predicted[0] = truth[0]

    valid = conventions.judged(rule.overlap_truth, truth, origin) & ~absent
    unjudged = absent | ~conventions.judged(rule.error_truth, truth, origin)
    overlaps, *errors = _frame_values(predicted, truth, rule.least_side)
    overlaps[~valid] = -1
    for values, value in zip(errors, rule.unjudged, strict=True):
        values[unjudged] = value
        if rule.absent == 'miss':
            values[absent] = np.inf
    if rule.drop:
        overlaps, *errors = (values[valid] for values in (overlaps, *errors))
    frames = int(valid.sum()) if rule.drop or rule.divide_by_valid else len(truth)
    return _scores(
        _share(len(overlaps) - _count_within(overlaps, OVERLAP_THRESHOLDS), frames),
        _share(_count_within(errors[0], ERROR_THRESHOLDS), frames),
        _share(_count_within(errors[1], NORMALIZED_THRESHOLDS), frames),
        frames,
        rule,
    )


def mean_scores(scores: Iterable[Scores], convention: str = 'otb') -> Scores:
    """Mean over sequences, each of the same weight.

    Sequences of which no frame counts have no score and are left out; by the LaSOT toolkit's convention those with a
    curve of zeros are left out of that curve's mean.

    Args:
      scores: by the same convention.
      convention: which.

    Raises:
      ValueError: an unknown convention.
    """
    rule = conventions.convention(convention)
    scores = [each for each in scores if each.frames]
    means = []
    for name, width in (('success_curve', 21), ('precision_curve', 51), ('normalized_curve', 51)):
        curves = np.array([getattr(each, name) for each in scores]).reshape(-1, width)
        if rule.drop_zero_curves:
            curves = curves[curves.any(axis=1)]
        means.append(curves.mean(axis=0) if len(curves) else np.full(width, 0.0 if scores else np.nan))
    success, errors, normalized = means
    return _scores(success, errors, normalized, sum(each.frames for each in scores), rule)


def success_auc(predicted: np.ndarray, truth: np.ndarray) -> float:
    """`score_sequence(...).success` with its defaults."""
    return score_sequence(predicted, truth).success


def precision(predicted: np.ndarray, truth: np.ndarray) -> float:
    """`score_sequence(...).precision` with its defaults."""
    return score_sequence(predicted, truth).precision


def _frame_values(
    predicted: np.ndarray, truth: np.ndarray, least_side: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """[T] overlaps, centre errors in pixels and over the target's size; -1 and inf where the prediction is no box."""
    broken = ~np.isfinite(predicted).all(axis=1)
    with np.errstate(invalid='ignore', over='ignore', divide='ignore'):
        overlaps = overlap(predicted, truth)
        shift = predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2
        errors = np.hypot(*shift.T)
        normalized = np.hypot(*(shift / np.maximum(truth[:, 2:], least_side)).T)
    overlaps[broken | np.isnan(overlaps)] = -1
    for values in (errors, normalized):
        values[broken | np.isnan(values)] = np.inf
    return overlaps, errors, normalized


def _count_within(values: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """How many values are `<=` each threshold."""
    return np.searchsorted(np.sort(values), thresholds, side='right')


def _share(counts: np.ndarray, frames: int) -> np.ndarray:
    return counts / frames if frames else np.full(len(counts), np.nan)


def _scores(
    success: np.ndarray, errors: np.ndarray, normalized: np.ndarray, frames: int, rule: conventions.Convention
) -> Scores:
    return Scores(
        success=float(success.mean()),
        precision=float(errors[_PRECISION_AT]),
        normalized_precision=float(normalized.mean() if rule.normalized_area else normalized[_NORMALIZED_AT]),
        success_curve=success,
        precision_curve=errors,
        normalized_curve=normalized,
        frames=frames,
    )


def bootstrap_interval(
    values: np.ndarray, level: float = 0.95, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean over sequences.

    Args:
      values: [S] one score per sequence, finite.
      level: share of the resampled means inside, in 0..1.
      samples: resamplings.
      seed: of the resampling; the same seed and number of sequences draw the same sequences.

    Returns:
      (low, high).

    Raises:
      ValueError: no value, or one that is not finite.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values) or not np.isfinite(values).all():
        raise ValueError(
            f'values: got shape {values.shape}, {np.isfinite(values).sum()} finite; accepted are finite [S]'
        )
    draws = np.random.default_rng(seed).integers(0, len(values), (samples, len(values)))
    low, high = np.quantile(values[draws].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_difference(
    a: np.ndarray, b: np.ndarray, level: float = 0.95, samples: int = 10_000, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of a - b over the same sequences, and its bootstrap interval.

    Pairing takes out how hard each sequence is, so a small gain shows where the two separate intervals overlap.

    Args:
      a: [S] one score per sequence.
      b: [S] another tracker's, in the same order.
      level: share of resamplings inside the interval.
      samples: resamplings.
      seed: of the resampling.

    Returns:
      (mean, low, high); a is better with confidence where low > 0.

    Raises:
      ValueError: different lengths, no score, or one that is not finite.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(f'paired scores: got shapes {a.shape} and {b.shape}, accepted are two of the shape [S]')
    return float(np.mean(a - b)), *bootstrap_interval(a - b, level, samples, seed)
