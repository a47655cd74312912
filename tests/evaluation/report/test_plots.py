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


def test_a_curve_has_the_measured_values(make_report):
    report = make_report(('one', 'two'))
    kind = report.curves[1]
    figure = plots.curve_figure(report, kind)
    area = svg.Area(400, 300, (0, 50), (0, 1))
    for index, tracker in enumerate(report.trackers):
        path = drawn_series(figure, index).find("path[@class='line']").get('d')
        points = np.array([[float(part) for part in pair.split()] for pair in re.split('[ML]', path)[1:]])
        expected = [(area.at_x(x), area.at_y(y)) for x, y in zip(kind.x, tracker.curves['precision'], strict=True)]
        np.testing.assert_allclose(points, expected, atol=0.051)


def test_legends_name_trackers_with_their_score_best_first(make_report):
    report = make_report(('worse <1>', 'best'))
    report = dataclasses.replace(report, trackers=report.trackers[::-1])
    figure = xml.etree.ElementTree.fromstring(plots.curve_figure(report, report.curves[0]))
    legend = [[span.text for span in item.iter('span')] for item in figure.iter('li')]
    expected = [[tracker.name, f'{tracker.values["success"].value:.3f}'] for tracker in report.ranked()]
    assert legend == expected and legend[0][0] == 'worse <1>'


def test_attributes_lie_at_their_values(make_report):
    report = make_report()
    figure = plots.attribute_figure(report)
    words = ''.join(xml.etree.ElementTree.fromstring(figure).itertext())
    assert 'Deformation (8)' in words and 'Occlusion (12)' in words
    known = [attribute.values['success'] for t in report.trackers for attribute in t.attributes.values()]
    area = svg.Area(400, 120, (0, max(known) * 1.05), (2, 0), margins=(8, 4, 14, 40))
    circles = xml.etree.ElementTree.fromstring(figure).find('svg').iter('circle')
    found = sorted(float(circle.get('cx')) for circle in circles)
    one = report.trackers[0].attributes
    expected = sorted(area.at_x(one[name].values['success']) for name in ('Deformation', 'Occlusion'))
    assert found == pytest.approx(expected, abs=0.06)


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
    for figure in plots.figures(make_report(('<&">', "it's"))):
        root = xml.etree.ElementTree.fromstring(figure)
        assert root.tag == 'figure' and root.find('svg').get('role') == 'img'
