"""Need for Speed: corners as they are annotated, 240 rows per second for 30 images, one too many, damage."""

import numpy as np
import pytest

from sctrpn_jax.data.layouts import nfs


@pytest.fixture
def folder(tmp_path, touch, write):
    """folder(name, fps, images, rows): one sequence below tmp_path."""

    def make(name, fps, images, lines):
        touch(tmp_path / name / fps / name, range(1, images + 1), '%05d.jpg')
        write(tmp_path / name / fps / f'{name}.txt', lines)
        return tmp_path

    return make


def row(frame):
    return f'0 {frame} 20 {frame + 30} 60 {frame} 0 1 0 "table tennis ball"'


def test_corners_and_rates(folder):
    root = folder('ball', '240', 17, [row(frame) for frame in range(17)])
    folder('ball', '30', 3, [row(frame) for frame in range(17)])
    layout = nfs.Nfs(root, '240')
    clip = layout.read('ball')
    assert layout.keys() == ['ball'] and layout.refused == [] and clip.refused == ()
    assert clip.images[16] == f'{root}/ball/240/ball/00017.jpg'
    np.testing.assert_array_equal(clip.targets[0].boxes, [[frame, 20, 30, 40] for frame in range(17)])
    slow = nfs.Nfs(root, '30').read('ball')
    assert len(slow.images) == 3 and slow.refused == ()
    np.testing.assert_array_equal(slow.targets[0].boxes[:, 0], [0, 8, 16])


@pytest.mark.parametrize(('images', 'lines'), [(5, 4), (4, 5)])
def test_one_too_many_is_left_out(folder, images, lines):
    clip = nfs.Nfs(folder('a', '30', images, [row(frame) for frame in range(lines)]), '30').read('a')
    assert clip.refused == () and clip.targets[0].rows.tolist() == [0, 1, 2, 3] and len(clip.images) == 4


def test_what_is_wrong_is_named(folder, tmp_path):
    root = folder('a', '30', 3, [row(0), '0 a b c d', '7 1 2 3'])
    clip = nfs.Nfs(root, '30').read('a')
    assert [line.split(': got')[0] for line in clip.refused] == [f'{root}/a/30/a.txt:{line}' for line in (2, 3)]
    with pytest.raises(ValueError, match=r'no NfS sequences at 240 frames per second; expected .*/<name>/240/'):
        nfs.Nfs(root, '240')
    folder('b', '30', 4, [row(0), row(1)])
    assert 'got 2 rows for 4 frames' in nfs.Nfs(root, '30').read('b').refused[0]
    (tmp_path / 'c' / '30').mkdir(parents=True)
    assert nfs.Nfs(root, '30').refused == [f'{root}/c/30: no annotation; expected c.txt in it']
    with pytest.raises(ValueError, match="split: got '60', accepted are 30, 240"):
        nfs.Nfs(root, '60')
