"""Tables read back by other parsers say what the report says, whatever the names."""

import csv
import dataclasses
import io

import hypothesis
import pytest
from hypothesis import strategies as st

from sctrpn_jax.data.benchmarks import published
from sctrpn_jax.evaluation.report import data, tables

ODD = ['plain', 'a,b "c"', 'x|y\\|z', '*bold* _it_ `code` [l](u) <b> &amp; ~~s~~ #1', 'line\nbreak', '1. x', '-']
names = st.text(st.characters(codec='utf-8', exclude_characters='\r\x00'), min_size=1, max_size=20)


def read_csv(content):
    return list(csv.DictReader(io.StringIO(content, newline=''), strict=True))


def read_markdown(content):
    """Cells' text of the first table, as a Markdown parser sees it, and the same of its text alone."""
    markdown_it = pytest.importorskip('markdown_it')
    tokens = markdown_it.MarkdownIt('commonmark').enable('table').parse(content)
    rows = []
    for before, token in zip(tokens, tokens[1:], strict=False):
        if before.type == 'tr_open':
            rows.append([])
        if before.type in ('td_open', 'th_open'):
            assert {child.type for child in token.children} <= {'text', 'text_special'}, token.content
            rows[-1].append(''.join(child.content for child in token.children))
    return rows


def renamed(report, *given):
    trackers = [dataclasses.replace(each, name=name) for each, name in zip(report.trackers, given, strict=False)]
    return dataclasses.replace(report, trackers=tuple(trackers))


@pytest.fixture(scope='module')
def report():
    values = {'success': data.Value(0.5, 0.4, 0.625), 'precision': data.Value(None)}
    rows = (data.Row('s,1', 7, {'success': 0.25}), data.Row('s|2', 9, {'success': None}))
    attributes = {'b': data.Attribute(3, {'success': 0.1}), 'a': data.Attribute(2, {'success': None})}
    timing = data.Timing(12.5, 'a machine, here', {'s,1': 99.5})
    best = data.Tracker('one', 'files, mine', 7, values=values, rows=rows, attributes=attributes, timing=timing)
    worse = data.Tracker('two', values={'success': data.Value(0.125)}, problems=('p',), problem_counts={'row': 4})
    metrics = (data.Metric('success', 'Success'), data.Metric('precision', 'Failures', 'x', False, '.1%'))
    printed = (published.Published('three', {'precision': 0.25}, 'a | paper', 30.0, 'GPU'),)
    sequences = ('s,1', 's|2', 'missing')
    return data.Report(
        'B | x', 'c', metrics, metrics[:1], 'success', (), sequences, 'sequences', (worse, best), printed, 'note',
        data.Environment(),
    )  # fmt: skip


def test_trackers_csv(report):
    rows = read_csv(tables.trackers_csv(report))
    assert [row['tracker'] for row in rows] == ['one', 'two', 'three']
    assert [row['kind'] for row in rows] == ['measured', 'measured', 'published']
    one, two, three = rows
    assert [float(one[key]) for key in ('success', 'success_low', 'success_high', 'fps')] == [0.5, 0.4, 0.625, 12.5]
    assert (one['precision'], one['sequences'], one['source']) == ('', '2', 'files, mine')
    assert [(row['seed'], row['hardware']) for row in rows] == [('7', 'a machine, here'), ('', ''), ('', 'GPU')]
    assert (two['problems'], two['success_low'], two['fps']) == ('4', '', '')
    assert (three['success'], three['precision'], three['source']) == ('', '0.25', 'a | paper')


def test_sequences_csv_has_those_without_results(report):
    rows = read_csv(tables.sequences_csv(report))
    assert [(row['tracker'], row['sequence']) for row in rows] == [
        (tracker, sequence) for tracker in ('two', 'one') for sequence in ('s,1', 's|2', 'missing')
    ]
    assert [list(row.values())[2:] for row in rows[3:]] == [['7', '0.25', '99.5'], ['9', '', ''], ['', '', '']]


def test_attributes_csv(report):
    rows = read_csv(tables.attributes_csv(report))
    assert [list(row.values()) for row in rows] == [['one', 'a', '2', '', ''], ['one', 'b', '3', '0.1', '']]
    assert 'sequences' in rows[0]


def test_markdown(report):
    content = tables.trackers_markdown(report)
    rows = read_markdown(content)
    assert rows[0][:3] == ['Tracker', 'Success ↑', 'Failures (x) ↓']
    assert rows[1] == ['one', '0.500 [0.400, 0.625]', '–', '12.5', '2 of 3', 'files, mine']
    assert rows[2] == ['two', '0.125', '–', '–', '0 of 3', 'measured']
    assert rows[3] == ['three', '–', '25.0%', '30.0', '–', 'published: a | paper']
    assert 'two: 4 problems' in content and '\nnote\n' in content
    assert '\none: seed 7, tracked on a machine, here.\n' in content


@pytest.mark.parametrize('name', ODD)
def test_odd_names_stay_in_their_cell(make_report, name):
    report = renamed(make_report(), name, 'other')
    assert read_csv(tables.trackers_csv(report))[0]['tracker'] == name
    assert read_csv(tables.sequences_csv(report))[0]['tracker'] == name
    rows = read_markdown(tables.trackers_markdown(report))
    assert rows[1][0] == ' '.join(name.split())
    assert {len(row) for row in rows} == {7}


@hypothesis.given(names)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_name_comes_back(report, name):
    found = renamed(report, name, 'other')
    assert read_csv(tables.trackers_csv(found))[1]['tracker'] == name
    rows = read_markdown(tables.trackers_markdown(found))
    assert rows[2][0] == ' '.join(name.split()) and {len(row) for row in rows} == {6}


@pytest.mark.parametrize(('fps', 'expected'), [(None, '–'), (5.04, '5.0'), (99.94, '99.9'), (172.4, '172')])
def test_speed(fps, expected):
    assert tables.speed(fps) == expected
