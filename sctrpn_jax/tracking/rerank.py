"""Multi-cue re-ranking of proposals (Sec. 3.4, Eq. 11-13): arrays in, arrays out."""

from collections.abc import Sequence

import chex
import jax.numpy as jnp
from jax import lax


def shape_cue(rho: chex.Array, rho_target: chex.Array) -> chex.Array:
    """Eq. 11: exp(-|rho_i - rho_t|).

    Args:
      rho: [K] contours enclosed by each proposal (`contours.count_enclosed`).
      rho_target: [] contours enclosed by the target.

    Returns:
      [K] float32 in 0..1.
    """
    return jnp.exp(-jnp.abs(rho - rho_target).astype(jnp.float32))


def size_cue(sizes: chex.Array, target_size: chex.Array, unit: str = 'relative') -> chex.Array:
    """Eq. 12: exp(-|w_i - w_t|) exp(-|h_i - h_t|).

    Args:
      sizes: [K, 2] (w, h) of the proposals, pixels.
      target_size: [2] (w, h) of the target, the same pixels.
      unit: `relative` (differences over the target's width and height) or `pixels` (as printed: 20 pixels off
        scores 2e-9, and beyond about 100 the cue is 0 in float32).

    Returns:
      [K] in 0..1.

    Raises:
      ValueError: another unit.
    """
    chex.assert_shape(sizes, (None, 2))
    chex.assert_shape(target_size, (2,))
    if unit not in ('relative', 'pixels'):
        raise ValueError(f'unit: got {unit!r}, accepted are relative, pixels')
    difference = jnp.abs(sizes - target_size[None, :])
    if unit == 'relative':
        difference = difference / jnp.maximum(target_size, 1e-6)[None, :]
    return jnp.exp(-jnp.sum(difference, axis=-1))


def multi_cue(
    shape: chex.Array,
    color: chex.Array,
    size: chex.Array,
    exponents: Sequence[chex.Numeric] | chex.Array = (1.0, 1.0, 1.0),
    scores: chex.Array | None = None,
) -> chex.Array:
    """Eq. 13, the product of the cues, each with an exponent.

    Args:
      shape: [K] in 0..1, `shape_cue`.
      color: [K] mean of the colour map, `color.box_means`; below 0 counts as 0.
      size: [K] in 0..1, `size_cue`.
      exponents: [3] for shape, color, size, not negative: 1 is the printed form, 0 leaves a cue out.
      scores: [K] the proposals' own probabilities, multiplied in where given.

    Returns:
      [K], finite and not negative for finite cues and scores >= 0.
    """
    chex.assert_equal_shape([shape, color, size])
    # XLA's pow(0, 0) is 1, so a cue with exponent 0 never shows.
    values = shape ** exponents[0] * jnp.maximum(color, 0) ** exponents[1] * size ** exponents[2]
    return values if scores is None else values * scores


def rank(values: chex.Array, valid: chex.Array, keep: int) -> tuple[chex.Array, chex.Array]:
    """Proposals in descending order, the low ones dropped (fixed top-k).

    Args:
      values: [K]; NaN counts as not valid.
      valid: [K] bool.
      keep: number that stay, 1..K.

    Returns:
      [keep] int32 indices, best first, ties by index; invalid proposals last.
      [keep] bool, False where there were fewer valid proposals.

    Raises:
      ValueError: keep outside 1..K.
    """
    chex.assert_equal_shape([values, valid])
    if not 1 <= keep <= values.shape[0]:
        raise ValueError(f'keep: got {keep}, accepted is 1 to the number of proposals {values.shape[0]}')
    live = valid & (values > -jnp.inf)
    _, order = lax.top_k(jnp.where(live, values, -jnp.inf), keep)
    return order, live[order]
