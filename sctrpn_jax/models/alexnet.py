"""AlexNet's five convolution layers without padding, total stride 8: the backbone (Sec. 4.2)."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sctrpn_jax.geometry import grid
from sctrpn_jax.kernels import convolution, local_response_norm, pooling

# RGB, subtracted from 0..255: of the ImageNet weights that the networks start from. Weights made for another input are
# changed when they are read (`weights/backbone.py`), so that one input serves all.
MEAN = (122.226, 116.209, 103.565)


class AlexNet(nn.Module):
    """conv1..conv5 with ReLU; 3x3/2 max-pools after conv1 and conv2.

    Parameters are `conv1` .. `conv5`, each with `kernel` [k, k, in / groups, out] and `bias` [out]; with
    `norm='batch'` also `norm1` .. `norm5`.

    Attributes:
      widths: output channels of conv1..conv5.
      groups: towers of conv1..conv5; must divide the channels in and out.
      norm: `lrn` (after the pools of conv1 and conv2, as the ImageNet weights were trained), `batch` (each
        convolution, before the ReLU) or `none`.
      layers: which of 3, 4, 5 to return; nothing beyond the deepest is computed.
      dtype: of the convolutions and of the maps returned; norms are computed in float32.
    """

    widths: tuple[int, ...] = (96, 256, 384, 384, 256)
    groups: tuple[int, ...] = (1, 2, 1, 2, 2)
    norm: str = 'lrn'
    layers: tuple[int, ...] = grid.LAYERS
    dtype: jnp.dtype = jnp.float32

    def setup(self) -> None:
        """Makes the layers, `conv1` to the deepest."""
        self._check_settings()
        for number in range(1, max(self.layers) + 1):
            i = number - 1
            conv = convolution.Conv(
                self.widths[i],
                grid.KERNELS[i],
                grid.STRIDES[i],
                self.groups[i],
                self.dtype,
                True,
                nn.initializers.he_normal(),
            )
            setattr(self, f'conv{number}', conv)
            if self.norm == 'batch':
                setattr(self, f'norm{number}', nn.BatchNorm(momentum=0.9))

    def __call__(self, images: chex.Array, train: bool = False, first_trained: int = 1) -> dict[int, chex.Array]:
        """Feature maps of the layers asked for.

        Args:
          images: [B, H, W, 3] float or uint8, RGB, 0..255.
          train: batch norms of the trained layers use the batch's statistics and update the running ones.
          first_trained: the first layer that gradients reach, 1..5; above: none.

        Returns:
          Layer number to [B, h, w, C] after the ReLU, h and w as `grid.feature_size` gives them.

        Raises:
          ValueError: a setting of the wrong length or value; an image too small.
        """
        if images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(f'images: got shape {images.shape}, accepted is [B, H, W, 3]')
        for layer in self.layers:
            grid.feature_size(layer, min(images.shape[1:3]))
        x = images.astype(jnp.float32) - jnp.asarray(MEAN, jnp.float32).reshape(1, 1, 1, 3)
        deepest = max(self.layers)
        rest = min(first_trained - 1, deepest)
        features: dict[int, chex.Array] = {}
        for number in range(1, deepest + 1):
            x = self._layer(number, x, train and number > rest)
            if number <= rest:
                x = jax.lax.stop_gradient(x)
            features[number] = x
        # For `tracking/correlation_filter.py`; nothing is kept or computed for it unless the caller asks.
        self.sow('intermediates', 'first', features[1])
        return {number: features[number] for number in sorted(set(self.layers))}

    def _layer(self, number: int, x: chex.Array, train: bool) -> chex.Array:
        x = getattr(self, f'conv{number}')(x)
        if self.norm == 'batch':
            norm = getattr(self, f'norm{number}')
            x = norm(x.astype(jnp.float32), use_running_average=not train).astype(self.dtype)
        if number in grid.POOLED:
            x = pooling.max_pool(x)  # before the ReLU: the two commute, and a quarter of the values is left
        x = nn.relu(x)
        if number in grid.POOLED and self.norm == 'lrn':
            x = local_response_norm.local_response_norm(x.astype(jnp.float32)).astype(self.dtype)
        return x

    def _check_settings(self) -> None:
        if self.norm not in ('lrn', 'batch', 'none'):
            raise ValueError(f'norm: got {self.norm!r}, accepted are lrn, batch, none')
        for name, length in (('widths', 5), ('groups', 5)):
            if len(getattr(self, name)) != length:
                raise ValueError(f'{name}: got {len(getattr(self, name))} values, accepted are {length}')
        if not self.layers:
            raise ValueError('layers: got none, accepted are 3, 4, 5')
        channels = 3
        for i, (width, groups) in enumerate(zip(self.widths, self.groups, strict=True)):
            if groups < 1 or channels % groups or width % groups:
                raise ValueError(
                    f'groups: conv{i + 1} has {groups} for {channels} channels in and {width} out; it must divide both'
                )
            channels = width
