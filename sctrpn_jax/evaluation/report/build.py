"""Scores of any benchmark as a report: means, bootstrap intervals, curves, rows, attributes.

Numbers are rounded to 1e-6, so that the order of a sum does not show.
"""

import dataclasses
import json
import math
import typing
from collections.abc import Mapping, Sequence

import numpy as np

from sctrpn_jax.data.benchmarks import record
from sctrpn_jax.evaluation.report import data, environments, metric_sets
from sctrpn_jax.evaluation.score import vot_scores
from sctrpn_jax.metrics import conventions, got10k, one_pass, trackingnet
from sctrpn_jax.metrics import intervals as intervals_lib
from sctrpn_jax.metrics.vot import long_term

_CURVES = {'success': 'success_curve', 'precision': 'precision_curve', 'normalized_precision': 'normalized_curve'}
_BY_ATTRIBUTE = ('success', 'precision')  # the curves that OTB's toolkit plots for each attribute


def one_pass_tracker(
    name: str,
    scores: Mapping[str, one_pass.Scores],
    by_attribute: Mapping[str, tuple[one_pass.Scores, int]] | None = None,
    convention: str = 'otb',
    perturbed: Mapping[str, Mapping[str, one_pass.Scores]] | None = None,
    **about: typing.Any,
) -> data.Tracker:
    """A tracker on OTB, UAV123 or LaSOT.

    Args:
      name: of the tracker.
      scores: sequence -> scores, in the benchmark's order.
      by_attribute: attribute -> (mean scores, number of sequences), of `attributes.scores_by_attribute`.
      convention: that of the scores.
      perturbed: protocol (`tre`, `sre`) -> sequence -> scores over all its runs.
      **about: `source`, `seed`, `config`, `problems`, `problem_counts`, `timing` of `data.Tracker`.

    Raises:
      ValueError: an unknown convention.
    """
    drop = conventions.convention(convention).drop_zero_curves
    mean = one_pass.mean_scores(scores.values(), convention)
    tracker = _mean_tracker(name, scores, mean, by_attribute, drop, about)
    values, curves, rows = dict(tracker.values), dict(tracker.curves), tracker.rows
    for protocol, found in (perturbed or {}).items():
        pooled = _mean_tracker(name, found, one_pass.mean_scores(found.values(), convention), None, drop, {})
        keys = {key: f'{protocol}_{key}' for key in ('success', 'precision')}
        values |= {new: pooled.values[key] for key, new in keys.items()}
        curves |= {new: pooled.curves[key] for key, new in keys.items()}
        by_name = {row.sequence: {new: row.values[key] for key, new in keys.items()} for row in pooled.rows}
        rows = [dataclasses.replace(row, values=row.values | by_name.get(row.sequence, {})) for row in rows]
    return dataclasses.replace(tracker, values=values, curves=curves, rows=tuple(rows))


def trackingnet_tracker(
    name: str,
    scores: Mapping[str, one_pass.Scores],
    by_attribute: Mapping[str, tuple[one_pass.Scores, int]] | None = None,
    **about: typing.Any,
) -> data.Tracker:
    """A tracker on TrackingNet, from scores of `trackingnet.score_sequence`; arguments are those of `one_pass_tracker`.

    Raises:
      ValueError: no sequence.
    """
    return _mean_tracker(name, scores, trackingnet.mean_scores(scores.values()), by_attribute, False, about)


def got10k_tracker(name: str, overlaps: Mapping[str, np.ndarray], **about: typing.Any) -> data.Tracker:
    """A tracker on GOT-10k.

    Args:
      name: of the tracker.
      overlaps: sequence -> [F] of `got10k.frame_overlaps`, over all its repetitions.
      **about: other fields of `data.Tracker`, see `one_pass_tracker`.
    """
    pooled = got10k.scores(overlaps.values())
    above = {'ao': lambda o: o, 'sr50': lambda o: o > 0.5, 'sr75': lambda o: o > 0.75}
    frames = np.array([len(each) for each in overlaps.values()], np.float64)
    values = {}
    for key, judge in above.items():
        totals = np.array([judge(each).sum() for each in overlaps.values()], np.float64)
        values[key] = _value(getattr(pooled, key), intervals_lib.pooled_interval(totals, frames))
    rows = []
    for sequence, each in overlaps.items():
        alone = got10k.scores([each])
        rows.append(data.Row(sequence, alone.frames, {key: _number(getattr(alone, key)) for key in above}))
    return _tracker(name, values, {'success': _numbers(pooled.curve)}, rows, {}, about)


def vot_tracker(
    name: str,
    scores: vot_scores.Scores,
    intervals: Mapping[str, tuple[float, float] | None] | None = None,
    **about: typing.Any,
) -> data.Tracker:
    """A tracker on VOT with resets.

    Args:
      name: of the tracker.
      scores: of `vot.scores.score`; their problems and missing sequences become the tracker's.
      intervals: metric -> (low, high), of `vot_intervals`.
      **about: other fields of `data.Tracker`, except its problems.
    """

    def values_of(group: vot_scores.Group) -> dict[str, float | None]:
        found = {
            'eao': group.expected_overlap,
            'accuracy': group.accuracy,
            'robustness': group.robustness.rate,
            'failures': group.robustness.per_sequence,
        }
        return {key: _number(value) for key, value in found.items()}

    overall = {**values_of(scores.overall), 'ao': _number(scores.average_overlap)}
    values = {key: _value(value, (intervals or {}).get(key)) for key, value in overall.items()}
    rows = [
        data.Row(sequence, group.robustness.frames, {key: values_of(group)[key] for key in ('accuracy', 'failures')})
        for sequence, group in scores.sequences.items()
    ]
    tags = {tag: data.Attribute(g.robustness.frames, values_of(g)) for tag, g in sorted(scores.tags.items())}
    lines = [f'no results, so not scored: {", ".join(scores.missing)}'] if scores.missing else []
    lines += scores.problems  # which say why, a line for each missing sequence
    counts = {'missing': len(scores.missing), 'other': len(scores.problems) - len(scores.missing)}
    about = {
        'problems': lines,
        'problem_counts': {kind: count for kind, count in counts.items() if count > 0},
        **about,
    }
    return _tracker(name, values, {'eao': _numbers(scores.curve)}, rows, tags, about)


def long_term_tracker(name: str, runs: Mapping[str, long_term.Run], **about: typing.Any) -> data.Tracker:
    """A tracker on VOT's long-term sets.

    Args:
      name: of the tracker.
      runs: sequence -> what was measured. The rows have each sequence's scores at the threshold that is best for all.
      **about: other fields of `data.Tracker`, see `one_pass_tracker`.
    """
    found = long_term.score(list(runs.values()))

    def at_best(chosen: np.ndarray) -> dict[str, float]:
        precision, recall = found.precisions[chosen].mean(axis=0), found.recalls[chosen].mean(axis=0)
        curve = long_term.f_scores(precision, recall)
        best = int(np.argmax(curve))
        keys = ('f_score', 'long_term_precision', 'long_term_recall')
        return dict(zip(keys, (float(curve[best]), float(precision[best]), float(recall[best])), strict=True))

    values = {
        key: _value(value, intervals_lib.resampled_interval(lambda chosen, key=key: at_best(chosen)[key], len(runs)))
        for key, value in at_best(np.arange(len(runs))).items()
    }
    rows = []
    for number, (sequence, run) in enumerate(runs.items()):
        precision, recall = found.precisions[number, found.best], found.recalls[number, found.best]
        three = zip(values, (long_term.f_scores(precision, recall), precision, recall), strict=True)
        rows.append(data.Row(sequence, len(run.overlaps), {key: _number(value) for key, value in three}))
    # Fewer frames than thresholds make a shorter curve, which is stretched.
    shown = np.round(np.linspace(0, len(found.curve) - 1, long_term.LEVELS)).astype(int)
    return _tracker(name, values, {'f_score': _numbers(found.curve[shown])}, rows, {}, about)


def report(
    split: record.Split,
    convention: str,
    trackers: Sequence[data.Tracker],
    sequences: Sequence[str],
    metrics: metric_sets.MetricSet,
    environment: data.Environment | None = None,
) -> data.Report:
    """The report of one benchmark's split, with published results beside ours.

    Args:
      split: what was scored.
      convention: by which rules the numbers were made, for people.
      trackers: made by this module.
      sequences: all names that were to be scored, in the benchmark's order.
      metrics: which scores the trackers have.
      environment: None: that of this process.

    Raises:
      ValueError: two trackers of one name, or a curve with more values than thresholds.
    """
    names = [tracker.name for tracker in trackers]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f'report: {twice[0]!r} names more than one tracker; give each a name of its own')
    trackers = [_fitted(tracker, metrics.curves) for tracker in trackers]
    note = ''
    if split.published and len(sequences) != split.count:
        note = (
            f'Published results are over all {split.count} sequences of {split.title}; these are over '
            f'{len(sequences)}, so the two do not compare.'
        )
    return data.Report(
        split.title,
        convention,
        metrics.metrics,
        metrics.row_metrics,
        metrics.primary,
        metrics.curves,
        tuple(sequences),
        metrics.attribute_unit,
        tuple(trackers),
        split.published,
        note,
        environment or environments.describe_environment(),
    )


def _mean_tracker(name, scores, mean, by_attribute, drop_zero_curves, about) -> data.Tracker:
    values = {}
    for key, curve in _CURVES.items():
        counted = [s for s in scores.values() if s.frames and not (drop_zero_curves and not getattr(s, curve).any())]
        interval = _interval(np.array([getattr(s, key) for s in counted], np.float64))
        values[key] = _value(getattr(mean, key), interval)
    curves = {key: _numbers(getattr(mean, curve)) for key, curve in _CURVES.items()}
    rows = [data.Row(sequence, each.frames, _three(each)) for sequence, each in scores.items()]
    attributes = {}
    for key, (each, count) in sorted((by_attribute or {}).items()):
        plotted = {curve: _numbers(getattr(each, _CURVES[curve])) for curve in _BY_ATTRIBUTE}
        attributes[key] = data.Attribute(count, _three(each), plotted)
    return _tracker(name, values, curves, rows, attributes, about)


def _tracker(name, values, curves, rows, attributes, about) -> data.Tracker:
    if 'config' in about:  # tuples become lists here, not on the way back from a file
        about = {**about, 'config': json.loads(json.dumps(about['config']))}
    about = {key: tuple(value) if key == 'problems' else value for key, value in about.items()}
    return data.Tracker(name, values=values, curves=curves, rows=tuple(rows), attributes=attributes, **about)


def _fitted(tracker: data.Tracker, kinds: Sequence[data.CurveKind]) -> data.Tracker:
    """With curves as long as their x: where the longest sequence has no results, an EAO curve ends early."""
    curves = dict(tracker.curves)
    for kind in kinds:
        values = curves.get(kind.key, ())
        if len(values) > len(kind.x):
            raise ValueError(f'curve {kind.key} of {tracker.name!r}: got {len(values)} values, accepts {len(kind.x)}')
        curves[kind.key] = values + (None,) * (len(kind.x) - len(values))
    return dataclasses.replace(tracker, curves=curves)


def _three(scores: one_pass.Scores) -> dict[str, float | None]:
    return {key: _number(getattr(scores, key)) for key in _CURVES}


def _interval(values: np.ndarray) -> tuple[float, float] | None:
    return one_pass.bootstrap_interval(values) if len(values) > 1 else None


def _value(value: float | None, interval: tuple[float, float] | None) -> data.Value:
    low, high = interval or (None, None)
    return data.Value(_number(value), _number(low), _number(high))


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(float(value), 6)


def _numbers(values: np.ndarray) -> tuple[float | None, ...]:
    return tuple(_number(value) for value in values)
