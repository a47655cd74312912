"""Which metrics and curves each benchmark has, and what it is called."""

import dataclasses
from collections.abc import Sequence

from sctrpn_jax.evaluation.report import data
from sctrpn_jax.metrics import got10k, one_pass, trackingnet


@dataclasses.dataclass(frozen=True)
class MetricSet:
    """Columns, sequence columns, the metric that ranks, curves, and what an attribute's count counts."""

    metrics: tuple[data.Metric, ...]
    row_metrics: tuple[data.Metric, ...]
    primary: str
    curves: tuple[data.CurveKind, ...]
    attribute_unit: str = 'sequences'


@dataclasses.dataclass(frozen=True)
class Benchmark:
    """A benchmark: its name, how many sequences all of it has (None: not fixed), and its metrics."""

    title: str
    sequences: int | None
    metrics: MetricSet


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
      protocols: of `tre`, `sre`, whose success and precision stand beside, as `tre_success`, `tre_precision`.
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
            data.Metric('robustness', 'Robustness', 'failures / 100 frames', higher_is_better=False),
            data.Metric('failures', 'Failures', 'a sequence', higher_is_better=False, format='.2f'),
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


BENCHMARKS = {
    'otb': Benchmark('OTB-2015', 100, ONE_PASS),
    'uav123': Benchmark('UAV123', 123, ONE_PASS),
    'lasot': Benchmark('LaSOT', 280, ONE_PASS),
    'davis': Benchmark('DAVIS', None, ONE_PASS),
    'trackingnet': Benchmark('TrackingNet', 511, TRACKINGNET),
    'got10k': Benchmark('GOT-10k', 180, GOT10K),
    'vot': Benchmark('VOT2018', 60, vot(356, (100, 356))),
}


def benchmark(kind: str) -> Benchmark:
    """The benchmark of that name (a key of `data.sequences.BENCHMARKS`).

    Raises:
      ValueError: an unknown one.
    """
    if kind not in BENCHMARKS:
        raise ValueError(f'benchmark: got {kind!r}, accepted are {", ".join(BENCHMARKS)}')
    return BENCHMARKS[kind]
