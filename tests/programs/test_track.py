"""The program track: what it writes, what an interruption leaves, and bad input."""

import csv
import os
import pathlib
import signal
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video
from sctrpn_jax.programs import track as track_program
from sctrpn_jax.tracking import results
from sctrpn_jax.visualization import overlay, window
from sctrpn_jax.weights import loading

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


BOX = '--box=10,20,12,16'


@pytest.fixture
def track(call, traced, monkeypatch):
    """track(*arguments) with a stand-in for the network."""
    loaded = {'threshold': np.uint8(128)}, config_lib.Config()
    monkeypatch.setattr(loading, 'load_network', lambda source: loaded)
    return lambda *arguments: call('track', *arguments)


class Camera:
    """Stands in for cv2.VideoCapture."""

    def __init__(self, frames):
        self.frames = list(frames)

    def isOpened(self):  # noqa: N802
        return True

    def get(self, _):
        return 0.0

    def read(self):
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self):
        pass


def test_a_camera_is_tracked_frame_by_frame_until_q(track, square, tmp_path, monkeypatch):
    frames, boxes = square
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: Camera(frames))
    monkeypatch.setattr(window, 'window_problem', lambda: None)
    monkeypatch.setattr(cv2, 'namedWindow', lambda title, flags: None)
    monkeypatch.setattr(cv2, 'destroyWindow', lambda title: None)
    monkeypatch.setattr(cv2, 'getWindowProperty', lambda title, which: 1.0)
    monkeypatch.setattr(cv2, 'waitKey', lambda wait: ord('q') if len(shown) == 9 else -1)
    shown = []
    monkeypatch.setattr(cv2, 'imshow', lambda title, picture: shown.append(picture))
    done = track('--video=camera:0', BOX, f'--results={tmp_path / "boxes.csv"}', '--show')
    assert done.code == 0 and 'camera:0: 9 frames' in done.out
    np.testing.assert_allclose(results.read_results(tmp_path / 'boxes.csv')[0], boxes[:9], atol=1e-3)
    assert shown[0].shape == (96, 128, 3)


def test_boxes_video_and_response_maps(track, clip, square, tmp_path):
    folder, boxes = clip
    out = tmp_path / 'out'
    places = [f'--results={out / "boxes.csv"}', f'--output={out / "clip.mkv"}', f'--response-maps={out / "maps"}']
    done = track(f'--video={folder}', BOX, *places, '--response_every=5')
    assert done.code == 0 and f'{folder}: 23 frames; tracking' in done.out and 'compiled in' in done.out
    written, scores = results.read_results(out / 'boxes.csv')
    np.testing.assert_allclose(written, boxes, atol=1e-3)
    assert scores[0] == 1
    with video.open_video(out / 'clip.mkv') as source:
        pictures = list(source)
    assert len(pictures) == 23
    assert not np.array_equal(pictures[3], square[0][3])
    assert sorted(p.name for p in (out / 'maps').iterdir()) == ['000005.png', '000010.png', '000015.png', '000020.png']


def test_several_targets_in_one_video(track, clip, tmp_path):
    folder, boxes = clip
    later = tmp_path / 'targets.csv'
    later.write_text('frame,x,y,w,h,target\n5,25,30,14,10,"late, left"\n')
    places = [f'--results={tmp_path / "boxes.csv"}', f'--output={tmp_path / "clip.mkv"}', f'--response-maps={tmp_path}']
    done = track(f'--video={folder}/%d.png', BOX, '--box=11,22,10,12', f'--boxes={later}', *places)
    assert done.code == 0 and f'{folder}/%d.png: 23 frames, 3 targets; tracking' in done.out
    header, *rows = list(csv.reader((tmp_path / 'boxes.csv').read_text().splitlines()))
    assert header == 'frame,x,y,w,h,score,hidden,time,target'.split(',')
    assert [row[7] for row in rows if row[8] == '1'] == [f'{t / 25:.4f}' for t in range(23)]
    found = results.read_targets(tmp_path / 'boxes.csv')
    assert list(found) == ['1', '2', 'late, left'] and found['late, left'].frames.tolist() == list(range(5, 23))
    np.testing.assert_allclose(found['1'].boxes, boxes, atol=1e-3)
    np.testing.assert_allclose(found['2'].boxes, boxes + [1, 2, -2, -4], atol=1e-3)
    assert {path.name for path in tmp_path.glob('*.png')} == {f'0000{t}_{n}.png' for t in (10, 20) for n in (1, 2, 3)}
    with video.open_video(tmp_path / 'clip.mkv') as source:
        pictures = list(source)
    for color, first in zip(overlay.COLORS[:3], (0, 0, 5), strict=True):
        seen = [bool((picture == color).all(-1).any()) for picture in pictures]
        assert seen == [t >= first for t in range(23)]


def test_a_video_that_ends_before_a_target_starts_keeps_what_was_tracked(track, square, tmp_path):
    """Its header promises more frames than there are."""
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'FFV1'), 25, (128, 96))
    for frame in square[0]:
        noise = np.random.default_rng(0).integers(0, 100, (96, 128, 3), np.uint8)  # so that all are of one size
        writer.write(np.maximum(frame, noise))
    writer.release()
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.5)])
    (tmp_path / 'targets.csv').write_text('frame,x,y,w,h\n0,10,20,12,16\n22,10,20,12,16\n')
    flags = [f'--boxes={tmp_path / "targets.csv"}', f'--results={tmp_path / "boxes.csv"}']
    done = track(f'--video={path}', *flags, f'--output={tmp_path / "out.mkv"}')
    count = len(results.read_results(tmp_path / 'boxes.csv')[0])
    assert done.code == 2 and 3 < count < 20
    assert f'track: target 2 starts in frame 22, but {path} ended after {count} frames' in done.err
    with video.open_video(tmp_path / 'out.mkv') as source:
        assert len(list(source)) == count


def test_a_corrupt_image_keeps_what_was_tracked(track, clip, tmp_path):
    folder, boxes = clip
    (folder / '19.png').write_bytes(b'broken')
    done = track(f'--video={folder}', BOX, f'--results={tmp_path / "boxes.csv"}', f'--output={tmp_path / "out.mkv"}')
    np.testing.assert_allclose(results.read_results(tmp_path / 'boxes.csv')[0], boxes[:19], atol=1e-3)
    with video.open_video(tmp_path / 'out.mkv') as source:
        assert len(list(source)) == 19
    assert done.code == 2 and len(done.err.splitlines()) == 1
    assert done.err.startswith('track: frame 19: ') and '19.png' in done.err
    assert 'the 19 frames before it were tracked' in done.err


@pytest.mark.parametrize(('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_keeps_what_was_tracked(track, clip, tmp_path, monkeypatch, number, code):
    folder, boxes = clip
    read = video.images.read_image

    def interrupted(path):
        if path.name == '20.png':  # of the second chunk, read while the first is tracked
            signal.raise_signal(number)
        return read(path)

    monkeypatch.setattr(video.images, 'read_image', interrupted)
    done = track(f'--video={folder}', BOX, f'--results={tmp_path / "boxes.csv"}', f'--output={tmp_path / "out.mkv"}')
    assert done.code == code and ' frames, then interrupted' in done.out
    assert done.err.splitlines()[-1] == 'track: interrupted'
    count = int(done.out.split(' frames, then')[0].split()[-1])
    assert 1 <= count < 23
    np.testing.assert_allclose(results.read_results(tmp_path / 'boxes.csv')[0], boxes[:count], atol=1e-3)
    with video.open_video(tmp_path / 'out.mkv') as source:
        assert len(list(source)) == count
    assert sorted(path.name for path in tmp_path.iterdir()) == ['boxes.csv', 'clip', 'out.mkv']


BAD = {
    'none.mp4': ('--video=none.mp4', 'no video at'),
    'outside': ('--box=500,20,12,16', 'outside the frame of 128 x 96'),
    'zero': ('--box=10,20,0,16', 'must be positive'),
    'negative': ('--box=10,20,12,-16', 'must be positive'),
    'nan': ('--box=10,20,nan,16', 'finite'),
    'huge': ('--box=10,20,1e999,16', 'finite'),
    'words': ('--box=left,top', "--box: got 'left,top'"),
    'three': ('--box=1,2,3', 'expected four numbers'),
    'empty': ('--box=', 'expected four numbers'),
    'checkpoint': ('--checkpoint=bad', "no checkpoint at 'bad'"),
    'suffix': ('--output=out.webm', 'must end in'),
    'no file of boxes': ('--boxes=none.csv', "cannot read 'none.csv'"),
    'second box': ('--box=500,20,12,16', 'target 2: box: 500,20,12,16 lies outside the frame of 128 x 96'),
    'reconnect': ('--reconnect=-1', "--reconnect: got '-1'; accepted is a number, 0 or more"),
    'pattern': ('--video=none/%04d.jpg', "no image 'none/%04d.jpg'"),
    'window': ('--show', '--show: this OpenCV has no windows; one that has comes with: pip install --no-deps opencv-'),
    'setting': ('--config.model.search_size=287', 'config.model.search_size belongs to the network and cannot be'),
    'typo': ('--config.track.windw=0.1', "config.track has no field 'windw'; its fields are search_size"),
    'value': ('--config.track.window=wide', 'config.track.window'),
    'every': ('--response_every=0', "--response_every: got '0'; accepted is a whole number, 1 or more"),
}


@pytest.mark.parametrize(('argument', 'message'), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_writes_nothing(track, clip, tmp_path, argument, message, monkeypatch):
    monkeypatch.setattr(cv2, 'getBuildInformation', lambda: '  GUI:                           NONE\n')
    done = track(f'--video={clip[0]}', BOX, f'--results={tmp_path / "boxes.csv"}', argument)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, '', 1), done
    assert done.err.startswith('track: ') and message in done.err
    assert not (tmp_path / 'boxes.csv').exists()


BAD_TARGETS = {
    'beyond the end': (
        '23,10,20,12,16,late',
        'target late: its box is given in frame 23, but {clip} has the frames 0 to 22',
    ),
    'outside': ('3,500,20,12,16,late', 'target late: box: 500,20,12,16 lies outside the frame'),
    'a name of --box': ('3,10,20,12,16,1', "a target is called '1', as one of --box is"),
    'malformed': ('3,10,20,12', 'targets.csv, line 2: got'),
}


@pytest.mark.parametrize(('row', 'message'), BAD_TARGETS.values(), ids=BAD_TARGETS)
def test_bad_targets_are_one_line_and_write_nothing(track, clip, tmp_path, row, message):
    path = tmp_path / 'targets.csv'
    path.write_text(f'frame,x,y,w,h,target\n{row}\n')
    done = track(f'--video={clip[0]}', BOX, f'--boxes={path}', f'--results={tmp_path / "boxes.csv"}')
    assert (done.code, done.out, len(done.err.splitlines())) == (2, '', 1), done
    assert done.err.startswith('track: ') and message.format(clip=clip[0]) in done.err
    assert not (tmp_path / 'boxes.csv').exists()
    before = path.read_text()
    done = track(f'--video={clip[0]}', f'--boxes={path}', f'--results={path}')
    assert done.code == 2 and path.read_text() == before


def test_without_a_box_or_a_window_it_says_what_to_give(track, clip, monkeypatch):
    monkeypatch.setattr(window, 'window_problem', lambda: 'there is no display')
    done = track(f'--video={clip[0]}')
    assert done.code == 2 and '--box=x,y,w,h' in done.err


def test_the_video_itself_is_never_overwritten(track, square, tmp_path):
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25, (128, 96))
    writer.write(square[0][0])
    writer.release()
    before = path.read_bytes()
    for target in ('results', 'output'):
        done = track(f'--video={path}', BOX, f'--{target}={path}')
        assert done.code == 2 and 'is the video itself' in done.err
    assert path.read_bytes() == before


def test_without_targets_the_user_is_told(track, clip):
    done = track(f'--video={clip[0]}', BOX)
    assert done.code == 0 and 'nothing is written' in done.err


def test_settings_change_the_track_section_only():
    config = config_lib.Config()
    track_program.change_settings(config, [('track.window', '0.1'), ('track.rerank', 'False')])
    assert (config.track.window, config.track.rerank) == (0.1, False)
    assert config.model == config_lib.Config().model
    with pytest.raises(ValueError, match=r'config\.loss\.xi belongs to the network'):
        track_program.change_settings(config, [('loss.xi', '2')])


def test_a_process_of_its_own_exits_with_2_and_keeps_opencv_quiet(tmp_path):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'track'), '--video=/dev/video99', '--config.track.window=0.1']
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, '', 1)
    assert done.stderr.startswith('track: cannot open camera:99: no such camera')
