"""The folder reader: what it keeps, what it refuses and how it says so."""

import itertools
import math
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sctrpn_jax.data import folder

HEADER = 'image,track,frame,class,x,y,w,h'


def write_source(root, lines, header=HEADER, names=('a.png', 'b.png')):
    (root / 'img').mkdir(parents=True, exist_ok=True)
    for value, name in enumerate(names):
        Image.fromarray(np.full((20, 30, 3), value, np.uint8)).save(root / 'img' / name)
    (root / 'boxes.csv').write_text('\n'.join([header, *lines]) + '\n', encoding='utf-8')
    return root


def test_rows_are_ordered_by_frame_within_their_track(tmp_path):
    lines = [
        'img/a.png,one,7,cat,1,2,10,11',
        'img/b.png,two,0,dog,3,4,12,13',
        '',
        'img/b.png,one,-3,cat,5,6,14.5,15',
    ]
    source = folder.read_folder(write_source(tmp_path / 'pets', lines))
    assert (source.name, source.tracks, source.refused) == ('pets', ['one', 'two'], ())
    np.testing.assert_array_equal(source.frame, [-3, 7, 0])
    np.testing.assert_array_equal(source.starts, [0, 2, 3])
    np.testing.assert_array_equal(source.image, [0, 1, 0])
    assert source.categories == ['cat', 'cat', 'dog']
    np.testing.assert_array_equal(source.boxes, np.float32([[5, 6, 14.5, 15], [1, 2, 10, 11], [3, 4, 12, 13]]))
    image, box = source.read(0)
    assert image.shape == (20, 30, 3) and (image == 1).all()
    np.testing.assert_array_equal(box, np.float32([5, 6, 14.5, 15]))


@pytest.mark.parametrize(
    'line, reason',
    [
        ('img/a.png,t,0,c,1,2,ten,11', "w 'ten' is no number"),
        ('img/a.png,t,0,c,nan,2,10,11', "x 'nan' is no pixel position"),
        ('img/a.png,t,0,c,1,inf,10,11', "y 'inf' is no pixel position"),
        ('img/a.png,t,0,c,1,2,1e39,11', "w '1e39' is no pixel position"),
        ('img/a.png,t,0,c,1,2,0,11', 'size 0x11 is not positive'),
        ('img/a.png,t,0,c,1,2,10,-4', 'size 10x-4 is not positive'),
        ('img/a.png,t,0,c,1,2,10,3.9', 'size 10x3.9 is under the smallest side 4'),
        ('img/a.png,t,0.5,c,1,2,10,11', "frame '0.5' is no whole number"),
        ('img/a.png,t,99999999999999999999,c,1,2,10,11', 'frame 99999999999999999999 is too large'),
        ('img/a.png,t,0,c,1,2,10', '7 values, expected 8'),
        ('img/a.png,t,0,c,1,2,10,11,12', '9 values, expected 8'),
        ('img/a.png,t,0,"c,1,2,10,11', 'not a CSV line'),
        ('img/z.png,t,0,c,1,2,10,11', "image 'img/z.png' does not exist"),
        ('away/a.png,t,0,c,1,2,10,11', "image 'away/a.png' does not exist"),
        ('img/../img/a.png,t,0,c,1,2,10,11', 'is not a path inside the source folder'),
        ('/img/a.png,t,0,c,1,2,10,11', 'is not a path inside the source folder'),
        ('img/a.png,good,5,c,1,2,10,11', "track 'good' has frame 5 twice"),
    ],
)
def test_a_bad_row_is_refused_by_name(tmp_path, line, reason):
    lines = ['img/a.png,good,5,c,1,2,10,11', line, 'img/b.png,good,6,"c, d",1,2,10,11']
    source = folder.read_folder(write_source(tmp_path, lines))
    np.testing.assert_array_equal(source.frame, [5, 6])
    (refusal,) = source.refused
    assert refusal.startswith(f'{tmp_path}/boxes.csv:3: ') and reason in refusal


def test_columns_in_any_order_and_one_too_many(tmp_path):
    source = folder.read_folder(
        write_source(tmp_path, ['9,12,11,3,4,x,0,t,img/a.png'], header='score,h,w,x,y,class,frame,track,image')
    )
    np.testing.assert_array_equal(source.boxes, np.float32([[3, 4, 11, 12]]))
    assert source.refused == (f"{tmp_path}/boxes.csv:1: unknown column 'score' is not read",)


def test_what_is_no_source_says_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match=r'expected boxes\.csv and img/ in it'):
        folder.read_folder(tmp_path)
    with pytest.raises(ValueError, match="no column 'track' in .*; expected image,track"):
        folder.read_folder(write_source(tmp_path, [], header='image,frame,class,x,y,w,h'))
    (tmp_path / 'boxes.csv').write_bytes(b'')
    with pytest.raises(ValueError, match="no column 'image'"):
        folder.read_folder(tmp_path)
    with pytest.raises(ValueError, match=r'no usable row.*boxes\.csv:2: .*is not positive'):
        folder.read_folder(write_source(tmp_path, ['img/a.png,t,0,c,1,2,10,0']))


def test_a_box_outside_its_image_is_named_when_read(tmp_path):
    source = folder.read_folder(write_source(tmp_path, ['img/a.png,t,0,c,30,2,10,10', 'img/b.png,t,1,c,-9,15,10,10']))
    with pytest.raises(ValueError, match=r'img/a\.png: box .* lies outside the 30x20 image'):
        source.read(0)
    assert source.read(1)[0].shape == (20, 30, 3)


number = st.one_of(
    st.floats(-50, 50).map(repr), st.sampled_from(['', 'nan', '-inf', '0', '4', '3.999', '1e7', 'x', ' 5 ', '"6"'])
)
row = st.tuples(
    st.sampled_from(['img/a.png', 'img/b.png', 'img/none.png', '']),
    st.sampled_from(['t', 'u', 'v w']),
    st.one_of(st.integers(-99, 99).map(str), st.sampled_from(['', '1.0', 'x'])),
    st.sampled_from(['cat', '"a, b"', '']),
    *[number] * 4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(row, max_size=12))
def test_every_row_is_kept_or_refused(tmp_path, rows):
    write_source(tmp_path, [','.join(values) for values in rows])
    kept, refused, seen = [], [], set()
    for line, (image, track, frame, _, *box) in enumerate(rows, 2):
        try:
            values = [float(text.strip('"')) for text in box]
            good = all(math.isfinite(value) and abs(value) <= 1e6 for value in values) and min(values[2:]) >= 4
            good = good and image in ('img/a.png', 'img/b.png') and (track, int(frame)) not in seen
        except ValueError:
            good = False
        if good:
            seen.add((track, int(frame)))
            kept.append((track, int(frame), image, *np.float32(values)))
        else:
            refused.append(line)
    if not kept:
        with pytest.raises(ValueError, match='no usable row'):
            folder.read_folder(tmp_path)
        return
    source = folder.read_folder(tmp_path)
    assert [int(text.removeprefix(f'{tmp_path}/boxes.csv:').split(':')[0]) for text in source.refused] == refused
    order = {track: place for place, track in enumerate(dict.fromkeys(item[0] for item in kept))}
    kept.sort(key=lambda item: (order[item[0]], item[1]))
    assert source.images == [f'{tmp_path}/{item[2]}' for item in kept]
    np.testing.assert_array_equal(source.frame, [item[1] for item in kept])
    np.testing.assert_array_equal(source.boxes, np.float32([item[3:] for item in kept]))
    rows_of_tracks = [list(range(source.starts[t], source.starts[t + 1])) for t in range(len(source.tracks))]
    assert sum(rows_of_tracks, []) == list(range(len(kept)))
    for index, indices in enumerate(rows_of_tracks):
        assert indices and {kept[i][0] for i in indices} == {source.tracks[index]}
        assert (np.diff(source.frame[indices]) > 0).all()
    for i, j in itertools.combinations(range(len(kept)), 2):
        assert (source.image[i] == source.image[j]) == (source.images[i] == source.images[j])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_source_or_a_value_error(tmp_path, content):
    write_source(tmp_path, [])
    good = f'{HEADER}\nimg/a.png,t,0,c,1,2,10,11\n'.encode()
    (tmp_path / 'boxes.csv').write_bytes(content)
    with pytest.raises(ValueError, match='expected'):
        folder.read_folder(tmp_path)
    (tmp_path / 'boxes.csv').write_bytes(good + content)
    source = folder.read_folder(tmp_path)
    assert source.boxes[0].tolist() == [1, 2, 10, 11]


def test_the_real_sources_are_read_whole_and_quickly(shared):
    paths = sorted((shared / 'data' / 'train').glob('*/boxes.csv'))
    if not paths:
        pytest.skip('no training data in the shared folder')
    start = time.perf_counter()
    for path in paths:
        source = folder.read_folder(path.parent)
        lines = sum(1 for line in path.read_text(encoding='utf-8').split('\n') if line.strip()) - 1
        assert len(source.images) + len(source.refused) == lines
        assert (source.boxes[:, 2:] >= 4).all()
    assert time.perf_counter() - start < 20


def test_a_comma_may_follow_the_last_value(tmp_path):
    lines = ['img/a.png,one,1,cat,1,2,10,11,', '"img/b.png",one,2,cat,1,2,10,11,', 'img/b.png,one,3,cat,1,2,10,11,,']
    source = folder.read_folder(write_source(tmp_path / 'pets', lines))
    assert source.frame.tolist() == [1, 2] and [line.split(': ')[1] for line in source.refused] == [
        '10 values, expected 8'
    ]
