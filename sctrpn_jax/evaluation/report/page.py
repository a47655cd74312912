"""A report as one HTML page that needs no network and no other file: results, plots, sequences, setup, problems."""

import html
import importlib.resources
import json
import os
import string
import typing
import urllib.parse
from collections.abc import Iterable, Mapping

from sctrpn_jax.evaluation.report import data, plots, tables

_FILES = importlib.resources.files('sctrpn_jax.evaluation.report')
_LINES = 500  # problems of a tracker that the page lists; the JSON has all
_SHADES = 6  # page.css has them


def page(report: data.Report, pictures: Mapping[str, str] | None = None) -> str:
    """The page; the same report gives the same text.

    Args:
      report: any; names may hold any character.
      pictures: sequence -> picture of its worst frames, a path from the page's folder.
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
        attributes=_attributes(report),
        sequences=_sequences(report, pictures or {}),
        setup=_setup(report),
        problems=_problems(report),
    )


def _read(name: str) -> str:
    return (_FILES / name).read_text(encoding='utf-8')


def _text(words: object) -> str:
    return html.escape(str(words))


def _count(number: int, thing: str) -> str:
    return f'{number:,} {thing}{"" if number == 1 else "s"}'


class _Head(typing.NamedTuple):
    """Head of a column: words, class, small text below, and how the first click sorts."""

    words: str
    kind: str = ''
    below: str = ''
    first: str = 'descending'


def _header(heads: Iterable[_Head]) -> str:
    """Heads of a table that sorts."""
    cells = []
    for head in heads:
        style = f' class="{head.kind}"' if head.kind else ''
        small = f'<small>{_text(head.below)}</small>' if head.below else ''
        button = f'<button type="button"><span>{_text(head.words)}</span>{small}</button>'
        cells.append(f'<th scope="col" aria-sort="none" data-first="{head.first}"{style}>{button}</th>')
    return f'<thead><tr>{"".join(cells)}</tr></thead>'


def _score_head(metric: data.Metric, words: str, kind: str = '', below: str = '', worst: bool = False) -> _Head:
    """Head of a column of scores, which sorts the best first, or the worst."""
    return _Head(words, kind, below, 'descending' if metric.higher_is_better != worst else 'ascending')


def _results(report: data.Report) -> str:
    metrics = [metric for metric in report.metrics if _has_values(report, metric)]
    speeds = any(each.timing.fps for each in report.trackers) or any(each.fps for each in report.published)
    heads = [_Head('Tracker', 'words', '', 'ascending')]
    heads += [_score_head(metric, metric.name, below=_below(metric)) for metric in metrics]
    heads += [_Head('Frames/s')] * speeds + [_Head('Sequences'), _Head('Source', 'words', '', 'ascending')]
    best = {metric.key: _best(report, metric) for metric in metrics}
    rows = []
    for tracker in report.ranked():
        cells = [f'<th scope="row">{_text(tracker.name)}</th>']
        for metric in metrics:
            value = tracker.values.get(metric.key, data.Value(None))
            style = ' class="best"' if value.value is not None and value.value == best[metric.key] else ''
            small = ''
            if value.low is not None and value.high is not None:
                small = f' <small>{metric.text(value.low)} – {metric.text(value.high)}</small>'
            cells.append(f'<td{style}>{_known(metric.text(value.value))}{small}</td>')
        if speeds:
            cells.append(f'<td>{_known(tables.speed(tracker.timing.fps))}</td>')
        cells.append(f'<td>{len(tracker.rows)} of {len(report.sequences)}</td>')
        cells.append(f'<td class="words">{_text(tracker.source or tables.MEASURED)}</td>')
        rows.append(f'<tr>{"".join(cells)}</tr>')
    for printed in report.published:
        name = f'<th scope="row">{_text(printed.tracker)} <span class="badge">{tables.PUBLISHED}</span></th>'
        values = ''.join(f'<td>{_known(metric.text(printed.values.get(metric.key)))}</td>' for metric in metrics)
        if speeds:
            hardware = f' <small>{_text(printed.hardware)}</small>' if printed.hardware else ''
            values += f'<td>{_known(tables.speed(printed.fps))}{hardware}</td>'
        source = f'<td class="words">{_text(printed.source)}</td>'
        rows.append(f'<tr class="published">{name}{values}<td></td>{source}</tr>')
    note = f'<p class="warn">{_text(report.published_note)}</p>' if report.published_note else ''
    body = f'<tbody>{"".join(rows)}</tbody>'
    unknown = [metric.title for metric in report.metrics if metric not in metrics] + ['frames/s'] * (not speeds)
    words = 'An empty field: not known. ' if '<td></td>' in body else ''
    words += f'Not known of any tracker: {", ".join(unknown)}.' if unknown else ''
    below = f'<p class="note">{_text(words)}</p>' if words else ''
    return f'{note}{_scroll("Results by tracker", f"<table>{_header(heads)}{body}</table>")}{below}'


def _known(text: str) -> str:
    """Text of a cell; what is not known stays empty, and a line below the table says so once."""
    return '' if text == data.NOTHING else text


def _has_values(report: data.Report, metric: data.Metric) -> bool:
    measured = (tracker.values.get(metric.key, data.Value(None)).value for tracker in report.trackers)
    printed = (each.values.get(metric.key) for each in report.published)
    return any(value is not None for value in (*measured, *printed))


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


def _choice(metrics: Iterable[data.Metric]) -> str:
    """The field that chooses which metric the table of the section shows."""
    options = ''.join(f'<option value="{i}">{_text(metric.title)}</option>' for i, metric in enumerate(metrics))
    return f'<label>Metric <select autocomplete="off">{options}</select></label>'


def _attributes(report: data.Report) -> str:
    """A section: trackers by attributes as a table of shades, and the curves of each attribute; '' without attributes.

    Lightness alone tells the shades apart.
    """
    counts = plots.attribute_counts(report)
    trackers = [tracker for tracker in report.ranked() if tracker.attributes]

    def value_of(tracker: data.Tracker, metric: data.Metric, attribute: str) -> float | None:
        if not attribute:
            return tracker.values.get(metric.key, data.Value(None)).value
        found = tracker.attributes.get(attribute)
        return found.values.get(metric.key) if found else None

    heads, cells, metrics = [_Head('Tracker', 'words', '', 'ascending')], {each.name: [] for each in trackers}, []
    for metric in report.metrics:
        columns = {name: [value_of(tracker, metric, name) for tracker in trackers] for name in ('', *counts)}
        known = [value for name in counts for value in columns[name] if value is not None]
        if not known:
            continue
        for name, column in columns.items():
            kind = f'm-{len(metrics)}'
            heads.append(
                _score_head(metric, name.replace('_', ' ') or 'All', kind, f'{counts[name]:,}' if name else '')
            )
            best = min(column, key=metric.place)
            for tracker, value in zip(trackers, column, strict=True):
                shade = _shade(metric, value, known) if name else ''
                first = ' best' if value is not None and value == best and len(trackers) > 1 else ''
                cells[tracker.name].append(f'<td class="{kind}{shade}{first}">{metric.text(value)}</td>')
        metrics.append(metric)
    if not metrics:
        return ''
    rows = [f'<tr><th scope="row">{_text(name)}</th>{"".join(row)}</tr>' for name, row in cells.items()]
    table = f'<table class="shades" data-m="0">{_header(heads)}<tbody>{"".join(rows)}</tbody></table>'
    words = f'Below each attribute: its number of {report.attribute_unit}. The stronger the colour, the better. '
    note = f'<p class="note">{words}Bold: the best of a column.</p>'
    parts = [f'<div class="tools">{_choice(metrics)}</div>', _scroll('Scores by attribute', table), note]
    for kind in report.curves:
        figures = [plots.curve_figure(report, kind, name) for name in counts]
        drawn = [figure for figure in figures if figure]
        if drawn:
            head = f'{kind.title} by attribute: {_count(len(drawn), "plot")}'
            figures_of = f'<div class="figures">{"".join(drawn)}</div>'
            parts.append(f'<details><summary>{_text(head)}</summary>{figures_of}</details>')
    return f'<section aria-labelledby="attributes"><h2 id="attributes">By attribute</h2>{"".join(parts)}</section>'


def _shade(metric: data.Metric, value: float | None, known: list[float]) -> str:
    """Class of a cell by where its value lies between the worst and the best."""
    low, high = min(known), max(known)
    if value is None or low == high:
        return ''
    share = (value - low) / (high - low)
    return f' s{round(_SHADES * (share if metric.higher_is_better else 1 - share))}'


def _sequences(report: data.Report, pictures: Mapping[str, str]) -> str:
    metrics, several = report.row_metrics, len(report.trackers) > 1
    heads = [_Head('Sequence', 'words', '', 'ascending'), _Head('Frames')]
    for i, metric in enumerate(metrics):
        if several:
            heads.append(_score_head(metric, 'Mean', f'm-{i}', 'of the trackers', worst=True))
        heads += [_score_head(metric, tracker.name, f'm-{i}', worst=True) for tracker in report.trackers]
    # By name once for each tracker: a search in every row would make the page slow to write.
    found = [{row.sequence: row for row in tracker.rows} for tracker in report.trackers]
    rows = []
    for sequence in report.sequences:
        of_trackers = [by_name.get(sequence) for by_name in found]
        frames = next((str(row.frames) for row in of_trackers if row), data.NOTHING)
        name = _text(sequence)
        if sequence in pictures:
            name = f'<a href="{_text(urllib.parse.quote(os.fsencode(pictures[sequence])))}">{name}</a>'
        cells = [f'<th scope="row">{name}</th><td>{frames}</td>']
        for i, metric in enumerate(metrics):
            values = [row.values.get(metric.key) if row else None for row in of_trackers]
            if several:
                known = [value for value in values if value is not None]
                values.insert(0, sum(known) / len(known) if known else None)
            cells += [f'<td class="m-{i}">{metric.text(value)}</td>' for value in values]
        rows.append(f'<tr>{"".join(cells)}</tr>')
    tools = (
        f'<div class="tools">{_choice(metrics)}'
        '<label>Find <input id="filter" type="search" autocomplete="off" placeholder="name of a sequence"></label>'
        '</div>'
    )
    words = 'A click on a head sorts by it, the worst scores first.'
    if pictures:
        words += ' A name links to a picture of the frames in which the mean overlap of the trackers is lowest.'
    table = f'<table class="rows" data-m="0">{_header(heads)}<tbody>{"".join(rows)}</tbody></table>'
    return f'{tools}<p class="note">{words}</p>{_scroll("Scores by sequence", table, "scroll tall")}'


def _setup(report: data.Report) -> str:
    versions = ', '.join(f'{name} {version}' for name, version in report.environment.versions.items())
    entries = [('Convention', report.convention), ('Versions', versions), ('Hardware', report.environment.hardware)]
    about, parts, unknown = _definitions(entries), [], {'seed': [], 'frames/s': [], 'machine': []}
    for tracker in report.trackers:
        timing = tracker.timing
        facts = {
            'seed': tracker.seed,
            'frames/s': None if timing.fps is None else tables.speed(timing.fps),
            'machine': timing.hardware or None,
        }
        for name, value in facts.items():
            if value is None:
                unknown[name].append(tracker.name)
        entries = [('Source', tracker.source or tables.MEASURED)]
        entries += [(name.capitalize(), value) for name, value in facts.items() if value is not None]
        config = json.dumps(tracker.config, indent=1, sort_keys=True, ensure_ascii=False)
        settings = f'<details><summary>Settings</summary><pre>{_text(config)}</pre></details>' if tracker.config else ''
        if len(entries) > 1 or settings:
            parts.append(f'<div><h3>{_text(tracker.name)}</h3>{_definitions(entries)}{settings}</div>')
    missing = [
        name if len(names) == len(report.trackers) else f'{name} of {", ".join(names)}'
        for name, names in unknown.items()
        if names
    ]
    note = f'<p class="note">Not known: {_text("; ".join(missing))}.</p>' if missing else ''
    return f'{about}<div class="setups">{"".join(parts)}</div>{note}'


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
        parts.append(f'<summary>{_text(head)}</summary>{listed}</details>')
    start = '<details open>' if len(parts) < 3 else '<details>'
    return (
        ''.join(start + part for part in parts)
        or '<p class="note">None: every file was there, and every row of it was used.</p>'
    )
