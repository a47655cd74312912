"""GOT-10k: label files that may be missing, the first box alone, and the split's own folder as root."""

import pickle

import numpy as np
import pytest

from sctrpn_jax.data.layouts import got10k

META = """[METAINFO]
url: https://youtu.be/b0ZnfLI8YPw
begin: 00:00:18
end: 00:00:28
anno_fps: 10Hz
object_class: JetLev-Flyer
motion_class: uncoiling
"""


@pytest.fixture
def sequence(tmp_path, touch, write):
    def make(folder, lines, count=None, **files):
        touch(tmp_path / folder, range(1, (count or len(lines)) + 1))
        write(tmp_path / folder / 'groundtruth.txt', lines)
        for name, text in files.items():
            write(tmp_path / folder / name.replace('__', '.'), text)
        return tmp_path

    return make


def test_labels_and_class(sequence, write):
    lines = ['347.0000,443.0000,429.0000,272.0000', '1.0000,1.0000,3.0000,4.0000', '-1.0000,-1.0000,-1.0000,-1.0000']
    lines.append('5.0000,5.0000,3.0000,4.0000')
    root = sequence(
        'train/GOT-10k_Train_000001',
        lines,
        cover__label='8\n3\n0\n5\n',
        absence__label='0\n0\n1\n1\n',
        cut_by_image__label='0\n1\n0\n0\n',
        meta_info__ini=META,
    )
    write(root / 'train' / 'list.txt', ['GOT-10k_Train_000001'])
    layout = pickle.loads(pickle.dumps(got10k.Got10k(root, 'train')))
    assert layout.keys() == ['GOT-10k_Train_000001'] and layout.refused == []
    clip = layout.read('GOT-10k_Train_000001')
    (target,) = clip.targets
    assert clip.refused == () and clip.frames.tolist() == [1, 2, 3, 4] and target.category == 'JetLev-Flyer'
    np.testing.assert_array_equal(target.boxes[:2], [[346, 442, 429, 272], [0, 0, 3, 4]])
    assert np.isnan(target.boxes[2:]).all()
    np.testing.assert_array_equal(target.visible, [1, 0.375, 0, 0])
    assert target.tags['cut_by_image'].tolist() == [False, True, False, False] and list(target.tags) == ['cut_by_image']


def test_without_label_files_nothing_is_said(sequence):
    root = sequence('val/a', ['1,2,3,4', '2,2,3,4'])
    (target,) = got10k.Got10k(root, 'val').read('a').targets
    assert np.isnan(target.visible).all() and target.tags == {} and target.category == ''
    (target,) = (
        got10k.Got10k(sequence('val/a', ['1,2,3,4', '2,2,3,4'], absence__label='0\n1\n'), 'val').read('a').targets
    )
    np.testing.assert_array_equal(target.visible, [np.nan, 0])


@pytest.mark.parametrize('split', ['val', 'test'])
@pytest.mark.parametrize('inside', [True, False])
def test_split_folder_and_first_box_alone(sequence, write, split, inside):
    sequence(f'{split}/full', ['1.0000,2.0000,3.0000,4.0000'] * 3)
    root = sequence(f'{split}/first', ['1.0000,2.0000,3.0000,4.0000'], 3)
    write(root / split / 'list.txt', ['full', 'first'])
    layout = got10k.Got10k(root / split if inside else root, split)
    assert layout.keys() == ['full', 'first']
    np.testing.assert_array_equal(layout.read('full').targets[0].boxes, [[0, 1, 3, 4]] * 3)
    clip = layout.read('first')
    assert np.isnan(clip.targets[0].boxes).all(axis=1).tolist() == [False, True, True] and clip.refused == ()


def test_one_split_is_never_read_as_another(sequence):
    root = sequence('val/a', ['1,2,3,4'])
    with pytest.raises(ValueError, match=r'no GOT-10k sequences; expected .*train/<name>/groundtruth\.txt'):
        got10k.Got10k(root / 'val', 'train')
    with pytest.raises(ValueError, match='expected .*nowhere'):
        got10k.Got10k(root / 'nowhere', 'val')
    # In training one row for three images is a file that was cut.
    root = sequence('train/a', ['1,2,3,4'], 3)
    assert '1 rows for 3 frames' in got10k.Got10k(root, 'train').read('a').refused[0]


def test_damage_is_refused_by_name_and_the_rest_used(sequence, write):
    root = sequence(
        'train/a', ['1,1,5,5', '1,1,5', '2,2,5,5', '3,3,5,5'], cover__label='8\n8\n9\n1\n', meta_info__ini='[METAINFO]'
    )
    write(root / 'train' / 'list.txt', ['a', 'a', 'gone'])
    layout = got10k.Got10k(root, 'train')
    assert layout.refused == [f"{root}/train/list.txt:2: 'a' is named twice"]
    clip = layout.read('a')
    assert clip.targets[0].rows.tolist() == [0, 3] and clip.targets[0].category == ''
    folder = f'{root}/train/a'
    assert clip.refused == (
        f"{folder}/groundtruth.txt:2: got '1,1,5', expected 4 numbers",
        f"{folder}/cover.label:3: value 3 is '9', expected 0 to 8",
        f'{folder}/meta_info.ini: no line "object_class: ..."; the category is not known',
    )
    write(root / 'train' / 'a' / 'absence.label', '0\n')
    with pytest.raises(ValueError, match=r'absence\.label: got 1 values for 4 rows'):
        layout.read('a')
    with pytest.raises(ValueError, match='expected them in .*train/gone'):
        layout.read('gone')


def test_real_sequence(shared):
    layout = got10k.Got10k(shared / 'data' / 'sequences' / 'GOT-10k', 'val')
    clip = layout.read('football')
    assert layout.keys() == ['football'] and not clip.refused
    np.testing.assert_array_equal(clip.targets[0].boxes[0], [613, 352, 10, 24])  # printed from 1
