"""A video file from RGB frames; it takes its final name only when it is complete and readable."""

import logging
import os
import pathlib

import cv2
import numpy as np

from sctrpn_jax.system import files
from sctrpn_jax.visualization import ffmpeg

_log = logging.getLogger(__name__)

# Of OpenCV. FFV1 keeps every pixel. H.264 (avc1) is not in the OpenCV wheels: its encoder has another licence.
CODECS = {'.mp4': 'mp4v', '.avi': 'MJPG', '.mkv': 'FFV1'}
SUFFIXES = (*CODECS, '.gif')


class VideoWriter:
    """Writes frames to a video; a context manager.

    What was written before an error or an interrupt is kept: `close` makes a playable file of it in any case.
    Frames of odd width or height get their last column or row twice, except in a .gif: most codecs take even sizes
    alone.

    Args:
      path: .mp4 (H.264 with the program ffmpeg; without it MPEG-4 part 2, which browsers do not play, and a line is
        logged), .avi (Motion JPEG), .mkv (FFV1, lossless) or .gif (with ffmpeg alone; at most 640 pixels wide); an old
        file of the name is replaced.
      size: (width, height) of the frames, pixels.
      fps: frames per second, positive.

    Raises:
      ValueError: another suffix, or .gif without ffmpeg.
      OSError: the folder cannot be made or the codec not opened.
    """

    def __init__(self, path: str | os.PathLike, size: tuple[int, int], fps: float):
        self._path = pathlib.Path(path)
        check_suffix(self._path)
        self._size = size
        self._path.parent.mkdir(parents=True, exist_ok=True)
        suffix = self._path.suffix.lower()
        self._partial = self._path.with_name(f'.{self._path.stem}.partial{suffix}')
        self._margins = (0, 0) if suffix == '.gif' else (size[1] % 2, size[0] % 2)  # below, right
        whole = (size[0] + self._margins[1], size[1] + self._margins[0])
        self._count, self._open = 0, True
        make = ffmpeg.FfmpegEncoder if ffmpeg.program(suffix) else _OpenCvEncoder
        try:
            self._partial.touch()  # ffmpeg would say only later that it cannot
            self._encoder: ffmpeg.FfmpegEncoder | _OpenCvEncoder = make(self._partial, whole, fps)
        except OSError as error:
            self._partial.unlink(missing_ok=True)
            raise OSError(f'cannot write {str(path)!r}: {error.strerror or error}') from error
        if suffix == '.mp4' and make is _OpenCvEncoder:
            _log.warning(
                '%s: MPEG-4 part 2, which browsers do not play; where the program ffmpeg is installed it is H.264', path
            )

    def write(self, frame: np.ndarray) -> None:
        """Appends a frame, [H, W, 3] uint8 RGB.

        Raises:
          ValueError: a frame of another size or type.
          OSError: the frame cannot be written.
        """
        expected = (self._size[1], self._size[0], 3)
        if frame.shape != expected or frame.dtype != np.uint8:
            raise ValueError(f'got a frame {frame.dtype} {frame.shape}, expected uint8 {expected}')
        below, right = self._margins
        if below or right:
            frame = cv2.copyMakeBorder(frame, 0, below, 0, right, cv2.BORDER_REPLICATE)
        try:
            self._encoder.write(frame)
        except OSError as error:
            self.discard()
            raise OSError(f'cannot write {str(self._path)!r}: {error}') from error
        self._count += 1

    def close(self) -> None:
        """Completes the file and gives it its name; without a frame there is no file.

        Raises:
          OSError: the written file cannot be read back, or only in part.
        """
        if not self._open:
            return
        if self._count == 0:
            self.discard()
            return
        self._open = False
        try:
            self._encoder.finish()
            # OpenCV reports no write error (a full disk), so the file is looked at before it replaces anything.
            if not self._readable():
                raise OSError('the file is unreadable after writing (disk full?)')
        except OSError as error:
            self._partial.unlink(missing_ok=True)
            raise OSError(f'cannot write {str(self._path)!r}: {error}') from error
        files.put(self._partial, self._path)

    def discard(self) -> None:
        """Throws away what was written; a file that is closed stays."""
        if self._open:
            self._open = False
            self._encoder.abandon()
            self._partial.unlink(missing_ok=True)

    def _readable(self) -> bool:
        check = cv2.VideoCapture(str(self._partial))
        # The number of frames in a Matroska file is worked out from its length, and so to one frame. A GIF has at most
        # 50 frames per second.
        least = 1 if self._partial.suffix == '.gif' else self._count - 1
        readable = check.read()[0] and check.get(cv2.CAP_PROP_FRAME_COUNT) >= least
        check.release()
        return readable

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _OpenCvEncoder:
    """`cv2.VideoWriter` with the methods of `ffmpeg.FfmpegEncoder`."""

    def __init__(self, path: pathlib.Path, size: tuple[int, int], fps: float):
        codec = CODECS[path.suffix.lower()]
        self._writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), fps, size)
        if not self._writer.isOpened():
            raise OSError(f'OpenCV opens no {codec} encoder for it')

    def write(self, frame: np.ndarray) -> None:
        self._writer.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))

    def finish(self) -> None:
        self._writer.release()

    def abandon(self) -> None:
        self._writer.release()


def check_suffix(path: str | os.PathLike) -> None:
    """Raises ValueError where `VideoWriter` could not write a file of this name."""
    suffix = pathlib.Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f'cannot write video {os.fspath(path)!r}: the name must end in {", ".join(SUFFIXES)}')
    if suffix == '.gif' and not ffmpeg.program(suffix):
        raise ValueError(
            f'cannot write {os.fspath(path)!r}: .gif needs the program ffmpeg, which is not installed; without it the '
            f'name must end in {", ".join(CODECS)}'
        )
