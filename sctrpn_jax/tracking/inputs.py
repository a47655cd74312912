"""Checks what a user gives a tracker: frames, and the box in the first one."""

import typing

import numpy as np

from sctrpn_jax import bounded

MIN_SIDE = 0.1  # pixels; nothing that can be told from its surroundings is as small


def check_box(box: typing.Sequence[float] | np.ndarray, width: int, height: int) -> np.ndarray:
    """The given box as [4] float32.

    Args:
      box: x, y, w, h; top-left form, 0-based frame pixels.
      width: of the frame, pixels.
      height: of the frame, pixels.

    Raises:
      ValueError: not four finite numbers, a side below `MIN_SIDE`, a number above `bounded.MAX_PIXEL`, or no overlap
        with the frame.
    """
    try:
        values = np.asarray(box, np.float64).reshape(-1)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f'box: got {box!r:.80}; give four numbers x,y,w,h') from None
    if values.shape != (4,) or not np.isfinite(values).all():
        raise ValueError(f'box: got {box!r:.80}; give four finite numbers x,y,w,h')
    x, y, w, h = values.tolist()
    if w <= 0 or h <= 0:
        raise ValueError(f'box: got size {w:g} x {h:g}; width and height must be positive')
    if min(w, h) < MIN_SIDE or np.abs(values).max() > bounded.MAX_PIXEL:
        raise ValueError(
            f'box: got {x:g},{y:g},{w:g},{h:g}; accepted are sides of {MIN_SIDE:g} pixels or more, and no number '
            f'above {bounded.MAX_PIXEL:,.0f}'
        )
    if x >= width or y >= height or x + w <= 0 or y + h <= 0:
        raise ValueError(f'box: {x:g},{y:g},{w:g},{h:g} lies outside the frame of {width} x {height} pixels')
    return values.astype(np.float32)


def check_frame(frame: np.ndarray) -> np.ndarray:
    """A frame as [H, W, 3] uint8 RGB: grey is repeated, alpha dropped.

    Raises:
      ValueError: another shape or type.
    """
    frame = np.asarray(frame)
    if frame.dtype != np.uint8:
        raise ValueError(f'frame: got {frame.dtype}; accepted is uint8, 0..255')
    if frame.ndim == 2 or (frame.ndim == 3 and frame.shape[-1] == 1):
        return np.repeat(frame.reshape(*frame.shape[:2], 1), 3, axis=-1)
    if frame.ndim == 3 and frame.shape[-1] in (3, 4) and 0 not in frame.shape:
        return frame[..., :3]
    raise ValueError(f'frame: got shape {frame.shape}; accepted are [H, W], [H, W, 3] RGB and [H, W, 4] RGBA')
