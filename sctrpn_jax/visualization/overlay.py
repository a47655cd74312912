"""Boxes, scores and names drawn on a frame, in colours that colour-blind readers can tell apart."""

import cv2
import numpy as np

# Okabe and Ito's palette, RGB. The truth is dashed as well, so that grey prints keep the difference.
PREDICTION = (230, 159, 0)
TRUTH = (86, 180, 233)
_FONT = cv2.FONT_HERSHEY_SIMPLEX


def draw(
    frame: np.ndarray,
    box: np.ndarray | None,
    score: float | None = None,
    truth: np.ndarray | None = None,
    label: str = '',
    color: tuple[int, int, int] = PREDICTION,
    hidden: bool = False,
) -> np.ndarray:
    """A copy of the frame with the boxes on it.

    Args:
      frame: [H, W, 3] uint8 RGB.
      box: [4] xywh frame pixels, drawn solid; None: no box. Parts outside the frame are cut.
      score: written above the box after the label.
      truth: [4] xywh frame pixels, drawn dashed in blue; ignored where it is not finite (absent target).
      label: written above the box.
      color: RGB of box and label.
      hidden: the target is taken to be hidden: the box is dashed, and the tag says so.

    Returns:
      [H, W, 3] uint8 RGB.
    """
    picture = frame.copy()
    width = max(2, round(min(frame.shape[:2]) / 240))
    drawn = box is not None and np.isfinite(box).all()
    if drawn:
        outline(picture, box, color, width, dash=4 * width if hidden else 0)
    if truth is not None and np.isfinite(truth).all():
        outline(picture, truth, TRUTH, width, dash=4 * width)
    if drawn:
        text = ' '.join(part for part in (label, 'hidden' if hidden else '', '' if score is None else f'{score:.2f}') if part)
        if text:
            _tag(picture, text, box, color)
    return picture


def put_text(
    picture: np.ndarray, text: str, at: tuple[int, int], color: tuple[int, int, int], scale: float = 0.4
) -> None:
    """Writes text in place; `at` is the left end of the base line, pixels."""
    cv2.putText(picture, text, at, _FONT, scale, color, 1, cv2.LINE_AA)


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


def _tag(picture: np.ndarray, text: str, box: np.ndarray, color) -> None:
    """Black text on a patch of the colour: above the box, or inside it where there is no room, within the frame."""
    height, width = picture.shape[:2]
    scale = max(0.35, min(height, width) / 900)
    (text_width, text_height), base = cv2.getTextSize(text, _FONT, scale, 1)
    patch = (text_width + 6, text_height + base + 4)
    left = round(float(np.clip(box[0], 0, max(0, width - patch[0]))))
    top = box[1] - patch[1] - 1
    top = round(float(np.clip(top if top >= 0 else box[1] + 2, 0, max(0, height - patch[1]))))
    cv2.rectangle(picture, (left, top), (left + patch[0], top + patch[1]), color, cv2.FILLED)
    put_text(picture, text, (left + 3, top + text_height + 2), (0, 0, 0), scale)
