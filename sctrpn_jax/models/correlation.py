"""Correlation of a template with a search map, three ways, as sums of shifted products.

XLA's grouped and vmapped convolutions are 20 to 70 times slower on a CPU than these sums, which also fuse on a GPU.
"""

import chex
import jax
import jax.numpy as jnp


def _shifts(template: chex.Array, search: chex.Array):
    """Yields (row, column, view of the search map under that template cell)."""
    rows, columns = template.shape[1:3]
    height, width = search.shape[1] - rows + 1, search.shape[2] - columns + 1
    for row in range(rows):
        for column in range(columns):
            yield row, column, search[:, row : row + height, column : column + width]


def depthwise(template: chex.Array, search: chex.Array) -> chex.Array:
    """Channel by channel: [B, t, t, C] over [B, s, s, C] -> [B, s-t+1, s-t+1, C], mean over the template's cells."""
    chex.assert_equal_shape([template[:, 0, 0], search[:, 0, 0]])
    template, search = template.astype(jnp.float32), search.astype(jnp.float32)
    total = 0.0
    for row, column, view in _shifts(template, search):
        total = total + template[:, row, column][:, None, None] * view
    return total / (template.shape[1] * template.shape[2])


def _window_products(template: chex.Array, search: chex.Array) -> chex.Array:
    """Inner products of kernels with every window of a search map.

    One matrix product scores each template cell at each search cell; the sum then runs over maps without channels.

    Args:
      template: [B, t, t, C, O], O kernels.
      search: [B, s, s, C].

    Returns:
      [B, s-t+1, s-t+1, O].
    """
    cells = jnp.einsum('bhwc,brkco->bhwrko', search, template, preferred_element_type=jnp.float32)
    rows, columns = template.shape[1:3]
    height, width = search.shape[1] - rows + 1, search.shape[2] - columns + 1
    return sum(
        cells[:, row : row + height, column : column + width, row, column]
        for row in range(rows)
        for column in range(columns)
    )


def upchannel(template: chex.Array, search: chex.Array, outputs: int) -> chex.Array:
    """SiamRPN's form: the template holds one kernel an output.

    Args:
      template: [B, t, t, C * outputs].
      search: [B, s, s, C].
      outputs: number of maps.

    Returns:
      [B, s-t+1, s-t+1, outputs], mean over the template's cells and over the root of C.
    """
    batch, rows, columns, _ = template.shape
    channels = search.shape[-1]
    kernels = template.reshape(batch, rows, columns, channels, outputs)
    return _window_products(kernels, search) / (rows * columns * channels**0.5)


def target_mask(size: chex.Array, cells: int, stride: int = 8) -> chex.Array:
    """Share of each template cell that a centred target covers.

    Args:
      size: [B, 2] (w, h) of the target, template-crop pixels.
      cells: along a side of the template map.
      stride: crop pixels a cell, of the backbone.

    Returns:
      [B, cells, cells], 0..1.
    """
    centres = ((jnp.arange(cells, dtype=jnp.float32) - (cells - 1) / 2) * stride)[None]

    def cover(half):
        half = half[:, None]
        low, high = jnp.maximum(centres - stride / 2, -half), jnp.minimum(centres + stride / 2, half)
        return jnp.maximum(high - low, 0) / stride

    return cover(size[:, 1] / 2)[:, :, None] * cover(size[:, 0] / 2)[:, None, :]


def cosine(template: chex.Array, mask: chex.Array, search: chex.Array) -> chex.Array:
    """Plain matching without parameters: cosine between the template and each window, cells weighted by the mask.

    Args:
      template: [B, t, t, C].
      mask: [B, t, t] weight of each template cell, 0..1.
      search: [B, s, s, C].

    Returns:
      [B, s-t+1, s-t+1], -1..1; 0 where either side is all zero.
    """
    template, search = template.astype(jnp.float32), search.astype(jnp.float32)
    # One matrix product, then a sum along its diagonals: thirty times faster on a CPU than XLA's 10 x 10 convolution.
    products = jnp.einsum('bhwc,bijc->bijhw', search, template * mask[..., None])
    powers = mask[..., None, None] * jnp.square(search).sum(-1)[:, None, None]
    product, energy = _diagonal_sum(products), _diagonal_sum(powers)
    norm = (mask * jnp.square(template).sum(-1)).sum((1, 2))
    return product * jax.lax.rsqrt(energy * norm[:, None, None] + 1e-12)


def _diagonal_sum(terms: chex.Array) -> chex.Array:
    """[B, t, t, s, s] to [B, s-t+1, s-t+1]: sum over i, j of terms[:, i, j, row + i, column + j]."""
    cells, size = terms.shape[1], terms.shape[-1] - terms.shape[1] + 1
    columns = sum(terms[:, :, j, :, j : j + size] for j in range(cells))
    return sum(columns[:, i, i : i + size] for i in range(cells))
