"""A report as one HTML page that needs no network and no other file: results, plots, sequences, setup, problems."""

import html
import importlib.resources
import json
import string
from collections.abc import Iterable

from sctrpn_jax.evaluation.report import data, plots, tables

_FILES = importlib.resources.files('sctrpn_jax.evaluation.report')
_LINES = 500  # problems of a tracker that the page lists; the JSON has all


def page(report: data.Report) -> str:
    """The page; the same report gives the same text.

    Args:
      report: any; names may hold any character.
    """
    problems = sum(tracker.problem_total for tracker in report.trackers)
    line = ''
    if problems:
        line = f'<p class="warn"><a href="#problems">{_count(problems, "problem")} in the result files</a></p>'
    return string.Template(_read('page.html')).substitute(
        title=_text(f'{report.benchmark}: tracking results'),
        convention=_text(f'{report.convention}. Intervals: 95 %, bootstrap over sequences.'),
        problem_line=line,
        style=_read('page.css'),
        script=_read('page.js'),
        results=_results(report),
        figures='\n'.join(plots.figures(report)) or '<p class="note">No curve has values.</p>',
        sequences=_sequences(report),
        setup=_setup(report),
        problems=_problems(report),
    )


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding='utf-8')


def _text(words: object) -> str:
    return html.escape(str(words))


def _count(number: int, thing: str) -> str:
    return f'{number:,} {thing}{"" if number == 1 else "s"}'


def _header(entries: Iterable[tuple[str, str, str]]) -> str:
    """Heads (text, classes, small text below) of a table that sorts."""
    cells = []
    for words, kind, below in entries:
        style = f' class="{kind}"' if kind else ''
        small = f'<small>{_text(below)}</small>' if below else ''
        button = f'<button type="button"><span>{_text(words)}</span>{small}</button>'
        cells.append(f'<th scope="col" aria-sort="none"{style}>{button}</th>')
    return f'<thead><tr>{"".join(cells)}</tr></thead>'


def _results(report: data.Report) -> str:
    heads = [('Tracker', 'words', ''), *((metric.name, '', _below(metric)) for metric in report.metrics)]
    heads += [('Frames/s', '', ''), ('Sequences', '', ''), ('Source', 'words', '')]
    best = {metric.key: _best(report, metric) for metric in report.metrics}
    rows = []
    for tracker in report.ranked():
        cells = [f'<th scope="row">{_text(tracker.name)}</th>']
        for metric in report.metrics:
            value = tracker.values.get(metric.key, data.Value(None))
            style = ' class="best"' if value.value is not None and value.value == best[metric.key] else ''
            small = ''
            if value.low is not None and value.high is not None:
                small = f' <small>{metric.text(value.low)} – {metric.text(value.high)}</small>'
            cells.append(f'<td{style}>{metric.text(value.value)}{small}</td>')
        cells.append(f'<td>{tables.speed(tracker.timing.fps)}</td>')
        cells.append(f'<td>{len(tracker.rows)} of {len(report.sequences)}</td>')
        cells.append(f'<td class="words">{_text(tracker.source or tables.MEASURED)}</td>')
        rows.append(f'<tr>{"".join(cells)}</tr>')
    for printed in report.published:
        name = f'<th scope="row">{_text(printed.tracker)} <span class="badge">{tables.PUBLISHED}</span></th>'
        values = ''.join(f'<td>{metric.text(printed.values.get(metric.key))}</td>' for metric in report.metrics)
        speed = tables.speed(printed.fps) + (f' <small>{_text(printed.hardware)}</small>' if printed.hardware else '')
        source = f'<td class="words">{_text(printed.source)}</td>'
        rows.append(f'<tr class="published">{name}{values}<td>{speed}</td><td>{data.NOTHING}</td>{source}</tr>')
    note = f'<p class="warn">{_text(report.published_note)}</p>' if report.published_note else ''
    body = f'<tbody>{"".join(rows)}</tbody>'
    return f'{note}{_scroll("Results by tracker", f"<table>{_header(heads)}{body}</table>")}'


def _below(metric: data.Metric) -> str:
    better = 'higher is better' if metric.higher_is_better else 'lower is better'
    return f'{metric.unit}, {better}' if metric.unit else better


def _best(report: data.Report, metric: data.Metric) -> float | None:
    values = [tracker.values.get(metric.key, data.Value(None)).value for tracker in report.trackers]
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return None
    return max(known) if metric.higher_is_better else min(known)


def _scroll(label: str, table: str, kind: str = 'scroll') -> str:
    """A table in a box that scrolls by itself, with the keyboard too."""
    return f'<div class="{kind}" role="region" aria-label="{label}" tabindex="0">{table}</div>'


def _sequences(report: data.Report) -> str:
    metrics = report.row_metrics
    heads = [('Sequence', 'words', ''), ('Frames', '', '')]
    heads += [(tracker.name, f'm-{i}', '') for i in range(len(metrics)) for tracker in report.trackers]
    # By name once for each tracker: a search in every row would make the page slow to write.
    found = [{row.sequence: row for row in tracker.rows} for tracker in report.trackers]
    rows = []
    for sequence in report.sequences:
        of_trackers = [by_name.get(sequence) for by_name in found]
        frames = next((str(row.frames) for row in of_trackers if row), data.NOTHING)
        cells = [f'<th scope="row">{_text(sequence)}</th><td>{frames}</td>']
        for i, metric in enumerate(metrics):
            for row in of_trackers:
                value = row.values.get(metric.key) if row else None
                cells.append(f'<td class="m-{i}">{metric.text(value)}</td>')
        rows.append(f'<tr>{"".join(cells)}</tr>')
    options = ''.join(f'<option value="{i}">{_text(metric.title)}</option>' for i, metric in enumerate(metrics))
    tools = (
        f'<div class="tools"><label>Metric <select id="metric" autocomplete="off">{options}</select></label>'
        '<label>Find <input id="filter" type="search" autocomplete="off" placeholder="name of a sequence"></label>'
        '</div>'
    )
    table = f'<table class="rows" data-m="0">{_header(heads)}<tbody>{"".join(rows)}</tbody></table>'
    return tools + _scroll('Scores by sequence', table, 'scroll tall')


def _setup(report: data.Report) -> str:
    versions = ', '.join(f'{name} {version}' for name, version in report.environment.versions.items())
    entries = [('Convention', report.convention), ('Versions', versions), ('Hardware', report.environment.hardware)]
    about, parts = _definitions(entries), []
    for tracker in report.trackers:
        entries = [
            ('Source', tracker.source or tables.MEASURED),
            ('Seed', 'not known' if tracker.seed is None else tracker.seed),
            ('Frames/s', f'{tables.speed(tracker.timing.fps)} on {tracker.timing.hardware or "an unknown machine"}'),
        ]
        config = json.dumps(tracker.config, indent=1, sort_keys=True, ensure_ascii=False)
        settings = f'<details><summary>Settings</summary><pre>{_text(config)}</pre></details>' if tracker.config else ''
        parts.append(f'<div><h3>{_text(tracker.name)}</h3>{_definitions(entries)}{settings}</div>')
    return f'{about}<div class="setups">{"".join(parts)}</div>'


def _definitions(entries: Iterable[tuple[str, object]]) -> str:
    return f'<dl>{"".join(f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>" for name, value in entries)}</dl>'


def _problems(report: data.Report) -> str:
    parts = []
    for tracker in report.trackers:
        if not tracker.problem_total:
            continue
        kinds = ', '.join(f'{count:,} {kind}' for kind, count in sorted(tracker.problem_counts.items()))
        head = f'{tracker.name}: {_count(tracker.problem_total, "problem")}{f" ({kinds})" if kinds else ""}'
        lines = '\n'.join(tracker.problems[:_LINES])
        more = len(tracker.problems) - _LINES
        rest = f'<p class="note">{_count(more, "more line")} in report.json.</p>' if more > 0 else ''
        listed = f'<div class="lines">{_text(lines)}</div>{rest}'
        parts.append(f'<details open><summary>{_text(head)}</summary>{listed}</details>')
    return ''.join(parts) or '<p class="note">None: every file was there, and every row of it was used.</p>'
