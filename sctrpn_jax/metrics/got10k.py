"""GOT-10k's average overlap and success rates by got-10k/toolkit (experiments/got10k.py, utils/metrics.py).

The mean is over the frames of all sequences and repetitions together; the first frame and frames in which nothing of
the target shows are left out, and boxes are clipped to the image.
"""

import dataclasses
from collections.abc import Iterable

import numpy as np

from sctrpn_jax.metrics import one_pass

OVERLAP_THRESHOLDS = np.linspace(0, 1, 101)

# convention -> what a report should print
CONVENTIONS = {
    'got10k': (
        'GOT-10k toolkit: mean over all frames but first and invisible ones; clipped to the image as there (a box that '
        'begins outside keeps its full size)'
    ),
    'clipped': 'GOT-10k frames; boxes are cut at the border of the image',
    'unclipped': 'GOT-10k frames; boxes are taken as they are',
}


@dataclasses.dataclass(frozen=True, eq=False)
class Scores:
    """Results of any number of sequences, 0..1 (NaN where no frame counts).

    Attributes:
      ao: average overlap.
      sr50: share of frames with an overlap above 0.5.
      sr75: above 0.75.
      curve: [101], shares above `OVERLAP_THRESHOLDS`.
      frames: how many were counted.
    """

    ao: float
    sr50: float
    sr75: float
    curve: np.ndarray
    frames: int


def frame_overlaps(
    predicted: np.ndarray,
    truth: np.ndarray,
    size: tuple[int, int],
    visible: np.ndarray | None = None,
    convention: str = 'got10k',
    origin: float = 1,
) -> np.ndarray:
    """Overlaps of the counted frames of one sequence.

    Args:
      predicted: [T, 4] xywh, 0-based; a row that is not finite has overlap 0 (the toolkit's mean would be NaN).
      truth: [T, 4] xywh, 0-based.
      size: (width, height) of the images, pixels.
      visible: [T] share of the target that shows (`cover.label` / 8), 0 where it is not counted; NaN: not said, and
        counted where there is truth. None: all.
      convention: a key of `CONVENTIONS`.
      origin: what the files count pixels from, 1 in GOT-10k; the toolkit clips those numbers to 0..width.

    Returns:
      [F] in 0..1, in the order of the frames.

    Raises:
      ValueError: shapes that do not fit, or an unknown convention.
    """
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if truth.ndim != 2 or truth.shape[-1] != 4 or predicted.shape != truth.shape:
        raise ValueError(
            f'boxes: got predicted {predicted.shape} and truth {truth.shape}, accepted are two of the shape [T, 4]'
        )
    if convention not in CONVENTIONS:
        raise ValueError(f'convention: got {convention!r}, accepted are {", ".join(CONVENTIONS)}')
    counted = np.isfinite(truth).all(axis=1)
    if visible is not None:
        visible = np.asarray(visible, np.float64)
        if visible.shape != truth.shape[:1]:
            raise ValueError(f'visible: got shape {visible.shape}, accepted is {truth.shape[:1]}')
        counted &= ~(visible <= 0)
    counted[:1] = False
    boxes = [_bounded(each[counted], np.asarray(size, np.float64), convention, origin) for each in (predicted, truth)]
    with np.errstate(invalid='ignore', over='ignore'):
        return np.clip(np.nan_to_num(one_pass.overlap(*boxes), nan=0.0), 0, 1)


def scores(overlaps: Iterable[np.ndarray]) -> Scores:
    """Scores of sequences, or of the repetitions of one, from their `frame_overlaps`."""
    values = np.concatenate([np.zeros(0), *overlaps])
    if not len(values):
        return Scores(np.nan, np.nan, np.nan, np.full(len(OVERLAP_THRESHOLDS), np.nan), 0)
    curve = 1 - np.searchsorted(np.sort(values), OVERLAP_THRESHOLDS, side='right') / len(values)
    return Scores(float(values.mean()), float((values > 0.5).mean()), float((values > 0.75).mean()), curve, len(values))


def _bounded(boxes: np.ndarray, size: np.ndarray, convention: str, origin: float) -> np.ndarray:
    """[F, 4] boxes clipped to an image of `size`."""
    corner, sides = boxes[:, :2], boxes[:, 2:]
    if convention == 'unclipped':
        return boxes
    if convention == 'clipped':
        low, high = np.clip(corner, 0, size), np.clip(corner + sides, 0, size)
        return np.concatenate([low, np.maximum(high - low, 0)], axis=1)
    # The corner is moved inside, and the sides are not shortened by that: [-10, -10, 40, 40] becomes [0, 0, 40, 40].
    corner = np.clip(corner + origin, 0, size)
    return np.concatenate([corner, np.clip(sides, 0, size - corner)], axis=1)
