"""Boxes, crops and samples, in NumPy.

Boxes in centre form are (centre x, centre y, w, h). A crop is a square of the frame, scaled to its own pixels; pixel 0
covers [0, 1) in both.
"""

import numpy as np

TEMPLATE = 127  # side of the template crop, crop pixels


def context_side(size):
    """Side of the square that the template crop shows around targets of size [..., 2] (w, h), their pixels."""
    pad = size.sum(-1) / 2
    return np.sqrt((size[..., 0] + pad) * (size[..., 1] + pad))


def search_side(size, search):
    """Side of the search region, frame pixels: a crop of `search` pixels at the template's scale."""
    return context_side(size) * search / TEMPLATE


def crop_frame(frame, centre, side, size, fill):
    """Square crop by bilinear samples.

    Args:
      frame: [H, W, 3] uint8 RGB.
      centre: [2] (x, y), frame pixels.
      side: frame pixels.
      size: side of the crop, crop pixels.
      fill: [3] colour outside the frame, 0..255.

    Returns:
      [size, size, 3] float32, 0..255.
    """
    offsets = ((np.arange(size) + 0.5) / size - 0.5) * side - 0.5

    def neighbours(at, length):
        low = np.floor(at).astype(int)
        index = np.stack([low, low + 1])
        weight = np.stack([1 - (at - low), at - low]) * ((index >= 0) & (index < length))
        return np.clip(index, 0, length - 1), weight.astype(np.float32)

    columns, across = neighbours(centre[0] + offsets, frame.shape[1])
    rows, down = neighbours(centre[1] + offsets, frame.shape[0])
    start = columns.min()
    part, columns = frame[:, start : columns.max() + 1], columns - start
    lines = sum(part[rows[i]] * down[i][:, None, None] for i in (0, 1))
    pixels = sum(lines[:, columns[i]] * across[i][None, :, None] for i in (0, 1))
    return np.float32(pixels + (1 - np.outer(down.sum(0), across.sum(0)))[..., None] * fill)


def corrected(boxes, bias):
    """Boxes [..., 4] in centre form without a bias [4], which is in box sizes and logarithms of the size."""
    sizes = boxes[..., 2:] * np.exp(-bias[2:])
    return np.concatenate([boxes[..., :2] - bias[:2] * sizes, sizes], -1)


def corners(boxes):
    """Boxes [K, 4] in centre form as left, top, right, bottom."""
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], -1)


def overlap(boxes, one):
    """Intersection over union [K] of boxes [K, 4] with one [4], centre form."""
    a, b = corners(boxes), corners(one[None])
    sides = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    both = sides.prod(-1)
    return both / (boxes[:, 2:].prod(-1) + one[2:].prod() - both)


def bilinear(values, x, y):
    """Samples [K] of a map [h, w] at cells x [K], y [K]; outside the map, its nearest cell."""
    height, width = values.shape
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.minimum(x.astype(int), width - 2), np.minimum(y.astype(int), height - 2)
    a, b = x - left, y - top
    above = values[top, left] * (1 - a) + values[top, left + 1] * a
    below = values[top + 1, left] * (1 - a) + values[top + 1, left + 1] * a
    return above * (1 - b) + below * b
