"""Recovery (an addition, `track.recovery`): after a low score the next search stays and looks farther away."""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import look as look_lib
from sctrpn_jax.tracking import track_state as state_lib


def look(
    variables: dict, state: state_lib.TrackState, frame: chex.Array, config: config_lib.Config, details: bool
) -> look_lib.Found:
    """`look.look`, in a larger crop at the same scale where the target was lost in the frame before.

    The same scale is the one that the network measures best (DaSiamRPN, ECCV 2018, widens its search too).

    Args:
      variables: of `SCTRPN`.
      state: of the tracker.
      frame: [H, W, 3] uint8 RGB.
      config: the run's.
      details: whether response maps and proposals are returned.
    """
    c = config.track
    here = functools.partial(look_lib.look, config=config, details=details)
    near = functools.partial(here, search_size=c.search_size)
    if not c.recovery.search_size:
        return near(variables, state, frame)
    far = functools.partial(here, search_size=c.recovery.search_size)

    @jax.custom_batching.custom_vmap
    def either(variables, state, frame):
        return jax.lax.cond(state.lost, far, near, variables, state, frame)

    @either.def_vmap
    def _(count, batched, variables, state, frame):
        # `cond`'s own rule would copy every operand for each of the targets, the weights too.
        axes = jax.tree.map(lambda each: 0 if each else None, tuple(batched))
        both = [jax.vmap(way, in_axes=axes, axis_size=count)(variables, state, frame) for way in (far, near)]
        lost = jnp.broadcast_to(state.lost, (count,))
        found = jax.tree.map(lambda a, b: jnp.where(lost.reshape(-1, *[1] * (a.ndim - 1)), a, b), *both)
        return found, jax.tree.map(lambda _: True, found)

    return either(variables, state, frame)


def hold_if_lost(
    before: state_lib.TrackState, after: state_lib.TrackState, score: chex.Array, config: config_lib.Config
) -> state_lib.TrackState:
    """The new state; where the score is too low, with place, size, contours and filter from before the frame.

    Args:
      before: state before the frame.
      after: state after it.
      score: [] of the frame, 0..1.
      config: the run's.
    """
    lost = score < config.track.recovery.score
    learned = jax.tree.map(lambda old, new: jnp.where(lost, old, new), before.filter, after.filter)
    return dataclasses.replace(
        after,
        filter=learned,
        centre=jnp.where(lost, before.centre, after.centre),
        size=jnp.where(lost, before.size, after.size),
        cues=dataclasses.replace(
            after.cues, rho_previous=jnp.where(lost, before.cues.rho_previous, after.cues.rho_previous)
        ),
        lost=lost,
    )
