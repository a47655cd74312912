"""From the network's proposals to one box, in NumPy and OpenCV: window, penalty, re-ranking and voting."""

import cv2
import numpy as np
from geometry import TEMPLATE, bilinear, context_side, corners, overlap

KEPT = 64  # proposals that are re-ranked
STRIDE = 8  # crop pixels from one cell of the response map to the next
MOST_CONTOURS = 512


def check(settings):
    """Raises ValueError for `track` settings of the manifest that this example does not know."""
    for name, known in (('rerank_each_stage', False), ('color_map', 'response'), ('size_unit', 'relative')):
        if settings[name] != known:
            raise ValueError(f'track.{name} is {settings[name]!r}; this example knows {known!r} only')


def select(scores, boxes, mask, crop, sizes, contours, settings):
    """Chooses among N proposals.

    Args:
      scores: [N] 0..1, in the order (row, column, ratio) of the response map.
      boxes: [N, 4] centre form, crop pixels.
      mask: [N] bool: in play.
      crop: [S, S, 3] float32 RGB 0..255.
      sizes: (first, previous), each [2] (w, h) of the target, crop pixels.
      contours: (first, previous) number that the target's box encloses.
      settings: `track` of the manifest.

    Returns:
      The box [4], centre form, crop pixels; and of the best proposal: index, penalty 0..1, number of contours.
    """
    previous = sizes[1]
    scale = larger(context_side(boxes[:, 2:]) / context_side(previous))
    shape = larger(boxes[:, 2] / boxes[:, 3] * previous[1] / previous[0])
    penalty = np.exp(-settings['penalty'] * (scale * shape - 1))
    share = settings['window']
    values = np.where(mask, penalty * scores * (1 - share) + window(scores, crop) * share, -1)
    order = best_first(values)[:KEPT]
    values, counts = np.maximum(values[order], 0), np.zeros(len(order), int)
    if settings['rerank']:
        counts = count_enclosed(contour_boxes(crop, settings['edge_threshold']), boxes[order])
        cues = cue_product(scores, boxes[order], crop, counts, sizes, contours, settings)
        values = np.where(mask[order], cues * (values if settings['rerank_with_score'] else 1), 0)
        again = best_first(np.where(mask[order], values, -1))
        order, values, counts = order[again], values[again], counts[again]
    best = boxes[order[0]]
    if settings['voting']:
        agree = overlap(boxes[order], best) > settings['nms_iou']
        votes = np.where(agree & mask[order], values, 0)
        votes[0] = max(votes[0], 1e-6)
        best = votes @ boxes[order] / votes.sum()
    return best, order[0], penalty[order[0]], counts[0]


def window(scores, crop):
    """[N] Hann window over the response map."""
    cells = map_size(crop)
    hann = np.hanning(cells + 2)[1:-1]
    return np.repeat(np.outer(hann, hann).ravel(), len(scores) // cells**2)


def map_size(crop):
    """Cells along a side of the response map."""
    return (len(crop) - TEMPLATE) // STRIDE + 1


def larger(ratio):
    """The ratio or its inverse, whichever is 1 or more."""
    return np.maximum(ratio, 1 / ratio)


def best_first(values):
    """Indices in descending order of the values, ties by index."""
    return np.argsort(-values, kind='stable')


def cue_product(scores, boxes, crop, counts, sizes, contours, settings):
    """[K] product of the cues of shape, colour and size (Eq. 11-13 of the paper)."""
    wanted_count = contours[0 if settings['shape_target'] == 'first' else 1]
    wanted_size = sizes[0 if settings['size_target'] == 'first' else 1]
    cells = map_size(crop)
    response = scores.reshape(cells, cells, -1).max(-1)
    middle = (boxes[:, :2] - len(crop) / 2) / STRIDE + cells / 2
    shape = np.exp(-np.abs(counts - wanted_count))
    color = np.maximum(mean_inside(response, np.concatenate([middle, boxes[:, 2:] / STRIDE], -1)), 0)
    size = np.exp(-(np.abs(boxes[:, 2:] - wanted_size) / np.maximum(wanted_size, 1e-6)).sum(-1))
    powers = settings['rerank_exponents']
    return shape ** powers[0] * color ** powers[1] * size ** powers[2]


def mean_inside(values, boxes):
    """Mean [K] of a map [h, w] over boxes [K, 4] in its cells; cell i covers [i, i + 1). 0 for a box outside."""
    height, width = values.shape
    table = np.pad(values.astype(np.float64).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    left, top, right, bottom = np.clip(corners(boxes), 0, (width, height, width, height)).T
    total = bilinear(table, right, bottom) - bilinear(table, left, bottom)
    total -= bilinear(table, right, top) - bilinear(table, left, top)
    area = (right - left) * (bottom - top)
    return np.where(area > 0, total / np.where(area > 0, area, 1), 0)


def contour_boxes(crop, threshold):
    """[M, 4] left, top, right, bottom of the connected edges of a crop, crop pixels."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    dx, dy = (cv2.Sobel(gray, cv2.CV_32F, *way, borderType=cv2.BORDER_REPLICATE) for way in ((1, 0), (0, 1)))
    edges = np.uint8(np.sqrt(dx * dx + dy * dy) > threshold)
    found = cv2.connectedComponentsWithStats(edges, connectivity=8)[2][1 : MOST_CONTOURS + 1]
    return np.concatenate([found[:, :2], found[:, :2] + found[:, 2:4]], -1)


def count_enclosed(inner, boxes):
    """Number [K] of contours [M, 4] (corners) that lie wholly in each box [K, 4] (centre form)."""
    outer = corners(boxes)[:, None]
    return ((inner[None, :, :2] >= outer[..., :2]) & (inner[None, :, 2:] <= outer[..., 2:])).all(-1).sum(-1)
