"""Sequences out of every layout: names, order, splits, and that nothing is left out in silence."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import images, sequences
from sctrpn_jax.data.benchmarks import registry


def write_images(folder, numbers, pattern='%04d.jpg'):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / (pattern % number)), np.zeros((4, 6, 3), np.uint8))


def write_otb(root, name, numbers, rows, file='groundtruth_rect.txt'):
    write_images(root / name / 'img', numbers)
    (root / name / file).write_text('\n'.join(rows) + '\n')


def write_text(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def numbers_of(sequence):
    return [int(path[-8:-4]) for path in sequence.frames]


def write_two_targets(root):
    for target in (1, 2):
        write_otb(root, 'Jogging', [1, 2], [f'{target},1,2,2'] * 2, f'groundtruth_rect.{target}.txt')
    write_otb(root, 'Human4', [1], [''], 'groundtruth_rect.1.txt')
    write_otb(root, 'Human4', [1], ['5,5,2,2'], 'groundtruth_rect.2.txt')
    write_otb(root, 'Deer', [1], ['9,5,2,2'])


def test_a_sequence_is_a_target(tmp_path):
    write_two_targets(tmp_path)
    found = sequences.read_sequences('otb', tmp_path)
    assert [s.name for s in found] == ['Deer', 'Human4', 'Jogging-1', 'Jogging-2']
    assert [s.boxes[0, 0] for s in found] == [8, 4, 0, 1]
    assert numbers_of(found[2]) == [1, 2] and found[2].boxes.dtype == np.float64
    assert found[0].visible is None and found[0].polygons is None and found[0].tags == {}


@pytest.mark.parametrize(
    ('names', 'expected'),
    [
        (['Jogging-2', 'Deer'], ['Jogging-2', 'Deer']),
        (['Jogging.2'], ['Jogging-2']),
        (['Jogging'], ['Jogging-1', 'Jogging-2']),
        (['Human4-2', 'Human4.2', 'Human4'], ['Human4'] * 3),
        ([], []),
    ],
)
def test_names_of_other_toolkits(tmp_path, names, expected):
    write_two_targets(tmp_path)
    assert [s.name for s in sequences.read_sequences('otb', tmp_path, iter(names))] == expected


@pytest.mark.parametrize('name', ['B', 'Jogging-3', 'Human4-1', 'Jogging_1', 'Deer-2', '../otb/Deer', ''])
def test_an_unknown_name_is_an_error(tmp_path, name):
    write_two_targets(tmp_path)
    with pytest.raises(ValueError, match=f'no sequence {name!r} .*there are Deer, Human4, Jogging'):
        sequences.read_sequences('otb', tmp_path, [name])


def test_davis_targets_are_all_that_is_no_background(tmp_path):
    write_images(tmp_path / 'JPEGImages/480p/ball', range(2), '%05d.jpg')
    write_images(tmp_path / 'JPEGImages/480p/train', range(2), '%05d.jpg')
    masks = tmp_path / 'Annotations/480p/ball'
    masks.mkdir(parents=True)
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2] = 1
    mask[2, 2:6] = 2
    cv2.imwrite(str(masks / '00000.png'), mask)
    write_text(tmp_path / 'ImageSets/2016/val.txt', 'ball\n')
    (found,) = sequences.read_sequences('davis', tmp_path)
    assert found.name == 'ball' and len(found.frames) == 2
    np.testing.assert_array_equal(found.boxes, [[2, 1, 4, 2], [np.nan] * 4])


def test_vot_has_polygons_and_tags(tmp_path):
    write_images(tmp_path / 'a/color', [1, 2], '%08d.jpg')
    write_text(tmp_path / 'a/groundtruth.txt', '10,20,49,20,49,29,10,29\n' * 2)
    write_text(tmp_path / 'a/occlusion.tag', '0\n1\n')
    (found,) = sequences.read_sequences('vot', tmp_path)
    assert found.polygons.shape == (2, 8) and found.tags['occlusion'].tolist() == [False, True]
    np.testing.assert_allclose(found.boxes, [[10, 20, 40, 10]] * 2)


def test_uav123_subsets(tmp_path):
    write_images(tmp_path / 'data_seq/UAV123/bike1', [1, 2], '%06d.jpg')
    write_text(tmp_path / 'anno/UAV20L/bike1.txt', '1,1,5,5\nNaN,NaN,NaN,NaN\n')
    (found,) = sequences.read_sequences('uav123', tmp_path)  # the first subset there is
    np.testing.assert_array_equal(found.visible, [np.nan, 0])
    write_text(tmp_path / 'anno/UAV123/bike1.txt', '2,2,5,5\n' * 2)
    (found,) = sequences.read_sequences('uav123', tmp_path)
    assert found.boxes[0, 0] == 2
    (found,) = sequences.read_sequences('uav123', tmp_path, split='UAV20L')
    assert found.boxes[0, 0] == 1


@pytest.mark.parametrize('root', ['.', 'val', 'test'])
def test_got10k_splits(tmp_path, root):
    for split in ('val', 'test'):
        write_images(tmp_path / split / f'in_{split}', [1, 2], '%08d.jpg')
        write_text(tmp_path / split / f'in_{split}' / 'groundtruth.txt', '1.0000,2.0000,3.0000,4.0000\n')
    (found,) = sequences.read_sequences('got10k', tmp_path / root)
    assert found.name == ('in_test' if root == 'test' else 'in_val')
    np.testing.assert_array_equal(found.boxes, [[0, 1, 3, 4], [np.nan] * 4])


def write_deer_and_jogging(root):
    write_otb(root, 'Deer', [1], ['9,5,2,2'])
    write_otb(root, 'Human4', [1], ['5,5,2,2'], 'groundtruth_rect.2.txt')
    for target in (1, 2):
        write_otb(root, 'Jogging', [1], ['1,1,2,2'], f'groundtruth_rect.{target}.txt')


def test_a_split_by_names_holds_its_own_sequences_alone(tmp_path):
    write_deer_and_jogging(tmp_path)

    def read(names, split):
        return [s.name for s in sequences.read_sequences('otb', tmp_path, names, split)]

    assert read(None, None) == ['Deer', 'Human4', 'Jogging-1', 'Jogging-2']
    assert read(['Jogging', 'Deer'], '2013') == ['Jogging-1', 'Jogging-2', 'Deer']
    with pytest.raises(ValueError, match="no sequence 'Human4' in .*; there are Deer, Jogging$"):
        read(['Human4'], '2013')
    with pytest.raises(
        ValueError, match='48 sequences of OTB-2013 are missing: Basketball, Bolt, Boy, Car4, CarDark, '
    ):
        read(None, '2013')


def test_a_whole_split_is_read_out_of_a_folder_with_more(tmp_path):
    wanted = registry.get('vot').splits['2019'].names
    for name in (*wanted, 'bag'):
        write_images(tmp_path / name, [1], '%08d.jpg')
        write_text(tmp_path / name / 'groundtruth.txt', '1,1,5,5\n')
    found = [s.name for s in sequences.read_sequences('vot', tmp_path, split='2019')]
    assert found == sorted(wanted) and len(found) == 60
    assert len(sequences.read_sequences('vot', tmp_path)) == 61


def test_got10k_in_a_folder_of_any_name(tmp_path):
    write_images(tmp_path / 'piece/a', [1], '%08d.jpg')
    write_text(tmp_path / 'piece/a/groundtruth.txt', '1.0000,2.0000,3.0000,4.0000\n')
    assert [s.name for s in sequences.read_sequences('got10k', tmp_path / 'piece')] == ['a']


def test_a_damaged_split_is_not_exchanged_for_another(tmp_path):
    write_images(tmp_path / 'test/a', [1], '%08d.jpg')
    write_text(tmp_path / 'test/a/groundtruth.txt', '1.0000,2.0000,3.0000,4.0000\n')
    write_text(tmp_path / 'val/list.txt', '')
    with pytest.raises(ValueError, match=r'val/list\.txt: names no sequence'):
        sequences.read_sequences('got10k', tmp_path)


def test_lasot_and_trackingnet(tmp_path):
    write_images(tmp_path / 'bus/bus-2/img', [1, 2], '%08d.jpg')
    write_text(tmp_path / 'bus/bus-2/groundtruth.txt', '1,1,5,5\n2,2,5,5\n')
    write_text(tmp_path / 'bus/bus-2/full_occlusion.txt', '0,1')
    write_text(tmp_path / 'bus/bus-2/out_of_view.txt', '0,0')
    (found,) = sequences.read_sequences('lasot', tmp_path, ['bus-2'])
    np.testing.assert_array_equal(found.boxes, [[0, 0, 5, 5], [np.nan] * 4])
    # All of the split are asked for, and not there.
    with pytest.raises(ValueError, match='279 of the 280 test sequences missing'):
        sequences.read_sequences('lasot', tmp_path)
    write_images(tmp_path / 'TEST/frames/v_0', range(11), '%d.jpg')
    write_text(tmp_path / 'TEST/anno/v_0.txt', '1,1,5,5\n')
    (found,) = sequences.read_sequences('trackingnet', tmp_path)
    assert found.frames[10].endswith('/10.jpg') and np.isfinite(found.boxes).all(axis=1).sum() == 1


@pytest.mark.parametrize('kind', list(registry.every()))
def test_a_missing_folder_is_named(tmp_path, kind):
    with pytest.raises(ValueError, match='nowhere'):
        sequences.read_sequences(kind, tmp_path / 'nowhere')


def test_messages_name_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match=f"got 'nothing', accepted are {', '.join(registry.every())}"):
        sequences.read_sequences('nothing', tmp_path)
    write_otb(tmp_path, 'A', [1, 2], ['1,1,2,2'])
    with pytest.raises(ValueError, match='1 rows for 2 frames'):
        sequences.read_sequences('otb', tmp_path)
    with pytest.raises(ValueError, match='otb has no split train; it has 2015, 2013, 50'):
        sequences.read_sequences('otb', tmp_path, split='train')
    with pytest.raises(ValueError, match='one .* row per frame'):
        sequences.Sequence('x', ('a.jpg',), np.zeros((2, 4)))


def test_what_training_could_do_without_is_an_error(tmp_path):
    write_otb(tmp_path, 'A', [1, 2], ['1,1,2,2', '1,1,two,2'])
    write_otb(tmp_path, 'B', [1], ['1,1,2,2'])
    for names in (None, ['A']):
        with pytest.raises(ValueError, match=r':2: got .*expected 4 numbers'):
            sequences.read_sequences('otb', tmp_path, names)
    assert len(sequences.read_sequences('otb', tmp_path, ['B'])) == 1
    write_otb(tmp_path, 'A', [1, 2], ['a', '1,1,2,2', 'b'])
    with pytest.raises(ValueError, match=r":1: got 'a', expected 4 numbers \(and 3 more\)"):
        sequences.read_sequences('otb', tmp_path)
    write_images(tmp_path / 'C/img', [1])
    with pytest.raises(ValueError, match=r'C: no annotation; expected .*groundtruth_rect\.txt'):
        sequences.read_sequences('otb', tmp_path)
    (tmp_path / 'B/img/thumbnail.jpg').touch()
    with pytest.raises(ValueError, match=r'thumbnail\.jpg: its name is no frame number'):
        sequences.read_sequences('otb', tmp_path, ['B'])


REAL = {
    'otb': ('OTB', 8, 'Crossing', [204, 150, 17, 50]),
    'davis': ('DAVIS', 20, 'blackswan', [96, 55, 287, 234]),
    'vot': ('VOT', 1, 'bag', [312.64, 146.89, 106.13, 96.41]),
    'uav123': ('UAV123_10fps', 1, 'wakeboard7', [623, 299, 11, 38]),
    'got10k': ('GOT-10k', 1, 'football', [613, 352, 10, 24]),
}


@pytest.mark.parametrize('kind', list(REAL))
def test_real_sequences(shared, kind):
    folder, count, name, first = REAL[kind]
    root = shared / 'data' / 'sequences' / folder
    (one,) = sequences.read_sequences(kind, root, [name])
    np.testing.assert_allclose(one.boxes[0], first, atol=0.01)
    assert np.isfinite(one.boxes).all()
    for index in (0, -1):
        height, width, _ = images.read_image(one.frames[index]).shape
        x, y, w, h = one.boxes[index]
        assert 0 <= x + w / 2 <= width and 0 <= y + h / 2 <= height
    if kind != 'davis':  # its 900 masks take seconds
        found = sequences.read_sequences(kind, root)
        assert len(found) == count and all(np.isfinite(s.boxes[0]).all() for s in found)
