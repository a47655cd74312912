"""Frames that OpenCV decodes: video files, cameras, and streams from the network, which may stall and come back."""

import logging
import os
import pathlib
import re
import sys
import time
from collections.abc import Iterator

import cv2
import numpy as np

from sctrpn_jax.system import interrupts

_log = logging.getLogger(__name__)

STALL_SECONDS = 10.0  # without an answer, or without a frame: the connection counts as gone
_RETRY_SECONDS = 0.5  # between two tries to connect again


class VideoError(ValueError):
    """A source that cannot be opened or read; the message is one line and names it."""


def is_address(source: str) -> bool:
    """Whether a source is an address in the network (rtsp://, rtsps://, http:// or https://)."""
    return re.match('(rtsps?|https?)://', source, re.IGNORECASE) is not None


class Capture:
    """A video file, a camera or a stream; what `cv2.VideoCapture` opens.

    Args:
      source: number of a camera, path of a file, or address.
      reconnect: seconds, 0 or more. For so long a stream that stalls or ends is connected to again before it counts as
        ended. Files and cameras are not opened twice.

    Attributes:
      name: `camera:N`, or the path or address as it was given, but without a user's name and password.
      live: whether frames come when they come: a camera, or a stream without an end.
      fps: what the source says, which may be nonsense.
      num_frames: what the header says; None where it says nothing, or for a live source.

    Raises:
      VideoError: it cannot be opened.
    """

    def __init__(self, source: int | str, reconnect: float = 0.0):
        self._source, self._reconnect = source, reconnect
        self._network = isinstance(source, str) and is_address(source)
        self.name = f'camera:{source}' if isinstance(source, int) else source
        if self._network:
            self.name = re.sub('//[^/]*@', '//', self.name)  # a password is nothing for a message or a window
        self._capture = self._open(STALL_SECONDS)
        if not self._capture.isOpened():
            self._capture.release()
            raise VideoError(f'cannot open {self.name}: {self._problem()}')
        count = int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        without_end = self.name.lower().startswith('rtsp') or count <= 0
        self.live = isinstance(source, int) or (self._network and without_end)
        self.fps = self._capture.get(cv2.CAP_PROP_FPS)
        self.num_frames = None if self.live or count <= 0 else count

    def frames(self) -> Iterator[tuple[np.ndarray, float]]:
        """Gives every frame once.

        A signal that is noted (`interrupts`) while a stream is waited for ends the iteration.

        Yields:
          (frame [H, W, 3] uint8 RGB, seconds since the first frame). The time is the one in the file, or when the frame
          came, for a live source.

        Raises:
          VideoError: a live source stopped giving frames.
        """
        begin, given = 0.0, 0
        while True:
            read, frame = self._capture.read()
            if not read:
                frame = self._again(given) if self.live and given else None
            if frame is None:
                return
            now = time.monotonic() if self.live else self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            begin = begin if given else now
            given += 1
            yield cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), now - begin

    def release(self) -> None:
        """Lets the file, camera or connection go."""
        self._capture.release()

    def _open(self, seconds: float) -> cv2.VideoCapture:
        if not self._network:
            return cv2.VideoCapture(self._source)
        limit = int(1000 * seconds)
        limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit, cv2.CAP_PROP_READ_TIMEOUT_MSEC, int(1000 * STALL_SECONDS)]
        return cv2.VideoCapture(self._source, cv2.CAP_FFMPEG, limits)

    def _again(self, given: int) -> np.ndarray | None:
        """The first frame, BGR, after a stream came back; None where a signal ended the wait."""
        stopped = f'{self.name} stopped giving frames after {given}'
        if not self._network or not self._reconnect:
            raise VideoError(stopped)
        _log.warning('%s; connecting again, for %g s at most', stopped, self._reconnect)
        begin = time.monotonic()
        while not interrupts.noted():
            left = begin + self._reconnect - time.monotonic()
            if left <= 0:
                raise VideoError(f'{stopped} and did not come back within {self._reconnect:g} s')
            self._capture.release()
            self._capture = self._open(min(max(left, _RETRY_SECONDS), STALL_SECONDS))
            read, frame = self._capture.read()  # (False, None) where it is not open
            if read:
                _log.warning('%s: back after %.1f s', self.name, time.monotonic() - begin)
                return frame
            time.sleep(min(_RETRY_SECONDS, left))
        return None

    def _problem(self) -> str:
        if self._network:
            return f'no answer within {STALL_SECONDS:g} s, or no video at this address'
        if isinstance(self._source, str):
            return 'not a video file'
        if not sys.platform.startswith('linux'):
            return 'no such camera, or another program uses it'
        device = pathlib.Path(f'/dev/video{self._source}')
        if not device.exists():
            return f'no such camera (no {device})'
        if not os.access(device, os.R_OK | os.W_OK):
            return f'you may not use {device} (on most systems its users are in the group "video")'
        return f'another program uses {device}, or it gives no pictures'
