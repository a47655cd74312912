"""Recovery (an addition, `track.recovery`): a hidden target teaches nothing and is looked for farther away.

Hidden is a target whose score in a frame falls to `SHARE` of what is usual for it: what covers a target, a look-alike
above all, may score well enough for any fixed threshold. Its size stays; its place follows the best box, which is often
a part of the target that still shows. Below `track.recovery.score` nothing of it shows, and the place stays too.
"""

import dataclasses
import functools

import chex
import jax
import jax.numpy as jnp

from sctrpn_jax import config as config_lib
from sctrpn_jax.tracking import look as look_lib
from sctrpn_jax.tracking import track_state as state_lib

SHARE = 0.45  # of the usual score; 0.38 and 0.6 lose more targets on videos of crowds
# Of the running mean. Hidden frames count too: a target that has changed for good is taken up again after some frames.
RATE = 0.03


def look(
    variables: dict, state: state_lib.TrackState, frame: chex.Array, config: config_lib.Config, details: bool
) -> look_lib.Found:
    """`look.look`, in a larger crop at the same scale where the target was hidden in the frame before.

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
        return jax.lax.cond(state.hidden, far, near, variables, state, frame)

    @either.def_vmap
    def _(count, batched, variables, state, frame):
        # `cond`'s own rule would copy every operand for each of the targets, the weights too.
        axes = jax.tree.map(lambda each: 0 if each else None, tuple(batched))
        both = [jax.vmap(way, in_axes=axes, axis_size=count)(variables, state, frame) for way in (far, near)]
        hidden = jnp.broadcast_to(state.hidden, (count,))
        found = jax.tree.map(lambda a, b: jnp.where(hidden.reshape(-1, *[1] * (a.ndim - 1)), a, b), *both)
        return found, jax.tree.map(lambda _: True, found)

    return either(variables, state, frame)


def hold_if_hidden(
    before: state_lib.TrackState, after: state_lib.TrackState, score: chex.Array, config: config_lib.Config
) -> state_lib.TrackState:
    """The new state; where the target is hidden, with size, contours and filter from before the frame.

    Args:
      before: state before the frame.
      after: state after it.
      score: [] of the frame, 0..1.
      config: the run's.
    """
    least = config.track.recovery.score
    if not least:
        return dataclasses.replace(after, hidden=jnp.zeros_like(before.hidden))
    lost = score < least
    hidden = lost | (score < SHARE * before.usual)

    def held(old, new):
        return jax.tree.map(lambda a, b: jnp.where(hidden, a, b), old, new)

    return dataclasses.replace(
        after,
        filter=held(before.filter, after.filter),
        centre=jnp.where(lost, before.centre, after.centre),
        size=held(before.size, after.size),
        cues=dataclasses.replace(after.cues, rho_previous=held(before.cues.rho_previous, after.cues.rho_previous)),
        hidden=hidden,
        usual=before.usual + RATE * (score - before.usual),
    )


def confidence(score: chex.Array, usual: chex.Array, config: config_lib.Config) -> chex.Array:
    """How sure the tracker is that its box is on the target.

    A target that has scored low for long has often been lost, whatever the box is on now. So with recovery it is the
    geometric mean of the frame's score and the usual one; without, the frame's score.

    Args:
      score: [] of the frame, 0..1.
      usual: [] running mean of the scores up to this frame, 0..1.
      config: the run's.

    Returns:
      [] 0..1.
    """
    return jnp.sqrt(score * usual) if config.track.recovery.score else score
