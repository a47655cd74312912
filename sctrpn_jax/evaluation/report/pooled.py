"""One table over several benchmarks: the sequences of their reports pooled, each counting the same."""

import csv
import os
import pathlib
from collections.abc import Sequence

import numpy as np

from sctrpn_jax import bounded
from sctrpn_jax.metrics import one_pass

_SCORES = ('success', 'precision')


def read(reports: Sequence[str | os.PathLike]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Scores of every sequence in the `sequences.csv` of some reports.

    Args:
      reports: folders that `sctrpn evaluate` wrote, of one-pass benchmarks under OTB's measures.

    Returns:
      Tracker -> `report/sequence` -> (success AUC, precision).

    Raises:
      ValueError: no such report, or one without these scores; trackers that were not scored on the same sequences.
    """
    found: dict[str, dict[str, tuple[float, ...]]] = {}
    for report in reports:
        path = pathlib.Path(report) / 'sequences.csv'
        try:
            bounded.check_file(path, bounded.TEXT_BYTES)
            with path.open(newline='', encoding='utf-8') as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                scores = found.setdefault(row['tracker'], {})
                if all(row[name] for name in _SCORES):  # empty: that tracker has no result of the sequence
                    values = tuple(float(row[name]) for name in _SCORES)
                    if not all(0 <= value <= 1 for value in values):
                        raise ValueError(f'score {values}')
                    scores[f'{report}/{row["sequence"]}'] = values
        except OSError as error:
            raise ValueError(f'{path}: {error.strerror}; expected a report of bin/evaluate') from None
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            wanted = ', '.join(('tracker', 'sequence', *_SCORES))
            raise ValueError(
                f'{path}: no {str(error)[:80]}; expected the columns {wanted} (--convention=otb)'
            ) from None
    everywhere = {name for scores in found.values() for name in scores}
    if not everywhere:
        raise ValueError(f'no sequence in {", ".join(map(str, reports))}')
    for tracker, scores in found.items():
        if missing := sorted(everywhere - scores.keys()):
            raise ValueError(f'{tracker} has no score of {missing[0]}, which another tracker has')
    return found


def to_markdown(found: dict[str, dict[str, tuple[float, ...]]]) -> str:
    """One row per tracker, the best first: mean scores, interval of success, paired difference to the first row.

    Args:
      found: of `read`.
    """
    names = sorted(next(iter(found.values())))
    scores = {tracker: np.array([each[name] for name in names]) for tracker, each in found.items()}
    order = sorted(scores, key=lambda tracker: -scores[tracker][:, 0].mean())
    first = scores[order[0]][:, 0]
    lines = [
        f'| tracker ({len(names)} sequences) | success AUC (95 % interval) | precision at 20 px | behind the first |',
        '|---|---|---|---|',
    ]
    for tracker in order:
        success, precision = scores[tracker].T
        low, high = one_pass.bootstrap_interval(success)
        gap, least, most = one_pass.paired_difference(first, success)
        behind = f'{gap:.3f} ({least:.3f} to {most:.3f})' if tracker != order[0] else ''
        lines.append(
            f'| {tracker} | {success.mean():.3f} ({low:.3f} to {high:.3f}) | {precision.mean():.3f} | {behind} |'
        )
    return '\n'.join(lines)
