"""Golden values of the three toolkits, a plain raster of sets of pixels, closed forms for rectangles."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sctrpn_jax.metrics.vot import raster

POLYGON = [100, 100, 150, 90, 170, 140, 110, 155]
FRAME = (640, 480)
# pysot in (w, h), pysot in (w - 1, h - 1), Matlab, vot-python; obtained with the toolkits' own functions.
GOLDEN = [
    ([10, 10, 20, 20], [15, 10, 20, 20], None, (0.615385, 0.615385, 0.6, 0.6)),
    ([10, 10, 20, 20], [29, 10, 20, 20], None, (0.05, 0.05, 0, 0.025641)),
    ([10, 10, 20, 20], [30, 10, 20, 20], None, (0, 0, 0, 0)),
    ([-10, -10, 40, 40], [0, 0, 30, 30], FRAME, (1, 1, 1, 1)),
    ([600, 400, 100, 100], [620, 420, 100, 100], FRAME, (0.385727, 0.375, 0.375, 0.375)),
    ([10.4, 10.6, 20.5, 20.5], [12.2, 9.7, 19.3, 22.8], FRAME, (0.769231, 0.769231, 0.76, 0.754717)),
    (POLYGON, [105, 95, 60, 55], FRAME, (0.805173, 0.805173, 0.813168, 0.812711)),
    (POLYGON, [104, 97, 152, 95, 168, 145, 108, 150], FRAME, (0.865426, 0.865426, 0.865426, 0.864932)),
    ([630, 200, 660, 190, 655, 240, 625, 250], [628, 195, 30, 50], FRAME, (0.809973, 0.798842, 0.781476, 0.780347)),
]


@pytest.mark.parametrize(('a', 'b', 'frame', 'expected'), GOLDEN)
def test_golden_values(a, b, frame, expected):
    a, b = raster.as_regions(a), raster.as_regions(b)
    less = None if frame is None else (frame[0] - 1, frame[1] - 1)
    columns = [(frame, 'pysot'), (less, 'pysot'), (less, 'vot2018'), (less, 'vot-python')]
    for (bounds, convention), value in zip(columns, expected, strict=True):
        assert raster.overlap(a, b, bounds, convention) == pytest.approx(value, abs=6e-7)
        assert raster.overlap(b, a, bounds, convention) == pytest.approx(value, abs=6e-7)


def plain_pixels(points, horizontal):
    """Set of pixels of whole-numbered points, row by row."""
    edges = [(points[i], points[i - 1]) for i in range(len(points))]
    found = set()
    for row in range(min(y for _, y in points), max(y for _, y in points) + 1):
        nodes = []
        for (x, y), (x0, y0) in edges:
            if min(y, y0) <= row <= max(y, y0):
                if y != y0:
                    nodes.append(int(x + (row - y) / (y0 - y) * (x0 - x)))
                elif horizontal:
                    nodes.append(x)
        nodes.sort()
        i = 0
        while i + 1 < len(nodes):
            more = not horizontal or i + 2 < len(nodes)
            if nodes[i] == nodes[i + 1] and more:
                i += 1
                continue
            found |= {(column, row) for column in range(nodes[i], nodes[i + 1] + 1)}
            i += 2
    return found


def plain_overlap(a, b, bounds, convention):
    """The rule in plain Python, unit by unit."""
    polygons, boxes, empty = [], [], []
    for region in (a, b):
        numbers = [np.float32(v) for v in region if not math.isnan(v)]
        if convention == 'vot-python':
            numbers = [round(float(v)) for v in numbers]
        empty.append(len(numbers) == 4 and convention == 'vot-python' and min(numbers[2:]) < 1)
        if len(numbers) == 4:
            x, y, w, h = (float(v) for v in region[:4]) if convention != 'vot-python' else numbers
            w, h = (w, h) if convention == 'pysot' else (w - 1, h - 1)
            numbers = [np.float32(v) for v in (x, y, x + w, y, x + w, y + h, x, y + h)]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        polygons.append(points)
        xs, ys = zip(*points, strict=True)
        boxes.append([math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys))])
    lows = [max(box[i] for box in boxes) for i in (0, 1)]
    highs = [min(box[i] for box in boxes) for i in (2, 3)]
    union = [min(box[i] for box in boxes) for i in (0, 1)], [max(box[i] for box in boxes) for i in (2, 3)]
    if bounds is not None:
        lows, highs = [max(v, 0) for v in lows], [min(v, m) for v, m in zip(highs, bounds, strict=True)]
        union = [max(v, 0) for v in union[0]], [min(v, m) for v, m in zip(union[1], bounds, strict=True)]
    if convention != 'vot-python' and any(low >= high for low, high in zip(lows, highs, strict=True)):
        return 0.0
    masks = []
    for points, none in zip(polygons, empty, strict=True):
        # Halves are rounded, and crossings cut, as seen from the window's corner.
        moved = [[np.float32(v) - np.float32(o) for v, o in zip(p, union[0], strict=True)] for p in points]
        whole = [tuple(math.floor(abs(v) + 0.5) * (1 if v >= 0 else -1) for v in map(float, p)) for p in moved]
        pixels = set() if none else plain_pixels(whole, convention == 'vot-python')
        size = [high - low for low, high in zip(*union, strict=True)]
        masks.append({p for p in pixels if 0 <= p[0] <= size[0] and 0 <= p[1] <= size[1]})
    return len(masks[0] & masks[1]) / max(1, len(masks[0] | masks[1]))


def numbers(low, high, decimals):
    return st.integers(low * 10**decimals, high * 10**decimals).map(lambda v: v / 10**decimals)


polygons = st.sampled_from([0, 1, 4]).flatmap(lambda d: st.lists(numbers(-15, 60, d), min_size=8, max_size=8))
rectangles = st.tuples(numbers(-15, 40, 2), numbers(-15, 40, 2), numbers(1, 40, 2), numbers(1, 40, 2)).map(
    lambda box: [*box, *[math.nan] * 4]
)
regions = st.one_of(polygons, rectangles)


@given(regions, regions, st.sampled_from([None, (45, 35)]), st.sampled_from(raster.CONVENTIONS))
@settings(max_examples=150)
def test_against_sets_of_pixels(a, b, bounds, convention):
    both = np.array([a, b])
    corners = np.where(np.isnan(both[:, 4:]).all(1)[:, None], np.tile(both[:, :2], 4), both)
    corners[np.isnan(both[:, 4]), 4:6] += both[np.isnan(both[:, 4]), 2:4]
    # Rows or columns alone are decided by the toolkits' shortcuts, tested below.
    assume((np.ptp(corners[:, ::2], axis=1) > 2.5).all() and (np.ptp(corners[:, 1::2], axis=1) > 2.5).all())
    if bounds:
        assume((corners[:, 4:6] > 3).all() and (corners[:, :2] < (40, 30)).all())
    found = raster.overlap(np.array(a), np.array(b), bounds, convention)
    assert found == pytest.approx(plain_overlap(a, b, bounds, convention), abs=1e-12)


@given(hnp.arrays(np.int64, (6, 2, 4), elements=st.integers(2, 40)), st.sampled_from(raster.CONVENTIONS))
def test_whole_rectangles_in_closed_form(boxes, convention):
    boxes = boxes.astype(float)
    more = 1 if convention == 'pysot' else 0
    found = raster.overlaps(boxes[:, 0], boxes[:, 1], None, convention)
    for (a, b), value in zip(boxes, found, strict=True):
        common = np.minimum(a[:2] + a[2:], b[:2] + b[2:]) - np.maximum(a[:2], b[:2]) + more
        # The shortcut of the C library leaves out what shares a single row or column alone.
        shares = (common > (0 if convention == 'vot-python' else 1)).all()
        area = common.prod() if shares else 0
        union = (a[2:] + more).prod() + (b[2:] + more).prod() - area
        assert value == pytest.approx(area / union)


@given(st.floats(0, 6.3), st.floats(20, 120), st.floats(20, 120), st.sampled_from(raster.CONVENTIONS))
def test_pixels_of_a_turned_rectangle_are_about_its_area(angle, width, height, convention):
    across = width * np.array([math.cos(angle), math.sin(angle)])
    down = height * np.array([-math.sin(angle), math.cos(angle)])
    corners = np.array([[0, 0], across, across + down, down]) + 150
    frame = [0, 0, 300, 300]
    pixels = raster.overlap(corners.ravel(), raster.as_regions(frame), (299, 299), convention) * 300 * 300
    # Both ends of each row are filled, and corners lie up to half a pixel off.
    assert width * height - (width + height) - 4 < pixels < (width + 2) * (height + 2) + 4


@given(st.lists(st.tuples(regions, regions), min_size=1, max_size=6), st.sampled_from(raster.CONVENTIONS))
@settings(max_examples=40)
def test_many_pairs_are_single_ones_and_order_does_not_matter(pairs, convention):
    a, b = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    found = raster.overlaps(a, b, (50, 40), convention)
    assert ((found >= 0) & (found <= 1)).all()
    np.testing.assert_array_equal(found, raster.overlaps(b, a, (50, 40), convention))
    single = [raster.overlap(*pair, (50, 40), convention) for pair in zip(a, b, strict=True)]
    np.testing.assert_array_equal(found, single)


@given(polygons, st.tuples(st.integers(-50, 50), st.integers(-50, 50)))
def test_moved_by_whole_pixels(polygon, shift):
    polygon = np.array(polygon).round(1)
    # Quarters are exact in single precision wherever they lie.
    polygon, other = np.floor(polygon * 4) / 4, np.floor(polygon[::-1] * 4) / 4
    moved = np.tile(shift, 4)
    for convention in ('vot2018', 'pysot'):
        here = raster.overlap(polygon, other, None, convention)
        assert raster.overlap(polygon + moved, other + moved, None, convention) == here


def test_the_same_region_overlaps_by_one_and_order_of_corners_does_not_matter():
    polygon = np.array(POLYGON, float)
    turned = [
        np.roll(p.reshape(4, 2), i, axis=0).ravel() for p in (polygon, polygon.reshape(4, 2)[::-1]) for i in range(4)
    ]
    for convention, other in itertools.product(raster.CONVENTIONS, turned):
        assert raster.overlap(polygon, other, None, convention) == 1


def test_shortcuts_for_regions_without_extent():
    column, box = [10.0, 10, 1, 9], [8.0, 8, 20, 20]
    assert raster.overlap(column, box) == 0  # no area between its corners
    assert raster.overlap(column, box, convention='vot-python') == pytest.approx(9 / 400)
    assert raster.overlap(column, [10.0, 40, 1, 3], convention='vot-python') == 1
    # Both cut down to the frame's last column: counted after all.
    a, b = [320.2, 8, 49, 10], [320.4, 8, 30, 10]
    assert raster.overlap(a, b, (320, 240)) == 1 and raster.overlap(a, [300, 8, 60, 10], (320, 240)) == 0
    for convention in raster.CONVENTIONS:
        assert raster.overlap([700.0, 500, 50, 50], [600.0, 400, 30, 30], (639, 479), convention) == 0


def test_boxes_that_round_to_no_size_are_empty_in_python():
    # Values of the toolkit's own function.
    thin = [72.1, 156.5, 1.9, 0.5]
    assert raster.overlap([72.5, 155.8, 2.5, 1.3], thin, convention='vot-python') == 1
    assert raster.overlap([60.0, 150, 30, 30], thin, convention='vot-python') == 0
    assert raster.overlap([72.0, 155, 2, 1], thin, convention='vot-python') == 1
    assert raster.overlap([10.0, 10, 0.4, 9], [8.0, 8, 20, 20], convention='vot-python') == 0
    assert raster.overlap([10.0, 10, 0.6, 9], [8.0, 8, 20, 20], convention='vot-python') > 0


def test_halves_are_those_of_single_precision():
    box, near, half = ([10.0, 10, width, 10] for width in (11, 10.49999999, 10.5))
    for convention in ('vot2018', 'pysot'):
        assert raster.overlap(near, half, None, convention) == 1
        assert raster.overlap(near, box, None, convention) == 1
        assert raster.overlap([10.0, 10, 10.4999, 10], box, None, convention) < 1


def test_unknown_regions():
    box, unknown, damaged = [0.0, 0, 9, 9], [np.nan] * 4, [0, 0, np.inf, 9]
    a = np.array([box, unknown, unknown, damaged, [0, np.nan, 9, 9]])
    b = np.array([unknown, box, unknown, box, box])
    assert np.isnan(raster.overlaps(a, b)).all()
    np.testing.assert_array_equal(raster.overlaps(a, b, None, 'vot-python'), [0, 0, 1, 0, 0])
    part = [0, 0, 9, 0, 9, 9, np.nan, np.nan]
    assert np.isnan(raster.overlap(part, raster.as_regions(box)))


def test_far_and_huge_regions():
    for convention in raster.CONVENTIONS:
        assert raster.overlap([-1e8, -1e8, 2e8, 2e8], [0.0, 0, 10, 10], (9, 9), convention) == 1
        assert raster.overlap([1e30, 0, 5, 5], [0.0, 0, 10, 10], (99, 99), convention) == 0
    with pytest.raises(ValueError, match='rows; accepted are'):
        raster.overlap([0, -1e8, 10, 2e8], [0.0, 0, 10, 10])


def test_bad_arguments():
    with pytest.raises(ValueError, match=r"convention: got 'vot2013', accepted are vot2018, pysot, vot-python"):
        raster.overlaps(np.ones((1, 4)), np.ones((1, 4)), None, 'vot2013')
    with pytest.raises(ValueError, match=r'got shapes \(2, 8\) and \(1, 8\)'):
        raster.overlaps(np.ones((2, 4)), np.ones((1, 4)))
    with pytest.raises(ValueError, match=r'got shape \(2, 6\)'):
        raster.overlaps(np.ones((2, 6)), np.ones((2, 6)))
    assert raster.overlaps(np.ones((0, 4)), np.ones((0, 8))).shape == (0,)


@pytest.mark.parametrize('convention', raster.CONVENTIONS)
def test_regions_that_lie_far_apart_cost_nothing(convention):
    near = np.tile([10.0, 20, 40, 10, *[np.nan] * 4], (2000, 1))
    start = time.monotonic()
    np.testing.assert_array_equal(raster.overlaps(near, near + 999_000, convention=convention), 0)
    assert time.monotonic() - start < 1
