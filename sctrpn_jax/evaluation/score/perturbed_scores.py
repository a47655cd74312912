"""Scores of runs from perturbed starts, by the rules of OTB's Matlab toolkit (calcSeqErrRobust.m, genPerfMat.m).

A sequence's score is over the frames of all its runs together. Boxes are 0-based xywh; the toolkit's rounding is done
on 1-based numbers.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.evaluation.run import perturbed_runs, perturbed_starts
from sctrpn_jax.metrics import one_pass


def score_runs(
    protocol: str,
    runs: perturbed_runs.Runs,
    truth: Mapping[str, truth_lib.Truth],
    convention: str = 'otb',
    origin: float = 1,
) -> dict[str, one_pass.Scores]:
    """Scores of every sequence that was tracked, over the frames of all its runs.

    Args:
      protocol: `tre` or `sre`.
      runs: of `perturbed_runs.read`.
      truth: sequence -> truth.
      convention: of the scores.
      origin: of the benchmark's files.
    """
    made = {}
    for name, found in runs.boxes.items():
        about = truth[name].boxes, truth[name].absent, convention, origin
        if protocol == 'tre':
            made[name] = score_temporal({int(first): each for first, each in found.items()}, *about)
        else:
            made[name] = score_spatial(found, *about)
    return made


def unscaled(boxes: np.ndarray, perturbation: str) -> np.ndarray:
    """A run's boxes with the scale of its start taken out again, in whole pixels, as the toolkit does before it scores.

    Args:
      boxes: [T, 4] xywh, 0-based.
      perturbation: one of `perturbed_starts.PERTURBATIONS`.

    Returns:
      [T, 4] xywh, 0-based.
    """
    boxes = np.asarray(boxes, np.float64)
    corner, sides = boxes[:, :2] + 1, boxes[:, 2:]
    with np.errstate(invalid='ignore'):  # rows of inf
        new = sides / perturbed_starts.SCALES.get(perturbation, 1)
        return perturbed_starts.whole(np.concatenate([corner + (sides - 1) / 2 - new / 2, new], axis=1)) - [1, 1, 0, 0]


def score_temporal(
    runs: Mapping[int, np.ndarray],
    truth: np.ndarray,
    absent: np.ndarray | None = None,
    convention: str = 'otb',
    origin: float = 1,
) -> one_pass.Scores:
    """Scores of one sequence's TRE runs.

    Args:
      runs: first frame -> [T - first, 4] boxes.
      truth: [T, 4]; `one_pass.score_sequence` explains this and the others.
      absent: [T].
      convention: of the scores.
      origin: of the benchmark's files.
    """
    return pooled(
        one_pass.score_sequence(boxes, truth[start:], None if absent is None else absent[start:], convention, origin)
        for start, boxes in runs.items()
    )


def score_spatial(
    runs: Mapping[str, np.ndarray],
    truth: np.ndarray,
    absent: np.ndarray | None = None,
    convention: str = 'otb',
    origin: float = 1,
) -> one_pass.Scores:
    """Scores of one sequence's SRE runs.

    Args:
      runs: perturbation -> [T, 4] boxes as tracked (`unscaled` is applied here).
      truth: [T, 4]; `one_pass.score_sequence` explains this and the others.
      absent: [T].
      convention: of the scores.
      origin: of the benchmark's files.
    """
    return pooled(
        one_pass.score_sequence(unscaled(boxes, name), truth, absent, convention, origin)
        for name, boxes in runs.items()
    )


def pooled(scores: Iterable[one_pass.Scores]) -> one_pass.Scores:
    """Scores over the frames of all runs together: a longer run weighs more; NaN where no frame counts.

    Raises:
      ValueError: no run.
    """
    scores = list(scores)
    if not scores:
        raise ValueError('runs: got none, accepted is one or more')
    scores = [each for each in scores if each.frames] or scores[:1]
    weights = np.array([max(each.frames, 1) for each in scores])
    values = {
        name: np.average([getattr(each, name) for each in scores], axis=0, weights=weights)
        for name in one_pass.Scores.__dataclass_fields__
        if name != 'frames'
    }
    numbers = {name: float(value) for name, value in values.items() if not np.ndim(value)}
    return one_pass.Scores(**{**values, **numbers}, frames=sum(each.frames for each in scores))
