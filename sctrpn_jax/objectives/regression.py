"""Regression losses on the box deltas of the positives: smooth L1, L1, generalised IoU."""

import typing

import chex
import jax.numpy as jnp

from sctrpn_jax import config
from sctrpn_jax.geometry import boxes

NAMES = typing.get_args(config.Regression)


def smooth_l1(difference: chex.Array) -> chex.Array:
    """Smooth L1, R of Eq. 1: 0.5 d^2 where |d| < 1, |d| - 0.5 elsewhere (Fast R-CNN).

    Args:
      difference: [...] predicted minus wanted.

    Returns:
      [...], not negative; the gradient lies in -1..1.
    """
    size = jnp.abs(difference)
    near = jnp.minimum(size, 1.0)
    return near * (size - near / 2)


def giou(deltas: chex.Array, targets: chex.Array) -> chex.Array:
    """1 - generalised IoU of the predicted and the wanted box (Rezatofighi et al., CVPR 2019, Alg. 1).

    Both are decoded on a unit anchor: overlaps do not change when both axes are scaled, so the anchor itself is not
    needed.

    Args:
      deltas: [..., 4] predicted, as `boxes.encode` makes them.
      targets: [..., 4].

    Returns:
      [...] in 0..2.
    """
    unit = jnp.array([0.0, 0.0, 1.0, 1.0])
    unit = jnp.broadcast_to(unit.reshape((1,) * (deltas.ndim - 1) + (4,)), deltas.shape)
    predicted, wanted = boxes.decode(unit, deltas), boxes.decode(unit, targets)
    overlap = boxes.iou(predicted, wanted)
    a, b = boxes.cxcywh_to_corners(predicted), boxes.cxcywh_to_corners(wanted)
    hull = jnp.prod(jnp.maximum(a[..., 2:], b[..., 2:]) - jnp.minimum(a[..., :2], b[..., :2]), axis=-1)
    union = (jnp.prod(predicted[..., 2:], axis=-1) + jnp.prod(wanted[..., 2:], axis=-1)) / (1 + overlap)
    return 1 - overlap + (hull - union) / hull


def regression_loss(deltas: chex.Array, targets: chex.Array, labels: chex.Array, name: str = 'smooth_l1') -> chex.Array:
    """p* L_loc(t, t*) of Eq. 4, for positives only.

    Args:
      deltas: [..., 4] predicted, as `boxes.encode` makes them.
      targets: [..., 4].
      labels: [...] 1 positive; 0 anywhere else in the result, with no gradient.
      name: `smooth_l1` (the paper's) or `l1`, each summed over the four coordinates, or `giou`.

    Returns:
      [...].

    Raises:
      ValueError: an unknown name.
    """
    if name not in NAMES:
        raise ValueError(f'regression loss: got {name!r}, accepted are {", ".join(NAMES)}')
    chex.assert_equal_shape([deltas, targets])
    chex.assert_shape(deltas, (*labels.shape, 4))
    # Chosen before the difference: what stands at the other anchors, even inf, must not reach the gradient.
    positive = (labels == 1)[..., None]
    deltas, targets = jnp.where(positive, deltas, 0.0), jnp.where(positive, targets, 0.0)
    if name == 'giou':
        return jnp.where(positive[..., 0], giou(deltas, targets), 0.0)
    return (smooth_l1(deltas - targets) if name == 'smooth_l1' else jnp.abs(deltas - targets)).sum(-1)
