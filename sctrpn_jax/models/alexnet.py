"""AlexNet's five convolution layers without padding, total stride 8: the backbone (Sec. 4.2)."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sctrpn_jax.kernels import convolution

# Of conv1..conv5; 3x3/2 max-pools follow conv1 and conv2.
_KERNELS = (11, 5, 3, 3, 3)
_STRIDES = (2, 1, 1, 1, 1)
_POOLED = (1, 2)
LAYERS = (3, 4, 5)
LRN = (2.0, 1e-4)  # kappa and alpha of the ImageNet weights' own network


def _windows(layer: int) -> list[tuple[int, int]]:
    """(kernel, stride) of every convolution and pool from the image to conv`layer`."""
    if layer not in LAYERS:
        raise ValueError(f'layer: got {layer}, accepted are {", ".join(map(str, LAYERS))}')
    windows = []
    for number in range(1, layer + 1):
        windows.append((_KERNELS[number - 1], _STRIDES[number - 1]))
        if number in _POOLED:
            windows.append((3, 2))
    return windows


def feature_size(layer: int, image_size: int) -> int:
    """Cells along a side of a layer's map: 26, 24, 22 of 255 and 10, 8, 6 of 127 for conv3, conv4, conv5.

    Args:
      layer: 3, 4 or 5.
      image_size: side of the crop, pixels.

    Raises:
      ValueError: another layer, or an image too small for one cell.
    """
    size = image_size
    for kernel, stride in _windows(layer):
        size = (size - kernel) // stride + 1
        if size < 1:
            raise ValueError(f'image_size: {image_size} pixels leave no cell at conv{layer}')
    return size


def cell_centres(layer: int, image_size: int) -> chex.Array:
    """Centre of each cell's receptive field along an axis: 8 i + 27.5, 35.5, 43.5 for conv3, conv4, conv5.

    Args:
      layer: 3, 4 or 5.
      image_size: side of the crop, pixels.

    Returns:
      [feature_size(layer, image_size)] float32, continuous crop pixels (pixel i covers [i, i + 1)).

    Raises:
      ValueError: as `feature_size`.
    """
    pitch, first = 1, 0.5
    for kernel, stride in _windows(layer):
        first += (kernel - 1) / 2 * pitch
        pitch *= stride
    return jnp.arange(feature_size(layer, image_size), dtype=jnp.float32) * pitch + first


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


def local_response_norm(features: chex.Array, kappa: float = LRN[0], alpha: float = LRN[1]) -> chex.Array:
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


class AlexNet(nn.Module):
    """conv1..conv5 with ReLU; 3x3/2 max-pools after conv1 and conv2.

    Parameters are `conv1` .. `conv5`, each with `kernel` [k, k, in / groups, out] and `bias` [out]; with
    `norm='batch'` also `norm1` .. `norm5`.

    Attributes:
      widths: output channels of conv1..conv5.
      groups: towers of conv1..conv5; must divide the channels in and out.
      norm: `lrn` (after the pools of conv1 and conv2, as the ImageNet weights were trained), `batch` (each
        convolution, before the ReLU) or `none`.
      mean: RGB, subtracted from the image.
      std: RGB, divides after the mean is taken off.
      layers: which of 3, 4, 5 to return; nothing beyond the deepest is computed.
      lrn: kappa and alpha of `local_response_norm`.
      dtype: of the convolutions and of the maps returned; norms are computed in float32.
    """

    widths: tuple[int, ...] = (96, 256, 384, 384, 256)
    groups: tuple[int, ...] = (1, 2, 1, 2, 2)
    norm: str = 'lrn'
    mean: tuple[float, ...] = (122.226, 116.209, 103.565)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    layers: tuple[int, ...] = LAYERS
    lrn: tuple[float, float] = LRN
    dtype: jnp.dtype = jnp.float32

    def setup(self) -> None:
        """Makes the layers, `conv1` to the deepest."""
        self._check_settings()
        for number in range(1, max(self.layers) + 1):
            i = number - 1
            conv = convolution.Conv(
                self.widths[i], _KERNELS[i], _STRIDES[i], self.groups[i], self.dtype, True, nn.initializers.he_normal()
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
          Layer number to [B, h, w, C] after the ReLU, h and w as `feature_size` gives them.

        Raises:
          ValueError: a setting of the wrong length or value; an image too small.
        """
        if images.ndim != 4 or images.shape[-1] != 3:
            raise ValueError(f'images: got shape {images.shape}, accepted is [B, H, W, 3]')
        for layer in self.layers:
            feature_size(layer, min(images.shape[1:3]))
        x = images.astype(jnp.float32) - jnp.asarray(self.mean, jnp.float32).reshape(1, 1, 1, 3)
        x = x / jnp.asarray(self.std, jnp.float32).reshape(1, 1, 1, 3)
        deepest = max(self.layers)
        rest = min(first_trained - 1, deepest)
        features = {}
        if rest:
            x, features = self._at_rest(x, rest)
        for number in range(rest + 1, deepest + 1):
            x = self._layer(number, x, train)
            features[number] = x
        return {number: features[number] for number in sorted(set(self.layers))}

    def _layer(self, number: int, x: chex.Array, train: bool) -> chex.Array:
        x = getattr(self, f'conv{number}')(x)
        if self.norm == 'batch':
            norm = getattr(self, f'norm{number}')
            x = norm(x.astype(jnp.float32), use_running_average=not train).astype(self.dtype)
        if number in _POOLED:
            x = max_pool(x)  # before the ReLU: the two commute, and a quarter of the values is left
        x = nn.relu(x)
        if number in _POOLED and self.norm == 'lrn':
            x = local_response_norm(x.astype(jnp.float32), *self.lrn).astype(self.dtype)
        return x

    def _at_rest(self, x: chex.Array, last: int) -> tuple[chex.Array, dict[int, chex.Array]]:
        """Layers 1..last without gradients: the map of the last one, and those of all that are asked for."""

        def run(module, _, x):
            features = {}
            for number in range(1, last + 1):
                x = module._layer(number, x, False)
                if number in module.layers:
                    features[number] = x
            return _, (x, features)

        if convolution.on_cpu() and x.shape[0] > 1 and not self.is_initializing():
            # One image after the other: its maps fit a CPU's cache, a batch's do not, and cost twice the time.
            each = nn.scan(run, variable_broadcast=True, split_rngs={'params': False})
            x, features = each(self, (), x[:, None])[1]
            x, features = jax.tree.map(lambda maps: maps[:, 0], (x, features))
        else:
            x, features = run(self, (), x)[1]
        return jax.lax.stop_gradient((x, features))

    def _check_settings(self) -> None:
        if self.norm not in ('lrn', 'batch', 'none'):
            raise ValueError(f'norm: got {self.norm!r}, accepted are lrn, batch, none')
        for name, length in (('widths', 5), ('groups', 5), ('mean', 3), ('std', 3)):
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
