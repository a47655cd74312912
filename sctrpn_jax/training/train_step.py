"""One training step: augment, run the cascade, label each stage's own anchors, sum the losses, update (Eq. 7)."""

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
from sctrpn_jax.objectives import cascade_loss as cascade
from sctrpn_jax.objectives import targets
from sctrpn_jax.training import optimiser
from sctrpn_jax.training import state as state_lib


def stage_targets(outputs: sctrpn.StageOutputs, batch: dict, key: chex.PRNGKey, c: config_lib.LossConfig):
    """`targets.assign` over batch and stages: every leaf gets leading axes [B, L]."""
    assign = functools.partial(
        targets.assign,
        negative_iou=c.negative_iou,
        best_anchor=c.best_anchor,
        max_samples=c.max_samples,
        max_positives=c.max_positives,
    )
    batch_size, stages = outputs.logits.shape[:2]
    keys = jax.random.split(key, (batch_size, stages))
    thresholds = jnp.asarray([c.positive_iou + i * c.positive_iou_step for i in range(stages)])
    over_stages = jax.vmap(
        lambda anchors, mask, box, positive, key, threshold, by_place: assign(
            anchors, mask, box, positive, key, positive_iou=threshold, by_place=by_place
        ),
        in_axes=(0, 0, None, None, 0, 0, 0),
    )
    over_batch = jax.vmap(over_stages, in_axes=(0, 0, 0, 0, 0, None, None))
    by_place = (jnp.arange(stages) == 0) & (c.first_labels == 'place')
    return over_batch(outputs.anchors, outputs.mask, batch['box'], batch['positive'], keys, thresholds, by_place)


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
      [] loss, and metrics named `stageN/...`: classification, regression (losses); positives, negatives (anchors an
      image, before sampling); peak_distance (response peak to the target's centre, pixels) and iou (of the best
      scored box with the target), both over positive pairs.
    """
    made = stage_targets(outputs, batch, key, c)
    stages = range(outputs.logits.shape[1])
    total, terms = cascade.cascade_loss(
        *([values[:, i] for i in stages] for values in (outputs.logits, outputs.deltas, made.labels, made.regression)),
        name=c.classification,
        regression=c.regression,
        regression_mean=c.regression_mean,
        xi=c.xi,
        normalize=c.normalize,
        balanced=c.balanced,
        a=c.a,
        c=c.c,
        focal_gamma=c.focal_gamma,
        hard_negative_threshold=c.hard_negative_threshold,
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


def make_train_step(config: config_lib.Config, expand: typing.Callable = lambda batch: batch) -> typing.Callable:
    """Jitted `step(state, batch, train_backbone) -> (state, metrics)`; the state is donated.

    `expand` makes of the batch that is handed in what `augment.augment` takes (`feeding.Feeding`).

    A step whose loss or gradient is not finite leaves the state as it was (its count too) and says so in
    `metrics['finite']`, so that what is saved afterwards is sound.
    """
    model, c = sctrpn.SCTRPN(config.model), config.train
    heads_sgd = optimiser.make_optimiser(c)
    backbone_sgd = optimiser.make_backbone_optimiser(c)
    schedule = optimiser.make_schedule(c)

    def step(state: state_lib.TrainState, batch: dict, train_backbone: bool):
        batch = augment.augment(
            expand(batch),
            config.seed,
            template_size=config.model.template_size,
            search_size=config.model.search_size,
            **vars(config.augment),
        )
        key = jax.random.fold_in(jax.random.key(config.seed), state.step)

        def loss_fn(params):
            outputs, updated = model.apply(
                {'params': params, 'batch_stats': state.batch_stats},
                batch['template'],
                batch['search'],
                batch['target'],
                train=not c.running_norms,
                first_trained=min(c.train_layers) if train_backbone else sctrpn.NONE_TRAINED,
                mutable=['batch_stats'],
            )
            total, metrics = loss_and_metrics(outputs, batch, key, config.loss)
            return total, (metrics, updated.get('batch_stats', state.batch_stats))

        (_, (metrics, batch_stats)), gradients = jax.value_and_grad(loss_fn, has_aux=True)(state.params)
        heads, backbone = state_lib.split_params(state.params)
        heads_gradient, backbone_gradient = state_lib.split_params(gradients)
        # Layers at rest: the compiler drops what would only have led to their gradients.
        # A list: a set's order differs from process to process, and with it the program that the cache looks up.
        at_rest = [name for name in backbone if not train_backbone or int(name[-1]) not in c.train_layers]
        backbone_gradient |= {name: jax.tree.map(jnp.zeros_like, backbone[name]) for name in at_rest}
        gradients = (heads_gradient, backbone_gradient)
        norm = optax.tree.norm(gradients)
        gradients, _ = optax.clip_by_global_norm(c.clip_norm).update(gradients, optax.EmptyState())
        updates, heads_momentum = heads_sgd.update(gradients[0], state.heads_momentum, heads)
        heads = optax.apply_updates(heads, updates)
        backbone_momentum = state.backbone_momentum
        if train_backbone:
            updates, backbone_momentum = backbone_sgd.update(gradients[1], backbone_momentum, backbone)
            backbone = optax.apply_updates(backbone, updates) | {name: backbone[name] for name in at_rest}
        finite = jnp.isfinite(metrics['loss']) & jnp.isfinite(norm)
        new = state_lib.TrainState(
            state.step + 1, heads | {'backbone': backbone}, batch_stats, heads_momentum, backbone_momentum
        )
        new = jax.tree.map(lambda a, b: jnp.where(finite, a, b), new, state)
        metrics |= {'gradient_norm': norm, 'rate': schedule(state.step), 'finite': finite}
        return new, metrics

    return jax.jit(step, static_argnames='train_backbone', donate_argnames='state')
