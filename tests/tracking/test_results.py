import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.tracking import results

NUMBER = st.floats(-1e4, 1e4, width=32)


@given(st.lists(st.tuples(NUMBER, NUMBER, NUMBER, NUMBER, st.floats(0, 1)), max_size=8))
def test_what_is_written_is_read_back(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp('results') / 'new folder' / 'boxes.csv'
    with results.ResultWriter(path) as writer:
        for *box, score in rows:
            writer.write(np.array(box), score)
    boxes, scores = results.read_results(path)
    table = np.array(rows).reshape(-1, 5)
    np.testing.assert_allclose(boxes, table[:, :4], atol=6e-5)
    np.testing.assert_allclose(scores, table[:, 4], atol=6e-7)


@pytest.mark.parametrize('columns', [(), ('hidden',), ('time',), ('hidden', 'time'), ('target',), results.OPTIONAL])
def test_one_target_is_read_with_any_columns(tmp_path, columns):
    path = tmp_path / 'boxes.csv'
    with results.ResultWriter(path, columns) as writer:
        writer.write([1, 2, 3, 4], 1, target='the "left", one')
        writer.write([1, 2, 3, 4], 0.1, hidden=True, time=0.04, target='the "left", one')
    lines = list(csv.reader(path.read_text().splitlines()))
    cells = {'hidden': ['0', '1'], 'time': ['0.0000', '0.0400'], 'target': ['the "left", one'] * 2}
    assert lines[0] == ['frame', 'x', 'y', 'w', 'h', 'score', *columns]
    assert [line[6:] for line in lines[1:]] == [[cells[name][i] for name in columns] for i in range(2)]
    boxes, scores = results.read_results(path)
    assert boxes.tolist() == [[1, 2, 3, 4]] * 2 and scores.tolist() == [1, 0.1]


def test_several_targets(tmp_path):
    path = tmp_path / 'boxes.csv'
    with results.ResultWriter(path, ('target',)) as writer:
        for frame, name, x in [(0, 'a', 1), (1, 'a', 2), (1, 'b', 3), (2, 'b', 4)]:
            writer.write([x, 2, 3, 4], 0.5, frame, target=name)
    found = results.read_targets(path)
    assert {name: each.frames.tolist() for name, each in found.items()} == {'a': [0, 1], 'b': [1, 2]}
    assert found['b'].boxes.tolist() == [[3, 2, 3, 4], [4, 2, 3, 4]] and found['a'].scores.tolist() == [0.5, 0.5]
    with pytest.raises(ValueError, match='boxes of 2 targets, expected one'):
        results.read_results(path)
    path.write_text(path.read_text() + '1,1,2,3,4,0.5,b\n')
    with pytest.raises(ValueError, match='line 6: .* expected a later frame'):
        results.read_targets(path)
    with results.ResultWriter(path) as writer:
        writer.write([1, 2, 3, 4], 1)
    with pytest.raises(ValueError, match='no column target'):
        results.read_targets(path)


def test_rows_are_on_disk_before_the_end(tmp_path):
    path = tmp_path / 'boxes.csv'
    writer = results.ResultWriter(path)
    assert path.read_text() == 'frame,x,y,w,h,score\n'
    writer.write([205, 151, 17, 50], 1)
    writer.write(np.float32([204.5, 150.25, 17, 49.875]), np.float32(0.5))
    assert path.read_text().splitlines()[1:] == [
        '0,205.0000,151.0000,17.0000,50.0000,1.000000',
        '1,204.5000,150.2500,17.0000,49.8750,0.500000',
    ]
    writer.close()


@pytest.mark.parametrize(
    'text, message',
    [
        ('', 'first line'),
        ('x,y,w,h\n1,2,3,4\n', "first line is 'x,y,w,h', expected frame,x"),
        ('frame,x,y,w,h,score\n0,1,2,3,4,1\n2,1,2,3,4,1\n', 'line 3: .* expected 1,x'),
        ('frame,x,y,w,h,score\n0,1,2,3,4,1\n1,1,2,3,4\n', 'line 3'),
        ('frame,x,y,w,h,score\n0,1,2,nan,4,1\n', 'line 2'),
        ('frame,x,y,w,h,score\n0,1,2,three,4,1\n', 'line 2'),
        ('frame,x,y,w,h,score\n\n', 'line 2'),
        (f'frame,x,y,w,h,score\n0,1,2,3,4,{"1" * 200_000}\n', 'field larger than field limit'),
        (f'frame,x,y,w,h,score\n0,1,2,3,4,{"1" * 100_000}\n', 'line 2'),
        ('"' * 200_001, 'field larger than|first line'),
        ('frame,x,y,w,h,score\n0,1,2,3,4,1,,\n', 'line 2'),
        ('frame,x,y,w,h,score,hidden\n0,1,2,3,4,1\n', 'line 2: .* expected 0,x,y,w,h,score,hidden'),
        ('frame,x,y,w,h,score,seen\n0,1,2,3,4,1,0\n', 'first line'),
        ('frame,x,y,w,h,score,time,hidden\n0,1,2,3,4,1,0,0\n', 'first line'),
        ('frame,x,y,w,h,score,target\n0,1,2,3,4,1\n', 'line 2'),
    ],
)
def test_broken_files_are_refused(tmp_path, text, message):
    path = tmp_path / 'boxes.csv'
    path.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        results.read_results(path)
    assert 'boxes.csv' in str(caught.value)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(ValueError, match='none.csv'):
        results.read_results(tmp_path / 'none.csv')


def test_a_comma_may_follow_the_last_value(tmp_path):
    (tmp_path / 'boxes.csv').write_text('frame,x,y,w,h,score\n0,1,2,3,4,1,\n')
    boxes, scores = results.read_results(tmp_path / 'boxes.csv')
    assert boxes.tolist() == [[1, 2, 3, 4]] and scores.tolist() == [1]
