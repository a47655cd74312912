"""The anchor grid: one scale, five ratios at each cell of the response map, in search-crop pixels."""

import math

import numpy as np


def anchor_sizes(stride: int, scale: float, ratios: tuple[float, ...]) -> np.ndarray:
    """Width and height of each ratio's anchor (SiamRPN's integer truncation).

    Args:
      stride: cell pitch, pixels.
      scale: side of the square anchor over the stride.
      ratios: height over width.

    Returns:
      [K, 2] float32 (w, h) in crop pixels: 104x32, 88x40, 64x64, 40x80, 32x96 with the paper's ratios.
    """
    sizes = []
    for ratio in ratios:
        width = int(math.sqrt(stride * stride / ratio))
        sizes.append((width * scale, int(width * ratio) * scale))
    return np.asarray(sizes, np.float32)


def make_anchors(map_size: int, search_size: int, stride: int, scale: float, ratios: tuple[float, ...]) -> np.ndarray:
    """Anchors of stage 1, centred on the search crop.

    Args:
      map_size: cells along a side of the response map.
      search_size: side of the search crop, pixels.
      stride: as in `anchor_sizes`, likewise the next two.
      scale: of the anchors.
      ratios: height over width.

    Returns:
      [map_size * map_size * K, 4] float32 centre form, crop pixels; order (row, column, ratio).
    """
    sizes = anchor_sizes(stride, scale, ratios)
    offsets = (np.arange(map_size) - (map_size - 1) / 2) * stride + search_size / 2
    rows, columns = np.meshgrid(offsets, offsets, indexing='ij')
    anchors = np.empty((map_size, map_size, len(sizes), 4), np.float32)
    anchors[..., 0] = columns[..., None]
    anchors[..., 1] = rows[..., None]
    anchors[..., 2:] = sizes
    return anchors.reshape(-1, 4)
