"""Spatial transformer (Sec. 3.2): a localisation net, an affine grid with bounded motion, and its inverse.

Points are (x, y) in cells of the map they index, (0, 0) the centre of the first cell.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from sctrpn_jax.geometry import sampling


def mean_pool_matrix(size: int, bins: int) -> np.ndarray:
    """[bins, size] weights of an adaptive mean pool: bin i covers size / bins cells, rounded outwards."""
    matrix = np.zeros((bins, size), np.float32)
    for i in range(bins):
        start, stop = i * size // bins, -(-(i + 1) * size // bins)
        matrix[i, start:stop] = 1 / (stop - start)
    return matrix


def cell_grid(size: int) -> np.ndarray:
    """[size, size, 2] float32: the (x, y) index of each cell."""
    rows, columns = np.meshgrid(np.arange(size), np.arange(size), indexing='ij')
    return np.stack([columns, rows], axis=-1).astype(np.float32)


def warp_points(motion: chex.Array, points: chex.Array, centre: float) -> chex.Array:
    """Affine grid generator: R(angle) diag(scale) (p - centre) + centre + shift.

    Args:
      motion: [5] (angle in radians, scale x, scale y, shift x, shift y in cells).
      points: [..., 2] cells.
      centre: the fixed point's coordinate, cells, the same for x and y.

    Returns:
      [..., 2] cells: where the warped map's cells are read.
    """
    cos, sin = jnp.cos(motion[0]), jnp.sin(motion[0])
    x, y = (points[..., 0] - centre) * motion[1], (points[..., 1] - centre) * motion[2]
    return (
        jnp.stack([cos * x - sin * y, sin * x + cos * y], axis=-1)
        + centre
        + motion[3:].reshape((1,) * (points.ndim - 1) + (2,))
    )


def identity_motion(batch: int) -> chex.Array:
    """[batch, 5] motions that move nothing."""
    return jnp.tile(jnp.asarray([[0.0, 1.0, 1.0, 0.0, 0.0]]), (batch, 1))


class LocalisationNet(nn.Module):
    """Predicts a bounded affine motion from a feature map of any size; the identity before training.

    Attributes:
      max_angle: degrees; the paper keeps rotation within 10.
      max_scale: scales stay within 1 - max_scale .. 1 + max_scale.
      max_shift: cells.
      channels: width of the two convolutions.
    """

    max_angle: float = 10.0
    max_scale: float = 0.1
    max_shift: float = 1.0
    channels: int = 32

    @nn.compact
    def __call__(self, features: chex.Array) -> chex.Array:
        """[B, n, n, C] features to [B, 5] motions as `warp_points` takes them."""
        x = nn.relu(nn.Conv(self.channels, (3, 3), strides=2)(features))
        x = nn.relu(nn.Conv(self.channels, (3, 3))(x))
        # Pooled to 3x3 whatever the input, so that 6x6 templates and 22x22 searches share the dense layer.
        rows, columns = (mean_pool_matrix(size, 3) for size in x.shape[1:3])
        x = jnp.einsum('pi,qj,bijc->bpqc', rows, columns, x)
        x = jnp.tanh(nn.Dense(5, kernel_init=nn.initializers.zeros)(x.reshape(x.shape[0], -1)))
        limits = np.asarray([np.deg2rad(self.max_angle), *[self.max_scale] * 2, *[self.max_shift] * 2], np.float32)
        return identity_motion(x.shape[0]) + x * limits[None]


def sample_maps(features: chex.Array, points: chex.Array) -> chex.Array:
    """Bilinear sampler over a batch, edge value outside: [B, n, n, C] at [B, m, m, 2] cells -> [B, m, m, C]."""
    return jax.vmap(lambda f, p: sampling.grid_sample(f, p, border='edge'))(features, points)
