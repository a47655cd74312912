"""The training objective: one stage's loss (Eq. 4; Eq. 1 with the log loss) and their sum over the stages (Eq. 7)."""

import typing
from collections.abc import Sequence

import chex
import jax.numpy as jnp

from sctrpn_jax import config
from sctrpn_jax.objectives.classification import classification_loss
from sctrpn_jax.objectives.regression import regression_loss

AVERAGES = typing.get_args(config.Average)


def stage_loss(
    logits: chex.Array,
    deltas: chex.Array,
    labels: chex.Array,
    regression_targets: chex.Array,
    *,
    name: str,
    xi: float = 1.0,
    average: str = 'anchors',
    regression: str = 'smooth_l1',
    **settings: float,
) -> tuple[chex.Array, dict[str, chex.Array]]:
    """Classification loss plus xi times the regression loss of one stage, Eq. 4.

    Args:
      logits: [B, N] logits of the target probability.
      deltas: [B, N, 4] predicted box deltas.
      labels: [B, N] 1 positive, 0 negative, -1 not in the loss.
      regression_targets: [B, N, 4], read at the positives.
      name: classification loss, one of `classification.NAMES`.
      xi: weight of the regression loss (lambda of Eq. 1).
      average: `sum`: the plain sums of Eq. 4; `anchors`: each term divided by its own count over the batch, at least 1,
        sampled anchors for the classification and positives for the regression (Eq. 1, Sec. 4.5); `pairs`: the
        classification as in `anchors`, the regression averaged over each pair's positives first and then over the pairs
        that have some, so that a pair with few positives counts as much as one with many.
      regression: regression loss, one of `regression.NAMES`.
      **settings: keyword arguments of `classification_loss`.

    Returns:
      [] total, and {'classification': [], 'regression': []} before xi; float32, finite for finite input.

    Raises:
      ValueError: an unknown name.
    """
    if average not in AVERAGES:
        raise ValueError(f'average: got {average!r}, accepted are {", ".join(AVERAGES)}')
    chex.assert_equal_shape([logits, labels])
    logits, deltas = logits.astype(jnp.float32), deltas.astype(jnp.float32)

    is_positive, is_negative = labels == 1, labels == 0
    positives, negatives = (jnp.sum(chosen, dtype=jnp.float32) for chosen in (is_positive, is_negative))
    elementwise = classification_loss(name, logits, labels, **settings)
    on_positives = jnp.sum(jnp.where(is_positive, elementwise, 0.0))
    on_negatives = jnp.sum(jnp.where(is_negative, elementwise, 0.0))
    box_losses = regression_loss(deltas, regression_targets, labels, regression)

    classification = on_positives + on_negatives
    if average != 'sum':
        classification /= jnp.maximum(positives + negatives, 1)
    if average == 'pairs':
        count = is_positive.sum(-1, dtype=jnp.float32)
        means = box_losses.sum(-1) / jnp.maximum(count, 1)
        on_boxes = means.sum() / jnp.maximum((count > 0).sum(dtype=jnp.float32), 1)
    else:
        on_boxes = jnp.sum(box_losses)
        if average == 'anchors':
            on_boxes /= jnp.maximum(positives, 1)
    return classification + xi * on_boxes, {'classification': classification, 'regression': on_boxes}


def cascade_loss(
    logits: Sequence[chex.Array],
    deltas: Sequence[chex.Array],
    labels: Sequence[chex.Array],
    regression_targets: Sequence[chex.Array],
    **settings: typing.Any,
) -> tuple[chex.Array, list[dict[str, chex.Array]]]:
    """Sum of the stage losses, Eq. 7.

    Args:
      logits: of each stage, the first stage first; shapes here and below are those of `stage_loss`.
      deltas: of each stage.
      labels: of each stage, made from that stage's own anchors.
      regression_targets: of each stage.
      **settings: keyword arguments of `stage_loss`, the same for every stage.

    Returns:
      [] total, and each stage's terms as `stage_loss` returns them.

    Raises:
      ValueError: sequences of different lengths, no stage, or what `stage_loss` raises.
    """
    lengths = {len(part) for part in (logits, deltas, labels, regression_targets)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(f'the four arguments need one entry per stage, at least one; got lengths {sorted(lengths)}')
    stages = [stage_loss(*stage, **settings) for stage in zip(logits, deltas, labels, regression_targets, strict=True)]
    return sum(total for total, _ in stages), [terms for _, terms in stages]
