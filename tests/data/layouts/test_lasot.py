"""LaSOT: the official split, flags on one line, and both ways its folders are laid."""

import pickle

import numpy as np
import pytest

from sctrpn_jax.data.layouts import lasot


@pytest.fixture
def sequence(tmp_path, touch, write):
    """sequence(folder, rows): one sequence in a folder below tmp_path."""

    def make(folder, lines, occluded=None, outside=None, images=None):
        touch(tmp_path / folder / 'img', images or range(1, len(lines) + 1))
        write(tmp_path / folder / 'groundtruth.txt', lines)
        write(tmp_path / folder / 'full_occlusion.txt', ','.join(occluded or '0' * len(lines)))
        write(tmp_path / folder / 'out_of_view.txt', ','.join(outside or '0' * len(lines)))
        write(tmp_path / folder / 'nlp.txt', 'a bird')
        return tmp_path

    return make


def test_the_official_split():
    test, train = lasot.official_names('test'), lasot.official_names('train')
    assert len(test) == len(set(test)) == 280 and len(train) == len(set(train)) == 1120
    assert not set(test) & set(train)
    assert set(test) | set(train) == {f'{c}-{n}' for c in {t.rpartition('-')[0] for t in test} for n in range(1, 21)}
    assert test[:5] == ['airplane-1', 'airplane-9', 'airplane-13', 'airplane-15', 'basketball-1']
    assert {'rubicCube-19', 'gametarget-13', 'electricfan-20', 'zebra-10'} <= set(test) and 'airplane-2' in train


@pytest.mark.parametrize('above', ['airplane/', ''])
def test_nested_and_flat(sequence, above):
    sequence(f'{above}airplane-1', ['1,1,5,6', '2,3,5,6', '7,7,7,7', '1,1,-1,-1'], '0010', '0011')
    root = sequence(f'{above}airplane-2', ['1,1,5,6'])
    layout = pickle.loads(pickle.dumps(lasot.Lasot(root, 'test')))
    assert layout.keys() == ['airplane-1']
    (missing,) = layout.refused
    assert '279 of the 280 test sequences missing: airplane-9, airplane-13' in missing
    clip = layout.read('airplane-1')
    (target,) = clip.targets
    assert clip.images[0] == f'{root}/{above}airplane-1/img/00000001.jpg' and clip.refused == ()
    np.testing.assert_array_equal(target.boxes[:2], [[0, 0, 5, 6], [1, 2, 5, 6]])
    assert np.isnan(target.boxes[2:]).all() and target.category == 'airplane'
    np.testing.assert_array_equal(target.visible, [np.nan, np.nan, 0, 0])
    assert {tag: values.tolist() for tag, values in target.tags.items()} == {
        'full_occlusion': [False, False, True, False],
        'out_of_view': [False, False, True, True],
    }
    assert lasot.Lasot(root, 'train').keys() == ['airplane-2']


def test_lists_in_the_root_come_first(sequence, write):
    sequence('airplane/airplane-1', ['1,1,5,6'])
    root = sequence('atv/atv-3', ['1,1,5,6'])
    write(root / 'testing_set.txt', ['atv-3', 'airplane-1'])
    layout = lasot.Lasot(root, 'test')
    assert layout.keys() == ['atv-3', 'airplane-1'] and layout.refused == []
    write(root / 'training_set.txt', ['atv-3', 'atv-3', 'atv-4'])
    assert lasot.Lasot(root, 'train').refused == [
        f"{root}/training_set.txt:2: 'atv-3' is named twice",
        f'{root}: 1 of the 2 train sequences missing: atv-4',
    ]


def test_a_sequence_in_two_places_is_refused(sequence):
    sequence('airplane/airplane-1', ['1,1,5,6'])
    root = sequence('airplane-1', ['1,1,5,6'])
    layout = lasot.Lasot(root, 'test')
    assert layout.refused[0] == f'{root}/airplane-1: {root}/airplane/airplane-1 is a sequence of that name'


def test_images_beyond_the_rows_and_a_missing_one(sequence):
    root = sequence('bus-2', ['1,1,5,6'] * 4, images=[1, 2, 4, 5])
    clip = lasot.Lasot(root, 'test').read('bus-2')
    assert clip.targets[0].rows.tolist() == [0, 1, 2] and clip.frames[clip.targets[0].rows].tolist() == [1, 2, 4]
    assert [line.rpartition('/')[2] for line in clip.refused] == [
        'img',
        '00000005.jpg: no row for it, nor for 0 others of its folder',
    ]
    # As in the set's paddle-10: images to the end, rows for the first of them.
    root = sequence('bus-5', ['1,1,5,6'] * 2, images=range(1, 6))
    clip = lasot.Lasot(root, 'test').read('bus-5')
    assert clip.targets[0].rows.tolist() == [0, 1]
    assert clip.refused == (f'{root}/bus-5/groundtruth.txt: got 2 rows for 5 frames; expected one per frame',)


def test_damage_is_named(sequence, write):
    root = sequence('bus-2', ['1,1,5,6', '1,1,5', '1,1,5,6'], '00x')
    clip = lasot.Lasot(root, 'test').read('bus-2')
    assert clip.targets[0].rows.tolist() == [0]
    assert clip.refused == (
        f"{root}/bus-2/groundtruth.txt:2: got '1,1,5', expected 4 numbers",
        f"{root}/bus-2/full_occlusion.txt:1: value 3 is 'x', expected 0 to 1",
    )
    write(root / 'bus-2' / 'out_of_view.txt', '0,0')
    with pytest.raises(ValueError, match=r'out_of_view\.txt: got 2 values for 3 rows'):
        lasot.Lasot(root, 'test').read('bus-2')
    (root / 'bus-2' / 'out_of_view.txt').unlink()
    with pytest.raises(ValueError, match=r'expected .*bus-2/out_of_view\.txt'):
        lasot.Lasot(root, 'test').read('bus-2')


def test_what_is_missing_is_named(tmp_path, sequence):
    with pytest.raises(ValueError, match='nowhere'):
        lasot.Lasot(tmp_path / 'nowhere', 'test')
    root = sequence('airplane/airplane-2', ['1,1,5,6'])
    with pytest.raises(ValueError, match=r'of the test split; expected .*<class>/<class-N>/groundtruth\.txt'):
        lasot.Lasot(root, 'test')
    with pytest.raises(ValueError, match='accepted are train, test'):
        lasot.Lasot(root, 'val')
