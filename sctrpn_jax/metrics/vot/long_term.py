"""VOT's long-term measures: precision, recall and F-score over thresholds of the tracker's own score.

A frame counts as found where the score reaches the threshold. *Precision* is the mean overlap of the frames found (0
where the target is absent), *recall* the sum of these overlaps over the number of frames with a target, and F = 2 P R /
(P + R), all of means over sequences, at the threshold where F is highest (Lukezic et al., "Now you see me: evaluating
performance in long-term visual tracking", 2018). What the paper leaves open is as in votchallenge/toolkit 0.7.4,
`vot/analysis/longterm.py`: which thresholds are tried, and that the first frame has overlap 0, since nothing is tracked
there.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

LEVELS = 100  # thresholds that are tried


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """One sequence, measured.

    Attributes:
      overlaps: [T] float64, 0..1, with the true region; 0 in the first frame, where a region is missing, and where the
        target is absent.
      scores: [T] of the tracker, any range; NaN in frames for which it gives no region, which are never found.
      targets: how many frames have a target.
    """

    overlaps: np.ndarray
    scores: np.ndarray
    targets: int


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """One tracker on several sequences.

    Attributes:
      precision, recall, f_score: 0..1, at the best threshold.
      curve: [K] F-score at each threshold, from the one that no frame reaches to the one that all reach.
      precisions, recalls: [S, K] of each sequence.
      best: index of the best threshold.
    """

    precision: float
    recall: float
    f_score: float
    curve: np.ndarray
    precisions: np.ndarray
    recalls: np.ndarray
    best: int


def measure(overlaps: np.ndarray, scores: np.ndarray, known: np.ndarray, visible: np.ndarray) -> Run:
    """`Run` of one sequence.

    Args:
      overlaps: [T] of the regions, read where both are there.
      scores: [T] of the tracker.
      known: [T] bool: the tracker gives a region. In the first frame it is taken to, whatever its file says.
      visible: [T] bool: there is a true one.

    Raises:
      ValueError: shapes that do not fit.
    """
    if not (len(overlaps) and overlaps.shape == scores.shape == known.shape == visible.shape and overlaps.ndim == 1):
        shapes = [each.shape for each in (overlaps, scores, known, visible)]
        raise ValueError(f'long-term run: got shapes {shapes}; accepted are four of the shape [T]')
    overlaps = np.where(known & visible, overlaps, 0.0)
    overlaps[0] = 0
    given = np.arange(len(known)) == 0
    return Run(overlaps, np.where(known | given, scores, np.nan), int(visible.sum()))


def thresholds(scores: np.ndarray, levels: int = LEVELS) -> np.ndarray:
    """[K] thresholds that are tried, descending: infinity, scores at equal distances in their order, minus infinity.

    Args:
      scores: [N] of all frames of all sequences; NaN does not count.
      levels: K; fewer where there are fewer scores.
    """
    ordered = np.sort(scores[~np.isnan(scores)])[::-1]
    inner = levels - 2
    if len(ordered) > inner:
        step = len(ordered) // inner
        ordered = ordered[np.round(np.linspace(step, len(ordered) - step, inner)).astype(int)]
    return np.concatenate([[np.inf], ordered, [-np.inf]])


def score(runs: Sequence[Run], levels: int = LEVELS) -> Scores:
    """Scores of a tracker; a threshold that no frame of a sequence reaches gives it precision 1 and recall 0.

    Args:
      runs: of all sequences.
      levels: thresholds that are tried.

    Raises:
      ValueError: no sequence.
    """
    if not runs:
        raise ValueError('long-term scores: got no sequence')
    tried = thresholds(np.concatenate([run.scores for run in runs]), levels)
    precisions, recalls = np.ones((len(runs), len(tried))), np.zeros((len(runs), len(tried)))
    for row, run in enumerate(runs):
        order = np.argsort(-run.scores, kind='stable')  # NaN last
        total = np.concatenate([[0.0], np.cumsum(run.overlaps[order])])
        # How many frames reach each threshold: comparisons with NaN are false.
        reached = (run.scores[:, None] >= tried).sum(axis=0)
        precisions[row] = np.where(reached > 0, total[reached] / np.maximum(reached, 1), 1.0)
        recalls[row] = total[reached] / max(run.targets, 1)
    curve = f_scores(precisions.mean(axis=0), recalls.mean(axis=0))
    best = int(np.argmax(curve))
    return Scores(
        float(precisions[:, best].mean()),
        float(recalls[:, best].mean()),
        float(curve[best]),
        curve,
        precisions,
        recalls,
        best,
    )


def f_scores(precision: np.ndarray, recall: np.ndarray) -> np.ndarray:
    """F = 2 P R / (P + R), 0 where both are 0."""
    return 2 * precision * recall / np.maximum(precision + recall, np.finfo(float).tiny)
