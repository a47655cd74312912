"""What the score is worth: how well it tells tracked frames from lost ones, and from which score on to trust it."""

import dataclasses
import os
import pathlib
from collections.abc import Mapping

import numpy as np
import scipy.stats

from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import results as results_lib

TRACKED = 0.5  # overlap with the truth above which a frame counts as tracked, OTB's success at half


@dataclasses.dataclass(frozen=True)
class Confidence:
    """Scores of tracked and lost frames, all sequences together.

    Attributes:
      tracked, lost: frames of each kind.
      roc_auc: chance that a tracked frame has the higher score of two, 0..1; 0.5 says nothing.
      threshold: score from which on a frame is best taken for tracked (largest true minus false positive rate).
      found: share of the tracked frames at or above it.
      mistaken: share of the lost frames at or above it.
    """

    tracked: int
    lost: int
    roc_auc: float
    threshold: float
    found: float
    mistaken: float


def measure(scores: np.ndarray, overlaps: np.ndarray, tracked: float = TRACKED) -> Confidence:
    """`Confidence` of frames.

    Args:
      scores: [N] of the tracker.
      overlaps: [N] IoU with the truth, 0..1.
      tracked: a frame with more overlap counts as tracked.

    Raises:
      ValueError: no frame of one of the kinds, or another number of scores than overlaps.
    """
    scores, overlaps = np.asarray(scores, np.float64), np.asarray(overlaps, np.float64)
    if scores.shape != overlaps.shape or scores.ndim != 1:
        raise ValueError(f'confidence: got scores {scores.shape} and overlaps {overlaps.shape}; expected [N] of both')
    good = overlaps > tracked
    if good.all() or not good.any():
        raise ValueError(f'confidence: {good.sum()} of {len(good)} frames are tracked; some must be and some not')
    high, low = np.sort(scores[good]), np.sort(scores[~good])
    levels = np.unique(scores)
    found, mistaken = (1 - np.searchsorted(part, levels) / len(part) for part in (high, low))
    best = np.argmax(found - mistaken)
    area = scipy.stats.mannwhitneyu(high, low).statistic / (len(high) * len(low))
    return Confidence(len(high), len(low), float(area), float(levels[best]), float(found[best]), float(mistaken[best]))


def of_results(folder: str | os.PathLike, truth: Mapping[str, truth_lib.Truth]) -> Confidence | None:
    """`measure` of one tracker's result files, first frames left out.

    Args:
      folder: with `<sequence>.csv` as this project writes them (`tracking/results.py`).
      truth: sequence -> ground truth; frames without a box are left out.

    Returns:
      None where no file has scores, or frames of one kind alone.
    """
    scores, overlaps = [], []
    for name, each in truth.items():
        path = pathlib.Path(folder) / f'{name}.csv'
        try:
            boxes, found = results_lib.read_results(path)
        except ValueError:
            continue
        if len(boxes) != len(each.boxes):
            continue
        judged = np.isfinite(each.boxes).all(1) & (each.boxes[:, 2:] > 0).all(1) & (np.arange(len(boxes)) > 0)
        scores.append(found[judged])
        overlaps.append(one_pass.overlap(boxes[judged], each.boxes[judged]))
    if not scores:
        return None
    scores, overlaps = np.concatenate(scores), np.concatenate(overlaps)
    # Trackers without a score of their own write 1 in every frame.
    return measure(scores, overlaps) if 0 < (overlaps > TRACKED).mean() < 1 and np.ptp(scores) > 0 else None


def line(name: str, made: Confidence) -> str:
    """One line for people."""
    return (
        f'{name}: the score tells {made.tracked} tracked frames (overlap above {TRACKED:g}) from {made.lost} others '
        f'with ROC AUC {made.roc_auc:.3f}; from {made.threshold:.2f} on trust it: {made.found:.0%} of the tracked '
        f'frames have as much, and {made.mistaken:.0%} of the others'
    )
