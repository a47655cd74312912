"""Feature extraction model (Eq. 2, Sec. 3.2): carries stage l-1's features to stage l through an STN and fuses them.

Maps of conv3, conv4 and conv5 have the same stride and the same centre and differ by their borders only. The
`aligned` grid therefore matches cells by their place in the crop; `stretch` is the printed rescale.
"""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import stn


def centre_crop(features: chex.Array, size: int) -> chex.Array:
    """Inner size x size cells of [B, n, n, C]; n - size is even, since AlexNet's borders are symmetric."""
    border = (features.shape[1] - size) // 2
    return features[:, border : border + size, border : border + size]


def match_cells(points: chex.Array, from_size: int, to_size: int, grid: str) -> chex.Array:
    """Cell indices of one map as cell indices of another.

    Args:
      points: [..., 2] cells of a from_size x from_size map.
      from_size: cells along its side.
      to_size: cells along the other map's side.
      grid: `aligned` (same crop pixels) or `stretch` (same share of the side).

    Returns:
      [..., 2] cells of the other map, possibly outside it.
    """
    if grid == 'aligned':
        return points + (to_size - from_size) / 2
    return (points + 0.5) * (to_size / from_size) - 0.5


class FEM(nn.Module):
    """Fuses the previous stage's map with this stage's backbone map, on the grid all stages share.

    Attributes:
      channels: of the fused map.
      transform: `stn` or `resize` (no warp).
      grid: `aligned` or `stretch`, see `match_cells`.
      max_angle, max_scale, max_shift: see `stn.LocalisationNet`.
      dtype: of the fusion and of the fused map; motions are float32.
    """

    channels: int
    transform: str = 'stn'
    grid: str = 'aligned'
    max_angle: float = 10.0
    max_scale: float = 0.1
    max_shift: float = 1.0
    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, previous: chex.Array, current: chex.Array, warp: bool = True) -> tuple[chex.Array, chex.Array]:
        """Phi_l = ReLU(W_1 STN(Phi_{l-1}) + W_2 phi_l), back on Phi_{l-1}'s grid.

        Args:
          previous: [B, n, n, C'] Phi_{l-1}; n is the common resolution (22 for a search crop of 255, 6 for 127).
          current: [B, m, m, C''] phi_l, m >= n.
          warp: whether the STN acts on this branch (`fem.stn_on`).

        Returns:
          [B, n, n, channels] Phi_l and the [B, 5] motions used.
        """
        size, batch = previous.shape[1], previous.shape[0]
        motion = stn.identity_motion(batch)
        warp = warp and self.transform == 'stn'
        if warp:
            motion = stn.LocalisationNet(self.max_angle, self.max_scale, self.max_shift)(previous.astype(jnp.float32))
        if self.grid == 'aligned':
            # Only these cells survive the last rescale, and all between is per cell: the same result for less work.
            current = centre_crop(current, size)
        cells = current.shape[1]
        centre = (size - 1) / 2
        if warp or cells != size:
            points = match_cells(stn.cell_grid(cells), cells, size, self.grid)
            points = jax.vmap(lambda m: stn.warp_points(m, jnp.asarray(points), centre))(motion)
            previous = stn.sample_maps(previous, points)
        moved = convolution.Conv(self.channels, 1, dtype=self.dtype, name='previous')(previous)
        added = convolution.Conv(self.channels, 1, dtype=self.dtype, use_bias=False, name='current')(current)
        fused = nn.relu(moved + added)
        if cells != size:
            points = jnp.tile(jnp.asarray(stn.cell_grid(size))[None], (batch, 1, 1, 1))
            fused = stn.sample_maps(fused, match_cells(points, size, cells, self.grid))
        return fused, motion
