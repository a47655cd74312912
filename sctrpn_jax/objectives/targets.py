"""Labels and regression targets of one stage: its own (refined) anchors against the ground truth, then a sample."""

from typing import NamedTuple

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax.geometry import boxes

MAX_POSITIVES = 16  # of the anchors that have a loss in one image (SiamRPN)


class Targets(NamedTuple):
    """What one image asks of one stage.

    Attributes:
      labels: [N] int32: 1 positive, 0 negative, -1 not in the loss.
      regression: [N, 4] float32, `boxes.encode`'s deltas at the positives, 0 elsewhere.
      positives: [] int32, positives available before sampling.
      negatives: [] int32, negatives available before sampling.
    """

    labels: chex.Array
    regression: chex.Array
    positives: chex.Array
    negatives: chex.Array


def draw(available: chex.Array, quota: chex.Array, limit: int, noise: chex.Array) -> chex.Array:
    """At most `quota` members of a set, every subset of that size equally likely.

    Args:
      available: [N] bool, the set.
      quota: [] int, how many to draw; not above `limit`.
      limit: static bound of the quota.
      noise: [N] independent uniform numbers in 0..1.

    Returns:
      [N] bool.
    """
    limit = min(limit, available.shape[0])
    values, index = jax.lax.top_k(jnp.where(available, noise, -1.0), limit)
    taken = (values >= 0) & (jnp.arange(limit) < quota)
    return jnp.zeros_like(available).at[index].set(taken, unique_indices=True)


def assign(
    anchors: chex.Array,
    mask: chex.Array,
    box: chex.Array,
    positive: chex.Array,
    key: chex.PRNGKey,
    *,
    positive_iou: float | chex.Array,
    negative_iou: float,
    best_anchor: bool = True,
    max_samples: int,
    max_positives: int = MAX_POSITIVES,
    by_place: bool | chex.Array = False,
) -> Targets:
    """Labels, regression targets and counts of one image at one stage (Sec. 3.1.1, Eq. 5); `jax.vmap` makes a batch.

    Positives have an IoU with the box above `positive_iou`, negatives one below `negative_iou`. Of these at most
    `max_positives` positives are drawn, and negatives up to `max_samples` in all. A negative pair draws
    `max_samples - max_positives` negatives, wherever they lie.

    Args:
      anchors: [N, 4] centre form, crop pixels: the refined anchors of this stage. No gradient flows through them.
      mask: [N] bool, anchors still alive; the others are ignored.
      box: [4] centre form, crop pixels: the ground truth.
      positive: [] bool; False is a negative pair: every anchor alive is a negative.
      key: draws the sample.
      positive_iou: 0.7 in the paper.
      negative_iou: 0.3 in the paper.
      best_anchor: where no anchor passes `positive_iou`, the best one that overlaps the box is the positive.
      max_samples: 64 in the paper (Sec. 4.2).
      max_positives: 16 in SiamRPN.
      by_place: overlaps are those of boxes of the target's size at the anchors' places. By their own size, anchors that
        have one size find few positives where the target has another, and sizes are hardly learned.

    Returns:
      Targets.

    Raises:
      ValueError: max_positives outside 0..max_samples, or negative_iou above positive_iou.
    """
    if not 0 <= max_positives <= max_samples:
        raise ValueError(f'max_positives must be within 0..max_samples={max_samples}, got {max_positives}')
    if isinstance(positive_iou, float) and negative_iou > positive_iou:
        raise ValueError(f'negative_iou must not exceed positive_iou={positive_iou}, got {negative_iou}')
    chex.assert_shape([anchors, mask, box], [(None, 4), (anchors.shape[0],), (4,)])
    anchors = jax.lax.stop_gradient(anchors)

    sizes = jnp.where(by_place, box[2:], anchors[:, 2:])
    compared = jnp.concatenate([anchors[:, :2], sizes], axis=-1)
    overlap = jnp.where(mask, boxes.iou(compared, box[None]), -1.0)
    is_positive = overlap > positive_iou
    if best_anchor:
        best = jnp.argmax(overlap)
        alone = ~is_positive.any() & (overlap[best] > 0)
        is_positive |= (jnp.arange(overlap.shape[0]) == best) & alone
    is_positive &= positive
    is_negative = mask & ~is_positive & ((overlap < negative_iou) | jnp.logical_not(positive))

    positives = is_positive.sum(dtype=jnp.int32)
    quota = jnp.where(positive, max_samples - jnp.minimum(positives, max_positives), max_samples - max_positives)
    noise = jax.random.uniform(key, overlap.shape)
    drawn_positive = draw(is_positive, max_positives, max_positives, noise)
    drawn_negative = draw(is_negative, quota, max_samples, noise)
    labels = jnp.where(drawn_positive, 1, jnp.where(drawn_negative, 0, -1)).astype(jnp.int32)

    # Unit boxes elsewhere, so that no degenerate anchor or box reaches a division or a logarithm.
    chosen = drawn_positive[:, None]
    regression = boxes.encode(jnp.where(chosen, anchors, 1.0), jnp.where(chosen, box[None], 1.0))
    return Targets(labels, regression, positives, is_negative.sum(dtype=jnp.int32))
