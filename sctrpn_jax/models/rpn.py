"""Classification and regression branches of one stage (Eq. 3), conditioned on the template by correlation."""

import functools

import chex
import flax.linen as nn
import jax.numpy as jnp

from sctrpn_jax.kernels import convolution
from sctrpn_jax.models import correlation


class Norm(nn.Module):
    """Batch normalisation, computed in float32."""

    dtype: jnp.dtype = jnp.float32

    @nn.compact
    def __call__(self, x: chex.Array, train: bool) -> chex.Array:
        """[B, H, W, C] to the same shape."""
        norm = nn.BatchNorm(use_running_average=not train, momentum=0.95)
        return norm(x.astype(jnp.float32)).astype(self.dtype)


class Branch(nn.Module):
    """One branch: 3x3 convolutions on both inputs, correlation, two 1x1 convolutions.

    Attributes:
      channels: width.
      outputs: maps it makes (anchors per cell, times 4 for regression).
      form: `depthwise`, `upchannel` or `none` (the template is not used: Eq. 3 as printed).
      dtype: of all but the last convolution; sums over the template's cells and the outputs are float32.
    """

    channels: int
    outputs: int
    form: str
    dtype: jnp.dtype = jnp.float32

    def setup(self) -> None:
        """Makes the layers."""
        conv = functools.partial(convolution.Conv, use_bias=False, dtype=self.dtype)
        self.search_conv = conv(self.channels, 3)
        self.search_norm = Norm(self.dtype)
        if self.form != 'none':
            kernels = self.outputs if self.form == 'upchannel' else 1
            self.template_conv = conv(self.channels * kernels, 3)
            self.template_norm = Norm(self.dtype)
        if self.form == 'none':
            # Stands where the correlation would, so that all three forms give the same map size.
            self.window_conv = conv(self.channels, 4)
        if self.form != 'upchannel':
            self.hidden_norm = Norm(self.dtype)
            self.hidden_conv = conv(self.channels, 1)
        # Small, so that training starts from anchors that do not move and scores that say nothing.
        self.out_conv = convolution.Conv(self.outputs, 1, kernel_init=nn.initializers.normal(1e-3))

    def template(self, features: chex.Array, train: bool) -> chex.Array:
        """[B, 6, 6, C] fused template features to the [B, 4, 4, C'] that the search is correlated with."""
        if self.form == 'none':
            return jnp.zeros((features.shape[0], 0))
        x = self.template_norm(self.template_conv(features), train)
        return x if self.form == 'upchannel' else nn.relu(x)

    def search(self, template: chex.Array, features: chex.Array, train: bool) -> chex.Array:
        """[B, n, n, C] fused search features and `template`'s result to [B, n-5, n-5, outputs]."""
        x = nn.relu(self.search_norm(self.search_conv(features), train))
        if self.form == 'upchannel':
            return self.out_conv(correlation.upchannel(template, x, self.outputs))
        x = self.window_conv(x) if self.form == 'none' else correlation.depthwise(template, x)
        return self.out_conv(nn.relu(self.hidden_norm(self.hidden_conv(x), train)).astype(jnp.float32))


class RPN(nn.Module):
    """One stage: scores and box deltas of every anchor.

    Attributes:
      channels, form, dtype: see `Branch`.
      anchors: anchors per cell, K.
    """

    channels: int
    anchors: int
    form: str = 'depthwise'
    dtype: jnp.dtype = jnp.float32

    def setup(self) -> None:
        """Makes the layers."""
        self.classification = Branch(self.channels, self.anchors, self.form, self.dtype)
        self.regression = Branch(self.channels, 4 * self.anchors, self.form, self.dtype)

    def template(self, fused: chex.Array, train: bool = False) -> dict[str, chex.Array]:
        """The stage's target model, made once per sequence.

        Args:
          fused: [B, 6, 6, C] Phi_l of the template crop.
          train: batch statistics instead of running ones.

        Returns:
          What `search` wants.
        """
        return {name: getattr(self, name).template(fused, train) for name in ('classification', 'regression')}

    def search(
        self, template: dict[str, chex.Array], fused: chex.Array, train: bool = False
    ) -> tuple[chex.Array, chex.Array]:
        """Scores and deltas.

        Args:
          template: what `template` gave.
          fused: [B, n, n, C] Phi_l of the search crop.
          train: batch statistics instead of running ones.

        Returns:
          Logits [B, N] of the target probability and deltas [B, N, 4], N = (n-5)^2 K in the anchors' order.
        """
        batch = fused.shape[0]
        scores = self.classification.search(template['classification'], fused, train)
        deltas = self.regression.search(template['regression'], fused, train)
        return scores.reshape(batch, -1), deltas.reshape(batch, -1, 4)
