"""Accuracy and robustness of supervised VOT experiments (the tracker is started again after each failure), also by tag.

Tags are the five that VOT-2018 annotates frame by frame, and `empty` for frames with none. The six attributes of the
paper's Fig. 11 (deformation, occlusion, in-plane and out-of-plane rotation, illumination, background clutter) are not
among what VOT-2018 annotates by frame, except occlusion and change of illumination.

Everywhere `runs[s][r]` is repetition r of sequence s; conventions are those of `raster`.
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.metrics.vot import raster, trajectory

BURN_IN = 10  # frames from a start on that do not count in accuracy
SENSITIVITY = 30.0  # frames that reliability looks ahead


@dataclasses.dataclass(frozen=True, eq=False)
class Run:
    """One repetition of one sequence, measured.

    Attributes:
      codes: [T] as in `trajectory.Trajectory`.
      overlaps: [T] float64, 0..1; NaN where not known. Read where the code is `trajectory.REGION` alone.
    """

    codes: np.ndarray
    overlaps: np.ndarray

    def __post_init__(self):
        if self.codes.shape != self.overlaps.shape or self.codes.ndim != 1 or not len(self.codes):
            raise ValueError(f'got codes {self.codes.shape} and overlaps {self.overlaps.shape}, accepted are both [T]')


@dataclasses.dataclass(frozen=True)
class Robustness:
    """How often a tracker failed.

    Attributes:
      failures: in all sequences together, mean over repetitions.
      rate: failures per frame x 100 (pysot's R; the paper's Table 3).
      per_sequence: mean over sequences (the paper's Table 1); by `vot-python` weighted by length.
      reliability: exp(-S F / L), 0..1: F is `per_sequence`, L the mean length, S = 30 frames.
      frames: counted.
    """

    failures: float
    rate: float
    per_sequence: float
    reliability: float
    frames: int


def measure(
    truth: np.ndarray,
    run: trajectory.Trajectory,
    bounds: tuple[float, float] | None = None,
    convention: str = 'vot2018',
) -> Run:
    """Overlaps of a run with the true regions, [T, 8]; `raster.overlaps` explains `bounds` and `convention`."""
    return Run(run.codes, raster.overlaps(run.regions, truth, bounds, convention))


def counted(run: Run, burn_in: int = BURN_IN) -> np.ndarray:
    """[T] bool, frames of which accuracy is the mean: tracked, of known overlap, `burn_in` frames after a start."""
    found = (run.codes == trajectory.REGION) & np.isfinite(run.overlaps)
    for start in np.flatnonzero(run.codes == trajectory.START):
        found[start : start + burn_in] = False
    return found


def accuracy(
    runs: Sequence[Sequence[Run]],
    convention: str = 'vot2018',
    burn_in: int = BURN_IN,
    masks: Sequence[np.ndarray] | None = None,
) -> float:
    """Mean overlap.

    `vot2018`, `pysot`: the mean over repetitions of each frame, pooled over all frames of all sequences. `vot-python`:
    the mean of each repetition (0 where no frame counts), over repetitions, over sequences weighted by length.

    Args:
      runs: of all sequences.
      convention: one of `raster.CONVENTIONS`.
      burn_in: frames from a start on that do not count.
      masks: [T] bool per sequence, the frames of a tag; None: all. Frames count from starts of the whole sequence
        (Matlab's toolkit takes the tagged frames out first and counts within them).

    Returns:
      0..1, NaN where no frame counts.
    """
    totals, counts = accuracy_sums(runs, convention, burn_in, masks)
    return float(totals.sum() / counts.sum()) if counts.sum() else math.nan


def accuracy_sums(
    runs: Sequence[Sequence[Run]],
    convention: str = 'vot2018',
    burn_in: int = BURN_IN,
    masks: Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """What `accuracy` is the quotient of, for each sequence, so that sequences can be resampled.

    Args:
      runs: of all sequences.
      convention: one of `raster.CONVENTIONS`.
      burn_in: frames from a start on that do not count.
      masks: [T] bool per sequence.

    Returns:
      [S] sums of overlap and [S] what they are divided by: frames that count (`vot-python`: mean overlap times length,
      and length).
    """
    raster.check_convention(convention)
    totals, counts = [], []
    for repetitions, mask in zip(runs, check_masks(runs, masks), strict=True):
        use = np.stack([counted(run, burn_in) & mask for run in repetitions])
        overlaps = np.where(use, np.stack([run.overlaps for run in repetitions]), 0)
        axis = 1 if convention == 'vot-python' else 0
        number = use.sum(axis=axis)
        mean = overlaps.sum(axis=axis) / np.maximum(number, 1)
        if convention == 'vot-python':
            counts.append(mask.sum() if use.any() or masks is None else 0)
            totals.append(mean.mean() * counts[-1])
        else:
            counts.append((number > 0).sum())
            totals.append(mean.sum())  # 0 where no repetition counts
    return np.array(totals, np.float64), np.array(counts, np.float64)


def robustness(
    runs: Sequence[Sequence[Run]],
    convention: str = 'vot2018',
    masks: Sequence[np.ndarray] | None = None,
    sensitivity: float = SENSITIVITY,
) -> Robustness:
    """Failures, in every unit that is in use; with `masks` ([T] bool per sequence) those in the frames of a tag."""
    raster.check_convention(convention)
    masks = check_masks(runs, masks)
    failures = np.array(
        [
            np.mean([((run.codes == trajectory.FAILURE) & mask).sum() for run in repetitions])
            for repetitions, mask in zip(runs, masks, strict=True)
        ]
    )
    lengths = np.array([mask.sum() for mask in masks])
    total, frames = float(failures.sum()), int(lengths.sum())
    if not frames:
        return Robustness(total, math.nan, math.nan, math.nan, 0)
    weights = lengths if convention == 'vot-python' else lengths > 0
    per_sequence = float((failures * weights).sum() / weights.sum())
    length = frames / int((lengths > 0).sum())
    reliability = math.exp(-sensitivity * per_sequence / length)
    return Robustness(total, 100 * total / frames, per_sequence, reliability, frames)


def average_overlap(runs: Sequence[Sequence[Run]], convention: str = 'vot2018') -> float:
    """AO of an experiment without resets, 0..1.

    `vot2018`, `pysot`: Matlab's, no burn-in, every frame counts, and the first (where the tracker is only started), as
    any of unknown overlap, as 0. `vot-python`: `accuracy`, so with a burn-in of 10.
    """
    totals, counts = average_overlap_sums(runs, convention)
    return float(totals.sum() / counts.sum())


def average_overlap_sums(runs: Sequence[Sequence[Run]], convention: str = 'vot2018') -> tuple[np.ndarray, np.ndarray]:
    """What `average_overlap` is the quotient of, for each sequence: [S] sums and [S] counts."""
    raster.check_convention(convention)
    if convention == 'vot-python':
        return accuracy_sums(runs, convention)
    totals, counts = [], []
    for repetitions in runs:
        use = np.stack([counted(run, 0) for run in repetitions])
        sums = np.where(use, np.stack([run.overlaps for run in repetitions]), 0).sum(axis=0)
        totals.append((sums / np.maximum(use.sum(axis=0), 1)).sum())
        counts.append(len(sums))
    return np.array(totals, np.float64), np.array(counts, np.float64)


def check_masks(runs: Sequence[Sequence[Run]], masks: Sequence[np.ndarray] | None) -> list[np.ndarray]:
    """Masks that fit; ValueError where they do not, or where a sequence has no run or runs of different lengths."""
    if not runs or any(len({len(run.codes) for run in repetitions}) != 1 for repetitions in runs):
        raise ValueError('runs: accepted are sequences with one repetition or more, all of one length')
    lengths = [len(repetitions[0].codes) for repetitions in runs]
    masks = [np.ones(length, bool) for length in lengths] if masks is None else [np.asarray(m, bool) for m in masks]
    if [mask.shape for mask in masks] != [(length,) for length in lengths]:
        raise ValueError(f'masks: got shapes {[m.shape for m in masks]}, accepted are those of {lengths} frames')
    return masks
