"""Boxes of COCO segmentations: polygons, run lengths as a list, and run lengths as COCO's compressed text.

Run lengths count pixels column by column (down, then right) and begin with pixels outside the mask. The text holds
each count as the difference to the count two before it (from the fourth on), in groups of five bits, least significant
first, a character '0' + group; bit 6 says that more groups follow, and the sign is the highest bit of the last group.
Source: rleToString, rleFrString and rleToBbox of cocodataset/cocoapi, common/maskApi.c.
"""

import numpy as np

from sctrpn_jax.bounded import MAX_PIXEL

_MAX_BITS = 60


def is_pixel(value: object) -> bool:
    """Whether a value read from JSON is a finite number that can be a position in an image."""
    return type(value) in (int, float) and abs(value) <= MAX_PIXEL


def decode_counts(text: str) -> list[int]:
    """Run lengths of COCO's compressed text.

    Raises:
      ValueError: a character that is not of the code, an unfinished count or a negative one.
    """
    counts, value, bits = [], 0, 0
    for char in text:
        group = ord(char) - 48
        if not 0 <= group < 64:
            raise ValueError(f'run lengths have the character {char!r}; expected "0" to "o"')
        value |= (group & 31) << bits
        bits += 5
        if bits > _MAX_BITS:
            raise ValueError(f'a run length has more than {_MAX_BITS} bits')
        if group & 32:
            continue
        if group & 16:
            value -= 1 << bits
        if len(counts) > 2:
            value += counts[-2]
        if value < 0:
            raise ValueError(f'run length {value} is negative')
        counts.append(value)
        value, bits = 0, 0
    if bits:
        raise ValueError('run lengths end within a count')
    return counts


def _polygons_box(polygons: list) -> tuple[float, float, float, float]:
    for polygon in polygons:
        if not isinstance(polygon, list) or len(polygon) < 6 or len(polygon) % 2 or not all(map(is_pixel, polygon)):
            raise ValueError(f'polygon {str(polygon)[:60]} is no list of three or more points x1, y1, x2, y2, ..')
    left = min(min(polygon[0::2]) for polygon in polygons)
    top = min(min(polygon[1::2]) for polygon in polygons)
    right = max(max(polygon[0::2]) for polygon in polygons)
    bottom = max(max(polygon[1::2]) for polygon in polygons)
    return left, top, right - left, bottom - top


def _runs_box(height: int, width: int, counts: list[int]) -> tuple[float, float, float, float]:
    if sum(counts) != height * width:
        raise ValueError(f'run lengths of {sum(counts)} pixels for a {width}x{height} image')
    ends = np.cumsum(np.array(counts, np.int64))
    first, stop = ends[0 : len(ends) - 1 : 2], ends[1::2]
    inside = stop > first
    if not inside.any():
        raise ValueError('the mask has no pixel')
    first, last = first[inside], stop[inside] - 1
    left, right = first.min() // height, last.max() // height
    # A run that goes on in the next column reaches the bottom of one and the top of the other.
    turns = (first // height != last // height).any()
    top, bottom = (0, height - 1) if turns else ((first % height).min(), (last % height).max())
    return float(left), float(top), float(right - left + 1), float(bottom - top + 1)


def segmentation_box(segmentation: object) -> tuple[float, float, float, float]:
    """Tight box of the `segmentation` of a COCO annotation.

    Args:
      segmentation: as read from JSON. Polygons [[x1, y1, x2, y2, ..], ..] in continuous image pixels, or run lengths
        {'size': [height, width], 'counts': list or text}.

    Returns:
      (x, y, w, h), image pixels, pixel (0, 0) covers [0, 1) x [0, 1). Of polygons the extent of their corners; of run
      lengths the extent of the mask's pixels.

    Raises:
      ValueError: anything else, or a box without area.
    """
    if isinstance(segmentation, list) and segmentation:
        box = _polygons_box(segmentation)
    elif isinstance(segmentation, dict):
        size, counts = segmentation.get('size'), segmentation.get('counts')
        if not isinstance(size, list) or len(size) != 2 or not all(type(n) is int and 0 < n <= MAX_PIXEL for n in size):
            raise ValueError(f'size {str(size)[:60]} of the run lengths is not [height, width]')
        if isinstance(counts, str):
            counts = decode_counts(counts)
        if not isinstance(counts, list) or not all(type(n) is int and n >= 0 for n in counts):
            raise ValueError(f'run lengths {str(counts)[:60]} are neither text nor a list of whole numbers')
        box = _runs_box(*size, counts)
    else:
        raise ValueError(f'segmentation {str(segmentation)[:60]} is neither polygons nor run lengths')
    if min(box[2:]) <= 0:
        raise ValueError(f'size {box[2]:g}x{box[3]:g} of the segmentation is not positive')
    return box
