"""95 % intervals of a tracker's VOT scores: bootstrap over sequences, of what each sequence adds to a score."""

import numpy as np

from sctrpn_jax.evaluation.score import vot_scores
from sctrpn_jax.metrics import intervals
from sctrpn_jax.metrics.vot import expected_overlap, supervised


def vot_intervals(
    measured: vot_scores.Measured, interval: tuple[int, int], samples: int = 10_000
) -> dict[str, tuple[float, float] | None]:
    """Intervals of the overall scores.

    Args:
      measured: of `vot.scores.measure`.
      interval: lengths that EAO is the mean of.
      samples: resamplings.

    Returns:
      `eao`, `accuracy`, `robustness` (failures per 100 frames), `failures` (per sequence), `ao` -> (low, high); None
      where there are fewer than two sequences, or no score.
    """
    convention, runs = measured.convention, measured.runs
    each = [supervised.robustness([repetitions], convention) for repetitions in runs]
    failures, frames = (np.array([getattr(r, key) for r in each], np.float64) for key in ('failures', 'frames'))
    # The Python toolkit weights the failures of a sequence by its length.
    weights = frames if convention == 'vot-python' else np.ones(len(frames))
    free = measured.free_runs
    return {
        'eao': _expected_overlap(measured, interval, samples),
        'accuracy': intervals.pooled_interval(
            *supervised.accuracy_sums(measured.accuracy_runs, convention), samples=samples
        ),
        'robustness': intervals.pooled_interval(failures * 100, frames, samples=samples),
        'failures': intervals.pooled_interval(failures * weights, weights, samples=samples),
        'ao': free and intervals.pooled_interval(*supervised.average_overlap_sums(free, convention), samples=samples),
    }


def _expected_overlap(measured, interval, samples) -> tuple[float, float] | None:
    # Lengths beyond the interval's end are not read; the Python toolkit's ends one later.
    sums = [each[:, : interval[1]] for each in expected_overlap.sums(measured.runs, measured.convention)]

    def score(chosen: np.ndarray) -> float:
        times = np.bincount(chosen, minlength=len(measured.runs)).astype(np.float64)
        curve = expected_overlap.curve_of_sums(*(times @ each for each in sums))
        return expected_overlap.expected_overlap(curve, interval, measured.convention)

    return intervals.resampled_interval(score, len(measured.runs), samples=samples)
