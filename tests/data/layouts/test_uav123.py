"""UAV123: parts of a video, the three subsets, rows of NaN."""

import pickle

import numpy as np
import pytest

from sctrpn_jax.data.layouts import uav123


@pytest.fixture
def annotation(tmp_path, write):
    def make(name, lines, split='UAV123'):
        write(tmp_path / 'anno' / split / f'{name}.txt', lines)
        return tmp_path

    return make


@pytest.fixture
def video(tmp_path, touch):
    def make(name, count, split='UAV123', first=1):
        touch(tmp_path / 'data_seq' / split / name, range(first, first + count), '%06d.jpg')

    return make


def test_parts_of_a_video(annotation, video):
    video('car1', 8)
    video('car1_s', 2)
    annotation('car1_1', ['1,1,5,5'] * 4)
    annotation('car1_2', ['2,2,5,5', 'NaN,NaN,NaN,NaN', '3,3,5,5'])
    annotation('car1_3', ['4,4,5,5'] * 3)
    root = annotation('car1_s', ['9,9,5,5'] * 2)
    layout = pickle.loads(pickle.dumps(uav123.Uav123(root, 'UAV123')))
    assert layout.keys() == ['car1_1', 'car1_2', 'car1_3', 'car1_s']
    clips = {key: layout.read(key) for key in layout.keys()}
    assert {name: clip.frames.tolist() for name, clip in clips.items()} == {
        'car1_1': [1, 2, 3, 4],
        'car1_2': [4, 5, 6],
        'car1_3': [6, 7, 8],
        'car1_s': [1, 2],
    }
    assert not any(clip.refused for clip in clips.values())
    (target,) = clips['car1_2'].targets
    np.testing.assert_array_equal(target.boxes, [[2, 2, 5, 5], [np.nan] * 4, [3, 3, 5, 5]])
    np.testing.assert_array_equal(target.visible, [np.nan, 0, np.nan])


@pytest.mark.parametrize(('split', 'starts'), [('UAV123', [775, 1573, 2473]), ('UAV123_10fps', [259, 525, 825])])
def test_parts_that_stand_apart(annotation, video, split, starts):
    for part, start in zip(('bird1_2', 'bird1_3', 'uav1_3'), starts, strict=True):
        video(part[:-2], 7, split, start - 2)
        root = annotation(part, ['1,1,5,5'] * 3, split)
    layout = uav123.Uav123(root, split)
    assert [layout.read(key).frames.tolist() for key in layout.keys()] == [[n, n + 1, n + 2] for n in starts]


def test_uav20l_uses_the_images_of_uav123(annotation, video):
    video('bike1', 1)
    clip = uav123.Uav123(annotation('bike1', ['1,1,5,5'], 'UAV20L'), 'UAV20L').read('bike1')
    assert clip.images[0].endswith('data_seq/UAV123/bike1/000001.jpg')


def test_damage_is_named(annotation, video):
    video('car1', 5)
    annotation('car1_1', ['1,1,5,5'] * 4)
    annotation('car1_2', ['1,1,5,5'] * 3)
    annotation('car1_4', ['1,1,5,5'])
    annotation('boat_9', ['1,1,5,5'])
    root = annotation('car1_3', ['1,1,5,5'] * 2)
    layout = uav123.Uav123(root, 'UAV123')
    clip = layout.read('car1_2')
    assert clip.frames.tolist() == [4, 5] and clip.targets[0].rows.tolist() == [0, 1]
    assert clip.refused[1] == f'{root}/anno/UAV123/car1_2.txt:3: no image of frame 6 in {root}/data_seq/UAV123/car1'
    with pytest.raises(ValueError, match='data_seq/UAV123/car1: no image from frame 6 on, where car1_3 begins'):
        layout.read('car1_3')
    with pytest.raises(ValueError, match='no images; expected them in .*data_seq/UAV123/boat'):
        layout.read('boat_9')
    video('boat', 5)
    with pytest.raises(ValueError, match=r'expected .*boat_8\.txt'):
        layout.read('boat_9')
    # A whole video must have a row for each image.
    clip = uav123.Uav123(annotation('car1', ['1,1,5,5'] * 4), 'UAV123').read('car1')
    assert clip.refused == (f'{root}/anno/UAV123/car1.txt: got 4 rows for 5 frames; expected one per frame',)


def test_what_is_missing_is_named(tmp_path):
    with pytest.raises(ValueError, match=r'expected .*nowhere/anno/UAV20L/<name>\.txt'):
        uav123.Uav123(tmp_path / 'nowhere', 'UAV20L')
    with pytest.raises(ValueError, match='accepted are UAV123, UAV123_10fps, UAV20L'):
        uav123.Uav123(tmp_path, 'test')


def test_real_sequence(shared):
    layout = uav123.Uav123(shared / 'data' / 'sequences' / 'UAV123_10fps', 'UAV123_10fps')
    clip = layout.read('wakeboard7')
    assert layout.keys() == ['wakeboard7'] and not clip.refused
    np.testing.assert_array_equal(clip.targets[0].boxes[0], [623, 299, 11, 38])
