"""Expected average overlap (EAO): the overlap to expect in a sequence of L frames, averaged over typical lengths L.

Each run is cut at the frames where the tracker was started again. A part that ended in a failure goes on with an
overlap of 0 for ever, one that ended with the sequence is known up to there; the expectation for L is the mean over
parts that reach L frames of their mean overlap in frames 2 to L.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.metrics.vot import raster, supervised, trajectory

SKIP = 5  # frames from a failure to the next start


@dataclasses.dataclass(frozen=True)
class Part:
    """Frames start to stop - 1 of a run.

    Attributes:
      start: first frame.
      stop: one after the last.
      failed: whether it is zero from then on.
      span: what the tagged frames are a share of; stop - start, except for pysot's slip (see `cut`).
    """

    start: int
    stop: int
    failed: bool
    span: int


def cut(codes: np.ndarray, convention: str = 'vot2018', skip: int = SKIP) -> list[Part]:
    """Parts of a run.

    - `vot2018`: a failed part ends with the frame failure + skip, where the next starts; a failure in the last frames,
      with no such frame, ends none.
    - `pysot`: the same, but that frame may also be the one after the last: the part fails, and weighs n / (n + 1).
    - `vot-python`: a part is from a start to before the failure, whenever that is.

    Args:
      codes: [T] as in `trajectory.Trajectory`.
      convention: one of `raster.CONVENTIONS`.
      skip: frames from a failure to the next start (not used by `vot-python`).
    """
    raster.check_convention(convention)
    frames = len(codes)
    failures = np.flatnonzero(codes == trajectory.FAILURE).tolist()
    if convention == 'vot-python':
        parts = []
        for start in np.flatnonzero(codes == trajectory.START).tolist() if failures else [0]:
            stop = next((failure for failure in failures if failure > start), frames)
            parts.append(Part(start, stop, stop < frames, stop - start))
        return parts
    last = frames if convention == 'pysot' else frames - 1
    points = [0, *(failure + skip for failure in failures if failure + skip <= last)]
    parts = [
        Part(start, min(end + 1, frames), True, end + 1 - start)
        for start, end in zip(points[:-1], points[1:], strict=True)
    ]
    if points[-1] < frames:
        parts.append(Part(points[-1], frames, False, frames - points[-1]))
    return parts


def curve(
    runs: Sequence[Sequence[supervised.Run]],
    convention: str = 'vot2018',
    masks: Sequence[np.ndarray] | None = None,
    skip: int = SKIP,
) -> np.ndarray:
    """Expected overlap by length.

    A part weighs 1 over the number of its sequence's repetitions (`vot-python`: 1) times the share of its frames that
    are tagged. Of frames without overlap (the start, 0, NaN) the first is never read and the others are 0; Matlab's
    toolkit does so in sequences with a failure, and in others has no value beyond such a frame, but only damaged
    results have any. For the tag `empty` it divides the sequence's empty frames by the part's length; here each tag
    is counted in the part.

    Args:
      runs: runs[s][r], repetition r of sequence s.
      convention: one of `raster.CONVENTIONS`.
      masks: [T] bool per sequence, the frames of a tag; None: all.
      skip: frames from a failure to the next start.

    Returns:
      [N] float64, N frames the longest sequence (`vot-python`: part): value L - 1 is for L frames, 1 for one frame,
      0..1, NaN where no part has weight.

    Raises:
      ValueError: masks that do not fit.
    """
    return curve_of_sums(*(each.sum(axis=0) for each in sums(runs, convention, masks, skip)))


def sums(
    runs: Sequence[Sequence[supervised.Run]],
    convention: str = 'vot2018',
    masks: Sequence[np.ndarray] | None = None,
    skip: int = SKIP,
) -> tuple[np.ndarray, np.ndarray]:
    """What `curve` is the quotient of, for each sequence, so that sequences can be resampled.

    A part that failed goes on up to N frames, those of the longest of all the sequences.

    Args:
      runs: runs[s][r], repetition r of sequence s.
      convention: one of `raster.CONVENTIONS`.
      masks: [T] bool per sequence.
      skip: frames from a failure to the next start.

    Returns:
      [S, N - 1] weighted mean overlaps and [S, N - 1] weights, summed over a sequence's parts; for 2 to N frames.

    Raises:
      ValueError: masks that do not fit.
    """
    masks = supervised.check_masks(runs, masks)
    found = [
        (run, mask[part.start : part.stop].sum() / (part.span * repetitions), part, owner)
        for run, mask, repetitions, owner in _single(runs, masks, convention)
        for part in cut(run.codes, convention, skip)
    ]
    frames = max(p.stop - p.start if convention == 'vot-python' else len(run.codes) for run, _, p, _ in found)
    values, reached = np.zeros((len(found), frames)), np.ones((len(found), frames), bool)
    for row, (run, _, part, _) in enumerate(found):
        length = part.stop - part.start
        known = run.codes[part.start : part.stop] == trajectory.REGION
        values[row, :length] = np.nan_to_num(np.where(known, run.overlaps[part.start : part.stop], 0))
        reached[row, length:] = part.failed
    means = np.cumsum(values[:, 1:], axis=1) / np.arange(1, frames)
    weights = np.array([weight for _, weight, _, _ in found])[:, None] * reached[:, 1:]
    totals = np.zeros((2, len(runs), frames - 1))
    owners = [owner for *_, owner in found]
    for total, values in zip(totals, (weights * means, weights), strict=True):
        np.add.at(total, owners, values)
    return totals[0], totals[1]


def curve_of_sums(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """[N] curve of the two [N - 1] sums over the chosen sequences of what `sums` gives."""
    return np.concatenate([[1.0], np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)])


def expected_overlap(values: np.ndarray, interval: tuple[int, int], convention: str = 'vot2018') -> float:
    """EAO: the mean of a `curve` over an interval of lengths.

    Args:
      values: [N] of `curve`.
      interval: first and last length, frames, which differ by year (`data/benchmarks/vot.py`); by `vot-python` both
        are one more.
      convention: of the curve.

    Returns:
      0..1; NaN where the curve has no value there.

    Raises:
      ValueError: an interval whose ends are not 1 <= first <= last.
    """
    raster.check_convention(convention)
    low, high = interval
    if not 1 <= low <= high:
        raise ValueError(f'interval: got {interval}, accepted are two lengths 1 <= low <= high')
    shift = int(convention == 'vot-python')
    inside = values[low - 1 + shift : high + shift]
    inside = inside[np.isfinite(inside)]
    return float(inside.mean()) if len(inside) else math.nan


def _single(runs, masks, convention):
    """(run, mask, what its weight is divided by, index of the sequence) of every repetition."""
    for owner, (repetitions, mask) in enumerate(zip(runs, masks, strict=True)):
        for run in repetitions:
            yield run, mask, 1 if convention == 'vot-python' else len(repetitions), owner
