"""The optimiser of a run: one chain that clips all gradients, then SGD or AdamW for each part (Sec. 4.2).

The parts are the heads (RPN branches and FEM) and each backbone layer; `train.phases` says when each is trained and at
which rate. A part at rest keeps its parameters and its momentum.
"""

import typing
from collections.abc import Callable

import chex
import jax
import jax.numpy as jnp
import optax

from sctrpn_jax import config as config_lib

HEADS = 'heads'  # the part that is always trained
# C-RPN's and pysot's; the paper names SGD alone.
MOMENTUM = 0.9  # of SGD, and b1 of AdamW
WEIGHT_DECAY = 1e-4  # of kernels, not of biases and norms
CLIP_NORM = 10.0  # of the gradients of all parts together


class Span(typing.NamedTuple):
    """A phase and the optimiser steps that it covers: first to end - 1."""

    first: int
    end: int
    phase: config_lib.Phase


def spans(c: config_lib.TrainConfig) -> list[Span]:
    """The phases of a run with their steps; left out are those before `first_phase`, and one that rounds to no step."""
    per_epoch = max(c.pairs_per_epoch // c.batch_size, 1)
    found, first, epochs = [], 0, 0.0
    for number, phase in enumerate(c.phases):
        epochs += phase.epochs
        end = round(epochs * per_epoch)
        if end > first and number >= c.first_phase:
            found.append(Span(first, end, phase))
        first = end
    return found


def first_step(c: config_lib.TrainConfig) -> int:
    """The step that a new run begins with: 0, or the first of `train.first_phase`."""
    found = spans(c)
    return found[0].first if found else 0


def total_steps(c: config_lib.TrainConfig) -> int:
    """Optimiser steps of the whole run, those of phases before `first_phase` among them."""
    found = spans(c)
    return found[-1].end if found else 0


def phase_at(c: config_lib.TrainConfig, step: int) -> config_lib.Phase:
    """The phase that an optimiser step of the run lies in."""
    return next(span.phase for span in spans(c) if step < span.end)


def make_schedule(c: config_lib.TrainConfig, part: str = HEADS) -> optax.Schedule:
    """Learning rate of a part by the number of steps that it was trained for.

    Args:
      c: `TrainConfig`.
      part: `heads`, or a backbone layer (`conv1` .. `conv5`), which rests in phases that do not train it.
    """
    schedules, boundaries, count = [], [], 0
    for span in spans(c):
        if _is_trained(span.phase, part):
            schedules.append(_ramp(span.phase, span.end - span.first))
            count += span.end - span.first
            boundaries.append(count)
    schedule = optax.join_schedules(schedules, boundaries[:-1])
    factor = 1.0 if part == HEADS else c.backbone_rate
    return lambda step: factor * schedule(step)


def make_optimiser(c: config_lib.TrainConfig) -> optax.GradientTransformation:
    """Clipping, then the solver of each part.

    Args:
      c: `TrainConfig`.

    Returns:
      A transformation of parameters with a `backbone` that holds `conv1` .. `conv5` (and norms).
    """
    parts = [HEADS, *(f'conv{n}' for n in range(1, 6))]
    return optax.chain(
        optax.clip_by_global_norm(CLIP_NORM), optax.partition({part: _part(c, part) for part in parts}, _labels)
    )


def _part(c: config_lib.TrainConfig, part: str) -> optax.GradientTransformation:
    """The solver of a part, at rest in the phases that do not train it."""
    active = [(span.first, span.end) for span in spans(c) if _is_trained(span.phase, part)]
    if not active:
        return optax.set_to_zero()
    rate = make_schedule(c, part)
    if c.optimiser == 'adamw':
        solver = optax.adamw(rate, b1=MOMENTUM, weight_decay=WEIGHT_DECAY, mask=_kernels)
    else:
        decay = optax.add_decayed_weights(WEIGHT_DECAY, mask=_kernels)
        solver = optax.chain(decay, optax.trace(MOMENTUM), optax.scale_by_learning_rate(rate))
    if all(_is_trained(span.phase, part) for span in spans(c)):
        return solver

    def is_active(count: chex.Array) -> chex.Array:
        step = first_step(c) + count
        inside = [(first <= step) & (step < end) for first, end in active]
        return jnp.stack(inside).any()

    return optax.transforms.conditionally_mask(solver, is_active)


def _is_trained(phase: config_lib.Phase, part: str) -> bool:
    return part == HEADS or int(part[-1]) in phase.layers


def _ramp(phase: config_lib.Phase, steps: int) -> Callable[[chex.Numeric], chex.Numeric]:
    if phase.start_rate == phase.end_rate:
        return optax.constant_schedule(phase.start_rate)
    if phase.ramp == 'linear':
        return optax.linear_schedule(phase.start_rate, phase.end_rate, steps)
    return optax.exponential_decay(phase.start_rate, steps, phase.end_rate / phase.start_rate)


def _labels(params: dict) -> dict:
    """The part of every parameter: a backbone layer with its norm, or the heads."""

    def part(path, _):
        in_backbone = path[0].key == 'backbone'
        return f'conv{path[1].key[-1]}' if in_backbone else HEADS

    return jax.tree.map_with_path(part, params)


def _kernels(params):
    return jax.tree.map_with_path(lambda path, _: path[-1].key == 'kernel', params)


def describe(c: config_lib.TrainConfig) -> str:
    """One line: steps and pairs of the run, and what is trained from which step on."""
    parts = []
    for span in spans(c):
        layers = ', '.join(f'conv{n}' for n in span.phase.layers) or 'heads alone'
        parts.append(f'from step {span.first}: {layers}')
    total = total_steps(c)
    return f'{total} steps, {total * c.batch_size} pairs; {"; ".join(parts)}'
