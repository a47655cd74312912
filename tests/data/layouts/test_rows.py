"""Rows: every separator, every damage, and which image a row belongs to."""

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax import bounded
from sctrpn_jax.data.layouts import listing, rows


def read(tmp_path, text, **options):
    path = tmp_path / 'rows.txt'
    path.write_text(text)
    return rows.read_rows(path, **options)


def images_of(numbers):
    return listing.Images('img', {number: f'img/{number}.jpg' for number in numbers})


def test_a_comma_may_follow_the_last_number(tmp_path):
    found = read(tmp_path, '1,2,3,4,\n5,6,7,8 ,\r\n9\t10\t11\t12\t\n')
    np.testing.assert_array_equal(found.values, np.arange(1, 13).reshape(3, 4))
    assert found.refused == ()


def test_separators_may_differ_from_line_to_line(tmp_path):
    found = read(tmp_path, '\ufeff1,2,3,4\r\n5\t6\t7\t8\n\n -9.5 10  +11, 1.2e1\nNaN,nan,NaN,NaN\n\n')
    np.testing.assert_array_equal(found.values, [[1, 2, 3, 4], [5, 6, 7, 8], [-9.5, 10, 11, 12], [np.nan] * 4])
    assert found.lines.tolist() == [1, 2, 4, 5] and found.usable.all() and found.refused == ()


BAD = [
    '1,2,3',
    '1,2,3,4,5',
    '1,2,three,4',
    '1,2,inf,4',
    '1,2,3,1e300',
    '1,nan,3,4',
    '1_0,2,3,4',
    '1,2,3,,',
    '1,2,3,4,,',
    '1,2,,4,',
    '\0',
    '١,2,3,4',
]


@pytest.mark.parametrize('bad', BAD)
def test_a_bad_row_is_refused_by_name_and_keeps_its_place(tmp_path, bad):
    found = read(tmp_path, f'1,1,2,2\n{bad}\n3,3,2,2\n')
    assert found.usable.tolist() == [True, False, True] and np.isnan(found.values[1]).all()
    (line,) = found.refused
    assert line.startswith(f'{tmp_path}/rows.txt:2: ')
    placed, refused = rows.place(found, images_of([1, 2, 3]), 1)
    target = rows.make_target(found, placed, images_of([1, 2, 3]), found.values)
    assert target.rows.tolist() == [0, 2] and target.boxes[:, 0].tolist() == [1, 3] and not refused


def test_a_long_bad_row_does_not_flood_the_message(tmp_path):
    (line,) = read(tmp_path, 'x' * 100_000).refused
    assert len(line) < len(str(tmp_path)) + 200


@pytest.mark.parametrize('text', ['', ' \n\t\n'])
def test_an_empty_file_is_named(tmp_path, text):
    with pytest.raises(ValueError, match=r'rows\.txt: empty, expected one row per frame'):
        read(tmp_path, text)
    with pytest.raises(ValueError, match=r'no annotation; expected .*nothing\.txt'):
        rows.read_rows(tmp_path / 'nothing.txt')


def place(count, numbers, first=1, lines=None):
    lines = np.arange(1, count + 1) if lines is None else np.array(lines)
    found = rows.Rows('a.txt', lines, np.zeros((count, 4)), np.ones(count, bool))
    placed, refused = rows.place(found, images_of(numbers), first)
    return placed.tolist(), refused


def test_rows_belong_to_images_by_number():
    assert place(3, [1, 2, 3]) == ([1, 2, 3], [])
    # As many images as rows and none missing between: the set may be numbered anew.
    assert place(3, [0, 1, 2]) == ([0, 1, 2], [])
    assert place(3, [300, 301, 302]) == ([300, 301, 302], [])


def test_a_missing_image_costs_its_own_row_alone():
    placed, refused = place(4, [1, 2, 4])
    assert placed == [1, 2, -1, 4]
    assert refused == [
        'a.txt: got 4 rows for 3 frames; expected one per frame',
        'a.txt:3: no image of frame 3 in img',
    ]
    placed, refused = place(3, [1, 3, 4])  # one missing and one too many
    assert placed == [1, -1, 3]
    assert refused == [
        'a.txt:2: no image of frame 2 in img',
        'img/4.jpg: no row for it, nor for 0 others of its folder',
    ]


def test_images_beyond_the_rows_are_said():
    assert place(2, [1, 2, 3]) == ([1, 2], ['a.txt: got 2 rows for 3 frames; expected one per frame'])
    with pytest.raises(ValueError, match='2 rows for 3 frames.*empty lines'):
        place(2, [1, 2, 3], lines=[1, 3])


@given(st.sets(st.integers(0, 12), min_size=1), st.integers(0, 3), st.integers(1, 12))
def test_placing_agrees_with_a_plain_loop(numbers, first, count):
    placed, refused = place(count, sorted(numbers), first)
    whole = max(numbers) - min(numbers) + 1 == len(numbers) == count
    start = min(numbers) if whole else first
    assert placed == [start + row if start + row in numbers else -1 for row in range(count)]
    assert bool(refused) == (set(range(start, start + count)) != numbers)


def test_a_clip_without_a_row_is_an_error_that_names_the_file(tmp_path):
    found = read(tmp_path, 'a\nb\n')
    with pytest.raises(ValueError, match=r'rows\.txt:1: got .a., expected 4 numbers'):
        rows.one_target_clip('x', images_of([1, 2]), found, 1, found.values)


def test_boxes_count_from_zero_and_have_a_size():
    values = np.array([[1, 1, 5, 6], [3, 4, 0, 6], [3, 4, 5, -1], [np.nan] * 4])
    boxes = rows.to_boxes(values, origin=1)
    np.testing.assert_array_equal(boxes[0], [0, 0, 5, 6])
    assert np.isnan(boxes[1:]).all()


def flags(tmp_path, text, count, **options):
    path = tmp_path / 'flags.txt'
    path.write_text(text)
    found = rows.Rows('a.txt', np.arange(count), np.zeros((count, 4)), np.ones(count, bool))
    return rows.read_flags(path, found, **options)


@pytest.mark.parametrize('text', ['0,1,0', '0\n1\n0\n', '0\r\n1.0\r\n\r\n0', ' 0, 1 ,0 \n'])
def test_flags_on_one_line_or_one_a_line(tmp_path, text):
    values, found = flags(tmp_path, text, 3)
    assert values.tolist() == [0, 1, 0] and found.usable.all() and not found.refused


def test_a_damaged_flag_costs_its_row_alone(tmp_path):
    values, found = flags(tmp_path, '0\n2\nx\n8\n0.5\n', 5, highest=8)
    assert found.usable.tolist() == [True, True, False, True, False] and values[[0, 1, 3]].tolist() == [0, 2, 8]
    assert [line.partition('flags.txt')[2] for line in found.refused] == [
        ":3: value 3 is 'x', expected 0 to 8",
        ":5: value 5 is '0.5', expected 0 to 8",
    ]


def test_flags_of_another_number(tmp_path):
    with pytest.raises(ValueError, match=r'flags\.txt: got 2 values for 3 rows'):
        flags(tmp_path, '0,1', 3)
    assert flags(tmp_path, '0\n1', 3, short=True)[0].tolist() == [0, 1, 0]
    assert flags(tmp_path, '', 3, short=True)[0].tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match='got 4 values'):
        flags(tmp_path, '0,1,0,1', 3, short=True)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(max_size=40) | st.lists(st.floats() | st.integers(), max_size=6).map(lambda v: ','.join(map(str, v))))
def test_any_text_gives_pixels_or_a_reason(tmp_path, text):
    try:
        values = rows.parse_box(text)
    except ValueError as error:
        assert str(error)
    else:
        assert len(values) == 4
        assert all(map(math.isnan, values)) or all(abs(value) <= bounded.MAX_PIXEL for value in values)
