"""Plots read back: what is drawn is what was measured."""

import dataclasses
import re
import xml.etree.ElementTree

import numpy as np
import pytest

from sctrpn_jax.evaluation.report import data, plots, svg


def drawn_series(figure, index):
    """The figure's group of a series."""
    root = xml.etree.ElementTree.fromstring(figure)
    return next(group for group in root.find('svg').iter('g') if group.get('data-t') == str(index))


def legend(figure):
    """[name, value] of each entry."""
    return [[span.text for span in item.iter('span')] for item in xml.etree.ElementTree.fromstring(figure).iter('li')]


@pytest.mark.parametrize('attribute', ['', 'Deformation'])
def test_a_curve_has_the_measured_values(make_report, attribute):
    report = make_report(('one', 'two'))
    kind = report.curves[1]
    figure = plots.curve_figure(report, kind, attribute)
    assert ('Deformation (8): precision' in figure) == bool(attribute)
    area = svg.Area(400, 300, (0, 50), (0, 1))
    for index, tracker in enumerate(report.trackers):
        path = drawn_series(figure, index).find("path[@class='line']").get('d')
        points = np.array([[float(part) for part in pair.split()] for pair in re.split('[ML]', path)[1:]])
        scored = tracker.attributes[attribute] if attribute else tracker
        expected = [(area.at_x(x), area.at_y(y)) for x, y in zip(kind.x, scored.curves['precision'], strict=True)]
        np.testing.assert_allclose(points, expected, atol=0.051)


def test_legends_name_trackers_with_their_score_best_first(make_report):
    report = make_report(('worse <1>', 'best'))
    report = dataclasses.replace(report, trackers=report.trackers[::-1])
    found = legend(plots.curve_figure(report, report.curves[0]))
    expected = [[tracker.name, f'{tracker.values["success"].value:.3f}'] for tracker in report.ranked()]
    assert found == expected and found[0][0] == 'worse <1>'


def test_each_legend_goes_by_the_score_of_its_own_plot(make_report):
    report = make_report(('one', 'two', 'three'))
    scores = {'one': (0.6, 0.7, 0.2), 'two': (0.5, 0.9, None), 'three': (0.4, 0.8, 0.3)}
    trackers = []
    for tracker, (success, precision, of_attribute) in zip(report.trackers, scores.values(), strict=True):
        values = {**tracker.values, 'success': data.Value(success), 'precision': data.Value(precision)}
        changed = {'success': of_attribute, 'precision': of_attribute}
        occlusion = dataclasses.replace(tracker.attributes['Occlusion'], values=changed)
        trackers.append(dataclasses.replace(tracker, values=values, attributes={'Occlusion': occlusion}))
    report = dataclasses.replace(report, trackers=tuple(trackers), published=())
    success, precision, _ = report.curves
    assert [name for name, _ in legend(plots.curve_figure(report, success))] == ['one', 'two', 'three']
    assert [name for name, _ in legend(plots.curve_figure(report, precision))] == ['two', 'three', 'one']
    for kind in (success, precision):
        found = legend(plots.curve_figure(report, kind, 'Occlusion'))
        assert found == [['three', '0.300'], ['one', '0.200'], ['two', '–']]
    # Speeds are 50, 25 and 17 frames per second; the score decides there too.
    slow = dataclasses.replace(report.trackers[0], timing=data.Timing(1.0))
    report = dataclasses.replace(report, trackers=(slow, *report.trackers[1:]))
    assert [name for name, _ in legend(plots.speed_figure(report))] == ['one', 'two', 'three']


def test_attributes_are_counted_by_the_tracker_that_has_most(make_report):
    report = make_report()
    assert plots.attribute_counts(report) == {'Deformation': 8, 'Occlusion': 12}
    fewer = dataclasses.replace(report.trackers[0], attributes={'Occlusion': data.Attribute(3, {})})
    assert plots.attribute_counts(dataclasses.replace(report, trackers=(fewer,))) == {'Occlusion': 3}
    assert plots.curve_figure(report, report.curves[0], 'Fog') == ''
    assert plots.curve_figure(report, report.curves[2], 'Occlusion') == ''  # OTB has no such plot


def test_speed_and_score_place_a_tracker_and_published_ones_are_hollow(make_report):
    report = make_report(('one', 'two'), fps=50.0)
    figure = plots.speed_figure(report)
    assert drawn_series(figure, 0).find('circle').get('class') == 'mark'
    fast = [each for each in report.published if each.fps]
    root = xml.etree.ElementTree.fromstring(figure)
    marks = [mark.get('class') for group in root.find('svg').iter('g') for mark in group if mark.get('class')]
    assert marks.count('hollow') == len(fast) and marks.count('mark') == 2
    assert 'KCF (published): 0.477 at 172 frames per second' in ''.join(root.itertext())
    # 50 frames per second lie between those of 25 and 172
    places = {group[0].text.split(':')[0]: group[1] for group in root.find('svg').iter('g')}
    assert float(places['one'].get('cx')) > float(re.findall(r'[\d.]+', places['two'].get('d'))[0])


def test_what_has_no_values_has_no_plot(make_report):
    report = make_report()
    bare = dataclasses.replace(report, trackers=(data.Tracker('bare'),), published=())
    assert plots.figures(bare) == []
    assert plots.figures(dataclasses.replace(bare, trackers=())) == []
    slow = dataclasses.replace(report.trackers[0], timing=data.Timing(), attributes={})
    assert len(plots.figures(dataclasses.replace(bare, trackers=(slow,)))) == 3


def test_every_figure_is_well_formed(make_report):
    report = make_report(('<&">', "it's"))
    for figure in (*plots.figures(report), plots.curve_figure(report, report.curves[0], 'Occlusion')):
        root = xml.etree.ElementTree.fromstring(figure)
        assert root.tag == 'figure' and root.find('svg').get('role') == 'img'
