"""TempleColor-128: the range of images that are annotated, names spelled in two ways, damage."""

import numpy as np
import pytest

from sctrpn_jax.data.layouts import tcolor128


@pytest.fixture
def folder(tmp_path, touch, write):
    """folder(name, images, rows, range, spelled): one sequence below tmp_path."""

    def make(name, images, lines, limits=None, spelled=''):
        touch(tmp_path / name / 'img', images, '%04d.jpg')
        write(tmp_path / name / f'{spelled or name}_gt.txt', lines)
        if limits:
            write(tmp_path / name / f'{spelled or name}_frames.txt', limits)
        return tmp_path

    return make


def test_ranges_and_origin(folder):
    root = folder('David', range(1, 13), [f'{n},20,30,40' for n in range(3, 11)], '3,10')
    folder('Yo_yos_ce1', range(1, 4), ['5,6,7,8'] * 3, '1,3\n', 'Yo-yos_ce1')
    folder('Ball_ce1', range(4, 6), ['5,6,7,8'] * 2)
    layout = tcolor128.TColor128(root, 'test')
    assert layout.keys() == ['Ball_ce1', 'David', 'Yo_yos_ce1'] and layout.refused == []
    clips = {key: layout.read(key) for key in layout.keys()}
    assert all(clip.refused == () for clip in clips.values())
    assert clips['David'].frames.tolist() == list(range(3, 11))
    np.testing.assert_array_equal(clips['David'].targets[0].boxes, [[n - 1, 19, 30, 40] for n in range(3, 11)])
    assert clips['Yo_yos_ce1'].images[0] == f'{root}/Yo_yos_ce1/img/0001.jpg' and len(clips['Ball_ce1'].images) == 2


def test_what_is_wrong_is_named(folder, tmp_path, write):
    root = folder('a', [1, 2], ['1,1,2,2'] * 2, '1,x')
    layout = tcolor128.TColor128(root, 'test')
    with pytest.raises(ValueError, match=r"a_frames\.txt: got '1,x', expected the numbers of the first and the last"):
        layout.read('a')
    write(root / 'a' / 'a_frames.txt', '7,9')
    with pytest.raises(ValueError, match=r'no image from 7 to 9, which a_frames\.txt names'):
        layout.read('a')
    write(root / 'a' / 'a_frames.txt', '1,2')
    write(root / 'a' / 'a_gt.txt', ['1,1,2,2'])
    assert 'got 1 rows for 2 frames' in layout.read('a').refused[0]
    (tmp_path / 'b').mkdir()
    assert tcolor128.TColor128(root, 'test').refused == [f'{root}/b: expected one file <name>_gt.txt in it']
    with pytest.raises(ValueError, match=r'no TempleColor-128 sequences; expected .*<name>_gt\.txt'):
        tcolor128.TColor128(root / 'b', 'test')
