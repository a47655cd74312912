"""Trackers or settings beside a base, a column for each validation set, so that no single set decides.

A setting is taken when it helps the mean over the sets and hurts none beyond its interval.
"""

import os
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.evaluation.report import pooled
from sctrpn_jax.metrics import one_pass

_SAMPLES = 10_000


def verdict(differences: Sequence[np.ndarray]) -> tuple[str, tuple[float, float, float]]:
    """What paired differences on several sets say; every set counts the same, whatever its number of sequences.

    Args:
      differences: of each set, [S] success AUC minus the base's, one per sequence.

    Returns:
      `better` (the mean over the sets is above 0, and no set's 95 % interval lies below 0), `worse` (the same with the
      signs changed) or `undecided`; and the mean over the sets with its 95 % interval (mean, low, high).
    """
    generator = np.random.default_rng(0)
    means = [each[generator.integers(0, len(each), (_SAMPLES, len(each)))].mean(axis=1) for each in differences]
    low, high = np.quantile(np.mean(means, axis=0), [0.025, 0.975])
    mean = float(np.mean([each.mean() for each in differences]))
    intervals = [one_pass.bootstrap_interval(each) for each in differences]
    word = 'undecided'
    if mean > 0 and all(top >= 0 for _, top in intervals):
        word = 'better'
    elif mean < 0 and all(bottom <= 0 for bottom, _ in intervals):
        word = 'worse'
    return word, (mean, float(low), float(high))


def to_markdown(reports: Sequence[str | os.PathLike], base: str) -> str:
    """One row per tracker, the base first; of each set its scores and the paired difference to the base.

    Args:
      reports: one folder per set that `sctrpn evaluate` wrote, the same trackers in each.
      base: name of the tracker that the others are compared with.

    Raises:
      ValueError: a report that cannot be read, or no such tracker.
    """
    found = [pooled.read([report]) for report in reports]
    trackers = sorted(found[0])
    for report, each in zip(reports, found, strict=True):
        for name in (base, *trackers):
            if name not in each:
                raise ValueError(f'{report} has no tracker {name!r}; it has {", ".join(sorted(each))}')
    scores = [{name: np.array([each[name][key] for key in sorted(each[base])]) for name in trackers} for each in found]
    names = [os.fspath(report) for report in reports]
    shared = os.path.commonpath(names) if len(names) > 1 else os.path.dirname(names[0])
    titles = [
        f'{os.path.relpath(name, shared or ".")} ({len(each[base])})' for name, each in zip(names, scores, strict=True)
    ]
    lines = [
        f'| success AUC / precision, difference to {base} | {" | ".join(titles)} | mean over the sets | |',
        f'|---{"|---" * len(titles)}|---|---|',
    ]
    for name in (base, *(name for name in trackers if name != base)):
        cells = []
        for each in scores:
            success, precision = each[name].mean(axis=0)
            cell = f'{success:.3f} / {precision:.3f}'
            if name != base:
                cell += f', {_difference(*one_pass.paired_difference(each[name][:, 0], each[base][:, 0]))}'
            cells.append(cell)
        mean = np.mean([each[name].mean(axis=0) for each in scores], axis=0)
        total, word = f'{mean[0]:.3f} / {mean[1]:.3f}', ''
        if name != base:
            word, difference = verdict([each[name][:, 0] - each[base][:, 0] for each in scores])
            total += f', {_difference(*difference)}'
        lines.append(f'| {name} | {" | ".join(cells)} | {total} | {word} |')
    return '\n'.join(lines)


def _difference(mean: float, low: float, high: float) -> str:
    return f'{mean:+.3f} ({low:+.3f} to {high:+.3f})'
