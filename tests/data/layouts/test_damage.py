"""Any damage to any annotation file of any row layout: a valid clip that says what it left out, or ValueError."""

import math
import pathlib
import shutil

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import got10k, lasot, nfs, otb, tcolor128, trackingnet, uav123, vot

BOXES = '1,1,5,5\n2,2,5,5\n3,3,5,5\n'
# Layout, split, folder of the three images, first number, text files.
SETS = {
    'otb': (otb.Otb, 'test', 'a/img', 1, {'a/groundtruth_rect.1.txt': BOXES, 'a/groundtruth_rect.2.txt': BOXES}),
    'vot': (
        vot.Vot,
        'test',
        'a/color',
        1,
        {'a/groundtruth.txt': '1,1,9,1,9,9,1,9\n' * 3, 'a/occlusion.tag': '0\n1\n', 'list.txt': 'a\n'},
    ),
    'got10k': (
        got10k.Got10k,
        'train',
        'train/a',
        1,
        {
            'train/list.txt': 'a\n',
            'train/a/groundtruth.txt': BOXES,
            'train/a/cover.label': '8\n8\n3\n',
            'train/a/absence.label': '0\n0\n1\n',
            'train/a/cut_by_image.label': '0\n0\n0\n',
            'train/a/meta_info.ini': '[METAINFO]\nobject_class: dog\n',
        },
    ),
    'lasot': (
        lasot.Lasot,
        'test',
        'bus/bus-2/img',
        1,
        {
            'testing_set.txt': 'bus-2\n',
            'bus/bus-2/groundtruth.txt': BOXES,
            'bus/bus-2/full_occlusion.txt': '0,0,1',
            'bus/bus-2/out_of_view.txt': '0,1,1',
        },
    ),
    'nfs': (nfs.Nfs, '30', 'a/30/a', 1, {'a/30/a.txt': '0 1 1 5 5 0 0 0 0 "a b"\n' * 3}),
    'tcolor128': (tcolor128.TColor128, 'test', 'a/img', 1, {'a/a_gt.txt': BOXES, 'a/a_frames.txt': '1,3\n'}),
    'trackingnet': (trackingnet.TrackingNet, 'test', 'TEST/frames/a', 0, {'TEST/anno/a.txt': BOXES}),
    'uav123': (
        uav123.Uav123,
        'UAV123',
        'data_seq/UAV123/a',
        1,
        {'anno/UAV123/a_1.txt': '1,1,5,5\n', 'anno/UAV123/a_2.txt': BOXES},
    ),
}
CASES = [(name, file) for name, (*_, files) in SETS.items() for file in files]


@st.composite
def damaged(draw, text):
    """Bytes that were once that text, or never."""
    data = text.encode()
    start, end = sorted(draw(st.tuples(*[st.integers(0, len(data))] * 2)))
    piece = draw(
        st.sampled_from([b'', b'nan', b'inf', b'-1', b'1e300', b'\n', b'\r', b',', b'\0', b'0', b'/..', '²'.encode()])
        | st.binary(max_size=20)
    )
    return draw(
        st.sampled_from([data[:start], data[:start] + piece + data[start:], data[:start] + piece + data[end:], piece])
    )


def build(root, name):
    """A whole tree; gives the layout and its text files."""
    layout, split, folder, first, files = SETS[name]
    (root / folder).mkdir(parents=True)
    for number in range(first, first + 3):
        (root / folder / f'{number}.jpg').touch()
    for file, text in files.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text(text)
    return layout, split, files


def check(layout, split, root):
    """Everything that may be relied on in what comes out."""
    opened = layout(root, split)
    assert opened.keys() and all(str(root) in line for line in opened.refused)
    for key in opened.keys():
        try:
            clip = opened.read(key)
        except ValueError as error:
            assert str(root) in str(error)
            continue
        assert clip.name == key and len(clip.images) == len(clip.frames) and (np.diff(clip.frames) > 0).all()
        assert all(pathlib.Path(image).is_file() for image in clip.images)
        assert clip.targets and len({target.name for target in clip.targets}) == len(clip.targets)
        assert all(str(root) in line for line in clip.refused)
        for target in clip.targets:
            assert len(target.rows) and 0 <= target.rows[0] and target.rows[-1] < len(clip.images)
            there = np.isfinite(target.boxes).all(axis=1)
            assert (there | np.isnan(target.boxes).all(axis=1)).all()
            assert (target.boxes[there, 2:] > 0).all() and (np.abs(target.boxes[there]) < 1e7).all()
            assert all(math.isnan(value) or 0 <= value <= 1 for value in target.visible)


@pytest.mark.parametrize('name', list(SETS))
def test_a_whole_tree_has_nothing_to_refuse(tmp_path, name):
    layout, split, _ = build(tmp_path / name, name)
    check(layout, split, tmp_path / name)
    opened = layout(tmp_path / name, split)
    assert not opened.refused and not any(opened.read(key).refused for key in opened.keys())


@pytest.mark.parametrize(('name', 'file'), CASES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_damage(tmp_path, name, file, data):
    root = tmp_path / 'set'
    if not root.exists():
        build(root, name)
    layout, split, *_, files = SETS[name]
    (root / file).write_bytes(data.draw(damaged(files[file])))
    try:
        check(layout, split, root)
    except ValueError as error:
        assert str(root) in str(error)


@pytest.mark.parametrize(('name', 'file'), CASES)
def test_a_folder_in_place_of_a_file(tmp_path, name, file):
    layout, split, _ = build(tmp_path / 'set', name)
    (tmp_path / 'set' / file).unlink()
    (tmp_path / 'set' / file).mkdir()
    try:
        check(layout, split, tmp_path / 'set')
    except ValueError as error:
        assert str(tmp_path) in str(error)


@pytest.mark.parametrize('name', list(SETS))
def test_no_images_at_all(tmp_path, name):
    layout, split, _ = build(tmp_path / 'set', name)
    folder = tmp_path / 'set' / SETS[name][2]
    for image in folder.glob('*.jpg'):
        image.unlink()
    opened = layout(tmp_path / 'set', split)
    for key in opened.keys():
        with pytest.raises(ValueError, match='no images; expected them in'):
            opened.read(key)
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match=str(tmp_path)):
        opened.read(opened.keys()[0])
