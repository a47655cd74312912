"""The anchors of the first stage: boxes of one scale and several ratios at each cell of the response map (Fig. 3)."""

import math

import chex
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.geometry import grid

SCALE = 8  # side of the square anchor in cells (SiamRPN): 64 pixels, about a target's in the template crop


def anchor_sizes(ratios: tuple[float, ...]) -> np.ndarray:
    """Width and height of each ratio's anchor (SiamRPN's integer truncation).

    Args:
      ratios: height over width.

    Returns:
      [K, 2] float32 (w, h) in crop pixels: 104x32, 88x40, 64x64, 40x80, 32x96 with the paper's ratios.
    """
    sizes = []
    for ratio in ratios:
        width = int(math.sqrt(grid.STRIDE**2 / ratio))
        sizes.append((width * SCALE, int(width * ratio) * SCALE))
    return np.asarray(sizes, np.float32)


def make_anchors(search_size: int, ratios: tuple[float, ...]) -> np.ndarray:
    """Anchors of stage 1, centred on the search crop.

    Args:
      search_size: side of the search crop, pixels.
      ratios: height over width.

    Returns:
      [n * n * K, 4] float32 centre form, crop pixels, n = `grid.map_size(search_size)`; order (row, column, ratio).
    """
    sizes = anchor_sizes(ratios)
    cells = _centres(search_size)
    return np.concatenate([np.repeat(cells, len(sizes), axis=0), np.tile(sizes, (len(cells), 1))], axis=-1)


def target_anchors(search_size: int, ratios: tuple[float, ...], target: chex.Array) -> chex.Array:
    """Anchors that have the target's own shape in the first frame, so that deltas are what changed since.

    Args:
      search_size: side of the search crop, pixels.
      ratios: height over width, times the target's own; (1.0,) for its shape alone.
      target: [B, 2] (w, h) of the target in the template crop, pixels.

    Returns:
      [B, n * n * K, 4] float32 centre form, crop pixels; n and the order are those of `make_anchors`.
    """
    root = np.sqrt(np.asarray(ratios, np.float32))
    sizes = target[:, None] * np.stack([1 / root, root], axis=-1)[None]
    cells = _centres(search_size)
    centres = jnp.asarray(np.repeat(cells, len(ratios), axis=0))[None]
    return jnp.concatenate([jnp.tile(centres, (target.shape[0], 1, 1)), jnp.tile(sizes, (1, len(cells), 1))], axis=-1)


def _centres(search_size: int) -> np.ndarray:
    """[n * n, 2] float32 (x, y) of the response map's cells, crop pixels."""
    count = grid.map_size(search_size)
    offsets = (np.arange(count) - (count - 1) / 2) * grid.STRIDE + search_size / 2
    rows, columns = np.meshgrid(offsets, offsets, indexing='ij')
    return np.stack([columns, rows], axis=-1).reshape(-1, 2).astype(np.float32)
