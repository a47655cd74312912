"""What one stage hands to the next (Sec. 3.1.2): refined anchors (Eq. 6) and the filter by theta, as a mask."""

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax.geometry import boxes

# Bound on the log-size deltas before `exp`, so that any output stays finite: an anchor grows or shrinks by a factor of
# 4.5 at most in one stage, more than any target does.
MAX_LOG_SIZE = 1.5


def refine_anchors(anchors: chex.Array, deltas: chex.Array) -> chex.Array:
    """Anchors of the next stage, Eq. 6; no gradient flows through them.

    Args:
      anchors: [B, N, 4] centre form, search-crop pixels.
      deltas: [B, N, 4] regression output of the stage.

    Returns:
      [B, N, 4] centre form, search-crop pixels.
    """
    decode = jax.vmap(lambda a, d: boxes.decode(a, d, MAX_LOG_SIZE))
    return jax.lax.stop_gradient(decode(anchors, deltas))


# So many of the best anchors always stay: no image is without proposals.
MIN_KEEP = 16


def filter_anchors(mask: chex.Array, logits: chex.Array, theta: float, min_keep: int = MIN_KEEP) -> chex.Array:
    """Drops anchors that the stage is sure are background (C-RPN's reading of the threshold theta).

    Args:
      mask: [B, N] bool, anchors still in play.
      logits: [B, N] of the target probability p.
      theta: an anchor goes when its negative confidence 1 - p exceeds theta.
      min_keep: this many of the best stay, whatever their score.

    Returns:
      [B, N] bool, a subset of mask with at least min(min_keep, mask.sum()) anchors.
    """

    def one(mask, logits):
        keep = mask & (jax.nn.sigmoid(-logits) <= theta)
        _, best = jax.lax.top_k(jnp.where(mask, logits, -jnp.inf), min(min_keep, logits.shape[0]))
        among = (best[:, None] == jnp.arange(logits.shape[0])[None]).any(0)  # no scatter: jax2onnx has none for it
        return keep | (among & mask)

    return jax.vmap(one)(mask, jax.lax.stop_gradient(logits))
