"""OTB-2015: separators, ranges, two targets, empty files."""

import pickle

import numpy as np
import pytest

from sctrpn_jax.data.layouts import otb


@pytest.fixture
def folder(tmp_path, touch, write):
    """folder(name, image numbers, rows): one sequence below tmp_path."""

    def make(name, numbers, lines, file='groundtruth_rect.txt', pattern='%04d.jpg'):
        touch(tmp_path / name / 'img', numbers, pattern)
        write(tmp_path / name / file, lines)
        return tmp_path

    return make


def test_separators_and_origin(folder):
    root = folder('Mixed', range(1, 5), ['1,2,3,4', '5\t6\t7\t8', '9 10  11 12\r', '0,0,0,0'])
    layout = pickle.loads(pickle.dumps(otb.Otb(root, 'test')))
    assert layout.keys() == ['Mixed'] and layout.refused == []
    clip = layout.read('Mixed')
    (target,) = clip.targets
    assert clip.name == 'Mixed' and clip.frames.tolist() == [1, 2, 3, 4] and clip.refused == ()
    assert clip.images[0] == f'{root}/Mixed/img/0001.jpg' and target.name == '1' and target.boxes.dtype == np.float64
    np.testing.assert_array_equal(target.boxes[:3], [[0, 1, 3, 4], [4, 5, 7, 8], [8, 9, 11, 12]])
    assert np.isnan(target.boxes[3]).all() and np.isnan(target.visible).all()


@pytest.mark.parametrize(
    ('name', 'images', 'frames'),
    [
        ('David', range(1, 775), range(300, 771)),
        ('Football1', range(1, 80), range(1, 75)),
        ('Freeman3', range(1, 465), range(1, 461)),
        ('Freeman4', range(1, 290), range(1, 284)),
        ('Diving', range(1, 232), range(1, 216)),
        ('BlurCar1', range(247, 989), range(247, 989)),
    ],
)
def test_official_ranges(folder, name, images, frames):
    clip = otb.Otb(folder(name, images, [f'{n},9,9,9' for n in frames]), 'test').read(name)
    assert clip.frames.tolist() == list(frames) and clip.refused == ()
    np.testing.assert_array_equal(clip.targets[0].boxes[:, 0] + 1, frames)


def test_tiger1_begins_with_its_sixth_frame(folder):
    root = folder('Tiger1', range(1, 12), [f'{n},9,9,9' for n in range(1, 12)])
    clip = otb.Otb(root, 'test').read('Tiger1')
    assert clip.frames.tolist() == [6, 7, 8, 9, 10, 11] and clip.targets[0].boxes[0, 0] == 5 and not clip.refused
    folder('Tiger1', [1, 2], ['1,1,1,1'] * 2)
    with pytest.raises(
        ValueError, match=r'Tiger1/groundtruth_rect\.txt: got 2 rows, of which the first 5 are not used'
    ):
        otb.Otb(root, 'test').read('Tiger1')


def test_board_has_five_digits(folder):
    clip = otb.Otb(folder('Board', [1, 2], ['9,9,9,9', '0,0,0,0'], pattern='%05d.jpg'), 'test').read('Board')
    assert clip.images[1].endswith('00002.jpg') and np.isnan(clip.targets[0].boxes[1]).all()


def test_two_targets_and_an_empty_file(folder):
    folder('Jogging', [1, 2], ['1,1,2,2'] * 2, 'groundtruth_rect.1.txt')
    folder('Jogging', [1, 2], ['3,3,2,2'] * 2, 'groundtruth_rect.2.txt')
    folder('Human4', [1], [''], 'groundtruth_rect.1.txt')
    root = folder('Human4', [1], ['5,5,2,2'], 'groundtruth_rect.2.txt')
    layout = otb.Otb(root, 'test')
    assert layout.keys() == ['Human4', 'Jogging']
    assert [(t.name, t.boxes[0, 0]) for t in layout.read('Jogging').targets] == [('1', 0), ('2', 2)]
    assert [(t.name, t.boxes[0, 0]) for t in layout.read('Human4').targets] == [('2', 4)]
    folder('Jogging', [1, 2], ['1,1,2,2'] * 2)
    with pytest.raises(ValueError, match=r'Jogging/groundtruth_rect.*: a second annotation of target 1'):
        layout = otb.Otb(root, 'test')
        layout.read('Jogging')
    folder('Human4', [1], ' \n', 'groundtruth_rect.2.txt')
    with pytest.raises(ValueError, match=r'Human4/groundtruth_rect\.1\.txt: empty'):
        layout.read('Human4')


def test_damage_is_refused_by_name_and_the_rest_used(folder, touch):
    root = folder('A', [1, 2, 4], ['1,1,2,2', '1,1,two,2', '1,1,3,3', '1,1,4,4'])
    touch(root / 'notes', [1])
    layout = otb.Otb(root, 'test')
    assert layout.refused == [f'{root}/notes: no annotation; expected groundtruth_rect.txt in it']
    clip = layout.read('A')
    assert clip.targets[0].rows.tolist() == [0, 2] and clip.frames.tolist() == [1, 2, 4]
    assert clip.targets[0].boxes[:, 2].tolist() == [2, 4]
    file = f'{root}/A/groundtruth_rect.txt'
    assert clip.refused == (
        f"{file}:2: got '1,1,two,2', expected 4 numbers",
        f'{file}: got 4 rows for 3 frames; expected one per frame',
        f'{file}:3: no image of frame 3 in {root}/A/img',
    )


def test_a_folder_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r'expected a folder .*nowhere'):
        otb.Otb(tmp_path / 'nowhere', 'test')
    (tmp_path / 'A').mkdir()
    with pytest.raises(ValueError, match=r'expected .*<name>/groundtruth_rect\.txt'):
        otb.Otb(tmp_path, 'test')
    with pytest.raises(ValueError, match="split: got 'train', accepted are test"):
        otb.Otb(tmp_path, 'train')


def test_real_sequences(shared):
    layout = otb.Otb(shared / 'data' / 'sequences' / 'OTB', 'test')
    clips = {key: layout.read(key) for key in layout.keys()}
    assert len(clips) == 8 and not layout.refused and not any(clip.refused for clip in clips.values())
    assert clips['David'].frames.tolist() == list(range(300, 771))
    np.testing.assert_array_equal(clips['Couple'].targets[0].boxes[0], [50, 46, 25, 62])  # parted by tabs
