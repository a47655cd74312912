"""JSON and back, and what is refused on the way back."""

import dataclasses
import json

import hypothesis
import pytest
from hypothesis import strategies as st

from sctrpn_jax.data.benchmarks import published
from sctrpn_jax.evaluation.report import data

text = st.text(max_size=12)
number = st.floats(allow_nan=False, allow_infinity=False)
maybe = st.none() | number
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | number | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def tuples(strategy, most=3):
    return st.lists(strategy, max_size=most).map(tuple)


def by_name(strategy):
    return st.dictionaries(text, strategy, max_size=3)


metrics = st.builds(data.Metric, text, text, text, st.booleans(), st.sampled_from(['.3f', '.1%']))
curves = st.builds(data.CurveKind, text, text, text, text, tuples(number), text, tuples(number, 2))
trackers = st.builds(
    data.Tracker,
    text,
    text,
    st.none() | st.integers(),
    by_name(json_values),
    by_name(st.builds(data.Value, maybe, maybe, maybe)),
    by_name(tuples(maybe)),
    tuples(st.builds(data.Row, text, st.integers(0, 9999), by_name(maybe))),
    by_name(st.builds(data.Attribute, st.integers(0, 99), by_name(maybe), by_name(tuples(maybe)))),
    tuples(text),
    by_name(st.integers(0, 99)),
    st.builds(data.Timing, maybe, text, by_name(maybe)),
)
reports = st.builds(
    data.Report,
    text,
    text,
    tuples(metrics),
    tuples(metrics),
    text,
    tuples(curves),
    tuples(text),
    text,
    tuples(trackers, 2),
    tuples(st.builds(published.Published, text, by_name(number), text, maybe, text)),
    text,
    st.builds(data.Environment, by_name(text), text),
)


@hypothesis.given(reports)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.too_slow], max_examples=50)
def test_json_and_back_is_the_same_report(report):
    written = data.to_json(report)
    again = data.from_json(written)
    assert again == report
    assert data.to_json(again) == written
    assert written.isascii()


def test_a_made_report_comes_back(make_report):
    report = make_report()
    assert data.from_json(data.to_json(report)) == report


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c.update(format=1), 'got format 1, accepted is 2'),
        (lambda c: c.pop('convention'), 'report: got'),
        (lambda c: c.update(more=1), 'expected fields benchmark'),
        (lambda c: c['trackers'][0].update(seed=True), r'report\.trackers\[0\]\.seed: got True, expected a int'),
        (
            lambda c: c['trackers'][1]['values']['success'].update(value='1'),
            r'values\.success\.value: got .1., expected',
        ),
        (lambda c: c['metrics'][0].update(key=3), r'metrics\[0\]\.key: got 3, expected a str'),
        (lambda c: c.update(trackers={}), r'report\.trackers: got \{\}, expected a list'),
        (lambda c: c['trackers'][0].update(rows=[[]]), r'rows\[0\]: got \[\], expected fields'),
    ],
)
def test_another_form_is_refused_by_name(make_report, change, message):
    content = json.loads(data.to_json(make_report()))
    change(content)
    with pytest.raises(ValueError, match=message):
        data.from_json(json.dumps(content))


@pytest.mark.parametrize('content', ['', '[]', '3', '{"format": 2}', '[' * 100_000, 'NaN'])
def test_what_is_no_report_is_refused(content):
    with pytest.raises(ValueError):
        data.from_json(content)


def test_numbers_that_are_not_finite_are_refused_both_ways(make_report):
    report = make_report()
    bad = dataclasses.replace(report.trackers[0], values={'success': data.Value(float('nan'))})
    with pytest.raises(ValueError, match='JSON compliant'):
        data.to_json(dataclasses.replace(report, trackers=(bad,)))
    content = data.to_json(report).replace('"fps": ', '"fps": 1e999, "was": ', 1)
    with pytest.raises(ValueError):
        data.from_json(content)


@pytest.mark.parametrize(('better', 'expected'), [(True, 'cabd'), (False, 'bacd')])
def test_the_best_comes_first_and_what_has_no_value_last(make_report, better, expected):
    values = {'a': 0.5, 'b': 0.2, 'c': 0.7 if better else 0.5, 'd': None}
    trackers = tuple(data.Tracker(name, values={'success': data.Value(value)}) for name, value in values.items())
    metric = data.Metric('success', 'Success', higher_is_better=better)
    report = dataclasses.replace(make_report(), trackers=trackers, metrics=(metric,))
    assert ''.join(tracker.name for tracker in report.ranked()) == expected


def test_values_for_people():
    assert data.Metric('a', 'A').text(0.12345) == '0.123'
    assert data.Metric('a', 'A', format='.1%').text(0.6971) == '69.7%'
    assert data.Metric('a', 'A').text(None) == '–'
    assert data.Metric('a', 'A', 'px').title == 'A (px)'


def test_an_unknown_metric_is_refused(make_report):
    with pytest.raises(ValueError, match="got 'eao', accepted are success, precision"):
        make_report().metric('eao')


def test_problems_are_counted_beyond_the_lines_that_name_them():
    assert data.Tracker('a', problems=('x', 'y'), problem_counts={'row': 40, 'missing': 1}).problem_total == 41
    assert data.Tracker('a', problems=('x', 'y')).problem_total == 2
