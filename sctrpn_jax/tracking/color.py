"""The "color" cue of Eq. 13: the mean of a map over each box, and a colour-histogram map for it.

As printed the map is the response map; the histogram likelihood is the reading under which the cue sees colour.
"""

import chex
import jax.numpy as jnp

from sctrpn_jax.geometry import boxes as box_forms
from sctrpn_jax.geometry import sampling


def crop_to_cells(boxes: chex.Array, map_size: int, stride: float, crop_size: int) -> chex.Array:
    """Boxes from crop pixels to the continuous cells of a map that is centred on the crop.

    Args:
      boxes: [..., 4] centre form, crop pixels.
      map_size: cells along a side of the map.
      stride: cell pitch, crop pixels.
      crop_size: side of the crop, pixels.

    Returns:
      [..., 4] centre form in cells; cell i covers [i, i + 1).
    """
    centre = (boxes[..., :2] - crop_size / 2) / stride + map_size / 2
    return jnp.concatenate([centre, boxes[..., 2:] / stride], axis=-1)


def box_means(response: chex.Array, boxes: chex.Array) -> chex.Array:
    """Mean of a map over boxes, from a summed-area table; cells at the border count by their covered part.

    Args:
      response: [h, w] float; cell i covers [i, i + 1).
      boxes: [K, 4] centre form, cells; clipped to the map.

    Returns:
      [K] in the map's value range; 0 for a box that is empty or wholly outside.
    """
    chex.assert_rank(response, 2)
    chex.assert_shape(boxes, (None, 4))
    height, width = response.shape
    # Between its nodes the integral of a map that is constant on each cell is exactly bilinear.
    table = jnp.pad(jnp.cumsum(jnp.cumsum(response, axis=0), axis=1), ((1, 0), (1, 0)))
    left, top, right, bottom = jnp.moveaxis(box_forms.cxcywh_to_corners(boxes), -1, 0)
    left, right = jnp.clip(left, 0, width), jnp.clip(right, 0, width)
    top, bottom = jnp.clip(top, 0, height), jnp.clip(bottom, 0, height)
    points = jnp.stack([jnp.stack([x, y], -1) for x, y in ((left, top), (right, top), (left, bottom), (right, bottom))])
    top_left, top_right, bottom_left, bottom_right = sampling.grid_sample(table[..., None], points)[..., 0]
    area = (right - left) * (bottom - top)
    covered = (right > left) & (bottom > top)
    total = bottom_right - bottom_left - (top_right - top_left)
    mean = jnp.where(covered, total / jnp.where(covered, area, 1), 0)
    # A sliver's difference of large sums may leave the range by rounding.
    return jnp.clip(mean, jnp.minimum(jnp.min(response), 0), jnp.maximum(jnp.max(response), 0))


def histogram_model(crop: chex.Array, box: chex.Array, bins: int = 8, smoothing: float = 1e-3) -> chex.Array:
    """How much a colour speaks for the target: P(target | colour) at equal priors.

    Colour densities inside and outside the box are normalised apart, so the box's size does not matter.

    Args:
      crop: [H, W, 3] RGB, 0..255: the first frame's search-size crop.
      box: [4] the target, centre form, crop pixels; a pixel belongs to it if its centre does.
      bins: number of bins per channel.
      smoothing: added to both densities: 0.5 for a colour that was never seen.

    Returns:
      [bins, bins, bins] float32 in 0..1; 0.5 everywhere if the box holds no pixel or every pixel.
    """
    chex.assert_shape(crop, (None, None, 3))
    chex.assert_shape(box, (4,))
    if bins < 1:
        raise ValueError(f'bins: got {bins}, a positive number is needed')
    height, width, _ = crop.shape
    left, top, right, bottom = box_forms.cxcywh_to_corners(box)
    x, y = jnp.arange(width, dtype=jnp.float32) + 0.5, jnp.arange(height, dtype=jnp.float32) + 0.5
    inside = ((y >= top) & (y < bottom))[:, None] & ((x >= left) & (x < right))[None, :]
    weights = jnp.stack([inside, ~inside], axis=-1).astype(jnp.float32).reshape(-1, 2)
    counts = jnp.zeros((bins**3, 2), jnp.float32).at[_bin_index(crop, bins).reshape(-1)].add(weights)
    total = jnp.sum(counts, axis=0)
    density = counts / jnp.maximum(total, 1)[None, :] + smoothing
    likelihood = density[:, 0] / jnp.sum(density, axis=-1)
    return jnp.where(jnp.all(total > 0), likelihood, 0.5).reshape(bins, bins, bins)


def histogram_likelihood(model: chex.Array, crop: chex.Array, stride: int = 4) -> chex.Array:
    """Likelihood of the target at the pixels of a coarse grid that is centred on the crop.

    Args:
      model: [bins, bins, bins] of `histogram_model`.
      crop: [H, W, 3] RGB, 0..255.
      stride: pitch of the grid, crop pixels; 1 gives every pixel.

    Returns:
      [H // stride, W // stride] float32 in 0..1. `crop_to_cells` with the same stride maps boxes to its cells.
    """
    chex.assert_shape(crop, (None, None, 3))
    if not 1 <= stride <= min(crop.shape[:2]):
        raise ValueError(f'stride: got {stride}, 1 to the side of the crop {min(crop.shape[:2])} is accepted')
    rows, columns = (slice((size - (size // stride - 1) * stride) // 2, None, stride) for size in crop.shape[:2])
    sampled = crop[rows, columns][: crop.shape[0] // stride, : crop.shape[1] // stride]
    return model.reshape(-1)[_bin_index(sampled, model.shape[0])]


def _bin_index(colors: chex.Array, bins: int) -> chex.Array:
    """[..., 3] RGB, 0..255 -> [...] int32 flat bin."""
    index = jnp.clip((colors.astype(jnp.float32) * (bins / 256)).astype(jnp.int32), 0, bins - 1)
    return (index[..., 0] * bins + index[..., 1]) * bins + index[..., 2]
