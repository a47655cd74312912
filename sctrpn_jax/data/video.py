"""Frames from a video file, a folder of images or a camera, all behind one iterator."""

import logging
import os
import pathlib
import re
import typing
from collections.abc import Callable, Iterator
from concurrent import futures

import cv2
import numpy as np

from sctrpn_jax.data import images

_log = logging.getLogger(__name__)
_Item = typing.TypeVar('_Item')

DEFAULT_FPS = 25.0  # of a folder of images, and of a video whose header gives none
IMAGE_SUFFIXES = ('.bmp', '.jpeg', '.jpg', '.png', '.ppm', '.tif', '.tiff', '.webp')


class VideoError(ValueError):
    """A source that cannot be opened or read; the message is one line and names it."""


class FrameSource:
    """Frames of one source, each given once, in order; a context manager.

    Attributes:
      name: the file or folder as it was given, or `camera:N`.
      size: (width, height) of every frame, pixels.
      first: [H, W, 3] uint8 RGB, the first frame; looking at it takes nothing from the iteration.
      fps: frames per second, within 1..1000 (DEFAULT_FPS where the source has none).
      num_frames: what the header or the folder says; None for a camera or where nothing is said.
      live: whether frames come from a camera.
    """

    def __init__(
        self,
        name: str,
        frames: Iterator[np.ndarray],
        fps: float = DEFAULT_FPS,
        num_frames: int | None = None,
        live: bool = False,
        release: Callable[[], None] = lambda: None,
    ):
        self.name, self.num_frames, self.live = name, num_frames, live
        self.fps = float(fps) if 1 <= fps <= 1000 else DEFAULT_FPS
        self._frames, self._release, self._given = frames, release, 0
        try:
            first = next(frames, None)
            if first is None:
                raise VideoError(f'no frame in {name}: {"the camera gives none" if live else "none can be decoded"}')
        except BaseException:
            self.close()
            raise
        self.first = first
        self.size = (first.shape[1], first.shape[0])

    def __iter__(self) -> Iterator[np.ndarray]:
        return self

    def __next__(self) -> np.ndarray:
        """The next frame, [H, W, 3] uint8 RGB.

        Raises:
          VideoError: a frame cannot be read, changes its size, or the camera stopped.
        """
        frame = self.first if self._given == 0 else next(self._frames, None)
        if frame is None:
            self._end()
            raise StopIteration
        size = (frame.shape[1], frame.shape[0])
        if size != self.size:
            raise VideoError(
                f'frame {self._given} of {self.name} is {size[0]}x{size[1]}, the frames before it '
                f'{self.size[0]}x{self.size[1]}; all frames must have one size'
            )
        self._given += 1
        return frame

    def _end(self) -> None:
        if self.live:
            raise VideoError(f'{self.name} stopped giving frames after {self._given}')
        if self.num_frames is not None and self._given < self.num_frames:
            _log.warning(
                '%s: its header says %d frames, %d can be decoded (a file cut off?)',
                self.name,
                self.num_frames,
                self._given,
            )

    def close(self) -> None:
        """Lets the file or camera go."""
        self._release()

    def __enter__(self) -> 'FrameSource':
        return self

    def __exit__(self, *_) -> None:
        self.close()


def open_video(source: str | os.PathLike) -> FrameSource:
    """Opens a video.

    Args:
      source: a video file, a folder of images (in natural order: img2 before img10), or a camera as `0` or `camera:0`
        (a file so named: `./0`).

    Returns:
      The frames; its first one is already read.

    Raises:
      VideoError: nothing there, nothing that decodes, a folder without images.
    """
    camera = re.fullmatch(r'(?:camera:)?([0-9]{1,4})', os.fspath(source))
    if camera:
        return _from_capture(int(camera[1]))
    path = pathlib.Path(source)
    if path.is_dir():
        return _open_folder(path)
    if not path.is_file():
        raise VideoError(f'no video at {os.fspath(source)!r}; expected a video file, a folder of images or camera:N')
    if path.suffix.lower() in IMAGE_SUFFIXES:
        raise VideoError(f'{os.fspath(source)!r} is one image; expected a video file, or the folder the images are in')
    return _from_capture(os.fspath(source))


def natural_key(name: str) -> list:
    """Sort key by which numbers in names count as numbers: img2 < img10."""
    parts = re.split('([0-9]+)', name)
    return [int(part) if i % 2 else part for i, part in enumerate(parts)]


def chunks(source: Iterator[np.ndarray], size: int) -> Iterator[tuple[np.ndarray, int]]:
    """Groups frames, so that a compiled function always sees one shape.

    Where the source fails, the frames before the failure are given first, then its error is raised.

    Args:
      source: frames [H, W, 3] of one size.
      size: frames in a chunk.

    Yields:
      (frames [size, H, W, 3], number of true frames n): rows from n on repeat the last true frame.
    """
    group, failure = [], None
    while failure is None:
        try:
            frame = next(source)
        except StopIteration:
            break
        except VideoError as error:
            failure = error
            break
        group.append(frame)
        if len(group) == size:
            yield np.stack(group), size
            group = []
    if group:
        yield np.stack(group + [group[-1]] * (size - len(group))), len(group)
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


def _images(folder: pathlib.Path, names: list[str]) -> Iterator[np.ndarray]:
    for index, name in enumerate(names):
        try:
            yield images.read_image(folder / name)
        except ValueError as error:
            raise VideoError(f'frame {index}: {error}') from error


def _from_capture(source: int | str) -> FrameSource:
    live = isinstance(source, int)
    name = f'camera:{source}' if live else source
    capture = cv2.VideoCapture(source)
    if not capture.isOpened():
        capture.release()
        raise VideoError(f'cannot open {name}: {"no such camera, or it is in use" if live else "not a video file"}')
    count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return FrameSource(
        name,
        _captured(capture),
        fps=capture.get(cv2.CAP_PROP_FPS),
        num_frames=count if count > 0 and not live else None,
        live=live,
        release=capture.release,
    )


def _captured(capture: cv2.VideoCapture) -> Iterator[np.ndarray]:
    while True:
        read, frame = capture.read()
        if not read:
            return
        yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB)
