"""Frames from a video file, a folder of images, a camera or a stream, all behind one iterator."""

import logging
import os
import pathlib
import re
import typing
from collections.abc import Callable, Iterator
from concurrent import futures

import numpy as np

from sctrpn_jax.data import capture as capture_lib
from sctrpn_jax.data import images
from sctrpn_jax.data.capture import VideoError

__all__ = ['FrameSource', 'VideoError', 'ahead', 'chunks', 'natural_key', 'open_video']

_log = logging.getLogger(__name__)
_Item = typing.TypeVar('_Item')

DEFAULT_FPS = 25.0  # of images, and of a video whose header gives none
RECONNECT_SECONDS = 20.0
IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp')
_ACCEPTED = 'a video file, a folder of images, a pattern such as img/%04d.jpg, camera:N, rtsp://... or http://...'


class FrameSource:
    """Frames of one source, each given once, in order; a context manager.

    Attributes:
      name: the file, folder, pattern or address as it was given (without a password), or `camera:N`.
      size: (width, height) of every frame, pixels.
      first: [H, W, 3] uint8 RGB, the first frame; looking at it takes nothing from the iteration.
      fps: frames per second, within 1..1000 (DEFAULT_FPS where the source has none).
      num_frames: what the header or the folder says; None for a live source or where nothing is said.
      live: whether frames come from a camera or a stream without an end.
      time: seconds from the first frame to the one given last, always rising: from the header of a video file, whose
        frames may be unevenly spaced; when it came, of a live source; its number over `fps`, of an image.
    """

    def __init__(
        self,
        name: str,
        frames: Iterator[tuple[np.ndarray, float]],
        fps: float = DEFAULT_FPS,
        num_frames: int | None = None,
        live: bool = False,
        release: Callable[[], None] = lambda: None,
    ):
        self.name, self.num_frames, self.live = name, num_frames, live
        self.fps = float(fps) if 1 <= fps <= 1000 else DEFAULT_FPS
        self.time = 0.0
        self._frames, self._release, self._given = frames, release, 0
        try:
            first = next(frames, None)
            if first is None:
                none = 'it gives none (does another program use it?)' if live else 'none can be decoded'
                raise VideoError(f'no frame in {name}: {none}')
        except BaseException:
            self.close()
            raise
        self.first = first[0]
        self.size = (self.first.shape[1], self.first.shape[0])

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    def __next__(self) -> np.ndarray:
        """The next frame, [H, W, 3] uint8 RGB.

        Raises:
          VideoError: a frame cannot be read, changes its size, or a live source stopped.
        """
        frame, seconds = (self.first, 0.0) if self._given == 0 else next(self._frames, (None, 0.0))
        if frame is None:
            self._end()
            raise StopIteration
        size = (frame.shape[1], frame.shape[0])
        if size != self.size:
            raise VideoError(
                f'frame {self._given} of {self.name} is {size[0]}x{size[1]}, the frames before it '
                f'{self.size[0]}x{self.size[1]}; all frames must have one size'
            )
        if self._given:
            # Some files have no times, or wrong ones.
            self.time = seconds if seconds > self.time else self.time + 1 / self.fps
        self._given += 1
        return frame

    def _end(self) -> None:
        if self.live or self.num_frames is None or self._given >= self.num_frames:
            return
        # Where frames are unevenly spaced, some headers give no number of frames but a length, in frames of one rate.
        missing = self.num_frames / self.fps - (self.time + 1 / self.fps)
        if missing > 0.5 / self.fps:
            _log.warning(
                '%s: its header says %d frames, %d can be decoded (a file cut off?)',
                self.name,
                self.num_frames,
                self._given,
            )

    def close(self) -> None:
        """Lets the file, camera or connection go."""
        self._release()

    def __enter__(self) -> 'FrameSource':
        return self

    def __exit__(self, *_) -> None:
        self.close()


def open_video(source: str | os.PathLike, reconnect: float = RECONNECT_SECONDS) -> FrameSource:
    """Opens a video.

    Args:
      source: a video file; a folder of images (in natural order: img2 before img10); images by their number, as
        `img/%04d.jpg` or `img/%d.jpg`; a camera as `0`, `camera:0` or `/dev/video0` (a file so named: `./0`); or an
        address (rtsp://, rtsps://, http://, https://).
      reconnect: seconds for which a stream that stalls or ends is connected to again.

    Returns:
      The frames; its first one is already read.

    Raises:
      VideoError: nothing there, nothing that decodes, a folder without images.
    """
    text = os.fspath(source)
    if capture_lib.is_address(text):
        return _from_capture(text, reconnect)
    path = pathlib.Path(text)
    # The names in /dev/v4l/by-id are links.
    camera = re.fullmatch(
        '(?:camera:|/dev/video)?([0-9]{1,4})', os.path.realpath(text) if path.is_char_device() else text
    )
    if camera:
        return _from_capture(int(camera[1]))
    if path.is_dir():
        return _open_folder(path)
    if path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES:
        return _from_capture(text)
    if path.is_file():
        raise VideoError(f'{text!r} is one image; expected a video file, or the folder the images are in')
    if '%' in path.name and path.suffix.lower() in IMAGE_SUFFIXES:
        return _open_pattern(path)
    raise VideoError(f'no video at {text!r}; expected {_ACCEPTED}')


def natural_key(name: str) -> list:
    """Sort key by which numbers in names count as numbers: img2 < img10."""
    parts = re.split('([0-9]+)', name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def chunks(source: FrameSource, size: int) -> Iterator[tuple[np.ndarray, list[float]]]:
    """Groups frames, so that a compiled function always sees one shape.

    Where the source fails, the frames before the failure are given first, then its error is raised.

    Args:
      source: frames [H, W, 3] of one size.
      size: frames in a chunk.

    Yields:
      (frames [size, H, W, 3], seconds of each true frame): rows beyond the true frames repeat the last one.
    """
    group, times, failure = [], [], None
    while failure is None:
        try:
            frame = next(source)
        except StopIteration:
            break
        except VideoError as error:
            failure = error
            break
        group.append(frame)
        times.append(source.time)
        if len(group) == size:
            yield np.stack(group), times
            group, times = [], []
    if group:
        yield np.stack(group + [group[-1]] * (size - len(group))), times
    if failure is not None:
        raise failure


def ahead(items: Iterator[_Item]) -> Iterator[_Item]:
    """The same items, none of them None; each is made on another thread while the one before it is in use."""
    with futures.ThreadPoolExecutor(1) as pool:
        coming = pool.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = pool.submit(next, items, None)
            yield item


def _open_folder(path: pathlib.Path) -> FrameSource:
    names = [f.name for f in path.iterdir() if f.suffix.lower() in IMAGE_SUFFIXES and not f.name.startswith('.')]
    if not names:
        raise VideoError(f'no image in the folder {str(path)!r}; looked for {", ".join(IMAGE_SUFFIXES)}')
    names.sort(key=natural_key)
    return FrameSource(str(path), _images(path, names), num_frames=len(names))


def _open_pattern(pattern: pathlib.Path) -> FrameSource:
    parts = re.fullmatch('([^%]*)%((?:0[1-9])?)d([^%]*)', pattern.name)
    if parts is None:
        raise VideoError(f'{str(pattern)!r}: expected one number in the name, as in img/%04d.jpg or img/%d.jpg')
    before, digits, after = parts.groups()
    found = {}
    for name in os.listdir(pattern.parent) if pattern.parent.is_dir() else ():
        number = re.fullmatch(f'{re.escape(before)}([0-9]{{1,18}}){re.escape(after)}', name)
        if number and format(int(number[1]), f'{digits}d') == number[1]:
            found[int(number[1])] = name
    if not found:
        raise VideoError(f'no image {str(pattern)!r}')
    numbers = sorted(found)
    missing = next((a + 1 for a, b in zip(numbers, numbers[1:], strict=False) if b != a + 1), None)
    if missing is not None:
        _log.warning('%s: there is no number %d; the images after it are read', pattern, missing)
    return FrameSource(str(pattern), _images(pattern.parent, [found[n] for n in numbers]), num_frames=len(found))


def _images(folder: pathlib.Path, names: list[str]) -> Iterator[tuple[np.ndarray, float]]:
    for index, name in enumerate(names):
        try:
            yield images.read_image(folder / name), index / DEFAULT_FPS
        except ValueError as error:
            raise VideoError(f'frame {index}: {error}') from error


def _from_capture(source: int | str, reconnect: float = 0.0) -> FrameSource:
    capture = capture_lib.Capture(source, reconnect)
    return FrameSource(
        capture.name, capture.frames(), capture.fps, capture.num_frames, capture.live, release=capture.release
    )
