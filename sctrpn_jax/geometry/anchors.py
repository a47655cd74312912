"""The anchor grid: one scale, five ratios at each cell of the response map, in search-crop pixels."""

import math

import chex
import jax.numpy as jnp
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
    centres = np.repeat(_centres(map_size, search_size, stride), len(sizes), axis=0)
    return np.concatenate([centres, np.tile(sizes, (map_size * map_size, 1))], axis=-1)


def target_anchors(
    map_size: int, search_size: int, stride: int, ratios: tuple[float, ...], target: chex.Array
) -> chex.Array:
    """Anchors that have the target's own shape in the first frame, so that deltas are what changed since.

    Args:
      map_size: cells along a side of the response map.
      search_size: side of the search crop, pixels.
      stride: cell pitch, pixels.
      ratios: height over width, times the target's own; (1.0,) for its shape alone.
      target: [B, 2] (w, h) of the target in the template crop, pixels.

    Returns:
      [B, map_size * map_size * K, 4] float32 centre form, crop pixels; order as `make_anchors`.
    """
    root = np.sqrt(np.asarray(ratios, np.float32))
    sizes = target[:, None] * np.stack([1 / root, root], axis=-1)[None]
    centres = np.repeat(_centres(map_size, search_size, stride), len(ratios), axis=0)
    batch = target.shape[0]
    return jnp.concatenate(
        [jnp.tile(jnp.asarray(centres)[None], (batch, 1, 1)), jnp.tile(sizes, (1, map_size * map_size, 1))], axis=-1
    )


def _centres(map_size: int, search_size: int, stride: int) -> np.ndarray:
    """[map_size * map_size, 2] float32 (x, y) of the cells, crop pixels."""
    offsets = (np.arange(map_size) - (map_size - 1) / 2) * stride + search_size / 2
    rows, columns = np.meshgrid(offsets, offsets, indexing='ij')
    return np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32)
