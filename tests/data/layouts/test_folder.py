"""The project's format as a layout: which tracks share a clip, and that no image is given twice."""

import pickle

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data import folder as data_folder
from sctrpn_jax.data.layouts import folder

HEADER = 'image,track,frame,class,x,y,w,h'


def write(root, rows):
    """Writes a source of rows (image, track, frame, class) with boxes that tell the rows apart."""
    (root / 'img').mkdir(parents=True, exist_ok=True)
    lines = [HEADER]
    for number, (image, track, frame, category) in enumerate(rows):
        (root / 'img' / image).touch()
        lines.append(f'img/{image},{track},{frame},{category},{number}.5,0,10,2')
    (root / 'boxes.csv').write_text('\n'.join(lines) + '\n')
    return root


def described(clip):
    """(image names, frames, {target: (category, rows, x)}) of a clip."""
    targets = {
        target.name: (target.category, target.rows.tolist(), target.boxes[:, 0].tolist()) for target in clip.targets
    }
    return [path.rsplit('/', 1)[1] for path in clip.images], clip.frames.tolist(), targets


def test_objects_of_a_still_share_its_clip(tmp_path):
    rows = [('a', 't1', 0, 'cat'), ('b', 't2', 0, 'dog'), ('a', 't3', 9, 'hat')]
    layout = folder.Folder(write(tmp_path / 'pets', rows), 'train')
    assert layout.keys() == ['pets/t1', 'pets/t2'] and layout.refused == ()
    assert described(layout.read('pets/t1')) == (['a'], [0], {'t1': ('cat', [0], [0.5]), 't3': ('hat', [0], [2.5])})
    assert described(layout.read('pets/t2')) == (['b'], [0], {'t2': ('dog', [0], [1.5])})
    assert layout.read('pets/t2').images == [f'{tmp_path}/pets/img/b']


def test_tracks_of_a_video_share_its_clip(tmp_path):
    rows = [(f'{n}', 'one', n, 'car') for n in (7, 2, 3)] + [(f'{n}', 'two', n, 'bus') for n in (3, 5)]
    rows += [('5', 'lone', 0, 'man'), ('2', 'lone too', 2, 'boy'), ('else', 'three', 1, '')]
    layout = folder.Folder(write(tmp_path / 'road', rows), 'train')
    assert layout.keys() == ['road/one', 'road/three']
    images, frames, targets = described(layout.read('road/one'))
    assert (images, frames) == (['2', '3', '5', '7'], [2, 3, 5, 7])
    assert targets == {
        'one': ('car', [0, 1, 3], [1.5, 2.5, 0.5]),
        'two': ('bus', [1, 2], [3.5, 4.5]),
        'lone': ('man', [2], [5.5]),
        'lone too': ('boy', [0], [6.5]),
    }


@pytest.mark.parametrize(
    'rows',
    [
        [('a', 'one', 0, ''), ('b', 'one', 1, ''), ('b', 'two', 5, ''), ('c', 'two', 6, '')],  # b has two numbers
        [('a', 'one', 0, ''), ('b', 'one', 1, ''), ('b', 'two', 1, ''), ('c', 'two', 0, '')],  # 0 has two images
    ],
)
def test_tracks_that_contradict_each_other_are_apart(tmp_path, rows):
    layout = folder.Folder(write(tmp_path / 's', rows), 'train')
    assert layout.keys() == ['s/one', 's/two']
    order = sorted(range(2, 4), key=lambda row: rows[row][2])
    images, frames, targets = described(layout.read('s/two'))
    assert (images, frames) == ([rows[row][0] for row in order], [rows[row][2] for row in order])
    assert targets == {'two': ('', [0, 1], [row + 0.5 for row in order])}


def test_a_track_may_come_to_an_image_again(tmp_path):
    layout = folder.Folder(write(tmp_path / 's', [('a', 't', 0, ''), ('b', 't', 1, ''), ('a', 't', 2, '')]), 'train')
    assert described(layout.read('s/t'))[:2] == (['a', 'b', 'a'], [0, 1, 2])


def test_a_folder_of_sources(tmp_path):
    write(tmp_path / 'dogs', [('a', 'x/y', 0, 'dog')])
    write(tmp_path / 'cäts', [('a', '日', 0, 'cat')])
    with open(tmp_path / 'cäts' / 'boxes.csv', 'a') as file:
        file.write('img/none,t,0,c,1,2,3,4\nimg/a,t,0,c,1,2,0,4\n')
    (tmp_path / 'notes').mkdir()
    layout = folder.Folder(tmp_path, 'train')
    assert layout.keys() == ['cäts/日', 'dogs/x/y']
    assert [line.split(': ')[0] for line in layout.refused[:2]] == [f'{tmp_path}/cäts/boxes.csv:{n}' for n in (3, 4)]
    assert f'{tmp_path}/notes' in layout.refused[2] and len(layout.refused) == 3
    assert pickle.loads(pickle.dumps(layout)).read('cäts/日').targets[0].boxes.tolist() == [[0.5, 0, 10, 2]]


def test_what_is_no_source_says_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match='accepted are train'):
        folder.Folder(tmp_path, 'val')
    with pytest.raises(ValueError, match=r'no source in .*; expected .*/boxes\.csv or .*/<source>/boxes\.csv'):
        folder.Folder(tmp_path, 'train')
    with pytest.raises(ValueError, match='none'):
        folder.Folder(tmp_path / 'none', 'train')
    write(tmp_path / 's', [])
    with pytest.raises(ValueError, match='first refusal: .*no usable row'):
        folder.Folder(tmp_path, 'train')
    layout = folder.Folder(write(tmp_path / 's', [('a', 't', 0, '')]), 'train')
    with pytest.raises(ValueError, match='no clip'):
        layout.read('s/u')


rows_of_a_source = st.lists(
    st.tuples(st.sampled_from('abcdef'), st.sampled_from('stuvw'), st.integers(0, 5), st.just('')),
    min_size=1,
    max_size=14,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=rows_of_a_source)
def test_every_row_is_given_once_with_its_image(tmp_path, rows):
    root = write(tmp_path / 's', rows)
    layout = folder.Folder(root, 'train')
    source = data_folder.read_folder(root, min_side=0)
    wanted, frames_of = set(), {}
    for track, name in enumerate(source.tracks):
        rows_of_track = range(source.starts[track], source.starts[track + 1])
        wanted |= {(name, source.images[row].rsplit('/', 1)[1], float(source.boxes[row, 0])) for row in rows_of_track}
        frames_of[name] = [int(source.frame[row]) for row in rows_of_track]
    given_rows, clips = [], [layout.read(key) for key in layout.keys()]
    for clip in clips:
        names = [path.rsplit('/', 1)[1] for path in clip.images]
        assert (np.diff(clip.frames) > 0).all() and len(names) == len(clip.frames)
        if len(clip.targets) > 1:
            assert len(set(names)) == len(names)
        for target in clip.targets:
            given_rows += [
                (target.name, names[row], box[0]) for row, box in zip(target.rows, target.boxes, strict=True)
            ]
            frames = frames_of[target.name]
            assert len(frames) == 1 or clip.frames[target.rows].tolist() == frames
    assert len(given_rows) == len(wanted) and set(given_rows) == wanted


def test_the_real_sources_keep_every_row_and_no_image_twice(shared):
    names = ['dogcat', 'eth80', 'uavdt_segtrack', 'davis2016_train', 'coco_mini']
    paths = [path for name in names if (path := shared / 'data' / 'train' / name).is_dir()]
    if not paths:
        pytest.skip('no training data in the shared folder')
    for path in paths:
        layout = folder.Folder(path, 'train')
        clips = [layout.read(key) for key in layout.keys()]
        lines = sum(1 for line in (path / 'boxes.csv').read_text().split('\n') if line.strip()) - 1
        assert sum(len(target.rows) for clip in clips for target in clip.targets) + len(layout.refused) == lines
        images = [image for clip in clips for image in clip.images]
        assert len(set(images)) == len(images), path
        assert all(target.category for clip in clips for target in clip.targets)
