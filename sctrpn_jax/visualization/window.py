"""A window on the desktop, where there is one: drawing the first box, and watching a camera being tracked."""

import os
import re
import sys

import cv2
import numpy as np


def window_problem() -> str | None:
    """Why no window can be shown; None where one can."""
    if re.search(r'^\s*GUI:\s*NONE', cv2.getBuildInformation(), re.MULTILINE):
        return 'this OpenCV has no windows (pip uninstall opencv-python-headless; pip install opencv-python)'
    if sys.platform.startswith('linux') and not (os.environ.get('DISPLAY') or os.environ.get('WAYLAND_DISPLAY')):
        return 'there is no display (DISPLAY is not set)'
    return None


def select_box(frame: np.ndarray) -> np.ndarray:
    """Lets the user draw the target's box.

    Args:
      frame: [H, W, 3] uint8 RGB.

    Returns:
      [4] float64 xywh, frame pixels.

    Raises:
      ValueError: no window can be shown, or the user drew nothing.
    """
    problem = window_problem()
    if problem:
        raise ValueError(f'no box given, and none can be drawn: {problem}; give --box=x,y,w,h')
    title = 'draw the target, then press Enter (c: give up)'
    box = cv2.selectROI(title, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR), showCrosshair=False)
    cv2.destroyWindow(title)
    if box[2] <= 0 or box[3] <= 0:
        raise ValueError('no box was drawn; draw one or give --box=x,y,w,h')
    return np.asarray(box, np.float64)


def show(title: str, frame: np.ndarray) -> bool:
    """Shows [H, W, 3] uint8 RGB; False once the user pressed q or Escape."""
    cv2.imshow(title, cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    return cv2.waitKey(1) & 0xFF not in (ord('q'), 27)
