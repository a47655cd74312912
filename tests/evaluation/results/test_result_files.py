"""Result files in every form that trackers write, damaged ones, and the published means of two trackers on OTB-2015."""

import re
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sctrpn_jax.evaluation.results import result_files
from sctrpn_jax.evaluation.results import truth as truth_lib
from sctrpn_jax.metrics import one_pass
from sctrpn_jax.tracking import results as results_lib

BOXES = np.array([[10.5, 20, 30, 40], [11, 21.25, 31, 41], [12, 22, 32, 42]])


def write(path, separator=',', ending='\n', boxes=BOXES):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(''.join(separator.join(f'{v:g}' for v in row) + ending for row in boxes), newline='')
    return path


def score(results, truth, *rules):
    """Scores of each sequence."""
    return [one_pass.score_sequence(results.boxes[n], each.boxes, each.absent, *rules) for n, each in truth.items()]


@pytest.mark.parametrize('separator', [',', '\t', ' ', ';', ', ', ' ; ', '  '])
@pytest.mark.parametrize('ending', ['\n', '\r\n', ',\n', ' \n'])
def test_separators_and_line_ends(tmp_path, separator, ending):
    boxes, refused = result_files.read_boxes(write(tmp_path / 'a.txt', separator, ending))
    np.testing.assert_array_equal(boxes, BOXES)
    assert not refused


def test_trailing_empty_lines_and_a_byte_order_mark(tmp_path):
    path = write(tmp_path / 'a.txt')
    path.write_text(f'\ufeff{path.read_text()}\n \n\n', encoding='utf-8')
    np.testing.assert_array_equal(result_files.read_boxes(path)[0], BOXES)


def test_pixels_counted_from_1(tmp_path):
    np.testing.assert_array_equal(result_files.read_boxes(write(tmp_path / 'a.txt'), 1)[0], BOXES - [1, 1, 0, 0])


def test_our_own_files(tmp_path):
    with results_lib.ResultWriter(tmp_path / 'a.csv') as writer:
        for box in BOXES:
            writer.write(box, 0.5)
    boxes, refused = result_files.read_boxes(tmp_path / 'a.csv')
    np.testing.assert_array_equal(boxes, BOXES)
    assert not refused
    text = (tmp_path / 'a.csv').read_text()
    (tmp_path / 'a.csv').write_text(text.replace('\n1,', '\n7,'))
    boxes, refused = result_files.read_boxes(tmp_path / 'a.csv')
    assert refused == [f'{tmp_path}/a.csv:3: frame 7 stands where 1 was expected'] and np.isnan(boxes[1]).all()


@pytest.mark.parametrize(
    ('row', 'reason'),
    [
        ('nan,nan,nan,nan', "'nan,nan,nan,nan' is no pixel position"),
        ('1,2,inf,4', "'1,2,inf,4' is no pixel position"),
        ('1,2,3e9,4', "'1,2,3e9,4' is no pixel position"),
        ('1,2,3', "got '1,2,3', expected 4 numbers"),
        ('1,2,3,4,5', "got '1,2,3,4,5', expected 4 numbers"),
        ('1,,2,3,4', "got '1,,2,3,4', expected 4 numbers"),
        (',1,2,3,4', "got ',1,2,3,4', expected 4 numbers"),
        ('1,2,x,4', "got '1,2,x,4', expected 4 numbers"),
        ('1_0,2,3,4', "got '1_0,2,3,4', expected 4 numbers"),
        ('\u0661,2,3,4', "got '\u0661,2,3,4', expected 4 numbers"),
    ],
)
def test_damaged_rows_keep_their_place(tmp_path, row, reason):
    path = tmp_path / 'a.txt'
    path.write_text(f'1,2,3,4\n{row}\n5,6,7,8\n', encoding='utf-8')
    boxes, refused = result_files.read_boxes(path)
    assert refused == [f'{path}:2: {reason}']
    np.testing.assert_array_equal(boxes, [[1, 2, 3, 4], [np.nan] * 4, [5, 6, 7, 8]])


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('', 'empty'),
        ('\n \n', 'empty'),
        ('frame,x,y,w,h,score\n', 'a header alone'),
        ('left,top\n1,2\n', 'expected a header with x, y, w, h'),
        ('1,,2,3,4\n1,,2,3,4\n', ":1: got '1,,2,3,4'"),
        ('1,2,3,4,5,6,7,8\n', 'expected 4 numbers'),
        ('nan nan nan nan\n', 'no pixel position'),
    ],
)
def test_files_of_which_nothing_can_be_used(tmp_path, text, reason):
    (tmp_path / 'a.txt').write_text(text)
    with pytest.raises(ValueError, match=re.escape(f'{tmp_path}/a.txt') + '.*' + re.escape(reason)):
        result_files.read_boxes(tmp_path / 'a.txt')


@given(
    st.text(st.sampled_from('0123456789.,;-+eE \t\r\nnaifxywh#_"\x00\u0660\u2028'), max_size=60)
    | st.text()
    | st.binary()
)
@settings(max_examples=300)
def test_any_text_gives_rows_or_a_named_problem(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / 'any.txt'
    path.write_bytes(text if isinstance(text, bytes) else text.encode('utf-8', 'surrogatepass'))
    try:
        boxes, refused = result_files.read_boxes(path)
    except ValueError as error:
        assert str(error).startswith(str(path)) and '\n' not in str(error)
        return
    assert boxes.shape[1] == 4 and len(boxes) and np.isnan(boxes).all(axis=1).sum() == len(refused)
    assert (np.isfinite(boxes).all(axis=1) | np.isnan(boxes).all(axis=1)).all()
    assert all(re.match(re.escape(str(path)) + r':\d+: .', line) for line in refused)


rows = st.lists(st.tuples(*[st.floats(-999, 999).map(lambda v: round(v, 3))] * 4), min_size=1, max_size=6)


@given(rows, st.sampled_from([',', ' ', '\t', ';', ', ']))
@settings(max_examples=60)
def test_numbers_come_back(tmp_path_factory, rows, separator):
    path = tmp_path_factory.getbasetemp() / 'numbers.txt'
    path.write_text('\n'.join(separator.join(map(str, row)) for row in rows))
    np.testing.assert_array_equal(result_files.read_boxes(path)[0], rows)


def test_a_folder_with_every_fault(tmp_path):
    write(tmp_path / 'basketball.txt')
    write(tmp_path / 'Jogging.1.csv')
    write(tmp_path / 'Short.txt', boxes=BOXES[:2])
    write(tmp_path / 'Long.txt', boxes=np.concatenate([BOXES, BOXES]))
    write(tmp_path / 'Twice.txt')
    write(tmp_path / 'twice.csv', boxes=BOXES + 5)
    write(tmp_path / 'Unknown.txt')
    write(tmp_path / 'Basketball_time.txt')
    (tmp_path / 'Empty.txt').write_text('\n')
    (tmp_path / 'Damaged.txt').write_text('1,2,3,4\nx\n' + 'y\n' * 30)
    write(tmp_path / 'Got' / 'Got_001.txt')
    names = ['Basketball', 'Jogging-1', 'Jogging-2', 'Short', 'Long', 'Twice', 'Empty', 'Got']
    frames = {**dict.fromkeys(names, 3), 'Damaged': 32}
    found = result_files.read_results(tmp_path, frames)
    assert found.missing == ('Jogging-2', 'Empty')
    assert found.counts == {'extra': 2, 'missing': 1, 'length': 2, 'file': 1, 'row': 31}
    for name in ('Basketball', 'Jogging-1', 'Long', 'Twice', 'Got'):
        np.testing.assert_array_equal(found.boxes[name], BOXES)
    np.testing.assert_array_equal(found.boxes['Short'], [*BOXES[:2], [np.inf] * 4])
    assert np.isnan(found.boxes['Damaged'][1:]).all() and found.boxes['Damaged'].shape == (32, 4)
    texts = '\n'.join(found.problems).replace(str(tmp_path), 'F')
    assert 'F/Jogging-2.txt: no results of this sequence' in texts
    assert 'F/Short.txt: 2 rows for 3 frames; frames without a row are misses' in texts
    assert 'F/Long.txt: 6 rows for 3 frames; the rest is cut' in texts
    assert 'F/Unknown.txt: no sequence of that name is expected' in texts
    assert 'F/twice.csv: not read, F/Twice.txt is of the same sequence' in texts
    assert "F/Damaged.txt:2: got 'x', expected 4 numbers" in texts
    assert 'F/Damaged.txt: 11 more rows cannot be used' in texts
    assert sum(found.counts.values()) == len(found.problems) - 1 + 11


def test_a_missing_folder_is_an_error(tmp_path):
    with pytest.raises(ValueError, match='expected a folder'):
        result_files.read_results(tmp_path / 'none', {'a': 3})


GOLDEN = [('KCF', 0.4771, 0.6949), ('SRDCF', 0.5976, 0.7876)]


@pytest.mark.parametrize('convention', ['otb-miss', 'got10k'])
@pytest.mark.parametrize(('tracker', 'success', 'precision'), GOLDEN)
def test_published_means_of_otb2015(shared, tracker, success, precision, convention):
    folder = shared / 'data' / 'results' / 'OTB2015'
    if not folder.is_dir():
        pytest.skip(f'no results at {folder}')
    truth, split = truth_lib.read_truth('otb', folder)
    assert split.title == 'OTB-2015'
    results = result_files.read_results(folder / tracker, {name: len(each.boxes) for name, each in truth.items()}, 1)
    assert not results.problems and not results.missing and len(truth) == 100
    mean = one_pass.mean_scores(score(results, truth, convention, 1), convention)
    assert (round(mean.success, 4), round(mean.precision, 4)) == (success, precision)


def test_twenty_trackers_on_otb_take_seconds(tmp_path):
    lengths = [590] * 10
    truth = {f's{k}': truth_lib.Truth(np.tile([10.0, 10, 20, 20], (n, 1))) for k, n in enumerate(lengths)}
    boxes = np.random.default_rng(0).uniform(1, 99, (590, 4)).round(4)
    for name in truth:
        write(tmp_path / f'{name}.txt', boxes=boxes)
    start = time.process_time()
    results = result_files.read_results(tmp_path, {name: len(each.boxes) for name, each in truth.items()})
    score(results, truth)
    # A two-hundredth of 20 trackers on 100 sequences, for which 6 s are the aim; generous, since machines differ.
    assert time.process_time() - start < 0.2
