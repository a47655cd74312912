"""From frame to crop and back: the one place that knows how a square of the frame becomes a crop.

A crop is given by its centre (x, y) and side in frame pixels and by its size in crop pixels; both frames are
continuous (pixel i covers [i, i + 1)).
"""

import chex
import jax.numpy as jnp

from sctrpn_jax.geometry import sampling

# Share of (w + h) that is shown around a target on each axis (SiamFC, SiamRPN): half.
CONTEXT = 0.5


def context_side(size: chex.Array) -> chex.Array:
    """Side of the square around a target that the template crop shows: sqrt((w + p)(h + p)), p = CONTEXT (w + h).

    Args:
      size: [..., 2] (w, h), frame pixels.

    Returns:
      [...] frame pixels.
    """
    pad = CONTEXT * (size[..., 0] + size[..., 1])
    return jnp.sqrt((size[..., 0] + pad) * (size[..., 1] + pad))


def to_crop(boxes: chex.Array, centre: chex.Array, side: chex.Array, crop_size: int) -> chex.Array:
    """Centre-form boxes [..., 4] from frame pixels to crop pixels; centre [..., 2] and side [...] in frame pixels."""
    scale = (crop_size / side)[..., None]
    return jnp.concatenate([(boxes[..., :2] - centre) * scale + crop_size / 2, boxes[..., 2:] * scale], axis=-1)


def to_frame(boxes: chex.Array, centre: chex.Array, side: chex.Array, crop_size: int) -> chex.Array:
    """Inverse of `to_crop`."""
    scale = (side / crop_size)[..., None]
    return jnp.concatenate([(boxes[..., :2] - crop_size / 2) * scale + centre, boxes[..., 2:] * scale], axis=-1)


def extract(
    frame: chex.Array,
    centre: chex.Array,
    side: chex.Array,
    crop_size: int,
    fill: chex.Array,
    extent: chex.Array | None = None,
) -> chex.Array:
    """Bilinear square crop of a frame.

    Args:
      frame: [H, W, 3] uint8 or float, 0..255.
      centre: [2] (x, y), frame pixels; may lie outside.
      side: [] frame pixels, positive.
      crop_size: side of the result, pixels.
      fill: [3] colour outside the frame (SiamFC: the frame's mean).
      extent: [2] int32 (w, h) of the frame where the array is padded to the right and below; None: it is not.

    Returns:
      [crop_size, crop_size, 3] float32, 0..255.
    """
    # Crop pixel i has its centre at i + 0.5; frame index 0 has its centre at 0.5.
    offsets = ((jnp.arange(crop_size, dtype=jnp.float32) + 0.5) / crop_size - 0.5) * side - 0.5
    return sampling.sample_axis_aligned(frame, centre[0] + offsets, centre[1] + offsets, fill, extent)
