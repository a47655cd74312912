"""What training carries from step to step."""

import typing

import chex
import jax
import jax.numpy as jnp
from flax import struct

from sctrpn_jax import config as config_lib
from sctrpn_jax.models import sctrpn
from sctrpn_jax.training import optimiser
from sctrpn_jax.weights import initial, loading


@struct.dataclass
class TrainState:
    """Parameters, running statistics and the optimiser's state.

    Attributes:
      step: [] int32, optimiser steps done, those of phases before `train.first_phase` among them.
      params: of `SCTRPN`.
      batch_stats: of `SCTRPN`.
      opt_state: of `optimiser.make_optimiser`.
    """

    step: chex.Array
    params: typing.Any
    batch_stats: typing.Any
    opt_state: typing.Any

    @property
    def variables(self) -> dict:
        """What `SCTRPN.apply` takes."""
        return {'params': self.params, 'batch_stats': self.batch_stats}


def create_train_state(config: config_lib.Config) -> TrainState:
    """Fresh state, with all weights (`train.start_from`) or the backbone's read where the config names them.

    Raises:
      ValueError: weights that do not fit the config.
    """
    variables = sctrpn.init_variables(sctrpn.SCTRPN(config.model), config.seed)
    if config.train.start_from:
        variables = _started(variables, config.train.start_from)
    elif config.model.backbone.weights:
        variables = _with_backbone(variables, config.model.backbone)
    params = variables['params']
    return TrainState(
        step=jnp.asarray(optimiser.first_step(config.train), jnp.int32),
        params=params,
        batch_stats=variables['batch_stats'],
        opt_state=optimiser.make_optimiser(config.train).init(params),
    )


def _with_backbone(variables: dict, b: config_lib.BackboneConfig) -> dict:
    try:
        loaded = initial.load_backbone(b.weights, widths=b.widths, groups=b.groups, norm=b.norm)
    except ValueError as error:
        raise ValueError(f'config.model.backbone.weights: {error} (`sctrpn weights import` makes it)') from None
    # A file holds convolutions for all five layers; the network may use fewer, and norms of its own.
    backbone = variables['params']['backbone']
    backbone = backbone | {name: jax.tree.map(jnp.asarray, loaded[name]) for name in loaded if name in backbone}
    return variables | {'params': variables['params'] | {'backbone': backbone}}


def _started(fresh: dict, where: str) -> dict:
    """Variables of another run of the same network."""
    loaded, _ = loading.load_network(where)
    found, wanted = _shapes(loaded), _shapes(fresh)
    for name in sorted(found.keys() | wanted.keys()):
        if found.get(name) != wanted.get(name):
            raise ValueError(
                f'config.train.start_from: {where} has another network: {name} is {found.get(name, "not there")}, '
                f'the config wants {wanted.get(name, "none")}; give weights of the same config.model'
            )
    return jax.tree.map(jnp.asarray, loaded)


def _shapes(tree: dict) -> dict[str, tuple[int, ...]]:
    """Path of every array, joined by `/`, to its shape."""
    return {'/'.join(key.key for key in keys): jnp.shape(leaf) for keys, leaf in jax.tree.flatten_with_path(tree)[0]}
