"""Axes and markers by their geometry."""

import xml.etree.ElementTree

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from sctrpn_jax.evaluation.report import svg


@hypothesis.given(st.floats(-1e4, 1e4), st.floats(1e-3, 1e4), st.integers(3, 10))
def test_ticks_are_round_even_and_inside(low, span, count):
    found = svg.ticks(low, low + span, count)
    assert 1 <= len(found) <= count + 1
    assert all(low - span * 1e-6 <= value <= low + span * (1 + 1e-6) for value in found)
    if len(found) > 1:
        steps = np.diff(found)
        np.testing.assert_allclose(steps, steps[0], rtol=1e-6)
        leading = float(f'{steps[0]:.3e}'.split('e')[0])
        assert min(abs(leading - nice) for nice in (1, 2, 5, 10)) < 1e-2


@pytest.mark.parametrize(
    ('low', 'high', 'expected'), [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (0, 50, [0, 10, 20, 30, 40, 50])]
)
def test_usual_ticks(low, high, expected):
    assert svg.ticks(low, high) == pytest.approx(expected)


def test_log_ticks():
    assert svg.log_ticks(4, 210) == [5, 10, 20, 50, 100, 200]
    assert svg.log_ticks(0.5, 2) == [0.5, 1, 2]


def test_an_area_maps_its_corners_and_logs():
    area = svg.Area(400, 300, (0, 50), (0, 1))
    left, top, right, bottom = area.box
    assert (area.at_x(0), area.at_x(50), area.at_y(0), area.at_y(1)) == (left, right, bottom, top)
    assert area.at_x(25) == (left + right) / 2
    log = svg.Area(400, 300, (1, 100), (0, 1), log=True)
    assert log.at_x(10) == pytest.approx((left + right) / 2)


def test_a_line_breaks_where_there_is_no_value():
    area = svg.Area(100, 100, (0, 4), (0, 1), margins=(0, 0, 0, 0))
    drawn = svg.line(area, [0, 1, 2, 3, 4], [1, 0.5, None, 0, 0], 0, 'a<b')
    assert 'd="M0 0L25 50M75 100L100 100"' in drawn and 'a&lt;b' in drawn
    assert svg.line(area, [0, 1], [None, None], 0, 'a') == ''


@pytest.mark.parametrize('index', range(svg.MARKERS))
@pytest.mark.parametrize('hollow', [False, True])
def test_markers_lie_about_their_place(index, hollow):
    drawn = xml.etree.ElementTree.fromstring(svg.marker(50, 20, index, 4, hollow))
    assert drawn.get('class') == ('hollow' if hollow else 'mark')
    if drawn.tag == 'circle':
        assert (drawn.get('cx'), drawn.get('cy'), drawn.get('r')) == ('50', '20', '4')
        return
    points = np.array([[float(part) for part in pair.split()] for pair in drawn.get('d')[1:-1].split('L')])
    np.testing.assert_allclose(points.mean(axis=0), [50, 20], atol=0.1)
    assert (np.hypot(*(points - [50, 20]).T) < 8).all()


def test_no_two_of_many_series_look_the_same():
    looks = [(i % svg.COLORS, i % svg.MARKERS, i % len(svg.DASHES)) for i in range(40)]
    assert len({look[:2] for look in looks}) == len({look[1:] for look in looks}) == 40
    assert len({svg.swatch(i) for i in range(40)}) == 40


def test_a_picture_is_well_formed_whatever_the_words():
    area = svg.Area(100, 100, (0, 1), (0, 1))
    parts = svg.axes(area, [0, 1], [0, 1], 'x < "y"', 'a & b')
    root = xml.etree.ElementTree.fromstring(svg.picture(area, parts, 'the "<title>"', 'about & more'))
    assert root.get('aria-label') == root[0].text == 'the "<title>"'
    assert [each.text for each in root if each.get('class', '').startswith('label')] == ['x < "y"', 'a & b']


@pytest.mark.parametrize(
    ('value', 'expected'), [(0.0, '0'), (-0.0, '0'), (0.2, '0.2'), (20.0, '20'), (1 / 3, '0.333333')]
)
def test_numbers_have_no_trailing_zeros(value, expected):
    assert svg.number(value) == expected
