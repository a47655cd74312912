"""VOT: polygons, rectangles, frames without a region, tags; the annotations of all sixty sequences of VOT-2018."""

import os
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import listing, vot

UPRIGHT = '10,20,49,20,49,29,10,29'
TAGS = ['camera_motion', 'illum_change', 'motion_change', 'occlusion', 'size_change']


@pytest.fixture
def folder(tmp_path, touch, write):
    def make(name, lines, count=None, **tags):
        touch(tmp_path / name / 'color', range(1, (count or len(lines)) + 1))
        write(tmp_path / name / 'groundtruth.txt', lines)
        for tag, text in tags.items():
            write(tmp_path / name / f'{tag}.tag', text)
        return tmp_path

    return make


def test_polygons_and_list(folder, write):
    for name in ('b', 'a', 'unlisted'):
        root = folder(name, [UPRIGHT] * 2)
    assert vot.Vot(root, 'test').keys() == ['a', 'b', 'unlisted']
    write(root / 'list.txt', ['b', 'a', 'b'])
    layout = pickle.loads(pickle.dumps(vot.Vot(root, 'test')))
    assert layout.keys() == ['b', 'a'] and layout.refused == [f"{root}/list.txt:3: 'b' is named twice"]
    clip = layout.read('b')
    assert clip.images == (f'{root}/b/color/00000001.jpg', f'{root}/b/color/00000002.jpg') and clip.refused == ()
    (target,) = clip.targets
    np.testing.assert_array_equal(target.polygons[0], [10, 20, 49, 20, 49, 29, 10, 29])
    # Inclusive corners of an upright rectangle: exactly that rectangle.
    np.testing.assert_allclose(target.boxes, [[10, 20, 40, 10]] * 2)


def test_rectangles_and_frames_without_a_region(folder):
    lines = [UPRIGHT, '712.0,231.5,22.25,24.0', 'nan,nan,nan,nan', '0', '5,5,0,3', '4,4,4,4,4,4,4,4']
    clip = vot.Vot(folder('a', lines), 'test').read('a')
    (target,) = clip.targets
    assert clip.refused == () and target.rows.tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(target.boxes[1], [712, 231.5, 22.25, 24])
    assert np.isnan(target.boxes[2:]).all()


@pytest.mark.parametrize(
    'bad', ['m0,0,2,2,0,4', '1', '2', '1,2,3', '1,2', '1,2,3,4,5,6', '1,2,3,4,5,6,7,inf', UPRIGHT + ',5,6']
)
def test_other_regions_are_refused(folder, bad):
    root = folder('a', [UPRIGHT, bad])
    clip = vot.Vot(root, 'test').read('a')
    assert clip.targets[0].rows.tolist() == [0]
    (line,) = clip.refused
    assert line.startswith(f'{root}/a/groundtruth.txt:2: ')


def test_tags(folder, write):
    tags = {'camera_motion': '0\n1\n0\n', 'occlusion': '', 'size_change': '1\n'}
    root = folder('a', [UPRIGHT] * 3, **tags)
    write(root / 'a' / 'practical.value', '0.5\n')
    write(root / 'a' / 'occlusion.label', '1\n1\n1\n')
    clip = vot.Vot(root, 'test').read('a')
    assert {tag: values.tolist() for tag, values in clip.targets[0].tags.items()} == {
        'camera_motion': [False, True, False],
        'occlusion': [False] * 3,
        'size_change': [True, False, False],
    }
    assert clip.refused == ()
    write(root / 'a' / 'camera_motion.tag', '0\n5\n0\n')
    clip = vot.Vot(root, 'test').read('a')
    assert clip.targets[0].rows.tolist() == [0, 2]
    assert clip.refused == (f"{root}/a/camera_motion.tag:2: value 2 is '5', expected 0 to 1",)
    write(root / 'a' / 'camera_motion.tag', '0\n' * 4)
    with pytest.raises(ValueError, match=r'camera_motion\.tag: got 4 values for 3 rows'):
        vot.Vot(root, 'test').read('a')


def test_images_may_lie_beside_the_annotation(tmp_path, touch, write):
    touch(tmp_path / 'a', [1])
    write(tmp_path / 'a' / 'groundtruth.txt', [UPRIGHT])
    assert vot.Vot(tmp_path, 'test').read('a').images == (f'{tmp_path}/a/00000001.jpg',)


def test_what_is_missing_is_named(tmp_path, folder, write):
    with pytest.raises(ValueError, match='nowhere'):
        vot.Vot(tmp_path / 'nowhere', 'test')
    with pytest.raises(ValueError, match=r'expected .*<name>/groundtruth\.txt'):
        vot.Vot(tmp_path, 'test')
    root = folder('a', [UPRIGHT], count=2)
    write(root / 'list.txt', ['a', 'gone', 'n' * 300])
    layout = vot.Vot(root, 'test')
    assert layout.read('a').refused == (f'{root}/a/groundtruth.txt: got 1 rows for 2 frames; expected one per frame',)
    for name in ('gone', 'n' * 300):
        with pytest.raises(ValueError, match=f'no images; expected them in .*{name}'):
            layout.read(name)


def test_polygon_box_keeps_centre_and_area():
    rng = np.random.default_rng(0)
    for _ in range(20):
        centre, size, angle = rng.uniform(50, 100, 2), rng.uniform(20, 60, 2), rng.uniform(-3, 3)
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        corners = centre + (np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * size / 2) @ turn.T
        x, y, w, h = vot.polygon_box(corners.reshape(8))
        np.testing.assert_allclose([x + (w - 1) / 2, y + (h - 1) / 2], centre)
        assert (w - 1) * (h - 1) == pytest.approx(size.prod())


@given(st.tuples(*[st.integers(-50, 50)] * 2, *[st.integers(2, 50)] * 2))
def test_a_rectangle_keeps_its_box(box):
    np.testing.assert_allclose(vot.polygon_box(np.array(vot.parse_polygon(','.join(map(str, box))))), box)


@given(st.text(max_size=40) | st.lists(st.floats(), max_size=9).map(lambda v: ','.join(map(str, v))))
def test_any_text_gives_eight_numbers_or_a_reason(text):
    try:
        values = np.array(vot.parse_polygon(text))
    except ValueError as error:
        assert str(error)
    else:
        assert values.shape == (8,) and (np.isfinite(values).all() or np.isnan(values).all())
        assert np.isfinite(vot.polygon_box(values)).all() or np.isnan(vot.polygon_box(values)).all()


def test_real_sequence(shared):
    layout = vot.Vot(shared / 'data' / 'sequences' / 'VOT', 'test')
    clip = layout.read('bag')
    assert layout.keys() == ['bag'] and not clip.refused
    np.testing.assert_allclose(clip.targets[0].boxes[0], [312.64, 146.89, 106.13, 96.41], atol=0.01)


def test_annotations_of_vot2018(shared, monkeypatch):
    """All sixty, without their images: conduction1 is of rectangles, and three tag files are empty."""
    root = shared / 'data' / 'results' / 'VOT2018' / 'annotations'
    if not root.is_dir():
        pytest.skip(f'no annotations at {root}')

    def images(folder):
        lines = (root / os.path.basename(folder) / 'groundtruth.txt').read_text().splitlines()
        return listing.Images(folder, {number: f'{number:08d}.jpg' for number in range(1, len(lines) + 1)})

    monkeypatch.setattr(listing, 'numbered_images', images)
    layout = vot.Vot(root, 'test')
    clips = {key: layout.read(key) for key in layout.keys()}
    assert len(clips) == 60 and sum(len(clip.images) for clip in clips.values()) == 21356
    for clip in clips.values():
        (target,) = clip.targets
        assert not clip.refused and np.isfinite(target.boxes).all() and sorted(target.tags) == TAGS
        assert len(target.rows) == len(clip.images)
    np.testing.assert_allclose(clips['conduction1'].targets[0].boxes[0], [712, 231, 22, 24])
    assert not clips['ball1'].targets[0].tags['occlusion'].any()  # an empty file
