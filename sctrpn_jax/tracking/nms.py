"""Greedy non-maximum suppression of a fixed number of boxes, compiled."""

import chex
import jax.numpy as jnp
from jax import lax

from sctrpn_jax.geometry import boxes as box_forms


def nms(boxes: chex.Array, scores: chex.Array, valid: chex.Array, iou_threshold: chex.Numeric) -> chex.Array:
    """Greedy non-maximum suppression.

    A box stays if no better box that stays overlaps it. Starting from "all stay" this rule is applied to all boxes at
    once until nothing changes: round n settles the n-th best box, so the result is the greedy one exactly, usually
    after a few rounds and without a sort.

    Args:
      boxes: [K, 4] centre form, any one pixel frame.
      scores: [K]; of equal scores the lower index is better.
      valid: [K] bool; an invalid box neither stays nor suppresses.
      iou_threshold: [] 0..1; a box goes where the overlap is strictly above.

    Returns:
      [K] bool, the boxes that stay.
    """
    chex.assert_shape(boxes, (None, 4))
    chex.assert_shape([scores, valid], (boxes.shape[0],))
    index = jnp.arange(boxes.shape[0])
    higher, equal = scores[None, :] > scores[:, None], scores[None, :] == scores[:, None]
    better = higher | (equal & (index[None, :] < index[:, None]))
    overlaps = box_forms.iou(boxes[:, None, :], boxes[None, :, :]) > iou_threshold
    suppresses = better & overlaps & valid[None, :] & valid[:, None]  # [box, the one that would drop it]

    def apply_rule(state):
        keep, _ = state
        return valid & ~jnp.any(suppresses & keep[None, :], axis=-1), keep

    keep, _ = lax.while_loop(lambda state: jnp.any(state[0] != state[1]), apply_rule, apply_rule((valid, valid)))
    return keep
