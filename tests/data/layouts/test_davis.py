"""DAVIS: grey, coloured and indexed masks against plain loops and PIL, lists of both years, damage."""

import pickle

import cv2
import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import davis

PALETTE = [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 0, 0] + [9] * 3 * 251 + [224, 224, 192]  # 1 and 3 look the same


def save_indexed(path, mask, palette=PALETTE, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = PIL.Image.fromarray(np.asarray(mask, np.uint8))
    picture.putpalette(palette)
    picture.save(path, **options)


def mask_path(root, name, number):
    return root / 'Annotations' / '480p' / name / f'{number:05d}.png'


@pytest.fixture
def images(tmp_path, touch):
    def make(name, numbers):
        touch(tmp_path / 'JPEGImages' / '480p' / name, numbers, '%05d.jpg')
        (tmp_path / 'Annotations' / '480p' / name).mkdir(parents=True, exist_ok=True)
        return tmp_path

    return make


def example():
    mask = np.zeros((4, 6), np.uint8)
    mask[1:3, 2] = 1
    mask[2, 3:6] = 2
    mask[0, 0] = 3
    return mask


def test_each_object_of_a_palette_is_a_target(images):
    root = images('ball', range(3))
    mask = example()
    save_indexed(mask_path(root, 'ball', 0), mask)
    mask[mask == 1], mask[3, 5] = 255, 255  # one object gone, void instead
    save_indexed(mask_path(root, 'ball', 1), mask)
    layout = pickle.loads(pickle.dumps(davis.Davis(root, 'train')))
    clip = layout.read('ball')
    assert layout.keys() == ['ball'] and clip.refused == () and clip.frames.tolist() == [0, 1, 2]
    assert [target.name for target in clip.targets] == ['1', '2', '3']
    one, two, three = clip.targets
    np.testing.assert_array_equal(one.boxes, [[2, 1, 1, 2], [np.nan] * 4, [np.nan] * 4])
    np.testing.assert_array_equal(two.boxes[:2], [[3, 2, 3, 1]] * 2)
    np.testing.assert_array_equal(three.boxes[:2], [[0, 0, 1, 1]] * 2)
    np.testing.assert_array_equal(one.visible, [np.nan, 0, np.nan])  # there, seen to be gone, not annotated
    (whole,) = davis.Davis(root, 'train', objects=False).read('ball').targets
    np.testing.assert_array_equal(whole.boxes[0], [0, 0, 6, 3])
    assert whole.name == 'object'


@pytest.mark.parametrize('objects', [True, False])
@pytest.mark.parametrize('form', ['grey', 'colour', 'alpha'])
def test_masks_of_2016_are_one_target(images, form, objects):
    root = images('ball', range(2))
    mask = (example() > 0).astype(np.uint8) * 255
    # As a decoded palette of near black: no grey level of it survives.
    layers = {'colour': [mask // 255, mask * 0, mask * 0], 'alpha': [mask, mask, mask, mask * 0 + 255]}
    cv2.imwrite(str(mask_path(root, 'ball', 0)), np.stack(layers[form], axis=-1) if form in layers else mask)
    cv2.imwrite(str(mask_path(root, 'ball', 1)), mask * 0)
    clip = davis.Davis(root, 'val', objects).read('ball')
    (target,) = clip.targets
    np.testing.assert_array_equal(target.boxes, [[0, 0, 6, 3], [np.nan] * 4])
    assert target.name == ('1' if objects else 'object')


def test_lists_of_both_years(images, write):
    for name in ('bear', 'boat', 'goat', 'camel'):
        root = images(name, [0])
    assert davis.Davis(root, 'val').keys() == ['bear', 'boat', 'camel', 'goat']
    for name in ('bear', 'boat'):
        frames = [f'/JPEGImages/480p/{name}/0000{n}.jpg /Annotations/480p/{name}/0000{n}.png ' for n in (0, 1)]
        with open(root / 'list', 'a') as file:
            file.write('\n'.join(frames) + '\n')
    write(root / 'ImageSets' / '480p' / 'train.txt', (root / 'list').read_text())
    assert davis.Davis(root, 'train').keys() == ['bear', 'boat']
    with pytest.raises(ValueError, match=r'no list of the val split; expected .*ImageSets/2017/val\.txt'):
        davis.Davis(root, 'val')
    write(root / 'ImageSets' / '2016' / 'train.txt', ['boat'])
    write(root / 'ImageSets' / '2017' / 'train.txt', ['goat', 'boat'])
    assert davis.Davis(root, 'train').keys() == ['goat', 'boat']
    assert davis.Davis(root, 'train', objects=False).keys() == ['boat']
    (root / 'ImageSets' / '2016' / 'train.txt').unlink()
    write(
        root / 'ImageSets' / '480p' / 'train.txt',
        ['/JPEGImages/480p/bear/00000.jpg', 'bear', '/JPEGImages/480p/../1.jpg'],
    )
    layout = davis.Davis(root, 'train', objects=False)
    assert layout.keys() == ['bear'] and [line.split(': ')[0][-2:] for line in layout.refused] == [':2', ':3']
    write(root / 'ImageSets' / '480p' / 'train.txt', ['bear'])
    with pytest.raises(ValueError, match=r'480p/train\.txt: names no sequence'):
        davis.Davis(root, 'train', objects=False)


def test_damage_is_refused_by_name_and_the_rest_used(images):
    root = images('ball', range(4))
    for number in range(4):
        save_indexed(mask_path(root, 'ball', number), example())
    data = mask_path(root, 'ball', 1).read_bytes()
    mask_path(root, 'ball', 1).write_bytes(data[: len(data) // 2])
    save_indexed(mask_path(root, 'ball', 2), np.ones((5, 6)))
    save_indexed(mask_path(root, 'ball', 7), example())
    (mask_path(root, 'ball', 7).parent / 'notes.txt').touch()
    clip = davis.Davis(root, 'train').read('ball')
    assert [target.rows.tolist() for target in clip.targets] == [[0, 3]] * 3
    assert clip.refused == (
        f'{mask_path(root, "ball", 1)}: cannot decode mask; expected a PNG image',
        f'{mask_path(root, "ball", 2)}: (5, 6) pixels, expected (4, 6) as in the masks before',
        f'{mask_path(root, "ball", 7)}: no image of that frame in {root}/JPEGImages/480p/ball',
    )


def test_what_is_missing_is_named(tmp_path, images):
    with pytest.raises(ValueError, match=r'expected .*nowhere/JPEGImages/480p/<name>/00000\.jpg'):
        davis.Davis(tmp_path / 'nowhere', 'val')
    (tmp_path / 'JPEGImages' / '480p').mkdir(parents=True)
    with pytest.raises(ValueError, match=r'expected .*<name>/00000\.jpg'):
        davis.Davis(tmp_path, 'val')
    root = images('ball', [0])
    with pytest.raises(ValueError, match=r'Annotations/480p/ball: no mask shows an object'):
        davis.Davis(root, 'val').read('ball')
    mask_path(root, 'ball', 0).write_bytes(b'no image')
    with pytest.raises(ValueError, match=r'ball/00000\.png: cannot decode mask'):
        davis.Davis(root, 'val').read('ball')
    mask_path(root, 'ball', 0).unlink()
    mask_path(root, 'ball', 0).parent.rmdir()
    with pytest.raises(ValueError, match=r"no masks of DAVIS sequence 'ball'; expected .*Annotations/480p/ball"):
        davis.Davis(root, 'val').read('ball')


@pytest.mark.parametrize(('colours', 'bits'), [(2, 1), (4, 2), (16, 4), (256, 8)])
def test_indices_are_those_that_pil_reads(tmp_path, colours, bits):
    mask = np.random.default_rng(bits).integers(0, min(colours, 250), (9, 13))
    path = tmp_path / 'mask.png'
    save_indexed(path, mask, PALETTE[: 3 * colours], bits=bits, transparency=1)
    with PIL.Image.open(path) as picture:
        assert picture.mode == 'P'
        np.testing.assert_array_equal(davis.read_labels(path), np.array(picture))


def test_grey_labels_are_as_printed(tmp_path):
    path = tmp_path / 'mask.png'
    cv2.imwrite(str(path), example())
    np.testing.assert_array_equal(davis.read_labels(path), example())


@pytest.fixture(scope='module')
def indexed(tmp_path_factory):
    path = tmp_path_factory.mktemp('masks') / 'mask.png'
    save_indexed(path, example())
    return path.read_bytes()


@given(st.data())
def test_any_damage_of_a_mask_is_named(tmp_path_factory, indexed, data):
    position = data.draw(st.integers(0, len(indexed) - 1))
    kind = data.draw(st.sampled_from(['cut', 'change', 'insert', 'anything']))
    middle = data.draw(st.binary(min_size=1, max_size=8))
    broken = {
        'cut': indexed[:position],
        'change': indexed[:position] + bytes([indexed[position] ^ 1]) + indexed[position + 1 :],
        'insert': indexed[:position] + middle + indexed[position:],
        'anything': middle,
    }[kind]
    path = tmp_path_factory.getbasetemp() / 'broken.png'
    path.write_bytes(broken)
    with pytest.raises(ValueError, match=r'broken\.png: cannot decode mask'):
        davis.read_labels(path)


def test_real_boxes_lie_on_the_target_to_the_pixel(shared):
    """The 0-based origin, seen in the pixels: the box holds the whole mask, and each border row and column a part."""
    root = shared / 'data' / 'sequences' / 'DAVIS'
    for objects in (True, False):
        (target,) = davis.Davis(root, 'val', objects).read('blackswan').targets
        mask = cv2.imread(str(mask_path(root, 'blackswan', 10)), cv2.IMREAD_GRAYSCALE) > 0
        x, y, w, h = target.boxes[10].astype(int)
        assert mask[y : y + h, x : x + w].sum() == mask.sum()
        assert mask[y].any() and mask[y + h - 1].any() and mask[:, x].any() and mask[:, x + w - 1].any()
