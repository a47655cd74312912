import os
import pathlib
import subprocess
import sys

import cv2
import numpy as np
import pytest

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import video
from sctrpn_jax.programs import track_command
from sctrpn_jax.tracking import results
from sctrpn_jax.visualization import window

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


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


def test_a_camera_is_tracked_frame_by_frame_until_q(traced, square, tmp_path, monkeypatch, capsys):
    frames, boxes = square
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: Camera(frames))
    monkeypatch.setattr(window, 'window_problem', lambda: None)
    shown = []
    monkeypatch.setattr(window, 'show', lambda name, picture: shown.append(picture) or len(shown) < 9)
    box = ','.join(f'{v:g}' for v in boxes[0])
    assert track_command.run('camera:0', 'good', box, str(tmp_path / 'boxes.csv'), load=load) == 0
    np.testing.assert_allclose(results.read_results(tmp_path / 'boxes.csv')[0], boxes[:9], atol=1e-3)
    assert shown[0].shape == (96, 128, 3)
    assert 'camera:0: 9 frames' in capsys.readouterr().out


def test_run_writes_boxes_video_and_response_maps(clip, square, traced, tmp_path, capsys):
    folder, boxes = clip
    out = tmp_path / 'out'
    paths = [str(out / name) for name in ('boxes.csv', 'clip.mkv', 'maps')]
    assert track_command.run(str(folder), 'good', '10,20,12,16', *paths, every=5, load=load) == 0
    written, scores = results.read_results(out / 'boxes.csv')
    np.testing.assert_allclose(written, boxes, atol=1e-3)
    assert scores[0] == 1
    with video.open_video(out / 'clip.mkv') as source:
        pictures = list(source)
    assert len(pictures) == 23
    assert not np.array_equal(pictures[3], square[0][3])
    assert sorted(p.name for p in (out / 'maps').iterdir()) == ['000005.png', '000010.png', '000015.png', '000020.png']
    said = capsys.readouterr()
    assert f'{folder}: {23} frames; tracking' in said.out
    assert 'compiled in' in said.out


def test_a_corrupt_image_keeps_what_was_tracked(clip, traced, tmp_path, capsys):
    folder, boxes = clip
    (folder / '19.png').write_bytes(b'broken')
    out = [str(tmp_path / 'boxes.csv'), str(tmp_path / 'out.mkv')]
    assert track_command.run(str(folder), 'good', '10,20,12,16', *out, load=load) == 2
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
    assert track_command.run(str(folder), 'good', '10,20,12,16', *out, load=load) == 130
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
    monkeypatch.setattr(window, 'window_problem', lambda: 'there is no display')
    changed, message = BAD[case]
    good = {'video': str(clip[0]), 'checkpoint': 'good', 'box': '10,20,12,16', 'results': str(tmp_path / 'boxes.csv')}
    assert track_command.run(**(good | changed), load=load) == 2
    said = capfd.readouterr()
    assert said.out == ''
    assert len(said.err.splitlines()) == 1
    assert said.err.startswith('track: ')
    assert message in said.err
    assert not (tmp_path / 'boxes.csv').exists()


def test_the_video_itself_is_never_overwritten(square, traced, tmp_path, capsys):
    path = tmp_path / 'clip.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*'MJPG'), 25, (128, 96))
    writer.write(square[0][0])
    writer.release()
    before = path.read_bytes()
    for target in ('results', 'output'):
        assert track_command.run(str(path), 'good', '10,20,12,16', **{target: str(path)}, load=load) == 2
        assert 'is the video itself' in capsys.readouterr().err
    assert path.read_bytes() == before


def test_without_targets_the_user_is_told(clip, traced, capsys):
    assert track_command.run(str(clip[0]), 'good', '10,20,12,16', load=load) == 0
    assert 'nothing is written' in capsys.readouterr().err


def test_settings_change_the_track_section_only():
    config = config_lib.Config()
    changed = track_command.change_settings(config, {'track.window': 0.1, 'track.rerank': False})
    assert (changed.track.window, changed.track.rerank) == (0.1, False)
    assert config == config_lib.Config()
    assert changed.model == config.model
    with pytest.raises(ValueError, match=r'config\.track\.windw cannot be changed here; accepted are .*track\.window'):
        track_command.change_settings(config, {'track.windw': 0.1})


@pytest.mark.parametrize(
    'arguments, message',
    [
        (['--video=none.mp4', '--checkpoint=c', '--box=1,2,3,4', '--config.track.window=0.1'], 'no video at'),
        (['--video=none.mp4', '--config.track.windw=0.1'], 'windw'),
        (['--vide=none.mp4'], "Unknown command line flag 'vide'"),
    ],
)
def test_program_exits_with_2_and_one_line(arguments, message, tmp_path):
    command = [sys.executable, str(REPOSITORY / 'bin' / 'track'), *arguments]
    environment = os.environ | {'PYTHONPATH': str(REPOSITORY)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stdout == ''
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr
