"""Boxes: forms, overlap, and the regression code of Eq. 5 and Eq. 6.

Two forms, both in continuous pixels where pixel (0, 0) covers [0, 1) x [0, 1):
  xywh    top-left corner and size: what users, files and benchmarks hold (0-based)
  cxcywh  centre and size: what anchors, deltas and the cascade hold
"""

import chex
import jax.numpy as jnp


def xywh_to_cxcywh(boxes: chex.Array) -> chex.Array:
    """[..., 4] top-left form to centre form."""
    return jnp.concatenate([boxes[..., :2] + boxes[..., 2:] / 2, boxes[..., 2:]], axis=-1)


def cxcywh_to_xywh(boxes: chex.Array) -> chex.Array:
    """[..., 4] centre form to top-left form."""
    return jnp.concatenate([boxes[..., :2] - boxes[..., 2:] / 2, boxes[..., 2:]], axis=-1)


def cxcywh_to_corners(boxes: chex.Array) -> chex.Array:
    """[..., 4] centre form to (left, top, right, bottom)."""
    half = boxes[..., 2:] / 2
    return jnp.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], axis=-1)


def iou(a: chex.Array, b: chex.Array) -> chex.Array:
    """Intersection over union of centre-form boxes, broadcast over the leading axes.

    Args:
      a: [..., 4], same pixel frame as b.
      b: [..., 4].

    Returns:
      [...] in 0..1; 0 where the union is empty.
    """
    a, b = cxcywh_to_corners(a), cxcywh_to_corners(b)
    overlap = jnp.maximum(jnp.minimum(a[..., 2:], b[..., 2:]) - jnp.maximum(a[..., :2], b[..., :2]), 0)
    intersection = overlap[..., 0] * overlap[..., 1]
    area = [jnp.prod(jnp.maximum(c[..., 2:] - c[..., :2], 0), axis=-1) for c in (a, b)]
    union = area[0] + area[1] - intersection
    return jnp.where(union > 0, intersection / jnp.where(union > 0, union, 1), 0)


def encode(anchors: chex.Array, boxes: chex.Array) -> chex.Array:
    """Regression targets of Eq. 5 (its `log(y*/h_a)` read as `log(h*/h_a)`).

    Args:
      anchors: [..., 4] centre form, positive sizes.
      boxes: [..., 4] centre form, positive sizes, broadcast against the anchors.

    Returns:
      [..., 4]: (dx / w_a, dy / h_a, log(w / w_a), log(h / h_a)), no unit.
    """
    shift = (boxes[..., :2] - anchors[..., :2]) / anchors[..., 2:]
    return jnp.concatenate([shift, jnp.log(boxes[..., 2:] / anchors[..., 2:])], axis=-1)


def decode(anchors: chex.Array, deltas: chex.Array, max_log_size: float = 4.0) -> chex.Array:
    """Anchor refinement of Eq. 6 (its `x_a = x_a + ...` read as `x_a^{l-1} + w_a^{l-1} t_x`): inverse of `encode`.

    Args:
      anchors: [..., 4] centre form.
      deltas: [..., 4] as `encode` makes them.
      max_log_size: bound on the log-size deltas, so that `exp` stays finite for any network output.

    Returns:
      [..., 4] centre form, the anchors' pixel frame.
    """
    centre = anchors[..., :2] + anchors[..., 2:] * deltas[..., :2]
    size = anchors[..., 2:] * jnp.exp(jnp.clip(deltas[..., 2:], -max_log_size, max_log_size))
    return jnp.concatenate([centre, size], axis=-1)
