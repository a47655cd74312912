"""Regression loss: smooth L1 on the box deltas of the positives."""

import chex
import jax.numpy as jnp


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


def regression_loss(deltas: chex.Array, targets: chex.Array, labels: chex.Array) -> chex.Array:
    """p* L_loc(t, t*) of Eq. 4: smooth L1 summed over the four coordinates, for positives only.

    Args:
      deltas: [..., 4] predicted, as `boxes.encode` makes them.
      targets: [..., 4].
      labels: [...] 1 positive; 0 anywhere else in the result, with no gradient.

    Returns:
      [...].
    """
    chex.assert_equal_shape([deltas, targets])
    chex.assert_shape(deltas, (*labels.shape, 4))
    # Chosen before the difference: what stands at the other anchors, even inf, must not reach the gradient.
    positive = (labels == 1)[..., None]
    return smooth_l1(jnp.where(positive, deltas, 0.0) - jnp.where(positive, targets, 0.0)).sum(-1)
