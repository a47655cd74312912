"""One-pass evaluation (OTB, UAV123, LaSOT): success, precision, normalised precision, and how sure a mean is.

Boxes are top-left form (x, y, w, h); predictions and truth must share their origin, then it does not matter which.
Conventions: overlap `>` 21 thresholds 0, 0.05 .. 1, success = their mean (20/21 where every box is exact); precision
`<=` 20 px; normalised precision `<=` 0.20; the first frame counts as exact.
"""

import dataclasses

import numpy as np

OVERLAP_THRESHOLDS = np.arange(21) * 0.05
ERROR_THRESHOLDS = np.arange(51.0)  # pixels
NORMALIZED_THRESHOLDS = np.arange(51) / 100
_PRECISION_AT, _NORMALIZED_AT = 20, 20  # indices of 20 px and 0.20

INVALID = ('exclude', 'miss', 'hit')


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Results of one sequence, shares of frames in 0..1 (all NaN where no frame counts).

    Attributes:
      success: area under the success curve.
      precision: share of frames with a centre error of at most 20 px.
      normalized_precision: the same with the error over the target's size, at most 0.20.
      success_curve: [21], over `OVERLAP_THRESHOLDS`.
      precision_curve: [51], over `ERROR_THRESHOLDS`.
      normalized_curve: [51], over `NORMALIZED_THRESHOLDS`.
      frames: how many frames were counted.
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
    predicted: np.ndarray, truth: np.ndarray, absent: np.ndarray | None = None, invalid: str = 'exclude'
) -> Scores:
    """Success, precision and normalised precision of one tracked sequence.

    Args:
      predicted: [T, 4] xywh; a row that is not finite is a miss. Row 0 is replaced by the truth.
      truth: [T, 4] xywh; a row that is not finite or has no size is invalid.
      absent: [T] bool, frames without a visible target; None: none.
      invalid: what becomes of frames whose truth is invalid. `exclude`: not counted (got10k's toolkit); `miss`:
        counted, and failed in all three; `hit`: counted, failed in success, and passed in precision and normalised
        precision (pysot's and pytracking's UAV123: their error of such a frame is -1). Absent frames follow
        `exclude`, and otherwise are misses (LaSOT).

    Returns:
      `Scores`.

    Raises:
      ValueError: shapes that do not fit, or an unknown `invalid`.
    """
    predicted, truth = np.array(predicted, np.float64), np.asarray(truth, np.float64)
    if truth.ndim != 2 or truth.shape[-1] != 4 or predicted.shape != truth.shape or not len(truth):
        raise ValueError(
            f'boxes: got predicted {predicted.shape} and truth {truth.shape}, accepted are two alike [T, 4]'
        )
    if invalid not in INVALID:
        raise ValueError(f'invalid: got {invalid!r}, accepted are {", ".join(INVALID)}')
    absent = np.zeros(len(truth), bool) if absent is None else np.asarray(absent, bool)
    if absent.shape != truth.shape[:1]:
        raise ValueError(f'absent: got shape {absent.shape}, accepted is {truth.shape[:1]}')
    predicted[0] = truth[0]
    valid = np.isfinite(truth).all(axis=1) & (truth[:, 2:] > 0).all(axis=1)
    counted = valid & ~absent if invalid == 'exclude' else np.ones(len(truth), bool)

    judged = valid & ~absent & np.isfinite(predicted).all(axis=1)
    overlaps = np.full(len(truth), -1.0)
    overlaps[judged] = overlap(predicted[judged], truth[judged])
    errors = np.full((2, len(truth)), np.inf)
    shift = (predicted[:, :2] + predicted[:, 2:] / 2 - truth[:, :2] - truth[:, 2:] / 2)[judged]
    errors[0, judged] = np.hypot(*shift.T)
    errors[1, judged] = np.hypot(*(shift / truth[judged, 2:]).T)
    if invalid == 'hit':
        errors[:, ~valid & ~absent] = -1

    def curve(passed):
        return passed[counted].mean(axis=0) if counted.any() else np.full(passed.shape[1], np.nan)

    success = curve(overlaps[:, None] > OVERLAP_THRESHOLDS)
    precision = curve(errors[0][:, None] <= ERROR_THRESHOLDS)
    normalized = curve(errors[1][:, None] <= NORMALIZED_THRESHOLDS)
    return Scores(
        success=float(success.mean()),
        precision=float(precision[_PRECISION_AT]),
        normalized_precision=float(normalized[_NORMALIZED_AT]),
        success_curve=success,
        precision_curve=precision,
        normalized_curve=normalized,
        frames=int(counted.sum()),
    )


def success_auc(predicted: np.ndarray, truth: np.ndarray) -> float:
    """`score_sequence(...).success` with its defaults."""
    return score_sequence(predicted, truth).success


def precision(predicted: np.ndarray, truth: np.ndarray) -> float:
    """`score_sequence(...).precision` with its defaults."""
    return score_sequence(predicted, truth).precision


def bootstrap_interval(
    values: np.ndarray, level: float = 0.95, samples: int = 10_000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of a mean over sequences.

    Args:
      values: [S] one score a sequence, finite.
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
      a: [S] one score a sequence.
      b: [S] another tracker's, in the same order.
      level: as `bootstrap_interval`.
      samples: as `bootstrap_interval`.
      seed: as `bootstrap_interval`.

    Returns:
      (mean, low, high); a is better with confidence where low > 0.

    Raises:
      ValueError: different lengths, or as `bootstrap_interval`.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(f'paired scores: got shapes {a.shape} and {b.shape}, accepted are two alike [S]')
    return float(np.mean(a - b)), *bootstrap_interval(a - b, level, samples, seed)
