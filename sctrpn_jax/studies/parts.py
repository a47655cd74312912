"""Targets that are parts of objects: a picture under a simulated camera, so that the true box is known exactly.

A network that was trained on whole objects tends to give the object's box, whichever part of it was asked for. A face
or the head of an animal is such a part, and no annotation of DAVIS is one.
"""

from collections.abc import Iterator

import cv2
import numpy as np

_SHARE = (0.4, 0.6)  # of each side of the object
_LEAST = 16.0  # pixels of a side: smaller parts show nothing
_ZOOM, _MOST_ZOOM = 0.03, 0.25  # step and bound of the logarithm of the scale
_SHIFT, _MOST_SHIFT = 0.08, 0.6  # step and bound of the place, in target sizes
_BRIGHTNESS, _NOISE = 0.1, 3.0  # a frame's factor is within 1 +- 0.1; standard deviation of a pixel's noise, of 255


def part_of(box: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Box of a part, about half as wide and half as high, anywhere inside an object's box.

    Args:
      box: [4] xywh.
      rng: draws it.

    Returns:
      [4] xywh; a side is never below 16 pixels, nor longer than the object's.
    """
    size = np.minimum(np.maximum(box[2:] * rng.uniform(*_SHARE, 2), _LEAST), box[2:])
    return np.concatenate([box[:2] + rng.uniform(0, 1, 2) * (box[2:] - size), size])


def film(
    picture: np.ndarray, box: np.ndarray, frames: int, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A camera that wanders and zooms over one picture.

    Scale and place are bounded random walks, the light changes from frame to frame, pixels are noisy; the picture is
    mirrored beyond its border.

    Args:
      picture: [H, W, 3] uint8.
      box: [4] xywh of the target in it, continuous pixels.
      frames: to make, the first as the picture is.
      rng: of the camera.

    Yields:
      Frame [H, W, 3] uint8 and the target's box [4] xywh in it.
    """
    centre, unit, size = box[:2] + box[2:] / 2, np.sqrt(box[2:].prod()), (picture.shape[1], picture.shape[0])
    zoom, place = 0.0, np.zeros(2)
    for number in range(frames):
        if number:
            zoom = np.clip(zoom + rng.normal(0, _ZOOM), -_MOST_ZOOM, _MOST_ZOOM)
            place = np.clip(place + rng.normal(0, _SHIFT, 2), -_MOST_SHIFT, _MOST_SHIFT)
        scale, there = np.exp(zoom), centre + place * unit
        # OpenCV counts from the middle of the first pixel, boxes from its corner.
        shift = there - 0.5 - scale * (centre - 0.5)
        matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
        frame = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
        light = rng.uniform(1 - _BRIGHTNESS, 1 + _BRIGHTNESS)
        noisy = frame.astype(np.float32) * light + rng.normal(0, _NOISE, frame.shape)
        extent = box[2:] * scale
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8), np.concatenate([there - extent / 2, extent])
