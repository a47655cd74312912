"""SGD with momentum (or AdamW) and the three phases of Sec. 4.2: warm-up, frozen backbone, end to end."""

import math

import jax
import optax

from sctrpn_jax import config as config_lib


def steps_per_epoch(c: config_lib.TrainConfig) -> int:
    """Optimiser steps in one epoch of `pairs_per_epoch` pairs."""
    return max(c.pairs_per_epoch // c.batch_size, 1)


def total_steps(c: config_lib.TrainConfig) -> int:
    """Optimiser steps of the whole run."""
    return c.epochs * steps_per_epoch(c)


def backbone_start(c: config_lib.TrainConfig) -> int:
    """First step at which the backbone is trained."""
    if c.end_to_end_after_warmup:
        return round(c.warmup_epochs * steps_per_epoch(c))
    return total_steps(c) - round(c.final_epochs * steps_per_epoch(c))


def make_schedule(c: config_lib.TrainConfig) -> optax.Schedule:
    """Learning rate by step: warm-up (constant as printed, or a ramp), constant, then exponential decay."""
    total, warm = total_steps(c), round(c.warmup_epochs * steps_per_epoch(c))
    decay_from = warm if c.decay_frozen else max(total - round(c.final_epochs * steps_per_epoch(c)), warm)
    ramp = optax.linear_schedule(c.warmup_rate / 10, c.warmup_rate, max(warm, 1))
    decay = optax.exponential_decay(c.rate, max(total - decay_from, 1), c.final_rate / c.rate)
    return optax.join_schedules(
        [ramp if c.warmup_ramp else optax.constant_schedule(c.warmup_rate), optax.constant_schedule(c.rate), decay],
        [warm, decay_from],
    )


def make_optimiser(c: config_lib.TrainConfig, factor: float = 1.0, first_step: int = 0) -> optax.GradientTransformation:
    """SGD with momentum, or AdamW; weight decay on kernels alone. Clipping is done before, on all parameters together.

    Args:
      c: `TrainConfig`.
      factor: on the learning rate.
      first_step: of the run, at which this optimiser's own count begins.
    """
    schedule = make_schedule(c)

    def rate(step):
        return factor * schedule(step + first_step)

    if c.optimiser == 'adamw':
        return optax.adamw(rate, b1=c.momentum, weight_decay=c.weight_decay, mask=_kernels)
    return optax.chain(
        optax.add_decayed_weights(c.weight_decay, mask=_kernels),
        optax.trace(c.momentum),
        optax.scale_by_learning_rate(rate),
    )


def make_backbone_optimiser(c: config_lib.TrainConfig) -> optax.GradientTransformation:
    """`make_optimiser` for the backbone, whose steps begin with the end-to-end phase."""
    return make_optimiser(c, c.backbone_rate, backbone_start(c))


def _kernels(params):
    return jax.tree.map_with_path(lambda path, _: path[-1].key == 'kernel', params)


def describe(c: config_lib.TrainConfig) -> str:
    """One line: steps and pairs of the run and where its phases begin."""
    total = total_steps(c)
    pairs = total * c.batch_size
    warm, start = round(c.warmup_epochs * steps_per_epoch(c)), min(backbone_start(c), total)
    end = f'end to end from step {start}' if start < total else 'backbone frozen throughout'
    return f'{total} steps, {pairs} pairs; warm-up to step {warm}, {end}; {math.ceil(c.epochs)} epochs'
