"""The numbers of an ablation: means, spread over seeds, intervals, differences; as JSON, Markdown and CSV.

What the paper prints stands in columns of its own: another benchmark, other data, another budget.
"""

import csv
import dataclasses
import io
import json
import os
import pathlib
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.metrics import one_pass
from sctrpn_jax.studies import ablation as ablation_lib
from sctrpn_jax.system import files

QUARTERS = 4  # parts of a training over which what was logged is averaged
# Logged for each stage on the training pairs -> title and digits. Losses have no common scale; these have.
COURSES = {
    'peak_distance': ("Response peak to the target's centre, search-crop pixels", 1),
    'iou': ('Overlap of the best scored box with the target', 3),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Replicate:
    """One variant with one seed.

    Attributes:
      scores: metric -> [S], one value per sequence, NaN where it has none.
      pairs: that its training saw; None: not known.
      courses: of `COURSES` -> stage -> [4] mean in each quarter of the training; empty where the variant has no
        training of its own.
    """

    scores: Mapping[str, np.ndarray]
    pairs: int | None = None
    courses: Mapping[str, Mapping[str, np.ndarray]] = dataclasses.field(default_factory=dict)


def hierarchical_difference(
    a: np.ndarray, b: np.ndarray, level: float = 0.95, samples: int = 10_000, seed: int = 0
) -> tuple[float, float, float]:
    """Mean of a - b, and its bootstrap interval over seeds and sequences.

    Both are drawn with replacement, a sequence with all the seeds drawn (they share what is hard about it). Three seeds
    say little about other seeds: with so few the interval is rather too narrow.

    Args:
      a: [R, S] scores, one row per seed.
      b: [R, S] of another variant, the same seeds and sequences.
      level: share of the resampled means inside, in 0..1.
      samples: resamplings.
      seed: of the resampling.

    Returns:
      (mean, low, high).

    Raises:
      ValueError: shapes that do not fit, or a value that is not finite.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape or a.ndim != 2 or not a.size or not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError(
            f'paired scores: got shapes {a.shape} and {b.shape}, accepted are two of the same shape [R, S], finite'
        )
    difference, (runs, sequences) = a - b, a.shape
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, runs, (samples, runs))
    weight = (drawn[..., None] == np.arange(runs)).mean(axis=1)
    by_sequence = weight @ difference
    means = np.take_along_axis(by_sequence, rng.integers(0, sequences, (samples, sequences)), axis=1).mean(axis=1)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(difference.mean()), float(low), float(high)


def summarise(
    ablation: ablation_lib.Ablation,
    measured: Mapping[str, Mapping[str, Replicate]],
    about: Mapping,
    diverged: Mapping[str, Mapping[str, str]] | None = None,
) -> dict:
    """Everything about an ablation, JSON-ready.

    Args:
      ablation: which.
      measured: variant -> seed -> what was measured.
      about: goes into the report as it is (benchmark, names of the sequences, ..).
      diverged: variant -> seed -> why there is nothing.

    Returns:
      `variants`: name -> `changes`, `weights_of`, `pairs` (by seed), `scores` (metric -> `mean`, `seed_means`,
      `seed_spread`: standard deviation over seeds, None for one; `interval`: 95 % over sequences), `difference` to the
      reference (metric -> `mean`, `interval`: 95 % over seeds and sequences that both have, `seeds`), `courses`
      (of `COURSES` -> stage -> mean over the seeds in each quarter of the training), `diverged`, `printed`; and what
      names the whole.
    """
    usable = {name: _usable(measured, name) for name in ablation.metrics}
    rows = {}
    for name, runs in measured.items():
        rows[name] = {
            'changes': ablation.changes(name),
            'weights_of': ablation.variants[name].weights_of or None,
            'pairs': {seed: run.pairs for seed, run in runs.items()},
            'scores': {metric: _score(runs, metric, usable[metric]) for metric in ablation.metrics} if runs else {},
            'difference': _differences(ablation, measured, name, usable),
            'courses': _courses(list(runs.values())),
            'diverged': dict((diverged or {}).get(name, {})),
            'printed': dict(ablation.printed.get(name, {})),
        }
    return {
        'ablation': ablation.name,
        'title': ablation.title,
        'note': ablation.note,
        **about,
        'metrics': list(ablation.metrics),
        'reference': ablation.reference,
        'printed_source': ablation.printed_source,
        'variants': rows,
    }


def _usable(measured: Mapping[str, Mapping[str, Replicate]], metric: str) -> np.ndarray:
    """[S] bool: sequences with a value everywhere."""
    values = [run.scores[metric] for runs in measured.values() for run in runs.values()]
    return np.isfinite(values).all(axis=0) if values else np.zeros(0, bool)


def _matrix(runs: Mapping[str, Replicate], metric: str, usable: np.ndarray, seeds: Sequence[str]) -> np.ndarray:
    return np.array([np.asarray(runs[seed].scores[metric], np.float64)[usable] for seed in seeds])


def _score(runs: Mapping[str, Replicate], metric: str, usable: np.ndarray) -> dict:
    scores = _matrix(runs, metric, usable, list(runs))
    if not scores.size:
        return {'mean': None, 'seed_means': {}, 'seed_spread': None, 'interval': None}
    means = scores.mean(axis=1)
    return {
        'mean': float(means.mean()),
        'seed_means': {seed: float(mean) for seed, mean in zip(runs, means, strict=True)},
        'seed_spread': float(means.std(ddof=1)) if len(means) > 1 else None,
        'interval': list(one_pass.bootstrap_interval(scores.mean(axis=0))),
    }


def _differences(ablation: ablation_lib.Ablation, measured: Mapping, name: str, usable: Mapping) -> dict:
    """Metric -> difference to the reference, over the seeds that both have; {} where there is none."""
    runs, reference = measured[name], measured.get(ablation.reference, {})
    seeds = [seed for seed in runs if seed in reference]
    if name == ablation.reference or not seeds:
        return {}
    made = {}
    for metric in ablation.metrics:
        a, b = (_matrix(each, metric, usable[metric], seeds) for each in (runs, reference))
        if a.size:
            mean, low, high = hierarchical_difference(a, b)
            made[metric] = {'mean': mean, 'interval': [low, high], 'seeds': len(seeds)}
    return made


def _courses(runs: Sequence[Replicate]) -> dict[str, dict[str, list[float | None]]]:
    made: dict[str, dict] = {}
    for name in sorted({name for run in runs for name in run.courses}):
        stages = [run.courses[name] for run in runs if name in run.courses]
        for stage in sorted({stage for each in stages for stage in each}):
            values = np.array([each[stage] for each in stages if stage in each])
            columns = [column[np.isfinite(column)] for column in values.T]
            means = [float(column.mean()) if len(column) else None for column in columns]
            made.setdefault(name, {})[stage] = means
    return made


def to_markdown(report: dict) -> str:
    """`summarise`'s report as a page: the table, what the columns mean, how the trainings went."""
    metrics, printed = report['metrics'], _printed_metrics(report)
    against = f'against {report["reference"]}'
    head = ['variant', 'pairs', 'seeds', *(name for metric in metrics for name in (metric, against))]
    head += [f'**printed** {metric} ({report["printed_source"]})' for metric in printed]
    rows = []
    for name, row in report['variants'].items():
        cells = [name, _pairs(row), str(len(row['pairs']))]
        for metric in metrics:
            digits = 1 if metric == 'fps' else 3
            cells.append(_score_cell(row['scores'].get(metric), digits))
            cells.append(_difference_cell(row['difference'].get(metric), digits))
        rows.append(
            [*cells, *(f'{row["printed"][metric]:g}' if metric in row['printed'] else '' for metric in printed)]
        )
    parts = [f'# {report["title"]}', *([report['note']] if report['note'] else []), table(head, rows)]
    parts.append(
        f'Measured on {report["benchmark"]}, {len(report["sequences"])} sequences, one pass: mean over seeds and '
        "sequences ± standard deviation of the seeds' means [95 % bootstrap over sequences]; difference [95 % "
        "bootstrap over seeds and sequences, both drawn anew]. Columns marked as printed are the paper's, on the "
        'benchmark named there: not comparable with the others.'
    )
    for name, row in report['variants'].items():
        parts += [f'{name}, {seed}: diverged, left out: {why}' for seed, why in row['diverged'].items()]
    for course, (title, digits) in COURSES.items():
        found = {name: row['courses'][course] for name, row in report['variants'].items() if course in row['courses']}
        if found:
            stages = sorted({stage for row in found.values() for stage in row})
            rows = [[name, *(_course_cell(row.get(stage), digits) for stage in stages)] for name, row in found.items()]
            parts += [f'## {title}, in each quarter of the training', table(['variant', *stages], rows)]
    return '\n\n'.join(parts) + '\n'


def _pairs(row: dict) -> str:
    return ' / '.join(map(str, sorted({pairs for pairs in row['pairs'].values() if pairs is not None})))


def _printed_metrics(report: dict) -> list[str]:
    return list(dict.fromkeys(metric for row in report['variants'].values() for metric in row['printed']))


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    return '\n'.join('| ' + ' | '.join(cells) + ' |' for cells in (head, ['---'] * len(head), *rows))


def _score_cell(score: dict | None, digits: int) -> str:
    if not score or score['mean'] is None:
        return ''
    spread = '' if score['seed_spread'] is None else f' ± {score["seed_spread"]:.{digits}f}'
    low, high = score['interval']
    return f'{score["mean"]:.{digits}f}{spread} [{low:.{digits}f}, {high:.{digits}f}]'


def _difference_cell(difference: dict | None, digits: int) -> str:
    if not difference:
        return ''
    low, high = difference['interval']
    return f'{difference["mean"]:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]'


def _course_cell(quarters: Sequence[float | None] | None, digits: int) -> str:
    return ' / '.join('–' if value is None else f'{value:.{digits}f}' for value in quarters or ())


def to_csv(report: dict) -> str:
    """`summarise`'s report, one row per variant and metric; the paper's numbers in rows and a column of their own."""
    text = io.StringIO()
    columns = ['variant', 'metric', 'benchmark', 'seeds', 'pairs', 'mean', 'seed_spread', 'low', 'high', 'difference']
    writer = csv.DictWriter(
        text, [*columns, 'difference_low', 'difference_high', 'printed', 'printed_source'], lineterminator='\n'
    )
    writer.writeheader()
    for name, row in report['variants'].items():
        for metric, score in row['scores'].items():
            line = {'variant': name, 'metric': metric, 'benchmark': report['benchmark'], 'pairs': _pairs(row)}
            line |= {'seeds': len(score['seed_means']), 'mean': score['mean'], 'seed_spread': score['seed_spread']}
            line |= dict(zip(('low', 'high'), score['interval'] or (), strict=False))
            if difference := row['difference'].get(metric):
                line['difference'] = difference['mean']
                line['difference_low'], line['difference_high'] = difference['interval']
            writer.writerow(line)
        for metric, value in row['printed'].items():
            source = report['printed_source']
            writer.writerow({'variant': name, 'metric': metric, 'printed': value, 'printed_source': source})
    return text.getvalue()


def write(report: dict, folder: str | os.PathLike) -> list[pathlib.Path]:
    """Writes <name>.json, .md and .csv, each whole or not at all.

    Returns:
      Their paths.
    """
    folder = pathlib.Path(folder)
    made = {'json': json.dumps(report, indent=1) + '\n', 'md': to_markdown(report), 'csv': to_csv(report)}
    paths = [folder / f'{report["ablation"]}.{ending}' for ending in made]
    for path, text in zip(paths, made.values(), strict=True):
        files.write_text(path, text)
    return paths
