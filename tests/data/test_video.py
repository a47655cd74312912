import itertools
import re
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sctrpn_jax.data import images, video


def make_frames(count, height=24, width=32, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, height, width, 3), np.uint8)


def write_folder(folder, frames, name='{}.png'):
    folder.mkdir(exist_ok=True)
    for i, frame in enumerate(frames):
        assert cv2.imwrite(str(folder / name.format(i)), frame[..., ::-1])
    return folder


def write_video(path, frames, codec='FFV1', fps=12.5):
    color = frames[0].ndim == 3
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, frames[0].shape[1::-1], color)
    assert writer.isOpened()
    for frame in frames:
        writer.write(np.ascontiguousarray(frame[..., ::-1] if color else frame))
    writer.release()
    return path


def read_all(source):
    with video.open_video(source) as frames:
        return np.stack(list(frames))


class FakeCamera:
    """Stands in for cv2.VideoCapture, since a test machine has no camera."""

    def __init__(self, frames):
        self.frames, self.released = list(frames), False

    def isOpened(self):  # noqa: N802
        return True

    def get(self, _):
        return -1.0

    def read(self):
        return (True, self.frames.pop(0)) if self.frames else (False, None)

    def release(self):
        self.released = True


@pytest.mark.parametrize('codec, suffix', [('FFV1', '.mkv'), ('FFV1', '.avi'), ('HFYU', '.avi'), ('png ', '.avi')])
def test_lossless_video_gives_back_every_pixel(tmp_path, codec, suffix):
    frames = make_frames(5)
    path = write_video(tmp_path / f'clip{suffix}', frames, codec)
    with video.open_video(path) as source:
        assert (source.size, source.num_frames, source.live) == ((32, 24), 5, False)
        assert source.fps == pytest.approx(12.5)
        np.testing.assert_array_equal(np.stack(list(source)), frames)


def test_ffv1_of_a_real_sequence_equals_its_images(tmp_path, shared):
    folder = shared / 'data/sequences/OTB/Crossing/img'
    if not folder.is_dir():
        pytest.skip(f'no sequence at {folder}')
    with video.open_video(folder) as source:
        assert (source.size, source.num_frames) == ((360, 240), 120)
        frames = list(source)
    path = write_video(tmp_path / 'crossing.mkv', frames)
    with video.open_video(path) as source:
        count = 0
        for decoded, frame in zip(source, frames, strict=True):
            np.testing.assert_array_equal(decoded, frame)
            count += 1
    assert count == 120


@pytest.mark.skipif(shutil.which('ffmpeg') is None, reason='the program ffmpeg is not installed')
@pytest.mark.parametrize('pixels', ['bgr0', 'gbrp'])
def test_ffv1_of_the_ffmpeg_program_equals_the_images(tmp_path, pixels):
    frames = make_frames(4, 25, 33)  # odd sides too
    write_folder(tmp_path / 'img', frames, '{:04d}.png')
    subprocess.run(
        ['ffmpeg', '-v', 'error', '-start_number', '0', '-i', str(tmp_path / 'img' / '%04d.png')]
        + ['-pix_fmt', pixels, '-c:v', 'ffv1', str(tmp_path / 'clip.mkv')],
        check=True,
    )
    np.testing.assert_array_equal(read_all(tmp_path / 'clip.mkv'), frames)


def test_lossy_video_is_close_on_smooth_frames(tmp_path):
    ramp = np.broadcast_to(np.linspace(40, 200, 64)[None, :, None], (48, 64, 3)).astype(np.uint8)
    decoded = read_all(write_video(tmp_path / 'clip.mp4', [ramp] * 4, 'mp4v'))
    assert decoded.shape == (4, 48, 64, 3)
    assert np.abs(decoded.astype(float) - ramp).mean() < 4


def test_grey_video_becomes_rgb(tmp_path):
    grey = make_frames(3)[..., 0]
    decoded = read_all(write_video(tmp_path / 'clip.avi', grey))
    assert decoded.shape == (3, 24, 32, 3)
    np.testing.assert_array_equal(decoded, np.repeat(grey[..., None], 3, axis=-1))


def test_folder_is_read_in_natural_order(tmp_path):
    frames = make_frames(12)
    folder = write_folder(tmp_path / 'clip', frames, 'img{}.png')
    (folder / 'groundtruth.txt').write_text('1,2,3,4')
    (folder / '._img0.png').write_bytes(b'left there by a desktop')
    with video.open_video(folder) as source:
        assert (source.num_frames, source.fps, source.size) == (12, video.DEFAULT_FPS, (32, 24))
        np.testing.assert_array_equal(source.first, frames[0])
        np.testing.assert_array_equal(np.stack(list(source)), frames)
        assert next(source, None) is None


def test_folder_of_grey_and_rgba_images(tmp_path):
    pixels = make_frames(1)[0]
    cv2.imwrite(str(tmp_path / '1.PNG'), pixels[..., 0])
    cv2.imwrite(str(tmp_path / '2.png'), np.dstack([pixels[..., ::-1], np.full((24, 32), 9, np.uint8)]))
    grey, rgba = read_all(tmp_path)
    np.testing.assert_array_equal(grey, np.repeat(pixels[..., :1], 3, axis=-1))
    np.testing.assert_array_equal(rgba, pixels)


@given(st.lists(st.integers(0, 10**6), unique=True, min_size=1), st.booleans())
def test_natural_key_sorts_numbers_by_value(numbers, padded):
    names = [f'img{n:07d}_a.jpg' if padded else f'img{n}_a.jpg' for n in numbers]
    expected = [name for _, name in sorted(zip(numbers, names, strict=True))]
    assert sorted(names, key=video.natural_key) == expected


@given(st.lists(st.text('a-1²٣é', max_size=6)))
def test_natural_key_compares_any_names(names):
    assert sorted(sorted(names, key=video.natural_key)) == sorted(names)


def test_images_by_their_numbers(tmp_path, monkeypatch):
    frames = make_frames(12)
    folder = write_folder(tmp_path / 'img', frames, 'a{:03d}.png')
    write_folder(folder, frames[:1], 'b{:03d}.png')
    write_folder(folder, frames[:1], 'a{:02d}.png')
    cv2.imwrite(str(folder / 'a1000.png'), frames[0])
    with video.open_video(folder / 'a%03d.png') as source:
        assert (source.num_frames, source.name) == (13, str(folder / 'a%03d.png'))
        read = list(source)
    np.testing.assert_array_equal(read[:12], frames)
    said = []
    monkeypatch.setattr(video._log, 'warning', lambda text, *values: said.append(text % values))
    (folder / 'a1000.png').unlink()
    (folder / 'a005.png').unlink()
    np.testing.assert_array_equal(read_all(folder / 'a%03d.png'), np.delete(frames, 5, axis=0))
    assert len(said) == 1 and 'no number 5' in said[0]
    np.testing.assert_array_equal(read_all(write_folder(tmp_path / 'plain', frames) / '%d.png'), frames)


def test_images_have_times_of_25_per_second(tmp_path):
    with video.open_video(write_folder(tmp_path / 'img', make_frames(4))) as source:
        assert [source.time for _ in source] == pytest.approx([0, 0.04, 0.08, 0.12])


@pytest.mark.skipif(shutil.which('ffmpeg') is None, reason='the program ffmpeg is not installed')
@pytest.mark.parametrize('suffix', ['.mkv', '.mp4'])
def test_uneven_frame_times(tmp_path, monkeypatch, suffix):
    """Frames at 0, 40, 80, 200, 240, 520 ms: the file that ffmpeg makes has these; none is said to be missing."""
    frames, gaps = make_frames(6), [40, 40, 120, 40, 280, 40]
    write_folder(tmp_path / 'img', frames, '{}.png')
    listing = ''.join(f"file 'img/{i}.png'\nduration {gap / 1000}\n" for i, gap in enumerate(gaps))
    (tmp_path / 'list.txt').write_text(listing)
    codec = ['-c:v', 'ffv1', '-pix_fmt', 'bgr0'] if suffix == '.mkv' else ['-c:v', 'mpeg4']
    subprocess.run(
        ['ffmpeg', '-v', 'error', '-f', 'concat', '-i', tmp_path / 'list.txt', '-vsync', 'vfr', *codec]
        + [tmp_path / f'clip{suffix}'],
        check=True,
    )
    said = []
    monkeypatch.setattr(video._log, 'warning', lambda text, *values: said.append(text % values))
    with video.open_video(tmp_path / f'clip{suffix}') as source:
        read = [(frame, source.time) for frame in source]
    assert [seconds for _, seconds in read] == pytest.approx(np.cumsum([0, *gaps[:-1]]) / 1000, abs=2e-3)
    if suffix == '.mkv':
        np.testing.assert_array_equal([frame for frame, _ in read], frames)
    assert said == []


def test_times_always_rise():
    def frames():
        for seconds in (0.0, 0.0, 0.5, 0.3, 0.9):
            yield make_frames(1)[0], seconds

    source = video.FrameSource('clip', frames(), fps=10)
    assert [source.time for _ in source] == pytest.approx([0, 0.1, 0.5, 0.6, 0.9])


def test_missing_and_unreadable_sources(tmp_path):
    (tmp_path / 'junk.mp4').write_bytes(b'no video' * 500)
    (tmp_path / 'empty.mp4').touch()
    (tmp_path / 'one.png').touch()
    (tmp_path / 'folder').mkdir()
    cases = {'none.mp4': 'no video at', 'junk.mp4': 'cannot open', 'empty.mp4': 'cannot open'}
    cases |= {'one.png': 'is one image', 'folder': 'no image in the folder', '%03d.png': 'no image'}
    cases |= {
        'none/%d.png': 'no image',
        '%d_%d.png': 'expected one number in the name',
        '%s.png': 'expected one number',
    }
    cases |= {'%d.mp4': 'no video at'}
    for name, message in cases.items():
        with pytest.raises(video.VideoError, match=f'{message}.*') as caught:
            video.open_video(tmp_path / name)
        assert name in str(caught.value)
        assert '\n' not in str(caught.value)


def test_corrupt_image_in_the_middle_is_named(tmp_path):
    folder = write_folder(tmp_path / 'clip', make_frames(4))
    (folder / '2.png').write_bytes(b'not a PNG')
    with video.open_video(folder) as source:
        assert len(list(itertools.islice(source, 2))) == 2
        with pytest.raises(video.VideoError, match=r'frame 2: .*2\.png'):
            next(source)


def test_change_of_size_names_frame_and_both_sizes(tmp_path):
    folder = write_folder(tmp_path / 'clip', make_frames(3))
    cv2.imwrite(str(folder / '2.png'), make_frames(1, 20, 30)[0])
    with video.open_video(folder) as source, pytest.raises(video.VideoError, match='frame 2 .* is 30x20, .* 32x24'):
        list(source)


@pytest.mark.parametrize('keep', [0.5, 0.8])
def test_video_cut_off_gives_what_decodes_and_warns(tmp_path, monkeypatch, keep):
    frames = make_frames(20)
    whole = write_video(tmp_path / 'whole.avi', frames).read_bytes()
    (tmp_path / 'cut.avi').write_bytes(whole[: int(len(whole) * keep)])
    said = []
    monkeypatch.setattr(video._log, 'warning', lambda text, *values: said.append(text % values))
    with video.open_video(tmp_path / 'cut.avi') as source:
        promised, decoded = source.num_frames, list(source)
    # FFmpeg gives the frame that was cut through as well, damaged; all before it are whole.
    assert 20 * keep - 3 < len(decoded) <= 20 * keep + 1
    np.testing.assert_array_equal(decoded[:-1], frames[: len(decoded) - 1])
    assert promised == 20
    assert len(said) == 1
    assert re.search(f'cut.avi.* 20 frames, {len(decoded)} can', said[0])


def test_camera_frames_and_its_end(monkeypatch):
    frames = make_frames(2)
    cameras = {}

    def capture(index):
        cameras[index] = FakeCamera(frames[..., ::-1])
        return cameras[index]

    monkeypatch.setattr(cv2, 'VideoCapture', capture)
    with video.open_video('/dev/video3') as source:
        assert (source.name, source.live, source.num_frames, source.fps) == ('camera:3', True, None, video.DEFAULT_FPS)
        np.testing.assert_array_equal(np.stack([next(source), next(source)]), frames)
        with pytest.raises(video.VideoError, match='camera:3 stopped giving frames after 2'):
            next(source)
    assert cameras[3].released
    monkeypatch.setattr(cv2, 'VideoCapture', lambda index: FakeCamera([]))
    with pytest.raises(video.VideoError, match='no frame in camera:0'):
        video.open_video('0')


def test_camera_that_is_not_there():
    with pytest.raises(video.VideoError, match='cannot open camera:99'):
        video.open_video('99')


def test_folder_frames_are_what_read_image_gives(tmp_path):
    folder = write_folder(tmp_path / 'clip', make_frames(2), '{}.jpg')
    for decoded, name in zip(read_all(folder), ('0.jpg', '1.jpg'), strict=True):
        np.testing.assert_array_equal(decoded, images.read_image(folder / name))
