"""Convolution without padding, in the form that the machine at hand runs fastest."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp

from sctrpn_jax.kernels import winograd


def on_cpu() -> bool:
    """Whether programs are made for a CPU."""
    return jax.default_backend() == 'cpu'


def convolve(x: chex.Array, kernel: chex.Array, stride: int = 1) -> chex.Array:
    """Cross-correlation without padding.

    Stride 2 becomes stride 1 on 2x2 blocks of pixels: the same sums, but XLA's CPU code for a strided kernel on three
    channels is several times slower at some widths (24 and 32 output channels).

    Args:
      x: [B, H, W, C].
      kernel: [k, k, C, D], odd k if the stride is 2.
      stride: 1 or 2.

    Returns:
      [B, (H - k) // stride + 1, (W - k) // stride + 1, D].
    """
    if stride == 2:
        blocks = _space_to_depth(jnp.moveaxis(kernel, -1, 0))
        return convolve(_space_to_depth(x), jnp.moveaxis(blocks, 0, -1))
    # The rows of the kernel are copied: worth it where the map is the larger.
    if on_cpu() and x.size > kernel.size:
        return row_products(x, kernel)
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), 'VALID', dimension_numbers=('NHWC', 'HWIO', 'NHWC'))


def row_products(x: chex.Array, kernel: chex.Array) -> chex.Array:
    """The same as one matrix product for each row of the kernel.

    The columns under a kernel lie side by side, its rows are views. On a CPU this is up to 1.4 times as fast as XLA's
    convolution at one image, and its gradients, products as well, twice as fast.

    Args:
      x: [B, H, W, C].
      kernel: [k, l, C, D].

    Returns:
      [B, H - k + 1, W - l + 1, D].
    """
    rows, columns, channels, width = kernel.shape
    batch, high, wide = x.shape[0], x.shape[1] - rows + 1, x.shape[2] - columns + 1
    if columns > 1:
        # The barriers have what made x computed once, not once per column, and the copies made once, not once per row.
        x = jax.lax.optimization_barrier(x)
        x = jax.lax.optimization_barrier(jnp.concatenate([x[:, :, j : j + wide] for j in range(columns)], axis=-1))
    total: chex.Array | float = 0.0
    for i in range(rows):
        part = x[:, i : i + high].reshape(batch * high * wide, columns * channels)
        total = total + part @ kernel[i].reshape(columns * channels, width)
    return jnp.reshape(total, (batch, high, wide, width))


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


def _space_to_depth(x: chex.Array) -> chex.Array:
    """[..., H, W, C] to [..., ceil(H / 2), ceil(W / 2), 4 C]: 2x2 blocks' pixels side by side, zeros past the end."""
    *lead, height, width, channels = x.shape
    x = jnp.pad(x, [(0, 0)] * len(lead) + [(0, height % 2), (0, width % 2), (0, 0)])
    x = x.reshape(*lead, (height + 1) // 2, 2, (width + 1) // 2, 2, channels)
    return jnp.swapaxes(x, -4, -3).reshape(*lead, (height + 1) // 2, (width + 1) // 2, 4 * channels)
