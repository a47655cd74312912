"""Convolution without padding."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sctrpn_jax.kernels import winograd


def on_cpu() -> bool:
    """Whether programs are made for a CPU."""
    return jax.default_backend() == 'cpu'


def convolve(x: chex.Array, kernel: chex.Array, stride: int = 1) -> chex.Array:
    """Cross-correlation without padding, XLA's own.

    On a CPU it is fast, forward and backward, where XLA runs it with Eigen (`xla_flags.py`).

    Args:
      x: [B, H, W, C].
      kernel: [k, k, C, D].
      stride: of both axes.

    Returns:
      [B, (H - k) // stride + 1, (W - k) // stride + 1, D].
    """
    if kernel.shape[:2] == (1, 1) and stride == 1:
        return x @ kernel[0, 0]  # so that its gradients are products too
    strides = (stride, stride)
    return jax.lax.conv_general_dilated(x, kernel, strides, 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


class Conv(nn.Module):
    """Convolution without padding; groups are separate convolutions (XLA's grouped ones are several times slower).

    Where the variables have a `winograd` collection (`prepare`), its transformed kernel is used.

    Attributes:
      width: output channels.
      kernel_size: side of the square kernel.
      stride: of both axes.
      groups: towers; each sees its share of the input channels.
      dtype: of the products and the result; parameters stay float32.
      use_bias: whether a bias is added.
      kernel_init: the kernel's first values.
    """

    width: int
    kernel_size: int
    stride: int = 1
    groups: int = 1
    dtype: jnp.dtype = jnp.float32
    use_bias: bool = True
    kernel_init: nn.initializers.Initializer = nn.initializers.lecun_normal()

    @nn.compact
    def __call__(self, x: chex.Array) -> chex.Array:
        """[B, H, W, C] to [B, (H - k) // stride + 1, (W - k) // stride + 1, width]."""
        shape = (self.kernel_size, self.kernel_size, x.shape[-1] // self.groups, self.width)
        kernel = self.param('kernel', self.kernel_init, shape)
        parts = jnp.split(x.astype(self.dtype), self.groups, axis=-1)
        if self.has_variable('winograd', 'group0'):
            kernels: list[chex.Array] = [self.get_variable('winograd', f'group{i}') for i in range(self.groups)]
            outputs = [winograd.convolve(part, k, self.kernel_size) for part, k in zip(parts, kernels, strict=True)]
        else:
            kernels = jnp.split(kernel.astype(self.dtype), self.groups, axis=-1)
            outputs = [convolve(part, k, self.stride) for part, k in zip(parts, kernels, strict=True)]
        x = jnp.concatenate(outputs, axis=-1) if self.groups > 1 else outputs[0]
        if self.use_bias:
            bias = self.param('bias', nn.initializers.zeros_init(), (self.width,))
            x = x + bias.astype(self.dtype).reshape(1, 1, 1, -1)
        return x
