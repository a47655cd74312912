"""Annotation folders and result trees, whole and damaged: everything wrong is named."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.evaluation.results import vot_files

UPRIGHT = '10,20,49,20,49,29,10,29'
GOOD = ['1', '9.5,20,40,10', UPRIGHT, '2', '0', '0', '0', '0', '1', '9,9,9,9']


@pytest.fixture
def annotations(tree):
    for name in ('a', 'b'):
        root = tree(f'truth/{name}/groundtruth.txt', [UPRIGHT] * len(GOOD))
    return vot_files.read_annotations(root / 'truth')


@pytest.fixture
def good(tree):
    """A tree without a fault: its folder and its files."""
    for name in ('a', 'b'):
        for repetition in (1, 2):
            root = tree(f'tracker/baseline/{name}/{name}_{repetition:03d}.txt', GOOD)
    return root / 'tracker'


def test_annotations(tree):
    root = tree('list.txt', ['b', 'a'])
    tree('a/groundtruth.txt', [UPRIGHT, '1,2,3.5,4', 'nan,nan,nan,nan', '0'])
    tree('b/groundtruth.txt', [UPRIGHT.replace(',', '\t')] * 3)
    tree('unlisted/groundtruth.txt', ['no region'])
    tree('a/occlusion.tag', '1\n0\n1\n')
    tree('a/camera_motion.tag', '0\n1\n')
    tree('a/size_change.tag', '')
    tree('a/practical.value', 'another file')
    b, a = vot_files.read_annotations(root)
    assert (b.name, a.name, a.size) == ('b', 'a', None)
    np.testing.assert_array_equal(b.regions, [[10, 20, 49, 20, 49, 29, 10, 29]] * 3)
    np.testing.assert_array_equal(a.regions[1], [1, 2, 3.5, 4, *[np.nan] * 4])
    assert np.isnan(a.regions[2:]).all()
    assert {tag: np.flatnonzero(values).tolist() for tag, values in a.tags.items()} == {
        'camera_motion': [1],
        'illum_change': [],
        'motion_change': [],
        'occlusion': [0, 2],
        'size_change': [],
        'empty': [3],
    }
    (root / 'list.txt').unlink()
    (root / 'unlisted' / 'groundtruth.txt').unlink()
    assert [each.name for each in vot_files.read_annotations(root)] == ['a', 'b']


@pytest.mark.parametrize('inner', ['color', '.'])
def test_size_of_the_frames(tree, inner):
    root = tree('a/groundtruth.txt', [UPRIGHT])
    (root / 'a' / inner).mkdir(exist_ok=True)
    cv2.imwrite(str(root / 'a' / inner / '00000001.jpg'), np.zeros((24, 40, 3), np.uint8))
    assert vot_files.read_annotations(root)[0].size == (40, 24)


@pytest.mark.parametrize(
    'row', ['1,2,3', 'inf,2,3,4', 'm0,0,2,2', '1', '1;2;3;4', '5,5,0,3', '1,2,3,4,5,6,7,nan', '9,9,1e6,9']
)
def test_damaged_truth_is_an_error(tree, row):
    root = tree('a/groundtruth.txt', [UPRIGHT, row])
    with pytest.raises(ValueError, match=r'a/groundtruth\.txt:2: '):
        vot_files.read_annotations(root)


def test_truth_that_does_not_fit(tree):
    root = tree('a/groundtruth.txt', [UPRIGHT, '', UPRIGHT])
    with pytest.raises(ValueError, match='1 empty lines before the last row'):
        vot_files.read_annotations(root)
    tree('a/groundtruth.txt', [UPRIGHT])
    tree('a/occlusion.tag', ['0', '1'])
    with pytest.raises(ValueError, match=r'occlusion\.tag: got 2 values for 1 rows'):
        vot_files.read_annotations(root)
    tree('a/occlusion.tag', ['3'])
    with pytest.raises(ValueError, match=r"occlusion\.tag:1: value 1 is '3'"):
        vot_files.read_annotations(root)
    with pytest.raises(ValueError, match='no VOT sequences; expected'):
        vot_files.read_annotations(tree('other/readme.txt', '') / 'other')


def test_whole_tree(annotations, good, tree):
    tree('tracker/baseline/a/a_time.txt', '0.1')
    tree('tracker/baseline/a/a_001_time.value', '0.1')
    for folder in (good, good / 'baseline'):
        found = vot_files.read_results(folder, annotations)
        assert found.missing == () and found.problems == ()
        assert {name: len(each) for name, each in found.trajectories.items()} == {'a': 2, 'b': 2}
    first = found.trajectories['a'][0]
    assert first.codes.tolist() == [1, 3, 3, 2, 0, 0, 0, 0, 1, 3]
    np.testing.assert_array_equal(first.regions[1], [9.5, 20, 40, 10, *[np.nan] * 4])
    np.testing.assert_array_equal(first.regions[2], [10, 20, 49, 20, 49, 29, 10, 29])
    assert np.isnan(first.regions[first.codes != vot_files.REGION]).all()


@pytest.mark.parametrize(
    ('row', 'said'),
    [
        ('NaN,NaN,NaN,NaN', "'NaN,NaN,NaN,NaN' is no region"),
        ('nan', "got 'nan', expected a region"),
        ('1,2,nan,4', 'is no pixel position'),
        ('1,2,inf,4', 'is no pixel position'),
        ('1,2,1e9,4', 'is no pixel position'),
        ('1,2,3', "got '1,2,3', expected a region of 4 or 8 numbers"),
        ('1;2;3;4', 'expected a region'),
        ('3', 'expected a region'),
        ('5,5,0,4', 'has no size'),
        ('word', 'expected a region'),
    ],
)
def test_damaged_rows_are_unknown_and_named(annotations, good, tree, row, said):
    tree('tracker/baseline/a/a_001.txt', [*GOOD[:9], row])
    found = vot_files.read_results(good, annotations)
    (problem,) = found.problems
    assert 'a_001.txt:10: ' in problem and said in problem
    assert found.trajectories['a'][0].codes[9] == 0
    assert np.isnan(found.trajectories['a'][0].regions[9]).all()


@pytest.mark.parametrize('separator', [' ', '\t', ', ', ' ,\t'])
def test_other_separators(annotations, good, tree, separator):
    tree('tracker/baseline/a/a_001.txt', [row.replace(',', separator) for row in GOOD])
    found = vot_files.read_results(good, annotations)
    assert found.problems == ()
    np.testing.assert_array_equal(found.trajectories['a'][0].regions, found.trajectories['b'][0].regions)


def test_empty_lines(annotations, good, tree):
    tree('tracker/baseline/a/a_001.txt', '\n'.join(GOOD) + '\n\n \n')
    assert vot_files.read_results(good, annotations).problems == ()
    tree('tracker/baseline/a/a_001.txt', [*GOOD[:4], '', *GOOD[4:]])
    found = vot_files.read_results(good, annotations)
    assert found.trajectories['a'][0].codes.tolist() == [1, 3, 3, 2, 0, 0, 0, 0, 1, 3]
    assert [line.partition('_001.txt: ')[2] for line in found.problems] == ['1 empty lines before the last row']


@pytest.mark.parametrize('lines', [GOOD[:9], [*GOOD, '1,2,3,4'], []])
def test_wrong_number_of_rows(annotations, good, tree, lines):
    tree('tracker/baseline/a/a_001.txt', lines or '\n')
    found = vot_files.read_results(good, annotations)
    assert len(found.trajectories['a']) == 1
    assert 'a_001.txt: ' in found.problems[0] and found.problems[1] == 'a: 1 repetitions, others have 2'
    (good / 'baseline' / 'a' / 'a_002.txt').unlink()
    with pytest.raises(ValueError, match=r'no result of 1 of 2 sequences: a \(.*a_001\.txt: (got|empty)'):
        vot_files.read_results(good, annotations)
    found = vot_files.read_results(good, annotations, allow_missing=True)
    assert found.missing == ('a',) and list(found.trajectories) == ['b']


def test_missing_sequences(annotations, good):
    for file in (good / 'baseline' / 'b').iterdir():
        file.unlink()
    with pytest.raises(ValueError, match=r'sequences: b \(.*b/b_001\.txt: missing\)'):
        vot_files.read_results(good, annotations)
    (good / 'baseline' / 'b').rmdir()
    with pytest.raises(ValueError, match=r'sequences: b \(.*b: no such folder\)'):
        vot_files.read_results(good, annotations)
    found = vot_files.read_results(good, annotations, allow_missing=True)
    assert found.missing == ('b',) and 'b: no such folder' in found.problems[0]
    with pytest.raises(ValueError, match='expected a folder'):
        vot_files.read_results(good / 'nothing', annotations)


def test_missing_repetitions(annotations, good, tree):
    tree('tracker/baseline/a/a_004.txt', [*GOOD[:9], '8,8,8,8'])
    found = vot_files.read_results(good, annotations)
    assert len(found.trajectories['a']) == 3
    assert found.problems[0].endswith('a_003.txt: missing') and len(found.problems) == 2
    # Three that are the same are as good as fifteen.
    for repetition in (3, 4):
        tree(f'tracker/baseline/a/a_{repetition:03d}.txt', GOOD)
    assert vot_files.read_results(good, annotations).problems == ()


def test_what_does_not_belong_is_named(annotations, good, tree):
    tree('tracker/baseline/c/c_001.txt', GOOD)
    tree('tracker/baseline/notes.txt', 'x')
    for name in ('a_000.txt', 'a_016.txt', 'a_1.txt', 'b_001.txt', 'a_001.txt.partial'):
        tree(f'tracker/baseline/a/{name}', GOOD)
    found = vot_files.read_results(good, annotations)
    said = {problem.split('/baseline/')[1] for problem in found.problems}
    assert said == {
        'c: no sequence of this set',
        'notes.txt: not a result',
        *[f'a/{n}: no result of this sequence' for n in ('a_000.txt', 'a_016.txt', 'a_1.txt', 'b_001.txt')],
        'a/a_001.txt.partial: no result of this sequence',
    }
    assert {name: len(each) for name, each in found.trajectories.items()} == {'a': 2, 'b': 2}


@pytest.mark.parametrize('codes', ['3333333333', '0133333333', '1323333333', '1133333333', '1331333333', '1320032003'])
def test_rows_against_the_protocol_are_named(tmp_path, codes):
    rows = {'3': '1,2,3,4'}
    path = tmp_path / 'a_001.txt'
    path.write_text('\n'.join(rows.get(code, code) for code in codes))
    _, problems = vot_files.read_trajectory(path, 10)
    assert problems == (f'{path}: starts (1) and failures (2) do not alternate from a start in the first row',)


@given(
    st.lists(st.sampled_from(['1', '2', '0', 'NaN', '', '1,2,3,4', UPRIGHT, 'x', '9,9', '-1e5,0,1e-4,7']), min_size=1)
)
def test_any_file_is_read_or_refused(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp('any') / 'a_001.txt'
    path.write_text('\n'.join(lines))
    rows = [line for line in lines if line]
    if not rows:
        with pytest.raises(ValueError, match='empty'):
            vot_files.read_trajectory(path, 3)
        return
    found, problems = vot_files.read_trajectory(path, len(rows))
    bad = [row for row in rows if row in ('NaN', 'x', '9,9')]
    assert sum(':' in problem.removeprefix(str(path))[:1] and 'txt: ' not in problem for problem in problems) == len(
        bad
    )
    for row, code, region in zip(rows, found.codes, found.regions, strict=True):
        assert code == (0 if row in bad else int(row) if len(row) == 1 else vot_files.REGION)
        assert np.isfinite(region[0]) == (code == vot_files.REGION)
    with pytest.raises(ValueError, match=f'got {len(rows)} rows, expected'):
        vot_files.read_trajectory(path, len(rows) + 1)


def test_same_repetitions():
    one = vot_files.Trajectory(np.array([1, 3]), np.array([[np.nan] * 8, [1, 2, 3, 4, *[np.nan] * 4]]))
    other = vot_files.Trajectory(one.codes, one.regions + 1e-4)
    assert vot_files.is_deterministic([one] * 3) and vot_files.is_deterministic([one, one, one, other])
    assert not vot_files.is_deterministic([one] * 2) and not vot_files.is_deterministic([one, one, other])


@pytest.mark.parametrize('far', ['1000000,20,49,20,49,29,10,29', '0,0,70000,5', '-900000,-900000,1000000,1000000'])
def test_a_region_larger_than_any_image_is_an_unknown_frame(annotations, good, tree, far):
    tree('tracker/baseline/a/a_001.txt', [*GOOD[:-1], far])
    found = vot_files.read_results(good, annotations)
    assert found.trajectories['a'][0].codes[-1] == 0
    (line,) = [line for line in found.problems if 'more than any image' in line]
    assert line.startswith(f'{good}/baseline/a/a_001.txt:10: ')


def test_broken_sequences_can_be_left_out(tree):
    for name in 'abc':
        root = tree(f'{name}/groundtruth.txt', [UPRIGHT, 'x' if name == 'b' else UPRIGHT])
    with pytest.raises(ValueError, match=r'b/groundtruth\.txt:2: .*; to go on without it: --sequences=-b'):
        vot_files.read_annotations(root)
    assert vot_files.sequences(root) == ['a', 'b', 'c']
    assert [each.name for each in vot_files.read_annotations(root, ['c', 'a'])] == ['c', 'a']
