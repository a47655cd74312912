"""One training step: augment, run the cascade, label each stage's own anchors, sum the losses, update (Eq. 7)."""

import dataclasses
import functools
import typing

import chex
import jax
import jax.numpy as jnp
import optax

from sctrpn_jax import config as config_lib
from sctrpn_jax.data import augment
from sctrpn_jax.geometry import boxes
from sctrpn_jax.models import sctrpn
from sctrpn_jax.objectives import cascade_loss, targets
from sctrpn_jax.training import optimiser
from sctrpn_jax.training import train_state as state_lib


def stage_targets(
    outputs: sctrpn.StageOutputs, batch: dict, key: chex.PRNGKey, c: config_lib.LossConfig
) -> targets.Targets:
    """`targets.assign` over batch and stages: every leaf gets leading axes [B, L]."""
    assign = functools.partial(
        targets.assign,
        negative_iou=c.negative_iou,
        max_samples=c.max_samples,
    )
    batch_size, stages = outputs.logits.shape[:2]
    keys = jax.random.split(key, (batch_size, stages))
    thresholds = jnp.asarray([c.positive_iou + i * c.positive_iou_step for i in range(stages)])
    by_place = (jnp.arange(stages) == 0) & (c.first_labels == 'place')
    of_stages = jax.vmap(assign, in_axes=(0, 0, None, None, 0))

    def of_image(*given):
        return of_stages(*given, positive_iou=thresholds, by_place=by_place)

    return jax.vmap(of_image)(outputs.anchors, outputs.mask, batch['box'], batch['positive'], keys)


def loss_and_metrics(
    outputs: sctrpn.StageOutputs, batch: dict, key: chex.PRNGKey, c: config_lib.LossConfig
) -> tuple[chex.Array, dict[str, chex.Array]]:
    """Eq. 7 for a batch, and what to watch of each stage.

    Args:
      outputs: of `SCTRPN`.
      batch: `box` [B, 4] centre form in search-crop pixels and `positive` [B].
      key: draws the samples.
      c: `LossConfig`.

    Returns:
      [] loss, and metrics named `stageN/...`: classification, regression (losses); positives, negatives (anchors per
      image, before sampling); peak_distance (response peak to the target's centre, pixels) and iou (of the best
      scored box with the target), both over positive pairs.
    """
    made = stage_targets(outputs, batch, key, c)
    stages = range(outputs.logits.shape[1])
    total, terms = cascade_loss.cascade_loss(
        *([values[:, i] for i in stages] for values in (outputs.logits, outputs.deltas, made.labels, made.regression)),
        name=c.classification,
        regression=c.regression,
        xi=c.xi,
        average=c.average,
        shrinkage_speed=c.shrinkage_speed,
        shrinkage_location=c.shrinkage_location,
    )
    metrics = {'loss': total}
    positive = batch['positive'].astype(jnp.float32)
    grid = outputs.anchors[:, 0, :, :2]
    for i in stages:
        peak = jnp.argmax(outputs.logits[:, i], axis=-1)[:, None, None]
        distance = jnp.linalg.norm(jnp.take_along_axis(grid, peak, axis=1)[:, 0] - batch['box'][:, :2], axis=-1)
        overlap = boxes.iou(jnp.take_along_axis(outputs.boxes[:, i], peak, axis=1)[:, 0], batch['box'])
        values = terms[i] | {
            'positives': made.positives[:, i].astype(jnp.float32).mean(),
            'negatives': made.negatives[:, i].astype(jnp.float32).mean(),
            'peak_distance': (distance * positive).sum() / jnp.maximum(positive.sum(), 1),
            'iou': (overlap * positive).sum() / jnp.maximum(positive.sum(), 1),
        }
        metrics |= {f'stage{i + 1}/{name}': value for name, value in values.items()}
    return total, metrics


def make_train_step(config: config_lib.Config, expand: typing.Callable = lambda batch: batch) -> jax.stages.Wrapped:
    """Jitted `step(state, batch, layers, running_norms) -> (state, metrics)`; the state is donated.

    A step whose loss or gradient is not finite leaves the state as it was (its count too) and says so in
    `metrics['finite']`, so that what is saved afterwards is sound.

    Args:
      config: the run's.
      expand: makes of the batch that is handed in what `augment.augment` takes (`feeding.Feeding`).

    Returns:
      The step; `layers` and `running_norms` are those of the phase (`config.Phase`), static: one program per set.
    """
    model, solver = sctrpn.SCTRPN(config.model), optimiser.make_optimiser(config.train)
    schedule, begin = optimiser.make_schedule(config.train), optimiser.first_step(config.train)

    def step(
        state: state_lib.TrainState, batch: dict, layers: tuple[int, ...], running_norms: bool
    ) -> tuple[state_lib.TrainState, dict[str, chex.Array]]:
        batch = augment.augment(
            expand(batch), config.seed, search_size=config.model.search_size, **dataclasses.asdict(config.augment)
        )
        # Without it the gradient of conv1's kernel, which wants the crops in another order, would make them again.
        batch = jax.lax.optimization_barrier(batch)
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)

        def loss_fn(params):
            outputs, updated = model.apply(
                {'params': params, 'batch_stats': state.batch_stats},
                batch['template'],
                batch['search'],
                batch['target'],
                train=not running_norms,
                first_trained=min(layers, default=sctrpn.NONE_TRAINED),
                mutable=['batch_stats'],
            )
            total, metrics = loss_and_metrics(outputs, batch, key, config.loss)
            return total, (metrics, updated['batch_stats'])

        (loss, (metrics, batch_stats)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
        updates, opt_state = solver.update(gradients, state.opt_state, state.params)
        params = optax.apply_updates(state.params, updates)
        norm = optax.tree.norm(gradients)
        finite = jnp.isfinite(loss) & jnp.isfinite(norm)
        new = state_lib.TrainState(state.step + 1, params, batch_stats, opt_state)
        new = jax.tree.map(lambda after, before: jnp.where(finite, after, before), new, state)
        return new, metrics | {'gradient_norm': norm, 'rate': schedule(state.step - begin), 'finite': finite}

    return jax.jit(step, static_argnames=('layers', 'running_norms'), donate_argnames='state')
