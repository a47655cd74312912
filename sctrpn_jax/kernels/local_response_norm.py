"""Local response normalisation, as AlexNet's ImageNet weights were trained with it."""

import chex
import jax
import jax.numpy as jnp

KAPPA, ALPHA = 2.0, 1e-4  # of the ImageNet weights' own network


def local_response_norm(features: chex.Array, kappa: float = KAPPA, alpha: float = ALPHA) -> chex.Array:
    """Normalisation across five neighbouring channels: x / (kappa + alpha * sum of squares)^0.75.

    Args:
      features: [..., C]; channels outside 0..C-1 count as 0.
      kappa: keeps the denominator away from 0.
      alpha: multiplies the sum, as in MatConvNet and Theano; Caffe and PyTorch divide theirs by 5 first.

    Returns:
      [..., C].
    """
    window = (1,) * (features.ndim - 1) + (5,)
    total = jax.lax.reduce_window(jnp.square(features), 0.0, jax.lax.add, window, (1,) * features.ndim, 'SAME')
    # y^-0.75 from two square roots: a general power costs ten times as much.
    root = jax.lax.rsqrt(kappa + alpha * total)
    return features * root * jnp.sqrt(root)
