import resource

import cv2
import numpy as np
import pytest

from sctrpn_jax.visualization import video_writer


def decode(path):
    capture, frames = cv2.VideoCapture(str(path)), []
    while (read := capture.read())[0]:
        frames.append(read[1][..., ::-1])
    return np.stack(frames), capture.get(cv2.CAP_PROP_FPS)


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv'])
@pytest.mark.parametrize('height, width', [(48, 64), (47, 63)])
def test_frames_come_back(tmp_path, suffix, height, width):
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


def test_no_frame_no_file_and_the_old_file_stays(tmp_path):
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
        video_writer.VideoWriter(tmp_path / 'clip.gif', (32, 24), 25)
    with video_writer.VideoWriter(tmp_path / 'clip.mp4', (32, 24), 25) as writer:
        with pytest.raises(ValueError, match=r'uint8 \(24, 33, 3\), expected uint8 \(24, 32, 3\)'):
            writer.write(np.zeros((24, 33, 3), np.uint8))
        with pytest.raises(ValueError, match='got a frame float32'):
            writer.write(np.zeros((24, 32, 3), np.float32))
    monkeypatch.setitem(video_writer.CODECS, '.mp4', 'QQQQ')
    with pytest.raises(OSError, match='no QQQQ encoder'):
        video_writer.VideoWriter(tmp_path / 'clip.mp4', (32, 24), 25)


@pytest.mark.parametrize('suffix', ['.mp4', '.avi', '.mkv'])
def test_half_a_video_is_an_error_and_the_old_file_stays(tmp_path, suffix):
    path = tmp_path / f'clip{suffix}'
    path.write_text('old')
    rng = np.random.default_rng(0)
    writer = video_writer.VideoWriter(path, (160, 120), 25)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # as on a full disk, OpenCV says nothing
    try:
        for _ in range(40):
            writer.write(rng.integers(0, 256, (120, 160, 3), np.uint8))
        with pytest.raises(OSError, match='disk full'):
            writer.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == 'old' and list(tmp_path.iterdir()) == [path]
