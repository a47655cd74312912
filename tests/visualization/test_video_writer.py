import pathlib
import resource
import shutil
import subprocess

import cv2
import numpy as np
import pytest

from sctrpn_jax.visualization import ffmpeg, video_writer

needs_ffmpeg = pytest.mark.skipif(ffmpeg.program('.mp4') is None, reason='no program ffmpeg with libx264')


@pytest.fixture(params=['opencv', pytest.param('ffmpeg', marks=needs_ffmpeg)])
def encoder(request, monkeypatch):
    """With the program ffmpeg, and as if it were not installed."""
    if request.param == 'opencv':
        monkeypatch.setattr(ffmpeg, 'program', lambda suffix: None)
    return request.param


def decode(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames), capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv'])
@pytest.mark.parametrize('height, width', [(48, 64), (47, 63)])
def test_frames_come_back(tmp_path, suffix, height, width, encoder):
    ramp = np.linspace(30, 220, width)[None, :, None] * np.array([1.0, 0.8, 0.6])
    frames = [np.broadcast_to(ramp * level, (height, width, 3)).astype(np.uint8) for level in (1.0, 0.9, 0.8)]
    path = tmp_path / 'made here' / f'clip{suffix}'
    with video_writer.VideoWriter(path, (width, height), 12) as writer:
        for frame in frames:
            writer.write(frame)
        assert not path.exists()
    decoded, fps = decode(path)
    assert decoded.shape == (3, 48, 64, 3)
    assert fps == pytest.approx(12)
    difference = np.abs(decoded[:, :height, :width].astype(float) - frames)
    assert difference.max() == 0 if suffix == '.mkv' else difference.mean() < 6
    assert [f.name for f in path.parent.iterdir()] == [path.name]


def test_an_error_keeps_what_was_written(tmp_path):
    path = tmp_path / 'clip.mkv'
    with pytest.raises(KeyboardInterrupt), video_writer.VideoWriter(path, (32, 24), 25) as writer:
        writer.write(np.full((24, 32, 3), 7, np.uint8))
        raise KeyboardInterrupt
    assert (decode(path)[0] == 7).all()


@needs_ffmpeg
@pytest.mark.skipif(shutil.which('ffprobe') is None, reason='the program ffprobe is not installed')
def test_mp4_is_h264_that_browsers_play(tmp_path):
    path = tmp_path / '-y clip.mp4'  # no name is taken for an option
    with video_writer.VideoWriter(path, (63, 47), 30) as writer:
        for level in range(40):
            writer.write(np.full((47, 63, 3), 5 * level, np.uint8))
    shown = ['-show_entries', 'stream=codec_name,pix_fmt,width,height,nb_frames,r_frame_rate', '-of', 'csv=p=0']
    found = subprocess.run(['ffprobe', '-v', 'error', *shown, str(path)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == 'h264,64,48,yuv420p,30/1,40'
    assert path.read_bytes().index(b'moov') < path.read_bytes().index(b'mdat')  # plays while it loads


def test_without_ffmpeg_mp4_says_that_browsers_do_not_play_it(tmp_path, monkeypatch):
    monkeypatch.setattr(ffmpeg, 'program', lambda suffix: None)
    said = []
    monkeypatch.setattr(video_writer._log, 'warning', lambda text, *values: said.append(text % values))
    for suffix in ('.mp4', '.avi'):
        with video_writer.VideoWriter(tmp_path / f'clip{suffix}', (32, 24), 25):
            pass
    assert len(said) == 1 and 'clip.mp4' in said[0] and 'ffmpeg' in said[0]
    with pytest.raises(ValueError, match=r'clip\.gif.* needs the program ffmpeg'):
        video_writer.check_suffix(tmp_path / 'clip.gif')


def test_an_ffmpeg_without_the_encoder_counts_as_none(tmp_path, monkeypatch):
    ffmpeg.program.cache_clear()
    tool = tmp_path / 'ffmpeg'
    tool.write_text('#!/bin/sh\necho " V....D mpeg4    MPEG-4 part 2"\n')
    tool.chmod(0o755)
    monkeypatch.setenv('PATH', str(tmp_path))
    try:
        assert ffmpeg.program('.mp4') is None and ffmpeg.program('.avi') is None
    finally:
        ffmpeg.program.cache_clear()


@needs_ffmpeg
def test_gif(tmp_path):
    frames = [np.full((48, 64, 3), (250, 20 * i, 20), np.uint8) for i in range(10)]
    with video_writer.VideoWriter(tmp_path / 'clip.gif', (64, 48), 20) as writer:
        for frame in frames:
            writer.write(frame)
    decoded, fps = decode(tmp_path / 'clip.gif')
    assert decoded.shape == (10, 48, 64, 3) and fps == pytest.approx(20)
    assert np.abs(decoded.astype(float) - frames).mean() < 8
    with video_writer.VideoWriter(tmp_path / 'wide.gif', (1001, 500), 25) as writer:
        writer.write(np.zeros((500, 1001, 3), np.uint8))
    assert decode(tmp_path / 'wide.gif')[0].shape[2] == 640


@needs_ffmpeg
def test_an_ffmpeg_that_ends_is_an_error_and_the_old_file_stays(tmp_path, monkeypatch):
    tool = tmp_path / 'tool'
    tool.write_text('#!/bin/sh\necho "first" >&2\necho "no space is left" >&2\nexit 1\n')
    tool.chmod(0o755)
    monkeypatch.setattr(ffmpeg, 'program', lambda suffix: str(tool))
    path = tmp_path / 'clip.mp4'
    path.write_text('old')
    with pytest.raises(OSError, match=r'cannot write .*clip\.mp4.*no space is left'):
        with video_writer.VideoWriter(path, (640, 480), 25) as writer:
            for _ in range(50):
                writer.write(np.zeros((480, 640, 3), np.uint8))
    assert path.read_text() == 'old' and {each.name for each in tmp_path.iterdir()} == {'clip.mp4', 'tool'}


def test_a_folder_that_cannot_be_written_is_told_at_once(tmp_path, encoder):
    if pathlib.Path('/proc/version').exists():
        with pytest.raises(OSError, match=r'/proc/clip\.mp4|\.clip\.partial\.mp4'):
            video_writer.VideoWriter('/proc/clip.mp4', (32, 24), 25)


def test_no_frame_no_file_and_the_old_file_stays(tmp_path, encoder):
    path = tmp_path / 'clip.mp4'
    path.write_text('old')
    with video_writer.VideoWriter(path, (32, 24), 25):
        pass
    assert path.read_text() == 'old'
    assert len(list(tmp_path.iterdir())) == 1


def test_unreadable_result_is_an_error(tmp_path, monkeypatch):
    class Broken:
        read, release = lambda self: (False, None), lambda self: None

    path = tmp_path / 'clip.mp4'
    writer = video_writer.VideoWriter(path, (32, 24), 25)
    writer.write(np.zeros((24, 32, 3), np.uint8))
    monkeypatch.setattr(cv2, 'VideoCapture', lambda _: Broken())
    with pytest.raises(OSError, match='unreadable after writing'):
        writer.close()
    assert not list(tmp_path.iterdir())


def test_wrong_names_frames_and_codecs(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r'must end in \.mp4'):
        video_writer.VideoWriter(tmp_path / 'clip.webm', (32, 24), 25)
    with video_writer.VideoWriter(tmp_path / 'clip.mp4', (32, 24), 25) as writer:
        with pytest.raises(ValueError, match=r'uint8 \(24, 33, 3\), expected uint8 \(24, 32, 3\)'):
            writer.write(np.zeros((24, 33, 3), np.uint8))
        with pytest.raises(ValueError, match='got a frame float32'):
            writer.write(np.zeros((24, 32, 3), np.float32))
    monkeypatch.setitem(video_writer.CODECS, '.avi', 'QQQQ')
    with pytest.raises(OSError, match=r'cannot write .*clip\.avi.*no QQQQ encoder'):
        video_writer.VideoWriter(tmp_path / 'clip.avi', (32, 24), 25)
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv'])
def test_half_a_video_is_an_error_and_the_old_file_stays(tmp_path, suffix, encoder):
    path = tmp_path / f'clip{suffix}'
    path.write_text('old')
    rng = np.random.default_rng(0)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # as on a full disk, OpenCV says nothing
    try:
        writer = video_writer.VideoWriter(path, (160, 120), 25)
        with pytest.raises(OSError, match='disk full'):
            for _ in range(40):
                writer.write(rng.integers(0, 256, (120, 160, 3), np.uint8))
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
