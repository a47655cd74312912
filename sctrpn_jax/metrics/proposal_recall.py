"""Recall of proposals (Table 2): the share of targets that one of the first n proposals covers.

The paper states neither IoU threshold nor crop; reported are 0.5 and 0.7, on boxes of whatever frame both share.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from sctrpn_jax.metrics import one_pass

COUNTS = (50, 100, 200, 500, 1000)
THRESHOLDS = (0.5, 0.7)


def best_overlaps(
    proposals: Sequence[np.ndarray] | np.ndarray, truth: np.ndarray, counts: Sequence[int] = COUNTS
) -> np.ndarray:
    """Best overlap with the target among the first n proposals of each frame.

    Args:
      proposals: for each of F frames [K, 4] xywh, best first, K may differ from frame to frame and be 0; rows that are
        not finite (places without a proposal) cover nothing.
      truth: [F, 4] xywh in the same pixel frame.
      counts: the n, each at least 1; where a frame has fewer proposals it has all of them.

    Returns:
      [F, len(counts)] in 0..1; NaN in frames whose truth is not finite or without size.

    Raises:
      ValueError: shapes that do not fit.
    """
    truth = np.asarray(truth, np.float64)
    if truth.ndim != 2 or truth.shape[1] != 4 or len(proposals) != len(truth):
        raise ValueError(
            f'truth: got {truth.shape} for {len(proposals)} frames of proposals, accepted is [F, 4], one per frame'
        )
    if not len(counts) or min(counts) < 1:
        raise ValueError(f'counts: got {list(counts)}, accepted are numbers from 1 on')
    found = np.zeros((len(truth), len(counts)))
    places = np.asarray(counts)
    for frame, (boxes, target) in enumerate(zip(proposals, truth, strict=True)):
        boxes = np.asarray(boxes, np.float64)
        if boxes.ndim != 2 or boxes.shape[1] != 4:
            raise ValueError(f'proposals of frame {frame}: got {boxes.shape}, accepted is [K, 4]')
        if not len(boxes):
            continue
        with np.errstate(invalid='ignore', over='ignore'):
            overlaps = np.nan_to_num(one_pass.overlap(boxes[: places.max()], target), nan=0.0)
        running = np.maximum.accumulate(overlaps)
        found[frame] = running[np.minimum(places, len(running)) - 1]
    found[~(np.isfinite(truth).all(axis=1) & (truth[:, 2:] > 0).all(axis=1))] = np.nan
    return found


def recall(best: Iterable[np.ndarray] | np.ndarray, thresholds: Sequence[float] = THRESHOLDS) -> np.ndarray:
    """Recall over all frames of all sequences together.

    Args:
      best: [F, N] of `best_overlaps`, or several such; NaN rows do not count.
      thresholds: a proposal covers a target whose overlap is at least this.

    Returns:
      [len(thresholds), N] in 0..1.

    Raises:
      ValueError: no frame that counts.
    """
    best = best if isinstance(best, np.ndarray) else np.concatenate(list(best) or [np.zeros((0, 1))])
    best = best[~np.isnan(best).any(axis=1)]
    if not len(best):
        raise ValueError('best overlaps: got no frame with a target')
    return np.stack([(best >= threshold).mean(axis=0) for threshold in thresholds])
