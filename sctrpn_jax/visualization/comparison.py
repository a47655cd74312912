"""Several trackers' boxes on one frame with a legend, as one picture, a video of a sequence or a sheet of pictures."""

import os
from collections.abc import Iterable, Mapping, Sequence

import cv2
import numpy as np

from sctrpn_jax.visualization import overlay, video_writer

DASHES = (0, 10, 4)  # in line widths; 0: solid
_TRUTH_DASH = 6
MOST = len(overlay.COLORS) * len(DASHES)

_INK, _DARK, _PAPER = (235, 235, 235), (28, 28, 28), 255
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LEAST_WIDTH = 640  # narrower videos are enlarged by a whole number: a legend of 300 pixels cannot be read
_TILE, _GAP = 480, 8


def style(index: int) -> tuple[tuple[int, int, int], int]:
    """Colour (RGB) and dash (line widths, 0: solid) of the tracker at a place, all `MOST` of them different.

    Raises:
      ValueError: more trackers than can be told apart.
    """
    if not 0 <= index < MOST:
        raise ValueError(f'got {index + 1} trackers; at most {MOST} can be told apart in one picture')
    count = len(overlay.COLORS)
    return overlay.COLORS[index % count], DASHES[(index + index // count) % len(DASHES)]


def comparison_frame(
    frame: np.ndarray,
    boxes: Mapping[str, np.ndarray | None],
    truth: np.ndarray | None = None,
    overlaps: Mapping[str, float] | None = None,
    title: str = '',
    width: int | None = None,
) -> np.ndarray:
    """A frame with every tracker's box, and below it a legend with each overlap; nothing covers the frame.

    Args:
      frame: [H, W, 3] uint8 RGB.
      boxes: tracker -> [4] xywh frame pixels; None or not finite: no box. The order gives the styles, the first tracker
        lies above the others.
      truth: [4] xywh frame pixels, dashed above all; None, not finite or without size: absent.
      overlaps: tracker -> 0..1, NaN where there is none.
      title: first line of the legend.
      width: pixels of the picture, to which frame and boxes are scaled before anything is drawn; None: W.

    Returns:
      [H', W', 3] uint8 RGB; its size depends on the frame's, the trackers' names, `title` being there, and `width`.

    Raises:
      ValueError: more than `MOST` trackers.
    """
    scale = 1.0 if width is None else width / frame.shape[1]
    picture = frame.copy()
    if scale != 1:
        size = (width, max(1, round(frame.shape[0] * scale)))
        picture = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    line = _line_width(picture)
    styles = [style(index) for index in range(len(boxes))]
    for box, (color, dash) in reversed(list(zip(boxes.values(), styles, strict=True))):
        if box is not None and np.isfinite(box).all():
            _draw_box(picture, np.asarray(box, np.float64) * scale, color, line, dash)
    present = is_present(truth)
    if present:
        _draw_box(picture, np.asarray(truth, np.float64) * scale, overlay.TRUTH, line, _TRUTH_DASH)
    rows = [('truth', '' if present else 'absent', overlay.TRUTH, _TRUTH_DASH)]
    for name, (color, dash) in zip(boxes, styles, strict=True):
        value = (overlaps or {}).get(name, np.nan)
        rows.append((name, '-' if np.isnan(value) else f'{value:.2f}', color, dash))
    return np.concatenate([picture, _legend(picture.shape[1], rows, title, line)])


def is_present(truth: np.ndarray | None) -> bool:
    """Whether a truth, [4] xywh, is a box: finite and of some size."""
    return truth is not None and bool(np.isfinite(truth).all() and (np.asarray(truth)[2:] > 0).all())


def write_video(path: str | os.PathLike, pictures: Iterable[np.ndarray], fps: float = 25) -> int:
    """Writes pictures as they come, one in memory at a time; the name is taken when the last one is written.

    Args:
      path: as `VideoWriter`.
      pictures: [H, W, 3] uint8 RGB, all of one size.
      fps: frames per second.

    Returns:
      How many were written; without one there is no file.

    Raises:
      ValueError: another suffix, or pictures of several sizes.
      OSError: the file cannot be written.
    """
    video_writer.check_suffix(path)
    count, writer = 0, None
    try:
        for picture in pictures:
            writer = writer or video_writer.VideoWriter(path, picture.shape[1::-1], fps)
            writer.write(picture)
            count += 1
        if writer:
            writer.close()
    finally:
        if writer:
            writer.discard()  # half a video must not replace a whole one
    return count


def video_width(width: int) -> int:
    """Width for a video of frames of this width, pixels: a whole multiple, near enough to 640 that text is legible."""
    return width * max(1, round(_LEAST_WIDTH / width))


def contact_sheet(pictures: Sequence[np.ndarray], columns: int = 4) -> np.ndarray:
    """Pictures in rows on white, each as it is; a row is as high as its highest.

    Args:
      pictures: [H, W, 3] uint8 RGB, one or more.
      columns: at most so many in a row.

    Returns:
      [H', W', 3] uint8 RGB.
    """
    columns = min(columns, len(pictures))
    wide = max(picture.shape[1] for picture in pictures)
    rows = [pictures[at : at + columns] for at in range(0, len(pictures), columns)]
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    sheet = np.full((sum(heights) + _GAP * (len(rows) + 1), columns * (wide + _GAP) + _GAP, 3), _PAPER, np.uint8)
    top = _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            left = _GAP + column * (wide + _GAP)
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        top += height + _GAP
    return sheet


def tile(frame: np.ndarray, boxes, truth, overlaps, title: str) -> np.ndarray:
    """`comparison_frame` of the width that a sheet's pictures have."""
    return comparison_frame(frame, boxes, truth, overlaps, title, _TILE)


def _line_width(picture: np.ndarray) -> int:
    """As overlay.draw has it."""
    return max(2, round(min(picture.shape[:2]) / 240))


def _draw_box(picture: np.ndarray, box: np.ndarray, color: tuple[int, int, int], line: int, dash: int) -> None:
    """An outline in place, with gaps that show what lies below: boxes of good trackers lie on one another."""
    drawn = np.zeros_like(picture)
    overlay.outline(drawn, box, color, line, dash * line)
    colored = (drawn == color).all(axis=-1)
    picture[cv2.dilate(colored.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0] = 0
    picture[colored] = color


def _legend(width: int, rows: list, title: str, line: int) -> np.ndarray:
    """[h, width, 3]: the title, then (name, value, colour, dash) in columns; h does not depend on the values."""
    scale = float(np.clip(width / 1400, 0.42, 1))
    text_height = cv2.getTextSize('Ag', _FONT, scale, 1)[0][1]
    step, swatch = round(text_height * 1.9), round(text_height * 3.2)
    widest = max(cv2.getTextSize(f'{name} 0.00', _FONT, scale, 1)[0][0] for name, *_ in rows)
    widest = max(widest, cv2.getTextSize('truth absent', _FONT, scale, 1)[0][0])
    columns = min(len(rows), max(1, width // (swatch + widest + 24)))
    cell = width // columns
    lines = -(-len(rows) // columns) + bool(title)
    picture = np.full((lines * step + 8, width, 3), _DARK, np.uint8)
    if title:
        overlay.put_text(picture, title, (6, 4 + round(step * 0.75)), _INK, scale)
    for index, (name, value, color, dash) in enumerate(rows):
        left, top = 6 + index % columns * cell, 4 + (index // columns + bool(title)) * step
        sample = np.array([left, top + round(step * 0.18), swatch, text_height * 1.2])
        _draw_box(picture, sample, color, min(line, 3), dash)
        at = (left + swatch + 8, top + round(step * 0.75))
        overlay.put_text(picture, f'{name} {value}', at, _INK, scale)
    return picture
