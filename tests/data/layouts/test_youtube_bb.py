"""YouTube-BB: segments out of the CSV, frames in both forms, and what is refused by name."""

import pickle

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sctrpn_jax.data.layouts import youtube_bb

SET = 'yt_bb_detection_train'
FLAT = 'youtubebbdevkit2017/youtubebb2017/JPEGImages'


def a_row(video='AAB6lO-XiKE', time=238000, thing='0', box=('0.482', '0.54', '0.37166667', '0.6166667'), **other):
    values = {'class_id': '0', 'class_name': 'person', 'presence': 'present', **other}
    return ','.join(
        (video, str(time), values['class_id'], values['class_name'], str(thing), values['presence'], *map(str, box))
    )


ABSENT = {'presence': 'absent', 'box': ('-1.0',) * 4}
_IMAGES = {}


def write(root, rows, frames=(), flat=(), size=(320, 240)):
    """Writes the CSV and frames, named by (video, time, class, thing)."""
    root.mkdir(exist_ok=True)
    (root / f'{SET}.csv').write_text('\n'.join(rows) + '\n')
    if size not in _IMAGES:
        _IMAGES[size] = cv2.imencode('.jpg', np.zeros((size[1], size[0], 3), np.uint8))[1].tobytes()
    (root / SET).mkdir(exist_ok=True)
    paths = [
        root / SET / category / f'{video}_{time}_{category}_{thing}.jpg' for video, time, category, thing in frames
    ]
    paths += [root / FLAT / f'{video}+{category}+{thing}+{time}.jpg' for video, time, category, thing in flat]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_IMAGES[size])
    return root


def test_a_segment_is_a_clip_with_one_target(tmp_path):
    video = 'a_b-c_1_2_3'
    rows = [
        a_row(video, 2000, box=(0.5, 0.75, 0.25, 0.5)),
        a_row('other', 1000, class_id='7', class_name='potted plant'),
        a_row(video, 1000, box=(0, 1, 0, 1)),
        a_row(video, 3033, **ABSENT),
    ]
    frames = [(video, time, '0', '0') for time in (1000, 2000, 3033)]
    layout = youtube_bb.YouTubeBB(write(tmp_path, rows, [*frames, ('other', 1000, '7', '0')]), 'train')
    assert layout.keys() == ['a_b-c_1_2_3+0+0', 'other+7+0'] and layout.refused == ()
    clip = layout.read('a_b-c_1_2_3+0+0')
    assert clip.frames.tolist() == [30, 60, 91] and clip.refused == ()
    assert clip.images == [f'{tmp_path}/{SET}/0/{video}_{time}_0_0.jpg' for time in (1000, 2000, 3033)]
    (target,) = clip.targets
    assert target.rows.tolist() == [0, 1, 2] and target.category == 'person'
    np.testing.assert_array_equal(target.boxes, [[0, 0, 320, 240], [160, 60, 80, 60], [np.nan] * 4])
    np.testing.assert_array_equal(target.visible, np.float32([np.nan, np.nan, 0]))
    assert layout.read('other+7+0').targets[0].category == 'potted plant'


def test_segments_of_a_video_are_apart_and_frames_may_lie_in_one_folder(tmp_path):
    rows = [a_row('v', time, thing) for time in (0, 1000) for thing in (0, 1)]
    root = write(tmp_path, rows, flat=[('v', 0, '0', '0'), ('v', 1000, '0', '0')], frames=[('v', 0, '0', '1')])
    layout = youtube_bb.YouTubeBB(root, 'train')
    assert layout.keys() == ['v+0+0', 'v+0+1']
    assert layout.read('v+0+0').images == [f'{tmp_path}/{FLAT}/v+0+0+{time}.jpg' for time in (0, 1000)]
    clip = pickle.loads(pickle.dumps(layout)).read('v+0+1')
    assert len(clip.images) == 1
    assert clip.refused == (f'{tmp_path}/{SET}.csv:4: no extracted frame of 1 rows of v+0+1',)


def test_segments_without_frames_are_counted(tmp_path):
    rows = [a_row(video, 0) for video in ('a', 'b', 'c')]
    layout = youtube_bb.YouTubeBB(write(tmp_path, rows, [('b', 0, '0', '0')]), 'train')
    assert layout.keys() == ['b+0+0']
    assert layout.refused[0].startswith(f'{tmp_path}/{SET}.csv: 2 of 3 segments have no frame, as a+0+0; expected ')
    with pytest.raises(ValueError, match=r'no segment .*with frames'):
        layout.read('a+0+0')


@pytest.mark.parametrize(
    'bad, reason',
    [
        (a_row('v', 1000, box=(0.5, 0.5, 0, 1)), 'size 0x1 is not positive'),
        (a_row('v', 1000, box=(0.5, 0.4, 0, 1)), 'size -0.1x1 is not positive'),
        (a_row('v', 1000, box=('-1.0',) * 4), 'size 0x0 is not positive'),
        (a_row('v', 1000, box=(0, 'x', 0, 1)), "box '0,x,0,1' is not four numbers"),
        (a_row('v', 1000, box=(0, 'nan', 0, 1)), 'box 0,nan,0,1 is not relative to the frame'),
        (a_row('v', 1000, box=(0, 'inf', 0, 1)), 'box 0,inf,0,1 is not relative to the frame'),
        (a_row('v', 1000, box=(0, '1e300', 0, 1)), 'box 0,1e+300,0,1 is not relative to the frame'),
        (a_row('v', 1000, box=(0, 640, 0, 480)), 'box 0,640,0,480 is not relative to the frame'),
        (a_row('v', 1000, presence='uncertain'), "object_presence 'uncertain' is neither present nor absent"),
        (a_row('v', '1.5'), "timestamp_ms '1.5' is no whole number"),
        (a_row('v', -1), 'timestamp_ms -1 is not within'),
        (a_row('v', 10**30), f'timestamp_ms {10**30} is not within'),
        (a_row('v', 0), 'a second row within a frame of 0 ms'),
        (a_row('v', 3), 'a second row within a frame of 3 ms'),
        (a_row('v', 5000), 'no extracted frame of 1 rows of v+0+0'),
        (a_row('v', 1000)[:-5].rsplit(',', 1)[0], '9 values, expected 10'),
        (a_row('v', 1000) + ',1', '11 values, expected 10'),
        ('garbage', '1 values, expected 10'),
    ],
)
def test_a_bad_row_is_refused_by_name(tmp_path, bad, reason):
    frames = [('v', time, '0', '0') for time in (0, 3, 1000, 2000)]
    layout = youtube_bb.YouTubeBB(write(tmp_path, [a_row('v', 0), '', bad, a_row('v', 2000)], frames), 'train')
    clip = layout.read('v+0+0')
    assert clip.frames.tolist() == [0, 60]
    assert [*layout.refused, *clip.refused] == [
        f'{tmp_path}/{SET}.csv:3: ' + [*layout.refused, *clip.refused][0].split(': ', 1)[1]
    ]
    assert reason in [*layout.refused, *clip.refused][0]


@pytest.mark.parametrize(
    'video, category, thing', [('../x', '0', '0'), ('', '0', '0'), ('v', '-1', '0'), ('v', '0', '1.5')]
)
def test_what_cannot_be_in_a_file_name_is_refused(tmp_path, video, category, thing):
    rows = [a_row(video, 0, thing, class_id=category), a_row('ok', 0), a_row('é', 0), a_row('w' * 99, 0)]
    layout = youtube_bb.YouTubeBB(write(tmp_path, rows, [('ok', 0, '0', '0')]), 'train')
    assert layout.keys() == ['ok+0+0']
    assert [line.split(': ')[0].split(':')[-1] for line in layout.refused] == ['1', '3', '4']


def test_a_header_is_no_segment(tmp_path):
    header = 'youtube_id,timestamp_ms,class_id,class_name,object_id,object_presence,xmin,xmax,ymin,ymax'
    layout = youtube_bb.YouTubeBB(write(tmp_path, [header, a_row('v', 0)], [('v', 0, '0', '0')]), 'train')
    assert layout.keys() == ['v+0+0'] and layout.refused == ()


def test_a_frame_that_is_no_image_is_refused(tmp_path):
    root = write(tmp_path, [a_row('v', 0), a_row('v', 1000)], [('v', 0, '0', '0'), ('v', 1000, '0', '0')])
    (root / SET / '0' / 'v_1000_0_0.jpg').write_bytes(b'x')
    clip = youtube_bb.YouTubeBB(root, 'train').read('v+0+0')
    assert clip.frames.tolist() == [0]
    assert clip.refused[0].startswith(f'{tmp_path}/{SET}.csv:2: cannot decode image')


def test_what_is_no_youtube_bb_says_what_is_expected(tmp_path):
    with pytest.raises(ValueError, match='accepted are train, validation'):
        youtube_bb.YouTubeBB(tmp_path, 'val')
    with pytest.raises(ValueError, match=rf'expected .*{SET}\.csv \(unpacked\) and .*<youtube_id>_<timestamp_ms>_'):
        youtube_bb.YouTubeBB(tmp_path, 'train')
    with pytest.raises(ValueError, match=r'no segment with frames; first refusal: .*1 of 1 segments have no frame'):
        youtube_bb.YouTubeBB(write(tmp_path, [a_row()]), 'train')
    with pytest.raises(ValueError, match=rf'no segment with frames; first refusal: .*{SET}\.csv: no row'):
        youtube_bb.YouTubeBB(write(tmp_path, []), 'train')
    root = write(tmp_path, [a_row('v', 0, **ABSENT), a_row('w', 0, 'x')], [('v', 0, '0', '0')])
    with pytest.raises(ValueError, match=rf'{SET}\.csv:1: no frame has a box of v\+0\+0'):
        youtube_bb.YouTubeBB(root, 'train').read('v+0+0')


VALID = '\n'.join([a_row('v', 0), a_row('w', 0, class_id='7'), a_row('v', 1000), a_row('v', 2000, **ABSENT)]).encode()


def check(root, data):
    (root / f'{SET}.csv').write_bytes(data)
    try:
        layout = youtube_bb.YouTubeBB(root, 'train')
        clips = [layout.read(key) for key in layout.keys()]
    except ValueError as error:
        assert f'{root}/{SET}.csv' in str(error)
        return
    assert clips
    for clip in clips:
        (target,) = clip.targets
        assert (np.diff(clip.frames) > 0).all() and len(clip.images) == len(target.rows) == len(clip.frames)
        there = ~np.isnan(target.boxes[:, 0])
        assert there.any() and (target.boxes[there, 2:] > 0).all()
        ''.join([target.category, *clip.refused, *layout.refused]).encode()


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(VALID)), length=st.integers(0, 30), change=st.binary(max_size=8))
def test_any_change_gives_clips_or_a_value_error(tmp_path, place, length, change):
    frames = [('v', time, '0', '0') for time in (0, 1000, 2000)] + [('w', 0, '7', '0')]
    if not (tmp_path / SET).exists():
        write(tmp_path, [], frames)
    check(tmp_path, VALID[:place] + change + VALID[place + length :])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=99) | st.text(alphabet=',\n0v.1-', max_size=99).map(str.encode))
def test_any_bytes_give_clips_or_a_value_error(tmp_path, data):
    check(write(tmp_path, []), data)
    check(write(tmp_path, [], [('v', 0, '0', '0')]), a_row('v', 0).encode() + b'\n' + data)


def test_a_comma_may_follow_the_last_value(tmp_path):
    rows = [f'{a_row("v", 1000)},', a_row('v', 2000), f'{a_row("v", 3000)},,']
    layout = youtube_bb.YouTubeBB(
        write(tmp_path, rows, [('v', time, '0', '0') for time in (1000, 2000, 3000)]), 'train'
    )
    assert layout.read('v+0+0').frames.tolist() == [30, 60]
    assert [line.split(': ')[1] for line in layout.refused] == ['11 values, expected 10']
