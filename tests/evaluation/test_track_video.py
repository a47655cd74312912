import pathlib
import subprocess
import sys

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video
from sctrpn_jax.evaluation import track_video
from sctrpn_jax.tracking import results, tracker

PROGRAM = pathlib.Path(__file__).resolve().parents[2] / 'bin' / 'track'
FRAMES = 23
SIZE = (12, 16)  # of the target (w, h), pixels


def moving_square(count=FRAMES):
    """Frames [T, 96, 128, 3] with one bright square, and its boxes [T, 4]."""
    frames = np.full((count, 96, 128, 3), 20, np.uint8)
    boxes = np.array([[10 + 3 * t, 20 + 2 * t, *SIZE] for t in range(count)], np.float64)
    for frame, (x, y, w, h) in zip(frames, boxes.astype(int), strict=True):
        frame[y : y + h, x : x + w] = 220
    return frames, boxes


@pytest.fixture
def clip(tmp_path):
    frames, boxes = moving_square()
    folder = tmp_path / 'clip'
    folder.mkdir()
    for i, frame in enumerate(frames):
        cv2.imwrite(str(folder / f'{i}.png'), frame)
    return folder, boxes


@pytest.fixture
def traced(monkeypatch):
    """Replaces the network by the centre of the bright pixels; counts what is compiled."""
    counts = {'init': 0, 'step': 0}

    def init(variables, frame, box):
        counts['init'] += 1
        return box.astype(jnp.float32)

    def step(variables, state, frame):
        counts['step'] += 1
        bright = (frame[..., 0] > variables['threshold']).astype(jnp.float32)
        rows, columns = jnp.arange(96.0) + 0.5, jnp.arange(128.0) + 0.5
        centre = jnp.stack([(bright.sum(0) * columns).sum(), (bright.sum(1) * rows).sum()]) / bright.sum()
        box = jnp.concatenate([centre - state[2:] / 2, state[2:]])
        region = jnp.concatenate([state[:2] + state[2:] / 2, jnp.full((1,), 60.0)])
        maps = jnp.tile(bright[:17, :17][None], (3, 1, 1))
        return box, tracker.TrackOutput(box, bright.mean(), maps, None, region)

    def chunk(variables, state, frames):
        return jax.lax.scan(lambda s, f: step(variables, s, f), state, frames)

    made = tracker.Functions(jax.jit(init), jax.jit(step), jax.jit(chunk), None)
    monkeypatch.setattr(tracker, 'functions', lambda config, details=False: made)
    return counts


def load(checkpoint):
    if checkpoint != 'good':
        raise ValueError(f'{checkpoint}: no checkpoint here')
    return {'threshold': np.uint8(128)}, config_lib.Config()


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


@pytest.mark.parametrize('chunk', [1, 5, 11, 100])
def test_chunks_give_every_frame_and_compile_once(clip, traced, chunk):
    folder, boxes = clip
    variables, config = load('good')
    summary = track_video.Summary()
    with video.open_video(folder) as source:
        tracked = list(track_video.track_frames(source, boxes[0], variables, config, summary, chunk=chunk))
    assert [t.index for t in tracked] == list(range(FRAMES))
    np.testing.assert_allclose([t.box for t in tracked], boxes, atol=1e-3)
    assert tracked[0].score == 1
    assert tracked[5].score == pytest.approx(SIZE[0] * SIZE[1] / (96 * 128))
    assert traced == {'init': 1, 'step': 1}
    assert summary.compiling > 0
    assert summary.tracking > 0


def test_a_camera_is_tracked_frame_by_frame_until_q(traced, tmp_path, monkeypatch, capsys):
    frames, boxes = moving_square()
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: Camera(frames))
    monkeypatch.setattr(track_video.window, 'window_problem', lambda: None)
    shown = []
    monkeypatch.setattr(track_video.window, 'show', lambda name, picture: shown.append(picture) or len(shown) < 9)
    box = ','.join(f'{v:g}' for v in boxes[0])
    assert track_video.run('camera:0', 'good', box, str(tmp_path / 'boxes.csv'), load=load) == 0
    np.testing.assert_allclose(results.read_results(tmp_path / 'boxes.csv')[0], boxes[:9], atol=1e-3)
    assert shown[0].shape == (96, 128, 3)
    assert 'camera:0: 9 frames' in capsys.readouterr().out


def test_run_writes_boxes_video_and_response_maps(clip, traced, tmp_path, capsys):
    folder, boxes = clip
    out = tmp_path / 'out'
    paths = [str(out / name) for name in ('boxes.csv', 'clip.mkv', 'maps')]
    assert track_video.run(str(folder), 'good', '10,20,12,16', *paths, every=5, load=load) == 0
    written, scores = results.read_results(out / 'boxes.csv')
    np.testing.assert_allclose(written, boxes, atol=1e-3)
    assert scores[0] == 1
    with video.open_video(out / 'clip.mkv') as source:
        pictures = list(source)
    assert len(pictures) == FRAMES
    assert not np.array_equal(pictures[3], moving_square()[0][3])
    assert sorted(p.name for p in (out / 'maps').iterdir()) == ['000005.png', '000010.png', '000015.png', '000020.png']
    said = capsys.readouterr()
    assert f'{folder}: {FRAMES} frames; tracking' in said.out
    assert 'compiled in' in said.out


def test_a_corrupt_image_keeps_what_was_tracked(clip, traced, tmp_path, capsys):
    folder, boxes = clip
    (folder / '19.png').write_bytes(b'broken')
    out = [str(tmp_path / 'boxes.csv'), str(tmp_path / 'out.mkv')]
    assert track_video.run(str(folder), 'good', '10,20,12,16', *out, load=load) == 2
    np.testing.assert_allclose(results.read_results(out[0])[0], boxes[:19], atol=1e-3)
    with video.open_video(out[1]) as source:
        assert len(list(source)) == 19
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith('track: frame 19: ')
    assert '19.png' in lines[0]
    assert 'the 19 frames before it were tracked' in lines[0]


def test_ctrl_c_keeps_what_was_tracked(clip, traced, tmp_path, monkeypatch, capsys):
    folder, boxes = clip
    read = video.images.read_image

    def interrupted(path):
        if path.name == '20.png':
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(video.images, 'read_image', interrupted)
    out = [str(tmp_path / 'boxes.csv'), str(tmp_path / 'out.mkv')]
    assert track_video.run(str(folder), 'good', '10,20,12,16', *out, load=load) == 130
    # The interrupt came while the second chunk of 16 was being read.
    np.testing.assert_allclose(results.read_results(out[0])[0], boxes[:17], atol=1e-3)
    with video.open_video(out[1]) as source:
        assert len(list(source)) == 17
    assert '17 frames, then interrupted' in capsys.readouterr().out


BAD = {
    'none.mp4': ({'video': 'none.mp4'}, 'no video at'),
    'camera': ({'video': 'camera:99'}, 'cannot open camera:99'),
    'outside': ({'box': '500,20,12,16'}, 'outside the frame of 128 x 96'),
    'zero': ({'box': '10,20,0,16'}, 'must be positive'),
    'negative': ({'box': '10,20,12,-16'}, 'must be positive'),
    'nan': ({'box': '10,20,nan,16'}, 'finite'),
    'huge': ({'box': '10,20,1e999,16'}, 'finite'),
    'words': ({'box': 'left,top'}, "box: got 'left,top'"),
    'three': ({'box': '1,2,3'}, 'expected four numbers'),
    'empty': ({'box': ''}, 'expected four numbers'),
    'checkpoint': ({'checkpoint': 'bad'}, 'bad: no checkpoint here'),
    'suffix': ({'output': 'out.gif'}, 'must end in'),
    'setting': ({'changes': {'model.search_size': 287}}, 'config.model.search_size cannot be changed here'),
    'every': ({'every': 0}, 'got every 0 frames'),
    'no box': ({'box': None}, '--box=x,y,w,h'),
}


@pytest.mark.parametrize('case', BAD)
def test_bad_input_is_one_line_and_writes_nothing(clip, traced, tmp_path, monkeypatch, capfd, case):
    monkeypatch.setattr(track_video.window, 'window_problem', lambda: 'there is no display')
    changed, message = BAD[case]
    good = {'video': str(clip[0]), 'checkpoint': 'good', 'box': '10,20,12,16', 'results': str(tmp_path / 'boxes.csv')}
    assert track_video.run(**(good | changed), load=load) == 2
    said = capfd.readouterr()
    assert said.out == ''
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith('track: ')
    assert message in said.err
    assert not (tmp_path / 'boxes.csv').exists()


def test_the_video_itself_is_never_overwritten(clip, traced, tmp_path, capsys):
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25, (128, 96))
    writer.write(moving_square(1)[0][0])
    writer.release()
    before = path.read_bytes()
    for target in ('results', 'output'):
        assert track_video.run(str(path), 'good', '10,20,12,16', **{target: str(path)}, load=load) == 2
        assert 'is the video itself' in capsys.readouterr().err
    assert path.read_bytes() == before


def test_without_targets_the_user_is_told(clip, traced, capsys):
    assert track_video.run(str(clip[0]), 'good', '10,20,12,16', load=load) == 0
    assert 'nothing is written' in capsys.readouterr().err


def test_settings_change_the_track_section_only():
    config = config_lib.Config()
    changed = track_video.change_settings(config, {'track.window': 0.1, 'track.rerank': False})
    assert (changed.track.window, changed.track.rerank) == (0.1, False)
    assert config == config_lib.Config()
    assert changed.model == config.model
    with pytest.raises(ValueError, match=r'config\.track\.windw cannot be changed here; accepted are .*track\.window'):
        track_video.change_settings(config, {'track.windw': 0.1})


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--video=none.mp4', '--checkpoint=c', '--box=1,2,3,4', '--config.track.window=0.1'], 'no video at'),
        (['--video=none.mp4', '--config.track.windw=0.1'], 'windw'),
        (['--vide=none.mp4'], 'vide'),
        (['--box=1,2,3,4'], 'give --video and --checkpoint'),
        (['none.mp4'], "got 'none.mp4' without a flag name"),
    ],
)
def test_program_exits_with_2_and_one_line(arguments, message, tmp_path):
    done = subprocess.run([sys.executable, str(PROGRAM), *arguments], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ''
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
