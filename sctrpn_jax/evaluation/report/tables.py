"""A report as tables: trackers by metrics as CSV and Markdown, every sequence and every attribute as CSV.

CSV holds plain numbers (shares 0..1, an empty field where there is none), Markdown what people read.
"""

import csv
import io
from collections.abc import Iterable, Sequence

from sctrpn_jax.evaluation.report import data

MEASURED, PUBLISHED = 'measured', 'published'


def trackers_csv(report: data.Report) -> str:
    """Trackers by metrics, best first, then what is published.

    Returns:
      CSV: `tracker`, `kind` (measured, published), `source`, `sequences`, per metric its value and the ends of its 95 %
      interval (`success`, `success_low`, `success_high`), `problems`, `seed`, and last, as measured, `fps` and the
      `hardware` that tracked.
    """
    keys = [metric.key for metric in report.metrics]
    ends = ('', '_low', '_high')
    header = ['tracker', 'kind', 'source', 'sequences', *(key + end for key in keys for end in ends), 'problems']
    lines = [[*header, 'seed', 'fps', 'hardware']]
    for tracker in report.ranked():
        values = [tracker.values.get(key, data.Value(None)) for key in keys]
        numbers = [_plain(number) for value in values for number in (value.value, value.low, value.high)]
        first = [tracker.name, MEASURED, tracker.source, len(tracker.rows), *numbers, tracker.problem_total]
        lines.append([*first, tracker.seed, _plain(tracker.timing.fps), tracker.timing.hardware])
    for printed in report.published:
        numbers = [number for key in keys for number in (_plain(printed.values.get(key)), '', '')]
        first = [printed.tracker, PUBLISHED, printed.source, '', *numbers, '', '']
        lines.append([*first, _plain(printed.fps), printed.hardware])
    return _csv(lines)


def sequences_csv(report: data.Report) -> str:
    """Every sequence of every tracker, in the order of the benchmark.

    Returns:
      CSV: `tracker`, `sequence`, `frames`, the sequence's metrics and, as measured, `fps`. A sequence without results
      has empty fields.
    """
    keys = [metric.key for metric in report.row_metrics]
    lines = [['tracker', 'sequence', 'frames', *keys, 'fps']]
    for tracker in report.trackers:
        rows = {row.sequence: row for row in tracker.rows}
        for sequence in report.sequences:
            row = rows.get(sequence)
            numbers = [_plain(row.values.get(key)) if row else '' for key in keys]
            fps = _plain(tracker.timing.sequences.get(sequence))
            lines.append([tracker.name, sequence, row.frames if row else '', *numbers, fps])
    return _csv(lines)


def attributes_csv(report: data.Report) -> str:
    """Every attribute of every tracker.

    Returns:
      CSV: `tracker`, `attribute`, how many `sequences` (or `frames`) have it, the metrics.
    """
    keys = [metric.key for metric in report.metrics]
    lines = [['tracker', 'attribute', report.attribute_unit, *keys]]
    for tracker in report.trackers:
        for name, attribute in sorted(tracker.attributes.items()):
            lines.append([tracker.name, name, attribute.count, *(_plain(attribute.values.get(key)) for key in keys)])
    return _csv(lines)


def trackers_markdown(report: data.Report) -> str:
    """Trackers by metrics with intervals, published results marked; then convention, note and facts of the runs."""
    header = ['Tracker', *(f'{m.title} {arrow(m)}' for m in report.metrics), 'frames/s', 'Sequences', 'Source']
    lines = [header]
    for tracker in report.ranked():
        values = [with_interval(m, tracker.values.get(m.key, data.Value(None))) for m in report.metrics]
        count = f'{len(tracker.rows)} of {len(report.sequences)}'
        lines.append([tracker.name, *values, speed(tracker.timing.fps), count, tracker.source or MEASURED])
    for printed in report.published:
        values = [metric.text(printed.values.get(metric.key)) for metric in report.metrics]
        source = f'{PUBLISHED}: {printed.source}'
        lines.append([printed.tracker, *values, speed(printed.fps), data.NOTHING, source])
    left = ':---', '---:'
    rule = '| ' + ' | '.join([left[0], *[left[1]] * (len(header) - 2), left[0]]) + ' |'
    table = ['| ' + ' | '.join(map(escape, line)) + ' |' for line in lines]
    notes = [f'Convention: {report.convention}. 95 % intervals: bootstrap over sequences.', report.published_note]
    for tracker in report.trackers:
        seed = '' if tracker.seed is None else f'seed {tracker.seed}'
        machine = tracker.timing.hardware and f'tracked on {tracker.timing.hardware}'
        problems = f'{tracker.problem_total} problems in its files' if tracker.problem_total else ''
        if facts := ', '.join(each for each in (seed, machine, problems) if each):
            notes.append(f'{tracker.name}: {facts}.')
    head = [f'# {escape(report.benchmark)}', '', table[0], rule, *table[1:], '']
    return '\n'.join([*head, *(f'{escape(note)}\n' for note in notes if note)])


def arrow(metric: data.Metric) -> str:
    """Which way is better."""
    return '↑' if metric.higher_is_better else '↓'


def with_interval(metric: data.Metric, value: data.Value) -> str:
    """`0.637 [0.601, 0.671]`."""
    if value.low is None or value.high is None:
        return metric.text(value.value)
    return f'{metric.text(value.value)} [{metric.text(value.low)}, {metric.text(value.high)}]'


def speed(fps: float | None) -> str:
    """Frames per second for people."""
    return data.NOTHING if fps is None else f'{fps:.0f}' if fps >= 100 else f'{fps:.1f}'


def escape(text: str) -> str:
    """Text as it is in a cell of a Markdown table: no markup, no column, one line."""
    flat = ' '.join(text.split())
    return ''.join(f'\\{character}' if character in '\\`*_[]<>|#~&!' else character for character in flat)


def _plain(number: float | None) -> str:
    return '' if number is None else repr(float(number))


def _csv(lines: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator='\n').writerows(lines)
    return text.getvalue()
