"""Boxes, scores and names drawn on a frame, in colours that colour-blind readers can tell apart."""

import typing
from collections.abc import Sequence

import cv2
import numpy as np

# Okabe and Ito's palette, RGB, without black. The truth, sky blue, is dashed as well, so that grey prints keep the
# difference.
COLORS = ((230, 159, 0), (204, 121, 167), (0, 158, 115), (240, 228, 66), (213, 94, 0), (0, 114, 178))
PREDICTION = COLORS[0]
TRUTH = (86, 180, 233)
FONT = cv2.FONT_HERSHEY_SIMPLEX


class Mark(typing.NamedTuple):
    """How one target is drawn.

    Attributes:
      box: [4] xywh frame pixels, drawn solid; None or not finite: nothing is drawn. Parts outside the frame are cut.
      score: written beside the box after the label; None: none.
      label: written beside the box.
      color: RGB of box and label.
      hidden: the target is taken to be hidden: the box is dashed, and the tag says so.
    """

    box: np.ndarray | None
    score: float | None = None
    label: str = ''
    color: tuple[int, int, int] = PREDICTION
    hidden: bool = False

    @property
    def text(self) -> str:
        """What its tag says."""
        score = '' if self.score is None else f'{self.score:.2f}'
        return ' '.join(part for part in (self.label, 'hidden' if self.hidden else '', score) if part)


def draw(
    frame: np.ndarray,
    box: np.ndarray | None,
    score: float | None = None,
    truth: np.ndarray | None = None,
    label: str = '',
    color: tuple[int, int, int] = PREDICTION,
    hidden: bool = False,
) -> np.ndarray:
    """A copy of the frame with one target's box on it.

    Args:
      frame: [H, W, 3] uint8 RGB.
      box: as `Mark` has it.
      score: likewise.
      truth: [4] xywh frame pixels, drawn dashed in blue; ignored where it is not finite (absent target).
      label: as `Mark` has it.
      color: likewise.
      hidden: likewise.

    Returns:
      [H, W, 3] uint8 RGB.
    """
    return draw_marks(frame, [Mark(box, score, label, color, hidden)], truth)


def draw_marks(frame: np.ndarray, marks: Sequence[Mark], truth: np.ndarray | None = None) -> np.ndarray:
    """A copy of the frame with several targets' boxes on it; their tags cover no box where there is room beside it.

    Args:
      frame: [H, W, 3] uint8 RGB.
      marks: of the targets; the first lies above the others.
      truth: as in `draw`.

    Returns:
      [H, W, 3] uint8 RGB.
    """
    picture = frame.copy()
    width = max(2, round(min(frame.shape[:2]) / 240))
    marks = [mark for mark in marks if mark.box is not None and np.isfinite(mark.box).all()]
    for mark in reversed(marks):
        outline(picture, mark.box, mark.color, width, dash=4 * width if mark.hidden else 0)
    if truth is not None and np.isfinite(truth).all():
        outline(picture, truth, TRUTH, width, dash=4 * width)
    taken = [_corners(mark.box, width) for mark in marks]
    for mark, around in zip(marks, list(taken), strict=True):
        if mark.text:
            taken.append(_tag(picture, mark.text, around, width, mark.color, taken))
    return picture


def put_text(
    picture: np.ndarray, text: str, at: tuple[int, int], color: tuple[int, int, int], scale: float = 0.4
) -> None:
    """Writes text in place; `at` is the left end of the base line, pixels."""
    cv2.putText(picture, text, at, FONT, scale, color, 1, cv2.LINE_AA)


def outline(picture: np.ndarray, box: np.ndarray, color, width: int, dash: int = 0) -> None:
    """Draws a box [4] xywh (frame pixels) into a picture [H, W, 3] uint8 in place, solid or in dashes (pixels)."""
    # Far outside any frame, so that a wild box cannot overflow OpenCV's integers.
    left, top, right, bottom = np.clip([box[0], box[1], box[0] + box[2], box[1] + box[3]], -20_000, 20_000)
    left, top = round(left), round(top)
    # The box ends where its last pixel does.
    right, bottom = max(left, round(right) - 1), max(top, round(bottom) - 1)
    corners = [(left, top), (right, top), (right, bottom), (left, bottom)]
    sides = [(corners[i], corners[(i + 1) % 4]) for i in range(4)]
    # A dark line below the coloured one keeps it readable on a ground of its own colour.
    for start, end in sides:
        cv2.line(picture, start, end, (0, 0, 0), width if dash else width + 2)
    for start, end in sides:
        for a, b in _dashes(start, end, dash, picture.shape) if dash else [(start, end)]:
            cv2.line(picture, a, b, color, width)


def _dashes(start, end, dash: int, shape) -> list:
    """Every second piece of `dash` pixels of an axis-aligned line."""
    axis = 0 if start[1] == end[1] else 1
    low, high = sorted((start[axis], end[axis]))
    limit = shape[1 - axis]
    pieces = []
    # Only pieces near the picture: a wild box must not cost thousands of lines.
    for at in range(low + max(0, -low // (2 * dash)) * 2 * dash, min(high, limit) + 1, 2 * dash):
        a, b = list(start), list(start)
        a[axis], b[axis] = at, min(at + dash, high)
        pieces.append((tuple(a), tuple(b)))
    return pieces


def _corners(box: np.ndarray, line: int) -> tuple[int, int, int, int]:
    """(left, top, right, bottom) of what an outline covers, pixels."""
    x, y, w, h = np.clip(box, -20_000, 20_000)
    return int(x) - line, int(y) - line, int(x + w) + line, int(y + h) + line


def _tag(picture: np.ndarray, text: str, around: tuple, line: int, color, taken: list[tuple]) -> tuple:
    """Black text on a patch of the colour; returns (left, top, right, bottom) of the patch.

    It stands above, below, right or left of the target, in the first of these places within the frame that covers
    nothing that is taken, or else as little as can be. If none is within the frame, the target fills the frame, and it
    stands inside.
    """
    height, width = picture.shape[:2]
    scale = max(0.35, min(height, width) / 900)
    (text_width, text_height), base = cv2.getTextSize(text, FONT, scale, 1)
    wide, high = text_width + 6, text_height + base + 4
    left, top, right, bottom = around
    x = min(max(left + line, 0), max(0, width - wide - 1))
    y = min(max(top + line, 0), max(0, height - high - 1))
    corners = [(x, top - high - 1), (x, bottom + 1), (right + 1, y), (left - wide - 1, y)]
    places = [(x, y, x + wide, y + high) for x, y in corners if 0 <= x < width - wide and 0 <= y < height - high]
    inside = min(y + line + 2, max(0, height - high - 1))
    places = places or [(x, inside, x + wide, inside + high)]
    place = min(places, key=lambda place: sum(_covered(place, each) for each in taken))
    left, top, right, bottom = place
    cv2.rectangle(picture, (left, top), (right, bottom), color, cv2.FILLED)
    put_text(picture, text, (left + 3, top + text_height + 2), (0, 0, 0), scale)
    return place


def _covered(a: tuple, b: tuple) -> int:
    """Pixels that two (left, top, right, bottom) have in common."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) + 1 for i in range(2))
    return max(0, width) * max(0, height)
