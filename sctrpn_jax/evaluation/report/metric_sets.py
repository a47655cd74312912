"""The columns and curves of a report, for each of the ways to score (`Benchmark.metrics`)."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from sctrpn_jax.evaluation.report import data
from sctrpn_jax.metrics import got10k, one_pass, trackingnet
from sctrpn_jax.metrics.vot import long_term


@dataclasses.dataclass(frozen=True)
class MetricSet:
    """What a report shows.

    Attributes:
      metrics: columns of the table of trackers.
      row_metrics: columns of the table of sequences.
      primary: key of the metric that ranks trackers.
      curves: the plots.
      attribute_unit: what there are several of per attribute, `sequences` or `frames`.
    """

    metrics: tuple[data.Metric, ...]
    row_metrics: tuple[data.Metric, ...]
    primary: str
    curves: tuple[data.CurveKind, ...]
    attribute_unit: str = 'sequences'


def _three_curves(overlap, error, normalized, at: tuple[float, ...], normalized_at: tuple[float, ...]):
    return (
        data.CurveKind('success', 'Success', 'overlap threshold', 'share of frames', _floats(overlap), 'success'),
        data.CurveKind(
            'precision', 'Precision', 'centre error threshold, px', 'share of frames', _floats(error), 'precision', at
        ),
        data.CurveKind(
            'normalized_precision',
            'Normalised precision',
            'centre error over target size, threshold',
            'share of frames',
            _floats(normalized),
            'normalized_precision',
            normalized_at,
        ),
    )


def _floats(values) -> tuple[float, ...]:
    return tuple(round(float(value), 6) for value in values)


def _three_metrics(form: str) -> tuple[data.Metric, ...]:
    return (
        data.Metric('success', 'Success', format=form),
        data.Metric('precision', 'Precision', format=form),
        data.Metric('normalized_precision', 'Norm. precision', format=form),
    )


def one_pass_set(normalized_area: bool = False, protocols: Sequence[str] = ()) -> MetricSet:
    """Metrics of one-pass evaluation.

    Args:
      normalized_area: normalised precision is the mean of its curve (`Convention.normalized_area`).
      protocols: of `tre` and `sre`. Each adds its success and precision, `tre_success` and `tre_precision`.
    """
    thresholds = one_pass.OVERLAP_THRESHOLDS, one_pass.ERROR_THRESHOLDS, one_pass.NORMALIZED_THRESHOLDS
    curves = _three_curves(*thresholds, (20.0,), () if normalized_area else (0.2,))
    metrics = _three_metrics('.3f')
    for protocol in protocols:
        for metric, curve in zip(_three_metrics('.3f')[:2], curves[:2], strict=True):
            key = f'{protocol}_{metric.key}'
            metrics += (dataclasses.replace(metric, key=key, name=f'{metric.name}, {protocol.upper()}'),)
            title = f'{curve.title}, {protocol.upper()}'
            curves += (dataclasses.replace(curve, key=key, title=title, metric=key),)
    return MetricSet(metrics, metrics, 'success', curves)


ONE_PASS = one_pass_set()
# Areas under the curves, so nothing is read at one threshold.
TRACKINGNET = MetricSet(
    _three_metrics('.1%'),
    _three_metrics('.1%'),
    'success',
    _three_curves(
        trackingnet.OVERLAP_THRESHOLDS, trackingnet.ERROR_THRESHOLDS, trackingnet.NORMALIZED_THRESHOLDS, (), ()
    ),
)
_GOT10K = (
    data.Metric('ao', 'AO'),
    data.Metric('sr50', 'SR 0.50'),
    data.Metric('sr75', 'SR 0.75'),
)
_LONG_TERM = (
    data.Metric('f_score', 'F-score'),
    data.Metric('long_term_precision', 'Precision'),
    data.Metric('long_term_recall', 'Recall'),
)
GOT10K = MetricSet(
    _GOT10K,
    _GOT10K,
    'ao',
    (
        data.CurveKind(
            'success', 'Success', 'overlap threshold', 'share of frames', _floats(got10k.OVERLAP_THRESHOLDS), 'ao'
        ),
    ),
)
LONG_TERM = MetricSet(
    _LONG_TERM,
    _LONG_TERM,
    'f_score',
    (
        data.CurveKind(
            'f_score',
            'F-score',
            'score threshold, by rank (1: lowest)',
            'F-score',
            _floats(np.linspace(0, 1, long_term.LEVELS)),
            'f_score',
        ),
    ),
)


def vot(lengths: int, interval: tuple[int, int]) -> MetricSet:
    """Metrics of VOT with resets; the paper's Table 1 prints `failures`, its Table 3 `robustness`.

    Args:
      lengths: of the EAO curve: frames of the longest sequence.
      interval: lengths that EAO is the mean of.
    """
    return MetricSet(
        (
            data.Metric('eao', 'EAO'),
            data.Metric('accuracy', 'Accuracy'),
            data.Metric('robustness', 'Robustness', 'failures per 100 frames', higher_is_better=False),
            data.Metric('failures', 'Failures', 'per sequence', higher_is_better=False, format='.2f'),
            data.Metric('ao', 'AO', 'no resets'),
        ),
        (
            data.Metric('accuracy', 'Accuracy'),
            data.Metric('failures', 'Failures', higher_is_better=False, format='.2f'),
        ),
        'eao',
        (
            data.CurveKind(
                'eao',
                'Expected average overlap',
                'sequence length, frames',
                'expected overlap',
                _floats(range(1, lengths + 1)),
                'eao',
                _floats(interval),
            ),
        ),
        'frames',
    )
