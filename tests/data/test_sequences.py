"""Every layout written by hand into a temporary folder, and the real ones of the shared folder."""

import cv2
import numpy as np
import pytest

from sctrpn_jax.data import images, sequences


def write_images(folder, numbers, pattern='%04d.jpg'):
    folder.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(folder / (pattern % number)), np.zeros((4, 6, 3), np.uint8))


def write_otb(root, name, numbers, rows, file='groundtruth_rect.txt'):
    write_images(root / name / 'img', numbers)
    (root / name / file).write_text('\n'.join(rows) + '\n')


def numbers_of(sequence):
    return [int(path[-8:-4]) for path in sequence.frames]


def test_otb_separators_and_origin(tmp_path):
    write_otb(tmp_path, 'Mixed', range(1, 5), ['1,2,3,4', '5\t6\t7\t8', '9 10  11 12\r', '0,0,0,0'])
    (found,) = sequences.read_otb(tmp_path)
    assert found.name == 'Mixed' and numbers_of(found) == [1, 2, 3, 4] and found.boxes.dtype == np.float64
    np.testing.assert_array_equal(found.boxes[:3], [[0, 1, 3, 4], [4, 5, 7, 8], [8, 9, 11, 12]])
    assert np.isnan(found.boxes[3]).all()


def test_otb_official_ranges(tmp_path):
    write_otb(tmp_path, 'David', range(1, 775), ['9,9,9,9'] * 471)
    write_otb(tmp_path, 'Tiger1', range(1, 12), [f'{n},9,9,9' for n in range(1, 12)])
    david, tiger = sequences.read_otb(tmp_path)
    assert numbers_of(david) == list(range(300, 771))
    assert numbers_of(tiger) == [6, 7, 8, 9, 10, 11] and tiger.boxes[0, 0] == 5


def test_otb_two_targets_and_an_empty_file(tmp_path):
    write_otb(tmp_path, 'Jogging', [1, 2], ['1,1,2,2', '1,1,2,2'], 'groundtruth_rect.1.txt')
    write_otb(tmp_path, 'Jogging', [1, 2], ['3,3,2,2', '3,3,2,2'], 'groundtruth_rect.2.txt')
    write_otb(tmp_path, 'Human4', [1], [''], 'groundtruth_rect.1.txt')
    write_otb(tmp_path, 'Human4', [1], ['5,5,2,2'], 'groundtruth_rect.2.txt')
    found = sequences.read_otb(tmp_path)
    assert [s.name for s in found] == ['Human4', 'Jogging-1', 'Jogging-2']
    assert [s.boxes[0, 0] for s in found] == [4, 0, 2]
    (second,) = sequences.read_otb(tmp_path, ['Jogging-2'])
    assert second.boxes[0, 0] == 2


@pytest.mark.parametrize('palette', [False, True])
def test_davis_tight_boxes(tmp_path, palette):
    write_images(tmp_path / 'JPEGImages/480p/ball', range(3), '%05d.jpg')
    masks = tmp_path / 'Annotations/480p/ball'
    masks.mkdir(parents=True)
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2] = 1
    mask[2, 2:6] = 2
    # As a decoded palette of near black: no grey level of it survives.
    picture = np.stack([mask, mask * 0, mask * 0], axis=-1) if palette else mask
    cv2.imwrite(str(masks / '00000.png'), picture)
    cv2.imwrite(str(masks / '00001.png'), picture * 0)
    (found,) = sequences.read_davis(tmp_path)
    np.testing.assert_array_equal(found.boxes[0], [2, 1, 4, 2])
    assert np.isnan(found.boxes[1:]).all()  # an empty mask, and none


def test_vot_polygons_and_list(tmp_path):
    for name in ('b', 'a', 'unlisted'):
        write_images(tmp_path / name / 'color', [1, 2], '%08d.jpg')
        (tmp_path / name / 'groundtruth.txt').write_text('10,20,49,20,49,29,10,29\n' * 2)
    (tmp_path / 'list.txt').write_text('b\na\n')
    found = sequences.read_vot(tmp_path)
    assert [s.name for s in found] == ['b', 'a']
    assert found[0].polygons.shape == (2, 8)
    # Inclusive corners of an upright rectangle: exactly that rectangle.
    np.testing.assert_allclose(found[0].boxes, [[10, 20, 40, 10]] * 2)


def test_polygon_box_keeps_centre_and_area():
    rng = np.random.default_rng(0)
    for _ in range(20):
        centre, size, angle = rng.uniform(50, 100, 2), rng.uniform(20, 60, 2), rng.uniform(-3, 3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2) @ turn.T
        x, y, w, h = sequences.polygon_box(corners.reshape(8))
        np.testing.assert_allclose([x + (w - 1) / 2, y + (h - 1) / 2], centre)
        assert (w - 1) * (h - 1) == pytest.approx(size.prod())


def test_uav123_parts_of_a_video(tmp_path):
    anno = tmp_path / 'anno' / 'UAV123'
    anno.mkdir(parents=True)
    videos = tmp_path / 'data_seq' / 'UAV123'
    write_images(videos / 'car1', range(1, 9), '%06d.jpg')
    (anno / 'car1_1.txt').write_text('1,1,5,5\n' * 4)
    (anno / 'car1_2.txt').write_text('2,2,5,5\nNaN,NaN,NaN,NaN\n3,3,5,5\n')
    (anno / 'car1_3.txt').write_text('4,4,5,5\n' * 3)
    write_images(videos / 'car1_s', [1, 2], '%06d.jpg')
    (anno / 'car1_s.txt').write_text('9,9,5,5\n' * 2)
    found = {s.name: s for s in sequences.read_uav123(tmp_path)}
    assert {name: numbers_of(s) for name, s in found.items()} == {
        'car1_1': [1, 2, 3, 4],
        'car1_2': [4, 5, 6],
        'car1_3': [6, 7, 8],
        'car1_s': [1, 2],
    }
    np.testing.assert_array_equal(np.isnan(found['car1_2'].boxes[:, 0]), [False, True, False])


@pytest.mark.parametrize(('subset', 'first'), [('UAV123', 775), ('UAV123_10fps', 259)])
def test_uav123_parts_that_stand_apart(tmp_path, subset, first):
    anno = tmp_path / 'anno' / subset
    anno.mkdir(parents=True)
    write_images(tmp_path / 'data_seq' / subset / 'bird1', range(1, first + 5), '%06d.jpg')
    (anno / 'bird1_1.txt').write_text('1,1,5,5\n' * 4)
    (anno / 'bird1_2.txt').write_text('1,1,5,5\n' * 3)
    assert numbers_of(sequences.read_uav123(tmp_path)[1]) == [first, first + 1, first + 2]


def test_uav20l_uses_the_images_of_uav123(tmp_path):
    (tmp_path / 'anno' / 'UAV20L').mkdir(parents=True)
    (tmp_path / 'anno' / 'UAV20L' / 'bike1.txt').write_text('1,1,5,5\n')
    write_images(tmp_path / 'data_seq' / 'UAV123' / 'bike1', [1], '%06d.jpg')
    assert len(sequences.read_uav123(tmp_path, subset='UAV20L')) == 1


@pytest.mark.parametrize('root', ['.', 'val'])
def test_got10k_split_and_first_box_alone(tmp_path, root):
    for name in ('full', 'first'):
        write_images(tmp_path / 'val' / name, [1, 2, 3], '%08d.jpg')
    (tmp_path / 'val' / 'list.txt').write_text('full\nfirst\n')
    (tmp_path / 'val' / 'full' / 'groundtruth.txt').write_text('1.0000,2.0000,3.0000,4.0000\n' * 3)
    (tmp_path / 'val' / 'first' / 'groundtruth.txt').write_text('1.0000,2.0000,3.0000,4.0000\n')
    full, first = sequences.read_got10k(tmp_path / root)
    np.testing.assert_array_equal(full.boxes, [[1, 2, 3, 4]] * 3)
    np.testing.assert_array_equal(np.isnan(first.boxes).all(axis=1), [False, True, True])


@pytest.mark.parametrize('kind', list(sequences.READERS))
def test_a_missing_folder_is_named(tmp_path, kind):
    with pytest.raises(ValueError, match='nowhere'):
        sequences.read_sequences(kind, tmp_path / 'nowhere')


def test_messages_name_what_is_wrong(tmp_path):
    with pytest.raises(ValueError, match='otb, davis, vot, uav123, got10k'):
        sequences.read_sequences('lasot', tmp_path)
    write_otb(tmp_path, 'A', [1, 2], ['1,1,2,2'])
    with pytest.raises(ValueError, match='1 rows for 2 frames'):
        sequences.read_otb(tmp_path)
    with pytest.raises(ValueError, match="no sequence 'B' .*there are A"):
        sequences.read_sequences('otb', tmp_path, ['B'])
    (tmp_path / 'A' / 'groundtruth_rect.txt').write_text('1,1,2,2\n1,1,two,2\n')
    with pytest.raises(ValueError, match=r'line 2: got .*expected 4 numbers'):
        sequences.read_otb(tmp_path)
    (tmp_path / 'A' / 'groundtruth_rect.txt').unlink()
    with pytest.raises(ValueError, match=r'expected .*groundtruth_rect\.txt'):
        sequences.read_otb(tmp_path)
    with pytest.raises(ValueError, match='one .* row a frame'):
        sequences.Sequence('x', ('a.jpg',), np.zeros((2, 4)))
    write_images(tmp_path / 'JPEGImages/480p/ball', [0], '%05d.jpg')
    with pytest.raises(ValueError, match=r'masks .*Annotations'):
        sequences.read_davis(tmp_path)
    (tmp_path / 'Annotations/480p/ball').mkdir(parents=True)
    (tmp_path / 'Annotations/480p/ball/00000.png').write_bytes(b'no image')
    with pytest.raises(ValueError, match='cannot decode mask'):
        sequences.read_davis(tmp_path)


REAL = {
    'otb': ('OTB', 8, 'Crossing', [204, 150, 17, 50]),
    'davis': ('DAVIS', 20, 'blackswan', [96, 55, 287, 234]),
    'vot': ('VOT', 1, 'bag', [312.64, 146.89, 106.13, 96.41]),
    'uav123': ('UAV123_10fps', 1, 'wakeboard7', [623, 299, 11, 38]),
    'got10k': ('GOT-10k', 1, 'football', [614, 353, 10, 24]),
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


def test_boxes_lie_on_the_target_to_the_pixel(shared):
    """The 0-based origin, seen in the pixels: the box holds the whole mask, and each border row and column a part."""
    root = shared / 'data' / 'sequences' / 'DAVIS'
    (one,) = sequences.read_davis(root, ['blackswan'])
    mask = cv2.imread(str(root / 'Annotations/480p/blackswan/00010.png'), cv2.IMREAD_GRAYSCALE) > 0
    x, y, w, h = one.boxes[10].astype(int)
    assert mask[y : y + h, x : x + w].sum() == mask.sum()
    assert mask[y].any() and mask[y + h - 1].any() and mask[:, x].any() and mask[:, x + w - 1].any()
