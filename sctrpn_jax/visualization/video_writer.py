"""A video file from RGB frames; it takes its final name only when it is complete and readable."""

import os
import pathlib

import cv2
import numpy as np

from sctrpn_jax.system import files

# FFV1 keeps every pixel. H.264 (avc1) is not in the OpenCV wheels: its encoder has another licence.
CODECS = {'.mp4': 'mp4v', '.avi': 'MJPG', '.mkv': 'FFV1'}


class VideoWriter:
    """Writes frames to a video; a context manager.

    What was written before an error or an interrupt is kept: `close` makes a playable file of it in any case.
    Frames of odd width or height get their last column or row twice, since OpenCV would drop it.

    Args:
      path: .mp4 (MPEG-4 part 2), .avi (Motion JPEG) or .mkv (FFV1, lossless); an old file of the name is replaced.
      size: (width, height) of the frames, pixels.
      fps: frames per second, positive.

    Raises:
      ValueError: another suffix.
      OSError: the folder cannot be made or the codec not opened.
    """

    def __init__(self, path: str | os.PathLike, size: tuple[int, int], fps: float):
        self._path = pathlib.Path(path)
        check_suffix(self._path)
        self._size = size
        self._path.parent.mkdir(parents=True, exist_ok=True)
        suffix = self._path.suffix.lower()
        self._partial = self._path.with_name(f'.{self._path.stem}.partial{suffix}')
        codec = CODECS[suffix]
        even = (size[0] + size[0] % 2, size[1] + size[1] % 2)
        self._writer = cv2.VideoWriter(str(self._partial), cv2.VideoWriter_fourcc(*codec), fps, even)
        self._count = 0
        if not self._writer.isOpened():
            self._partial.unlink(missing_ok=True)
            raise OSError(f'cannot write {str(path)!r}: OpenCV opens no {codec} encoder for it (folder writable?)')

    def write(self, frame: np.ndarray) -> None:
        """Appends a frame, [H, W, 3] uint8 RGB.

        Raises:
          ValueError: a frame of another size or type.
        """
        expected = (self._size[1], self._size[0], 3)
        if frame.shape != expected or frame.dtype != np.uint8:
            raise ValueError(f'got a frame {frame.dtype} {frame.shape}, expected uint8 {expected}')
        picture = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        bottom, right = frame.shape[0] % 2, frame.shape[1] % 2
        if bottom or right:
            picture = cv2.copyMakeBorder(picture, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        self._writer.write(picture)
        self._count += 1

    def close(self) -> None:
        """Completes the file and gives it its name; without a frame there is no file.

        Raises:
          OSError: the written file cannot be read back, or only in part.
        """
        if not self._writer.isOpened():
            return
        if self._count == 0:
            self.discard()
            return
        self._writer.release()
        # OpenCV reports no write error (a full disk), so the file is looked at before it replaces anything.
        check = cv2.VideoCapture(str(self._partial))
        # The number of frames in a Matroska file is worked out from its length, and so to one frame.
        readable = check.read()[0] and check.get(cv2.CAP_PROP_FRAME_COUNT) > self._count - 2
        check.release()
        if not readable:
            self.discard()
            raise OSError(f'cannot write {str(self._path)!r}: the file is unreadable after writing (disk full?)')
        files.put(self._partial, self._path)

    def discard(self) -> None:
        """Throws away what was written; a file that is closed stays."""
        self._writer.release()
        self._partial.unlink(missing_ok=True)

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, *_) -> None:
        self.close()


def check_suffix(path: str | os.PathLike) -> None:
    """Raises ValueError where `VideoWriter` could not write a file of this name."""
    if pathlib.Path(path).suffix.lower() not in CODECS:
        raise ValueError(f'cannot write video {os.fspath(path)!r}: the name must end in {", ".join(CODECS)}')
