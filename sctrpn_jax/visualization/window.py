"""A window on the desktop, where there is one: watching targets being tracked, and drawing their boxes."""

import contextlib
import importlib.metadata
import os
import re
import subprocess
import sys

import cv2
import numpy as np

from sctrpn_jax.visualization import overlay

LARGEST = (
    1280,
    720,
)  # pixels that a picture gets: OpenCV does not say how large the screen is, and this fits nearly all
QUIT, PAUSE, ANEW, ADD = 'q', ' ', 'b', 'a'
KEYS = 'space: pause, b: draw the box anew, a: add a target, q: quit'
_HOW_TO_DRAW = 'draw the box, then press Enter (c: no box)'
_ESCAPE = 27
_PROBE_SECONDS = 30.0


class Window:
    """A window for pictures of one video, shrunk to `LARGEST`; a context manager.

    Args:
      name: of the video, for the title.

    Raises:
      ValueError: no window can be shown; the message says why.
    """

    def __init__(self, name: str):
        problem = window_problem()
        if problem:
            raise ValueError(f'no window can be shown: {problem}')
        self._title = f'{os.path.basename(name) or name} ({KEYS})'
        cv2.namedWindow(self._title, cv2.WINDOW_AUTOSIZE | cv2.WINDOW_GUI_NORMAL)  # without a toolbar

    def show(self, picture: np.ndarray) -> str:
        """Shows [H, W, 3] uint8 RGB; returns what `wait` does, without waiting."""
        cv2.imshow(self._title, cv2.cvtColor(_fitted(picture)[0], cv2.COLOR_RGB2BGR))
        return self.wait(1)

    def wait(self, milliseconds: int = 50) -> str:
        """The key that the user presses within a time, lower case; empty where none.

        It is `QUIT` as well for Escape and for a window that was closed.
        """
        key = cv2.waitKey(milliseconds)
        if key & 0xFF == _ESCAPE or cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1:
            return QUIT
        return '' if key < 0 else chr(key & 0xFF).lower()

    def draw_box(self, picture: np.ndarray) -> np.ndarray | None:
        """Lets the user draw a box on a picture [H, W, 3] uint8 RGB.

        Returns:
          [4] float64 xywh, pixels of the picture as it was given; None where the user drew nothing.
        """
        shown, scale = _fitted(picture)
        shown = cv2.cvtColor(shown, cv2.COLOR_RGB2BGR)
        width = cv2.getTextSize(_HOW_TO_DRAW, overlay.FONT, 0.55, 1)[0][0]
        cv2.rectangle(shown, (0, 0), (width + 16, 30), (0, 0, 0), cv2.FILLED)
        overlay.put_text(shown, _HOW_TO_DRAW, (8, 22), (255, 255, 255), 0.55)
        box = cv2.selectROI(self._title, shown, showCrosshair=False, printNotice=False)
        if box[2] <= 0 or box[3] <= 0:
            return None
        return np.asarray(box, np.float64) / scale

    def close(self) -> None:
        """Closes the window."""
        with contextlib.suppress(cv2.error):  # the user may have closed it
            cv2.destroyWindow(self._title)

    def __enter__(self) -> 'Window':
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def select_box(frame: np.ndarray, name: str) -> np.ndarray:
    """Lets the user draw the target's box in the first frame.

    Args:
      frame: [H, W, 3] uint8 RGB.
      name: of the video.

    Returns:
      [4] float64 xywh, frame pixels.

    Raises:
      ValueError: no window can be shown, or the user drew nothing.
    """
    problem = window_problem()
    if problem:
        raise ValueError(f'no box given, and none can be drawn: {problem}; or give --box=x,y,w,h')
    with Window(name) as window:
        box = window.draw_box(frame)
    if box is None:
        raise ValueError('no box was drawn; draw one or give --box=x,y,w,h')
    return box


def window_problem() -> str | None:
    """Why no window can be shown; None where one can."""
    if re.search(r'^\s*GUI:\s*NONE', cv2.getBuildInformation(), re.MULTILINE):
        return f'this OpenCV has no windows; one that has comes with: pip install --no-deps {_wheel_with_windows()}'
    if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        return 'there is no display (DISPLAY is not set)'
    if not _opens():
        return f'no window opens on the display {os.environ.get("DISPLAY", "")!r}'
    return None


def _opens() -> bool:
    """Whether a window opens; asked in another process, since Qt ends the process where it finds no display."""
    code = 'import cv2; cv2.namedWindow("..."); cv2.destroyAllWindows()'
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return (
            subprocess.run([sys.executable, '-P', '-c', code], capture_output=True, timeout=_PROBE_SECONDS).returncode
            == 0
        )
    return False


def _wheel_with_windows() -> str:
    """The package, of this version, that has what the installed one lacks."""
    for name in ('opencv-python-headless', 'opencv-contrib-python-headless'):
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            return f'{name.removesuffix("-headless")}=={importlib.metadata.version(name)}'
    return 'opencv-python'


def _fitted(picture: np.ndarray) -> tuple[np.ndarray, float]:
    """The picture shrunk to `LARGEST`, and its scale (0..1)."""
    height, width = picture.shape[:2]
    scale = min(1.0, LARGEST[0] / width, LARGEST[1] / height)
    if scale == 1:
        return picture, scale
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA), scale
