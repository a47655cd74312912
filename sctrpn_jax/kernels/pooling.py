"""The max-pool of AlexNet."""

import chex
import jax
import jax.numpy as jnp


def max_pool(features: chex.Array) -> chex.Array:
    """3x3 maximum with stride 2, no padding, one axis after the other.

    Maxima of strided slices: on a CPU several times faster than a window reduction, forward and backward.

    Args:
      features: [B, H, W, C].

    Returns:
      [B, (H - 3) // 2 + 1, (W - 3) // 2 + 1, C].
    """
    for axis in (1, 2):
        last = 2 * ((features.shape[axis] - 3) // 2) + 1
        first, second, third = (
            jax.lax.slice_in_dim(features, start, start + last, stride=2, axis=axis) for start in range(3)
        )
        features = jnp.maximum(jnp.maximum(first, second), third)
    return features
