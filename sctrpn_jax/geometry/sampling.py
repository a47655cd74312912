"""Bilinear sampling: one differentiable sampler for feature maps, one fast axis-aligned one for image crops."""

import chex
import jax.numpy as jnp


def grid_sample(features: chex.Array, points: chex.Array, border: str = 'zero') -> chex.Array:
    """Bilinear samples of a feature map (the STN's sampler), differentiable in both arguments.

    Args:
      features: [H, W, C].
      points: [..., 2] (x, y) in cell indices: (0, 0) is the centre of the first cell.
      border: what lies outside: `zero`, or `edge` (the nearest cell's value).

    Returns:
      [..., C].
    """
    height, width, _ = features.shape
    x, y = points[..., 0], points[..., 1]
    if border == 'edge':
        x, y = jnp.clip(x, 0, width - 1), jnp.clip(y, 0, height - 1)
    left, top = jnp.floor(x), jnp.floor(y)
    total = jnp.zeros((*x.shape, features.shape[-1]), features.dtype)
    for dy in (0, 1):
        for dx in (0, 1):
            column, row = left + dx, top + dy
            weight = (1 - jnp.abs(x - column)) * (1 - jnp.abs(y - row))
            inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
            weight = jnp.where(inside, weight, 0)
            row = jnp.clip(row, 0, height - 1).astype(jnp.int32)
            column = jnp.clip(column, 0, width - 1).astype(jnp.int32)
            total = total + weight[..., None].astype(features.dtype) * features[row, column]
    return total


def sample_axis_aligned(
    image: chex.Array, xs: chex.Array, ys: chex.Array, fill: chex.Array, extent: chex.Array | None = None
) -> chex.Array:
    """Bilinear samples of an image on the grid ys x xs; `fill` outside, as if the image were padded with it.

    Rows first, then columns: each axis is one gather and one blend, several times cheaper than four 2-D gathers.

    Args:
      image: [H, W, C], uint8 or float.
      xs: [N] pixel indices (0 is the centre of the first pixel).
      ys: [M].
      fill: [C] float.
      extent: [2] int32 (w, h): the part of the image, from its corner, that counts; None: all of it.

    Returns:
      [M, N, C] float32, the image's value range.
    """
    width, height = (image.shape[1], image.shape[0]) if extent is None else (extent[0], extent[1])

    def corners(at, size):
        low = jnp.floor(at)
        part = at - low
        index = jnp.stack([low, low + 1]).astype(jnp.int32)
        inside = (index >= 0) & (index < size)
        weight = jnp.where(inside, jnp.stack([1 - part, part]), 0.0)
        return jnp.clip(index, 0, size - 1), weight

    (rows, row_weight), (columns, column_weight) = corners(ys, height), corners(xs, width)
    picked = [image[rows[i]].astype(jnp.float32) * row_weight[i][:, None, None] for i in (0, 1)]
    down = picked[0] + picked[1]
    across = (
        down[:, columns[0]] * column_weight[0][None, :, None] + down[:, columns[1]] * column_weight[1][None, :, None]
    )
    covered = row_weight.sum(0)[:, None] * column_weight.sum(0)[None, :]
    return across + (1 - covered)[..., None] * fill[None, None, :].astype(jnp.float32)
